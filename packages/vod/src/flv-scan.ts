/** Looks through an FLV file, tag by tag, for where its segments begin and what a decoder must know there. */
import { classifyFrame, describeAudio, describeVideo } from '@srs/codec';
import { frameFlags, frameTypes } from '@srs/kernel';
import { type CutterState, countFrame, isCut, newCutterState } from './cutter.ts';
import type { FileWindow } from './file-window.ts';
import { classifiablePart, findTag, type PlacedTag, readPayload } from './flv-tags.ts';
import { FlvTimeline, type TimelineState } from './flv-timeline.ts';
import { LAST_FRAME_MS, MAX_LAST_FRAME_MS } from './limits.ts';
import { configureSoundClock, newSoundClockState, placeSound, type SoundClockState, ticksAt } from './sound-clock.ts';

/** Where a segment begins, and all that must be known to begin there. */
export interface FlvCut {
  readonly position: number;
  readonly timeMs: number;
  /** The timestamp of its first picture or sound; null for the beginning of the file. */
  readonly rawMs: number | null;
  /** Positions of the sequence headers that are in force; undefined when there is none. */
  readonly videoHeader: number | undefined;
  readonly audioHeader: number | undefined;
  /** How the sound before it was counted. */
  readonly sound: SoundClockState;
}

/** Where segments begin, when that was decided before. */
export interface FlvMark {
  readonly position: number;
  readonly timeMs: number;
}

interface TrackState {
  codec: string | undefined;
  header: number | undefined;
  hasFrames: boolean;
  lastMs: number;
  stepMs: number;
}

/** How far a file has been looked through; plain, so that it can go from one thread to another. */
export interface FlvScanState {
  /** Of the next tag. */
  position: number;
  /** That were found so far. */
  cutCount: number;
  /** The file ends here, or what can be read of it. */
  isEnd: boolean;
  time: TimelineState | null;
  video: TrackState;
  audio: TrackState;
  sound: SoundClockState;
  cutter: CutterState;
}

/** In FLV a frame has at least a head and a byte. */
const MIN_VIDEO_BYTES = 6;
const MIN_AUDIO_BYTES = 2;
const NO_PICTURE = frameFlags.sequenceHeader | frameFlags.videoMetadata | frameFlags.endOfSequence;
const NO_SOUND = frameFlags.sequenceHeader | frameFlags.endOfSequence;
const AAC_FORMAT = 10;
const AAC_HEAD_BYTES = 2;
/** Looking at the clock costs time as well. */
export const TAGS_BETWEEN_QUESTIONS = 32;

export function newScanState(firstTag: number): FlvScanState {
  const track = (): TrackState => ({
    codec: undefined,
    header: undefined,
    hasFrames: false,
    lastMs: 0,
    stepMs: LAST_FRAME_MS,
  });
  return {
    position: firstTag,
    cutCount: 0,
    isEnd: false,
    time: null,
    video: track(),
    audio: track(),
    sound: newSoundClockState(),
    cutter: newCutterState(),
  };
}

/** When the last picture and the last sound have ended. */
export function endOfMedia({ video, audio }: FlvScanState): number {
  const ends = [video, audio].filter(({ hasFrames }) => hasFrames).map(({ lastMs, stepMs }) => lastMs + stepMs);
  return Math.max(0, ...ends);
}

export class FlvScanner {
  readonly #window: FileWindow;
  readonly #state: FlvScanState;
  readonly #timeline: FlvTimeline;
  readonly #marks: readonly FlvMark[] | undefined;
  readonly #firstMark: number;
  #cuts: FlvCut[] = [];

  /**
   * @param state is changed
   * @param marks as far as they will be reached; undefined when it is to be decided where segments begin
   * @param firstMark which segment begins with the first of them: segment 0 is where the file begins
   */
  constructor(window: FileWindow, state: FlvScanState, marks: readonly FlvMark[] | undefined, firstMark = 0) {
    this.#window = window;
    this.#state = state;
    this.#timeline = new FlvTimeline(state.time);
    this.#marks = marks;
    this.#firstMark = firstMark;
  }

  /**
   * @param goesOn asked after each `TAGS_BETWEEN_QUESTIONS` tags
   * @returns the cuts that were found
   */
  run(goesOn: (state: FlvScanState) => boolean): readonly FlvCut[] {
    this.#cuts = [];
    const state = this.#state;
    if (state.cutCount === 0) this.#cut(state.position, 0, null);
    for (let count = 1; !state.isEnd; count++) {
      this.#step();
      if (count % TAGS_BETWEEN_QUESTIONS === 0 && !goesOn(state)) break;
    }
    state.time = this.#timeline.state;
    return this.#cuts;
  }

  #step(): void {
    const state = this.#state;
    const mark = this.#nextMark();
    const tag = findTag(this.#window, state.position);
    if (mark !== undefined && (tag === undefined || tag.end > mark.position) && state.position < mark.position) {
      // Something between is damaged; a key frame stands at the mark.
      state.position = mark.position;
      return;
    }
    if (tag === undefined) {
      state.isEnd = true;
      return;
    }
    if (tag.type === frameTypes.video) this.#onVideo(tag);
    else if (tag.type === frameTypes.audio) this.#onAudio(tag);
    state.position = tag.end;
  }

