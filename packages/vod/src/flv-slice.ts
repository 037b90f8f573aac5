/** Cuts one segment out of an FLV file. */
import { classifyFrame, describeAudio } from '@srs/codec';
import { frameFlags, frameTypes } from '@srs/kernel';
import { exactSound } from './exact-tag.ts';
import type { FileWindow } from './file-window.ts';
import { type FlvCut, isPicture, isSound } from './flv-scan.ts';
import { classifiablePart, findTag, type PlacedTag, readPayload, tagAt } from './flv-tags.ts';
import { FlvTimeline } from './flv-timeline.ts';
import { configureSoundClock, placeSound, type SoundClockState, ticksAt } from './sound-clock.ts';
import { ANNOUNCE_DISTANCE_MS, type SlicedSegment, TsSegment } from './ts-segment.ts';

/** Headers that come later than the first frames of the file are looked for among so many tags. */
const MAX_TAGS_LOOKED_AHEAD = 200;

/**
 * @param end where the next segment begins, or any place behind the end of the file
 * @throws SrsError FlvTag, FileChangedError, or the system's error
 */
export function sliceFlv(window: FileWindow, cut: FlvCut, end: number): SlicedSegment {
  const slice = new FlvSlice(window, cut);
  slice.writeHeaders(end);
  slice.writeFrames(end);
  return slice.finish();
}

class FlvSlice {
  readonly #window: FileWindow;
  readonly #cut: FlvCut;
  readonly #timeline: FlvTimeline;
  readonly #segment = new TsSegment();
  readonly #sound: SoundClockState;

  constructor(window: FileWindow, cut: FlvCut) {
    this.#window = window;
    this.#cut = cut;
    this.#sound = { ...cut.sound };
    this.#timeline = new FlvTimeline(cut.rawMs === null ? null : { rawMs: cut.rawMs, timeMs: cut.timeMs });
  }

  writeHeaders(end: number): void {
    const { videoHeader, audioHeader, position } = this.#cut;
    for (const header of [videoHeader, audioHeader]) {
      if (header !== undefined) this.#writeHeader(tagAt(this.#window, header));
    }
    let next = position;
    for (let count = 0; count < MAX_TAGS_LOOKED_AHEAD && next < end; count++) {
      if (this.#segment.hasVideo && this.#segment.hasAudio) break;
      const tag = findTag(this.#window, next);
      if (tag === undefined) break;
      this.#lookAt(tag);
      next = tag.end;
    }
    this.#segment.begin();
  }

  writeFrames(end: number): void {
    let position = this.#cut.position;
    while (position < end) {
      const tag = findTag(this.#window, position);
      if (tag === undefined) return;
      if (tag.type === frameTypes.video) this.#writeVideo(tag);
      else if (tag.type === frameTypes.audio) this.#writeAudio(tag);
      position = tag.end;
    }
  }

  finish(): SlicedSegment {
    return { bytes: this.#segment.finish(), leftOut: this.#segment.leftOut };
  }

  #lookAt(tag: PlacedTag): void {
    const { type } = tag;
    if (type !== frameTypes.video && type !== frameTypes.audio) return;
    const isVideo = type === frameTypes.video;
    if (isVideo ? this.#segment.hasVideo : this.#segment.hasAudio) return;
    const flags = classifyFrame(type, classifiablePart(this.#window, tag));
    if ((flags & frameFlags.sequenceHeader) !== 0) this.#writeHeader(tag);
    else if (!isVideo && isSound(flags, tag)) this.#announce(readPayload(this.#window, tag));
  }

  #announce(payload: Buffer): void {
    if (describeAudio(payload)?.codec !== 'mp3') return;
    this.#segment.announceSound(this.#cut.timeMs + ANNOUNCE_DISTANCE_MS, payload);
  }

  #writeHeader(tag: PlacedTag): void {
    if (tag.type !== undefined) this.#segment.header(tag.type, readPayload(this.#window, tag));
  }

  #writeVideo(tag: PlacedTag): void {
    const payload = readPayload(this.#window, tag);
    const flags = classifyFrame(frameTypes.video, payload);
    if (isPicture(flags, tag)) this.#segment.frame(frameTypes.video, this.#timeline.advance(tag.timestampMs), payload);
    else if ((flags & frameFlags.sequenceHeader) !== 0) this.#segment.header(frameTypes.video, payload);
  }

  #writeAudio(tag: PlacedTag): void {
    const payload = readPayload(this.#window, tag);
    const flags = classifyFrame(frameTypes.audio, payload);
    if (isSound(flags, tag)) this.#writeSound(this.#timeline.advance(tag.timestampMs), payload);
    else if ((flags & frameFlags.sequenceHeader) !== 0) this.#writeAudioHeader(payload);
  }

  #writeAudioHeader(payload: Buffer): void {
    this.#segment.header(frameTypes.audio, payload);
    const tag = describeAudio(payload);
    if (tag?.codec === 'aac') configureSoundClock(this.#sound, payload.subarray(tag.dataOffset, tag.dataEnd));
  }

  /** Each has the time that it has in the whole file: a muxer that begins to count here could find a jump at another place. */
  #writeSound(timeMs: number, payload: Buffer): void {
    const tag = describeAudio(payload);
    if (tag?.codec === 'aac' && tag.packet === 'frames' && tag.dataOffset < tag.dataEnd) {
      const ownTicks = ticksAt(timeMs, tag.timestampOffsetNanos);
      const ticks = placeSound(this.#sound, ownTicks);
      if (ticks !== ownTicks) {
        const exact = exactSound('mp4a', ticks, payload.subarray(tag.dataOffset, tag.dataEnd));
        this.#segment.frame(frameTypes.audio, exact.timestampMs, exact.payload);
        return;
      }
    }
    this.#segment.frame(frameTypes.audio, timeMs, payload);
  }
}
