/** How an MP4 file is cut: its tables tell all of it. */
import { SrsError } from '@srs/kernel';
import { type Mp4Index, type Mp4Samples, type Mp4Track, type ReadAt, readMp4Index } from '@srs/mp4';
import { countFrame, isCut, newCutterState } from './cutter.ts';
import { MAX_FRAME_BYTES, MAX_SEGMENTS } from './limits.ts';
import { countSounds, type SoundCounts } from './mp4-sound.ts';

/** A track as it goes from one thread to another. */
export interface Mp4PlanTrack {
  readonly codec: Mp4Track['codec'];
  readonly configuration: Uint8Array;
  /** Ticks a second of the times of the samples. */
  readonly timescale: number;
  readonly samples: Mp4Samples;
  /** To be added to decoding times, so that none is later than the time of showing. */
  readonly dtsShift: number;
}

export interface Mp4Plan {
  readonly video: Mp4PlanTrack | undefined;
  readonly audio: Mp4PlanTrack | undefined;
  /** When each segment begins. */
  readonly timesMs: Float64Array;
  /** Which sample is its first, of each track; the sample behind the last when it has none. */
  readonly videoRows: Uint32Array;
  readonly audioRows: Uint32Array;
  /** What the samples of each have, about. */
  readonly sizesBytes: Float64Array;
  /** When sounds are played, behind the origin; undefined when their own times tell. */
  readonly sound: SoundCounts | undefined;
  readonly endMs: number;
  readonly hasForcedCut: boolean;
  /** Where the time begins: 90 kHz, not always whole. */
  readonly originTicks: number;
  /** Kinds of media that are there in codecs that cannot be carried. */
  readonly unsupported: readonly string[];
}

const TICKS_PER_MS = 90;
const TICKS_PER_SECOND = 90_000;
/** Tracks of these are no picture and no sound. */
const otherFormats: ReadonlySet<string> = new Set([
  'c608',
  'c708',
  'camm',
  'fdsc',
  'gpmd',
  'mebx',
  'mett',
  'metx',
  'mp4s',
  'rtp ',
  'sbtl',
  'stpp',
  'stxt',
  'subp',
  'text',
  'tmcd',
  'tx3g',
  'urim',
  'wvtt',
]);

/** @throws SrsError Mp4File, or what `readAt` throws */
export function planMp4(readAt: ReadAt, fileBytes: number): Mp4Plan {
  const index = readMp4Index(readAt, fileBytes);
  const played = (['video', 'audio'] as const).map((wanted) =>
    index.tracks.find(({ kind, samples }) => kind === wanted && samples.count > 0),
  );
  const [video, audio] = played.map(planTrack);
  const originTicks = Math.min(...[video, audio].filter((track) => track !== undefined).map((track) => ticksOf(track, 0)));
  const ends = played
    .filter((track) => track !== undefined)
    .map(({ endDts, timescale }) => (endDts / timescale) * TICKS_PER_SECOND);
  return {
    video,
    audio,
    ...cutTracks(video, audio, originTicks),
    sound: soundOf(audio, originTicks),
    endMs: Math.max(0, Math.max(...ends) - originTicks) / TICKS_PER_MS,
    originTicks,
    unsupported: unsupportedOf(index),
  };
}

/** Decoding time of a sample: 90 kHz, not whole. */
export function ticksOf({ samples, timescale, dtsShift }: Mp4PlanTrack, row: number): number {
  return ((samples.dts[row]! + dtsShift) / timescale) * TICKS_PER_SECOND;
}

function soundOf(audio: Mp4PlanTrack | undefined, originTicks: number): SoundCounts | undefined {
  if (audio?.codec !== 'aac') return undefined;
  const times = { count: audio.samples.count, at: (row: number) => ticksOf(audio, row) - originTicks };
  return countSounds(times, Buffer.from(audio.configuration));
}

function planTrack(track: Mp4Track | undefined): Mp4PlanTrack | undefined {
  if (track === undefined) return undefined;
  const { codec, configuration, timescale, samples } = track;
  let dtsShift = 0;
  for (let row = 0; row < samples.count; row++) {
    dtsShift = Math.min(dtsShift, samples.compositionOffsets[row]!);
    if (samples.sizes[row]! > MAX_FRAME_BYTES) {
      throw new SrsError('Mp4File', `mp4 sample of ${samples.sizes[row]} bytes must be at most ${MAX_FRAME_BYTES}`);
    }
  }
  return {
    codec,
    configuration: Uint8Array.from(configuration),
    timescale,
    samples,
    dtsShift: track.kind === 'video' ? dtsShift : 0,
  };
}

type Cuts = Pick<Mp4Plan, 'timesMs' | 'videoRows' | 'audioRows' | 'sizesBytes' | 'hasForcedCut'>;

/** Goes through both tracks in the order of time; each sample is in one segment. */
function cutTracks(video: Mp4PlanTrack | undefined, audio: Mp4PlanTrack | undefined, originTicks: number): Cuts {
  const state = newCutterState();
  const timesMs = [0];
  const videoRows = [0];
  const audioRows = [0];
  const sizesBytes = [0];
  const videoCount = video?.samples.count ?? 0;
  const audioCount = audio?.samples.count ?? 0;
  let videoRow = 0;
  let audioRow = 0;
  while (videoRow < videoCount || audioRow < audioCount) {
    const videoTicks = videoRow < videoCount ? ticksOf(video!, videoRow) : Number.POSITIVE_INFINITY;
    const audioTicks = audioRow < audioCount ? ticksOf(audio!, audioRow) : Number.POSITIVE_INFINITY;
    const isVideo = videoRow < videoCount && videoTicks <= audioTicks;
    const timeMs = ((isVideo ? videoTicks : audioTicks) - originTicks) / TICKS_PER_MS;
    const isEntry = isVideo ? video!.samples.isSync[videoRow] === 1 : videoCount === 0;
    if (isCut(state, timeMs, isEntry)) {
      timesMs.push(timeMs);
      videoRows.push(videoRow);
      audioRows.push(audioRow);
      sizesBytes.push(0);
      if (timesMs.length > MAX_SEGMENTS) throw new SrsError('Mp4File', `mp4 segments must be at most ${MAX_SEGMENTS}`);
    }
    const sizeBytes = isVideo ? video!.samples.sizes[videoRow++]! : audio!.samples.sizes[audioRow++]!;
    countFrame(state, sizeBytes);
    sizesBytes[sizesBytes.length - 1]! += sizeBytes;
  }
  return {
    timesMs: Float64Array.from(timesMs),
    videoRows: Uint32Array.from(videoRows),
    audioRows: Uint32Array.from(audioRows),
    sizesBytes: Float64Array.from(sizesBytes),
    hasForcedCut: state.hasForcedCut,
  };
}

/** A track that is left out is missed unless there is another one; which kind it is, its format does not always tell. */
function unsupportedOf({ tracks, leftOut }: Mp4Index): readonly string[] {
  const kinds = new Set(tracks.map(({ kind }) => kind));
  if (kinds.size === 2) return [];
  return leftOut.filter((text) => !otherFormats.has(text.slice(text.indexOf(': ') + 2)));
}