  #onVideo(tag: PlacedTag): void {
    const { video } = this.#state;
    const head = classifiablePart(this.#window, tag);
    const flags = classifyFrame(frameTypes.video, head);
    if (video.codec === undefined && (flags & frameFlags.videoMetadata) === 0) video.codec = videoCodecOf(head);
    // Some encoders begin with an empty one, when they do not know it yet.
    if ((flags & frameFlags.sequenceHeader) !== 0 && tag.payloadBytes >= MIN_VIDEO_BYTES) video.header = this.#state.position;
    if (!isPicture(flags, tag)) return;
    this.#onFrame(video, tag, (flags & frameFlags.keyFrame) !== 0);
  }

  #onAudio(tag: PlacedTag): void {
    const { audio, video, sound } = this.#state;
    const head = classifiablePart(this.#window, tag);
    const flags = classifyFrame(frameTypes.audio, head);
    audio.codec ??= audioCodecOf(head);
    if ((flags & frameFlags.sequenceHeader) !== 0) {
      this.#onAudioHeader(tag);
      return;
    }
    if (!isSound(flags, tag)) return;
    // With pictures segments begin with them.
    const timeMs = this.#onFrame(audio, tag, !video.hasFrames);
    const nanos = nanosOfAac(head);
    if (nanos !== undefined) placeSound(sound, ticksAt(timeMs, nanos));
  }

  #onAudioHeader(tag: PlacedTag): void {
    const payload = readPayload(this.#window, tag);
    const described = describeAudio(payload);
    if (described === undefined || described.dataOffset === described.dataEnd) return;
    const configuration = payload.subarray(described.dataOffset, described.dataEnd);
    // What is malformed does not put the one before out of force.
    if (described.codec === 'aac' && !configureSoundClock(this.#state.sound, configuration)) return;
    this.#state.audio.header = this.#state.position;
  }

  #onFrame(track: TrackState, tag: PlacedTag, isEntry: boolean): number {
    const state = this.#state;
    const { position } = state;
    const mark = this.#nextMark();
    const isMarked = mark?.position === position;
    if (isMarked) this.#timeline.set(tag.timestampMs, mark.timeMs);
    const timeMs = isMarked ? mark.timeMs : this.#timeline.advance(tag.timestampMs);
    if (isMarked || (this.#marks === undefined && isCut(state.cutter, timeMs, isEntry))) {
      this.#cut(position, timeMs, tag.timestampMs);
    }
    const stepMs = timeMs - track.lastMs;
    if (track.hasFrames && stepMs > 0) track.stepMs = stepMs > MAX_LAST_FRAME_MS ? LAST_FRAME_MS : stepMs;
    track.lastMs = track.hasFrames ? Math.max(track.lastMs, timeMs) : timeMs;
    track.hasFrames = true;
    countFrame(state.cutter, tag.payloadBytes);
    return timeMs;
  }

  #nextMark(): FlvMark | undefined {
    return this.#marks?.[this.#state.cutCount - this.#firstMark];
  }

  #cut(position: number, timeMs: number, rawMs: number | null): void {
    const { video, audio, sound } = this.#state;
    this.#state.cutCount += 1;
    this.#cuts.push({
      position,
      timeMs,
      rawMs,
      videoHeader: video.header,
      audioHeader: audio.header,
      sound: { ...sound },
    });
  }
}

/** Something of a payload that is shown; not a header, and not a command. */
export function isPicture(flags: number, { payloadBytes }: PlacedTag): boolean {
  return (flags & NO_PICTURE) === 0 && payloadBytes >= MIN_VIDEO_BYTES;
}

export function isSound(flags: number, { payloadBytes }: PlacedTag): boolean {
  return (flags & NO_SOUND) === 0 && payloadBytes >= MIN_AUDIO_BYTES;
}

function videoCodecOf(head: Buffer): string | undefined {
  const tag = describeVideo(head);
  if (tag === undefined || tag.packet === 'command') return undefined;
  return tag.codec === 'unknown' ? tag.fourCc || String(tag.codecId) : tag.codec;
}

function audioCodecOf(head: Buffer): string | undefined {
  const tag = describeAudio(head);
  if (tag === undefined) return undefined;
  return tag.codec === 'unknown' ? tag.fourCc || String(tag.soundFormat) : tag.codec;
}

/** @returns what is to be added to the timestamp of a frame of AAC; undefined for anything else */
function nanosOfAac(head: Buffer): number | undefined {
  if (head[0]! >>> 4 === AAC_FORMAT) return head[1] === 1 && head.length > AAC_HEAD_BYTES ? 0 : undefined;
  const tag = describeAudio(head);
  if (tag?.codec !== 'aac' || tag.packet !== 'frames' || tag.dataOffset === tag.dataEnd) return undefined;
  return tag.timestampOffsetNanos;
}
