/** Low-latency playlists as text (RFC 8216bis, 4.4). */
import { HOLD_BACK_TARGETS, type LowLatencyPlaylist, type Part, type PartialSegment, SKIP_TARGETS } from './ll-playlist.ts';
import type { ListedSegment } from './playlist.ts';

/** EXT-X-SKIP needs it. */
const PROTOCOL_VERSION = 9;

/**
 * The text of a playlist, with a line feed at the end of each line.
 * @param isDelta leave out the oldest segments, for a player that has them: `_HLS_skip`
 */
export function lowLatencyText(playlist: LowLatencyPlaylist, isDelta = false): string {
  const { segments } = playlist.segments;
  const skipped = isDelta ? countSkipped(playlist) : 0;
  const lines = headLines(playlist);
  if (skipped > 0) lines.push(`#EXT-X-SKIP:SKIPPED-SEGMENTS=${skipped}`);
  let previous: ListedSegment | undefined;
  for (const segment of segments.slice(skipped)) {
    pushStart(lines, segment, previous);
    for (const part of playlist.partsOf(segment.sequence) ?? []) lines.push(partLine(part));
    lines.push(`#EXTINF:${seconds(segment.durationMs)},`, segment.uri);
    previous = segment;
  }
  const { open, hint } = playlist;
  if (open !== undefined) {
    pushStart(lines, open, previous);
    for (const part of open.parts) lines.push(partLine(part));
  }
  if (hint !== undefined) lines.push(`#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${hint.uri}"`);
  return `${lines.join('\n')}\n`;
}

function headLines(playlist: LowLatencyPlaylist): string[] {
  const { targetSeconds, mediaSequence, discontinuitySequence } = playlist.segments;
  const { partTargetMs } = playlist;
  const control = [
    'CAN-BLOCK-RELOAD=YES',
    `CAN-SKIP-UNTIL=${seconds(SKIP_TARGETS * targetSeconds * 1000)}`,
    `HOLD-BACK=${seconds(HOLD_BACK_TARGETS * targetSeconds * 1000)}`,
    `PART-HOLD-BACK=${seconds(HOLD_BACK_TARGETS * partTargetMs)}`,
  ];
  return [
    '#EXTM3U',
    `#EXT-X-VERSION:${PROTOCOL_VERSION}`,
    `#EXT-X-TARGETDURATION:${targetSeconds}`,
    `#EXT-X-SERVER-CONTROL:${control.join(',')}`,
    `#EXT-X-PART-INF:PART-TARGET=${seconds(partTargetMs)}`,
    `#EXT-X-MEDIA-SEQUENCE:${mediaSequence}`,
    `#EXT-X-DISCONTINUITY-SEQUENCE:${discontinuitySequence}`,
  ];
}

/** What stands before a segment. The first one of the text says what others take over from the one before them. */
function pushStart(lines: string[], segment: Omit<PartialSegment, 'parts'>, previous: ListedSegment | undefined): void {
  const { isDiscontinuity, programDateTimeMs, init } = segment;
  if (isDiscontinuity) lines.push('#EXT-X-DISCONTINUITY');
  if (programDateTimeMs !== undefined && (previous === undefined || isDiscontinuity)) {
    lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(programDateTimeMs).toISOString()}`);
  }
  if (init !== undefined && init.uri !== previous?.init?.uri) lines.push(`#EXT-X-MAP:URI="${init.uri}"`);
}

function partLine({ durationMs, uri, isIndependent }: Part): string {
  return `#EXT-X-PART:DURATION=${seconds(durationMs)},URI="${uri}"${isIndependent ? ',INDEPENDENT=YES' : ''}`;
}

/** Segments that end before the skip boundary. */
function countSkipped(playlist: LowLatencyPlaylist): number {
  const { segments, targetSeconds } = playlist.segments;
  let leftMs = SKIP_TARGETS * targetSeconds * 1000;
  for (const { durationMs } of playlist.open?.parts ?? []) leftMs -= durationMs;
  let skipped = segments.length;
  while (skipped > 0 && leftMs > 0) {
    skipped -= 1;
    leftMs -= segments[skipped]!.durationMs;
  }
  return skipped;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}
