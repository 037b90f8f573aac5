/** Cuts one segment out of an MP4 file. */
import { frameTypes } from '@srs/kernel';
import { audioHeader, exactPicture, exactSound, videoHeader } from './exact-tag.ts';
import { readExactly } from './file-window.ts';
import { type Mp4PlanTrack, ticksOf } from './mp4-plan.ts';
import { type SegmentCounts, soundTimeAt } from './mp4-sound.ts';
import { ANNOUNCE_DISTANCE_MS, type SlicedSegment, TsSegment } from './ts-segment.ts';

export interface Mp4Slice {
  /** With the samples of the segment only; undefined when the file has none of that kind. */
  readonly video: Mp4PlanTrack | undefined;
  readonly audio: Mp4PlanTrack | undefined;
  readonly originTicks: number;
  /** When sounds are played; undefined when their own times tell. */
  readonly sound: SegmentCounts | undefined;
}

interface Place {
  readonly kind: 'video' | 'audio';
  readonly row: number;
  readonly offset: number;
  readonly sizeBytes: number;
}

/** So much is read in vain between two samples, to need one read for both; and in all of a segment. */
const MAX_GAP_BYTES = 16 * 1024;
const MAX_WASTE_BYTES = 4 * 1024 * 1024;
const MAX_READ_BYTES = 4 * 1024 * 1024;
const TICKS_PER_MS = 90;

/** @throws FileChangedError, or the system's error */
export function sliceMp4(fd: number, slice: Mp4Slice): SlicedSegment {
  const { video, audio } = slice;
  const data = readSamples(fd, [...placesOf('video', video), ...placesOf('audio', audio)]);
  const segment = new TsSegment();
  if (video !== undefined) {
    segment.header(frameTypes.video, videoHeader(fourCcOf(video), Buffer.from(video.configuration)));
  }
  if (audio !== undefined) announce(segment, slice, audio, data.audio[0]);
  segment.begin();
  const videoCount = video?.samples.count ?? 0;
  const audioCount = audio?.samples.count ?? 0;
  let videoRow = 0;
  let audioRow = 0;
  while (videoRow < videoCount || audioRow < audioCount) {
    const isVideo = audioRow >= audioCount || (videoRow < videoCount && ticksOf(video!, videoRow) <= ticksOf(audio!, audioRow));
    if (isVideo) writePicture(segment, slice, video!, videoRow, data.video[videoRow++]!);
    else writeSound(segment, slice, audio!, audioRow, data.audio[audioRow++]!);
  }
  return { bytes: segment.finish(), leftOut: segment.leftOut };
}

function announce(segment: TsSegment, slice: Mp4Slice, audio: Mp4PlanTrack, first: Buffer | undefined): void {
  if (audio.codec === 'aac') {
    segment.header(frameTypes.audio, audioHeader('mp4a', Buffer.from(audio.configuration)));
  } else if (first !== undefined) {
    const distance = ANNOUNCE_DISTANCE_MS * TICKS_PER_MS;
    const { timestampMs, payload } = exactSound('.mp3', soundTicks(slice, audio, 0) + distance, first);
    segment.announceSound(timestampMs, payload);
  }
}

function writePicture(segment: TsSegment, { originTicks }: Mp4Slice, track: Mp4PlanTrack, row: number, data: Buffer): void {
  const { samples, timescale, dtsShift } = track;
  const dts = ticksOf(track, row) - originTicks;
  const offset = ((samples.compositionOffsets[row]! - dtsShift) / timescale) * 1000 * TICKS_PER_MS;
  const times = { ptsTicks: Math.round(dts + offset), dtsTicks: Math.round(dts) };
  const { timestampMs, payload } = exactPicture(fourCcOf(track), samples.isSync[row] === 1, times, data);
  segment.frame(frameTypes.video, timestampMs, payload);
}

function writeSound(segment: TsSegment, slice: Mp4Slice, track: Mp4PlanTrack, row: number, data: Buffer): void {
  const { timestampMs, payload } = exactSound(track.codec === 'aac' ? 'mp4a' : '.mp3', soundTicks(slice, track, row), data);
  segment.frame(frameTypes.audio, timestampMs, payload);
}

function soundTicks({ originTicks, sound }: Mp4Slice, track: Mp4PlanTrack, row: number): number {
  if (sound !== undefined) return soundTimeAt(sound, row);
  return Math.max(0, Math.round(ticksOf(track, row) - originTicks));
}

function fourCcOf({ codec }: Mp4PlanTrack): 'avc1' | 'hvc1' {
  return codec === 'hevc' ? 'hvc1' : 'avc1';
}

function placesOf(kind: Place['kind'], track: Mp4PlanTrack | undefined): Place[] {
  const places: Place[] = [];
  const count = track?.samples.count ?? 0;
  for (let row = 0; row < count; row++) {
    places.push({ kind, row, offset: track!.samples.offsets[row]!, sizeBytes: track!.samples.sizes[row]! });
  }
  return places;
}

/** Reads samples that stand close together at once. */
function readSamples(fd: number, places: Place[]): { readonly video: Buffer[]; readonly audio: Buffer[] } {
  const data: { readonly video: Buffer[]; readonly audio: Buffer[] } = { video: [], audio: [] };
  places.sort((left, right) => left.offset - right.offset);
  let waste = 0;
  for (let first = 0; first < places.length; ) {
    const start = places[first]!.offset;
    let end = start + places[first]!.sizeBytes;
    let next = first + 1;
    for (; next < places.length; next++) {
      const { offset, sizeBytes } = places[next]!;
      const gap = Math.max(0, offset - end);
      if (gap > MAX_GAP_BYTES || waste + gap > MAX_WASTE_BYTES || offset + sizeBytes - start > MAX_READ_BYTES) break;
      waste += gap;
      end = Math.max(end, offset + sizeBytes);
    }
    const bytes = Buffer.allocUnsafeSlow(end - start);
    readExactly(fd, bytes, start);
    for (const { kind, row, offset, sizeBytes } of places.slice(first, next)) {
      data[kind][row] = bytes.subarray(offset - start, offset - start + sizeBytes);
    }
    first = next;
  }
  return data;
}
