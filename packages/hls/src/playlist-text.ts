/** Media playlists as text, and the text as what it lists (RFC 8216, 4.3). */
import { parse, setOptions, stringify, types } from 'hls-parser';
import type { ListedSegment, Playlist } from './playlist.ts';

// The library reports what it dislikes on the console unless it is told to throw.
setOptions({ strictMode: true, silent: true });

/** Fractions of seconds and EXT-X-KEY with the number of the segment as its initialization vector need no more. */
const PROTOCOL_VERSION = 3;
/** EXT-X-MAP needs 6; 7 is what is said of fragmented MP4. */
const MP4_PROTOCOL_VERSION = 7;

/** What a segment adds to a playlist that goes on behind another segment never changes, so it is built once. */
const bodies = new WeakMap<ListedSegment, string>();

/**
 * The text of a playlist, with a line feed at the end of each line.
 *
 * The library looks through all lines before it for each new one, so it is given one segment at a time.
 */
export function playlistText(playlist: Playlist): string {
  const texts: string[] = [headText(playlist)];
  let previous: ListedSegment | undefined;
  for (const segment of playlist.segments) {
    texts.push(previous === undefined ? segmentText(segment, undefined) : bodyText(segment, previous));
    previous = segment;
  }
  return texts.join('');
}

function headText({ mediaSequence, discontinuitySequence, targetSeconds, segments }: Playlist): string {
  const hasInit = segments.some(({ init }) => init !== undefined);
  const text = stringify(
    new types.MediaPlaylist({
      version: hasInit ? MP4_PROTOCOL_VERSION : PROTOCOL_VERSION,
      targetDuration: targetSeconds,
      mediaSequenceBase: mediaSequence,
      discontinuitySequenceBase: discontinuitySequence,
    }),
  );
  const [start, version, target, ...sequences] = text.split('\n');
  // The library leaves out a zero, and does not know what old players are told about caches. The order is that of SRS.
  if (mediaSequence === 0) sequences.unshift('#EXT-X-MEDIA-SEQUENCE:0');
  return `${[start, version, '#EXT-X-ALLOW-CACHE:NO', ...sequences, target].join('\n')}\n`;
}

function bodyText(segment: ListedSegment, previous: ListedSegment): string {
  const known = bodies.get(segment);
  if (known !== undefined) return known;
  const text = segmentText(segment, previous);
  bodies.set(segment, text);
  return text;
}

/** @param previous undefined for the first segment of the list, which has to say what others take over from the one before */
function segmentText(segment: ListedSegment, previous: ListedSegment | undefined): string {
  const { uri, durationMs, isDiscontinuity, programDateTimeMs, key, init } = segment;
  const newInit = init?.uri === previous?.init?.uri ? undefined : init;
  const isNewKey = key?.uri !== previous?.key?.uri || (newInit !== undefined && key !== undefined);
  const hasDate = programDateTimeMs !== undefined && (previous === undefined || isDiscontinuity);
  const listed = new types.Segment({
    uri,
    duration: durationMs / 1000,
    discontinuity: isDiscontinuity,
    ...(hasDate ? { programDateTime: new Date(programDateTimeMs) } : {}),
    ...(isNewKey ? { key: keyOf(key?.uri) } : {}),
  });
  const playlist = new types.MediaPlaylist({ version: PROTOCOL_VERSION, segments: [listed] });
  const text = stringify(playlist, { segmentProcessor: writeDurations });
  // Behind #EXTM3U and the version.
  const lines = text.split('\n').slice(2);
  if (newInit !== undefined) insertInit(lines, newInit.uri, previous?.key !== undefined);
  return `${lines.join('\n')}\n`;
}

/**
 * Init segments are not encrypted, so no key may be in force where one is named (RFC 8216, 4.3.2.4); keys are named behind it. The library
 * would write it behind them.
 */
function insertInit(lines: string[], uri: string, isKeyInForce: boolean): void {
  const noKey = '#EXT-X-KEY:METHOD=NONE';
  const index = lines.findIndex((line) => /^#(?:EXT-X-KEY|EXTINF):/.test(line) && line !== noKey);
  const isSaid = lines.includes(noKey);
  lines.splice(index, 0, ...(isKeyInForce && !isSaid ? [noKey] : []), `#EXT-X-MAP:URI="${uri}"`);
}

function keyOf(uri: string | undefined): InstanceType<typeof types.Key> {
  return new types.Key(uri === undefined ? { method: 'NONE' } : { method: 'AES-128', uri });
}

/** Always three decimals: the library writes as many as a number happens to have. */
function writeDurations(lines: string[], start: number, end: number, segment: { readonly duration: number }): void {
  for (let index = start; index <= end; index++) {
    if (lines[index]!.startsWith('#EXTINF:')) lines[index] = `#EXTINF:${segment.duration.toFixed(3)},`;
  }
}

/** A segment as a playlist tells of it. */
export interface ParsedSegment {
  readonly sequence: number;
  readonly uri: string;
  readonly durationMs: number;
  readonly isDiscontinuity: boolean;
  readonly programDateTimeMs: number | undefined;
  readonly keyUri: string | undefined;
  readonly initUri?: string | undefined;
}

export interface ParsedPlaylist {
  readonly mediaSequence: number;
  readonly discontinuitySequence: number;
  readonly segments: readonly ParsedSegment[];
}

/**
 * Reads a media playlist.
 * @throws Error that says what is wrong with it
 */
export function parsePlaylist(text: string): ParsedPlaylist {
  const playlist = parse(text);
  if (playlist.isMasterPlaylist) throw new Error('this is a master playlist');
  return {
    mediaSequence: playlist.mediaSequenceBase ?? 0,
    discontinuitySequence: playlist.discontinuitySequenceBase ?? 0,
    segments: playlist.segments.map((segment) => ({
      sequence: segment.mediaSequenceNumber,
      uri: segment.uri,
      durationMs: Math.round(segment.duration * 1000),
      isDiscontinuity: segment.discontinuity === true,
      programDateTimeMs: segment.programDateTime?.getTime(),
      keyUri: segment.key?.uri,
      ...(segment.map?.uri === undefined ? {} : { initUri: segment.map.uri }),
    })),
  };
}
