/** A clip made ready for a load test: pictures with room for a stamp, and filled up to a bitrate. */
import type { ClipFrame, FlvClip } from '@srs/client';
import { classifyFrame, describeVideo, parseAvcDecoderConfiguration } from '@srs/codec';
import { frameFlags, frameTypes, SrsError } from '@srs/kernel';
import { blankStamp, VIDEO_HEAD_BYTES } from './stamp.ts';

export interface StampedClipOptions {
  /** Average of audio and video together, kilobits per second of payload; as the file is unless told. */
  readonly kbps?: number | undefined;
  readonly isStamped: boolean;
}

export interface PreparedFrame extends ClipFrame {
  /** A picture with a stamp to be filled in. */
  readonly isStamped: boolean;
}

/** Length, header byte and stop byte of a filler NAL unit. */
const FILLER_NAL_TYPE = 12;
const MIN_FILLER_BYTES = 2;
const FILLER = 0xff;
const STOP_BIT = 0x80;

export class StampedClip {
  readonly headers: readonly PreparedFrame[];
  readonly frames: readonly PreparedFrame[];
  readonly durationMs: number;
  readonly changesHeaders: boolean;
  /** Size of the length in front of each NAL unit. */
  readonly nalLengthBytes: number;

  /** @throws SrsError AvcConfig when there is no H.264 to stamp or fill, ConfigInvalid when the clip has more than `kbps` already */
  constructor(clip: FlvClip, options: StampedClipOptions) {
    const hasPictures = clip.frames.some(isPicture);
    if (!hasPictures && (options.isStamped || options.kbps !== undefined)) {
      throw new SrsError('AvcConfig', 'clip has no H.264 pictures: they carry the stamps and the filling');
    }
    this.nalLengthBytes = hasPictures ? nalLengthOf(clip) : 4;
    const prepare = (frame: ClipFrame): PreparedFrame => {
      const isStamped = options.isStamped && isPicture(frame);
      return { ...frame, isStamped, payload: isStamped ? withStamp(frame.payload, this.nalLengthBytes) : frame.payload };
    };
    this.headers = clip.headers.map(prepare);
    this.durationMs = clip.durationMs;
    this.changesHeaders = clip.changesHeaders;
    const frames = clip.frames.map(prepare);
    this.frames = options.kbps === undefined ? frames : this.#fill(frames, options.kbps);
  }

  /** Kilobits per second of payload. */
  get kbps(): number {
    return (bytesOf(this.frames) * 8) / this.durationMs;
  }

  /**
   * Each group of pictures gets what it lacks, spread over them by size: the bitrate is even from one key frame to the next, and
   * key frames stay the large ones. A group that has too much already is made up for by the ones after it.
   */
  #fill(frames: readonly PreparedFrame[], kbps: number): PreparedFrame[] {
    const haveBytes = bytesOf(frames);
    if (this.#bytesIn(this.durationMs, kbps) < haveBytes) {
      const least = Math.ceil((haveBytes * 8) / this.durationMs);
      throw new SrsError('ConfigInvalid', `${kbps} kbps must be at least ${least}, which the clip has of its own`);
    }
    const filled: PreparedFrame[] = [];
    let writtenBytes = 0;
    for (const group of groupsOf(frames)) {
      const endMs = group.endMs ?? this.durationMs;
      const lackingBytes = this.#bytesIn(endMs, kbps) - writtenBytes - bytesOf(group.frames);
      const full = this.#fillGroup(group.frames, Math.max(0, lackingBytes));
      filled.push(...full);
      writtenBytes += bytesOf(full);
    }
    return filled;
  }

  #bytesIn(durationMs: number, kbps: number): number {
    return Math.round((kbps * durationMs) / 8);
  }

  #fillGroup(frames: readonly PreparedFrame[], lackingBytes: number): PreparedFrame[] {
    const pictureBytes = bytesOf(frames.filter(isPicture));
    const leastBytes = this.nalLengthBytes + MIN_FILLER_BYTES;
    const mostBytes = 2 ** (8 * this.nalLengthBytes) - 1;
    let seenBytes = 0;
    let filledBytes = 0;
    return frames.map((frame) => {
      if (!isPicture(frame)) return frame;
      seenBytes += frame.payload.length;
      const dueBytes = Math.round((lackingBytes * seenBytes) / pictureBytes) - filledBytes;
      if (dueBytes < leastBytes) return frame;
      if (dueBytes > mostBytes) {
        const limit = `${mostBytes}, as its NAL lengths have ${this.nalLengthBytes} bytes`;
        throw new SrsError(
          'ConfigInvalid',
          `clip cannot be filled with ${dueBytes} bytes in a picture, must be at most ${limit}`,
        );
      }
      filledBytes += dueBytes;
      return { ...frame, payload: Buffer.concat([frame.payload, filler(dueBytes, this.nalLengthBytes)]) };
    });
  }
}

interface FrameGroup {
  readonly frames: PreparedFrame[];
  /** When the next one begins; undefined for the last. */
  readonly endMs: number | undefined;
}

/** Split before each key frame. */
function groupsOf(frames: readonly PreparedFrame[]): FrameGroup[] {
  const starts = frames.flatMap((frame, at) => (at > 0 && isKeyFrame(frame) ? [at] : []));
  return [0, ...starts].map((start, group) => {
    const end = starts[group];
    return { frames: frames.slice(start, end), endMs: end === undefined ? undefined : frames[end]!.timeMs };
  });
}

function isKeyFrame(frame: ClipFrame): boolean {
  return frame.type === frameTypes.video && (classifyFrame(frame.type, frame.payload) & frameFlags.keyFrame) !== 0;
}

function isPicture({ type, payload }: ClipFrame): boolean {
  if (type !== frameTypes.video) return false;
  const tag = describeVideo(payload);
  return tag?.codec === 'avc' && !tag.isEnhanced && tag.packet === 'frames' && payload.length > VIDEO_HEAD_BYTES;
}

function nalLengthOf(clip: FlvClip): number {
  const header = [...clip.headers, ...clip.frames].find(
    ({ type, payload }) => type === frameTypes.video && (classifyFrame(type, payload) & frameFlags.sequenceHeader) !== 0,
  );
  if (header === undefined) throw new SrsError('AvcConfig', 'clip has H.264 pictures but no sequence header');
  return parseAvcDecoderConfiguration(header.payload.subarray(VIDEO_HEAD_BYTES)).nalLengthBytes;
}

function withStamp(payload: Buffer, nalLengthBytes: number): Buffer {
  return Buffer.concat([payload.subarray(0, VIDEO_HEAD_BYTES), blankStamp(nalLengthBytes), payload.subarray(VIDEO_HEAD_BYTES)]);
}

/** A NAL unit of filler data (H.264 7.3.2.7) that takes `sizeBytes` with its length. */
function filler(sizeBytes: number, nalLengthBytes: number): Buffer {
  const nal = Buffer.alloc(sizeBytes, FILLER);
  nal.writeUIntBE(sizeBytes - nalLengthBytes, 0, nalLengthBytes);
  nal[nalLengthBytes] = FILLER_NAL_TYPE;
  nal[sizeBytes - 1] = STOP_BIT;
  return nal;
}

function bytesOf(frames: readonly ClipFrame[]): number {
  return frames.reduce((sum, { payload }) => sum + payload.length, 0);
}
