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
  let previous: Previous | undefined = skipped > 0 ? { isSkipped: true, key: segments[skipped - 1]!.key } : undefined;
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

/** The segment before another: one of which the text tells, or the last that it leaves out. */
interface Previous extends Pick<ListedSegment, 'key' | 'init'> {
  readonly isSkipped?: boolean;
}

/**
 * What stands before a segment. The first one of the text says what others take over from the one before them. A key is for the parts of a segment
 * as for the whole. Init segments are not encrypted, so no key may be in force where one is named.
 */
function pushStart(lines: string[], segment: Omit<PartialSegment, 'parts'>, previous: Previous | undefined): void {
  const { isDiscontinuity, programDateTimeMs, key, init } = segment;
  const isFirst = previous === undefined || previous.isSkipped === true;
  if (isDiscontinuity) lines.push('#EXT-X-DISCONTINUITY');
  if (programDateTimeMs !== undefined && (isFirst || isDiscontinuity)) {
    lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(programDateTimeMs).toISOString()}`);
  }
  const hasNewInit = init !== undefined && init.uri !== previous?.init?.uri;
  if (previous?.key !== undefined && (key === undefined || hasNewInit)) lines.push('#EXT-X-KEY:METHOD=NONE');
  if (hasNewInit) lines.push(`#EXT-X-MAP:URI="${init.uri}"`);
  if (key !== undefined && (isFirst || hasNewInit || key.uri !== previous.key?.uri)) {
    lines.push(`#EXT-X-KEY:METHOD=AES-128,URI="${key.uri}"`);
  }
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
