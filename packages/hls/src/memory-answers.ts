/** Answers to requests for what is kept in memory. */
import type { OutputAnswer } from '@srs/stream';

/** A name is not used again for other bytes while players may ask for it. */
const MEDIA_AGE_SECONDS = 60;

const PLAYLIST_TYPE = 'application/vnd.apple.mpegurl';
const contentTypes: Readonly<Record<string, string>> = {
  ts: 'video/mp2t',
  m4s: 'video/mp4',
  mp4: 'video/mp4',
};

export const notFound: OutputAnswer = { status: 404, reason: 'there is nothing by this name' };

export function playlistAnswer(body: Buffer, maxAgeSeconds: number): OutputAnswer {
  return { status: 200, contentType: PLAYLIST_TYPE, body, maxAgeSeconds };
}

/** A segment, a part, an init segment or a key. */
export function mediaAnswer(path: string, body: Buffer): OutputAnswer {
  const ending = path.slice(path.lastIndexOf('.') + 1);
  return { status: 200, contentType: contentTypes[ending] ?? 'application/octet-stream', body, maxAgeSeconds: MEDIA_AGE_SECONDS };
}
