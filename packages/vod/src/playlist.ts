/** The playlist of a recording (RFC 8216). */
import type { VodOutline } from './recording.ts';

/** Fractions of seconds need it. */
const PROTOCOL_VERSION = 3;

/**
 * @param recordingName the file beside the playlist
 * @returns the text, with a line feed at the end of each line
 */
export function vodPlaylist(
  { durationsMs, isIndependent }: Pick<VodOutline, 'durationsMs' | 'isIndependent'>,
  recordingName: string,
  id: string,
): string {
  const directory = `${encodeURIComponent(recordingName)}.vod`;
  // What a duration is rounded to must not be more.
  const targetSeconds = durationsMs.reduce((longest, durationMs) => Math.max(longest, Math.round(durationMs / 1000)), 1);
  const lines = [
    '#EXTM3U',
    `#EXT-X-VERSION:${PROTOCOL_VERSION}`,
    '#EXT-X-PLAYLIST-TYPE:VOD',
    ...(isIndependent ? ['#EXT-X-INDEPENDENT-SEGMENTS'] : []),
    `#EXT-X-TARGETDURATION:${targetSeconds}`,
    '#EXT-X-MEDIA-SEQUENCE:0',
  ];
  for (const [index, durationMs] of durationsMs.entries()) {
    lines.push(`#EXTINF:${(durationMs / 1000).toFixed(3)},`, `${directory}/${id}-${index}.ts`);
  }
  lines.push('#EXT-X-ENDLIST', '');
  return lines.join('\n');
}
