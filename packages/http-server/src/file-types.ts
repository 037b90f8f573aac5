/** What the ending of a file name says of its contents. */

const contentTypes: Readonly<Record<string, string>> = {
  // Streams and their parts.
  m3u8: 'application/vnd.apple.mpegurl',
  mpd: 'application/dash+xml',
  ts: 'video/mp2t',
  m4s: 'video/iso.segment',
  cmfv: 'video/mp4',
  cmfa: 'audio/mp4',
  key: 'application/octet-stream',
  vtt: 'text/vtt;charset=utf-8',
  // Recordings.
  flv: 'video/x-flv',
  fhv: 'video/x-flv',
  f4v: 'video/mp4',
  mp4: 'video/mp4',
  m4v: 'video/mp4',
  mov: 'video/quicktime',
  mkv: 'video/x-matroska',
  webm: 'video/webm',
  avi: 'video/x-msvideo',
  '3gp': 'video/3gpp',
  m4a: 'audio/mp4',
  mp3: 'audio/mpeg',
  aac: 'audio/aac',
  ac3: 'audio/ac3',
  opus: 'audio/ogg',
  ogg: 'audio/ogg',
  oga: 'audio/ogg',
  ogv: 'video/ogg',
  wav: 'audio/wav',
  weba: 'audio/webm',
  flac: 'audio/flac',
  // Pages.
  html: 'text/html;charset=utf-8',
  htm: 'text/html;charset=utf-8',
  css: 'text/css;charset=utf-8',
  js: 'text/javascript;charset=utf-8',
  mjs: 'text/javascript;charset=utf-8',
  json: 'application/json;charset=utf-8',
  map: 'application/json;charset=utf-8',
  webmanifest: 'application/manifest+json',
  xml: 'text/xml;charset=utf-8',
  txt: 'text/plain;charset=utf-8',
  log: 'text/plain;charset=utf-8',
  srt: 'text/plain;charset=utf-8',
  md: 'text/markdown;charset=utf-8',
  csv: 'text/csv;charset=utf-8',
  pdf: 'application/pdf',
  zip: 'application/zip',
  gz: 'application/gzip',
  swf: 'application/x-shockwave-flash',
  wasm: 'application/wasm',
  // Pictures and letters.
  ico: 'image/x-icon',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  svg: 'image/svg+xml',
  webp: 'image/webp',
  avif: 'image/avif',
  bmp: 'image/bmp',
  woff: 'font/woff',
  woff2: 'font/woff2',
  ttf: 'font/ttf',
  otf: 'font/otf',
};

const UNKNOWN_TYPE = 'application/octet-stream';

/** They change under the same name with every segment. */
const playlists: ReadonlySet<string> = new Set(['m3u8', 'mpd']);
/** They keep their contents while they are listed, but a stream that begins anew may use their names again. */
const segments: ReadonlySet<string> = new Set(['ts', 'm4s', 'cmfv', 'cmfa', 'aac', 'vtt']);
const SEGMENT_MAX_AGE_S = 60;

/** In small letters, without the dot; empty for a name that has none. */
export function extensionOf(name: string): string {
  const dot = name.lastIndexOf('.');
  return dot < 0 ? '' : name.slice(dot + 1).toLowerCase();
}

export function contentTypeOf(extension: string): string {
  return Object.hasOwn(contentTypes, extension) ? contentTypes[extension]! : UNKNOWN_TYPE;
}

/** How long caches may keep a file without asking; undefined leaves it to them. */
export function cacheControlOf(extension: string): string | undefined {
  if (playlists.has(extension)) return 'no-cache';
  return segments.has(extension) ? `max-age=${SEGMENT_MAX_AGE_S}` : undefined;
}
