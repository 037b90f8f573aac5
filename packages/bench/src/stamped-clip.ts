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

  /** The bytes that are missing are spread over the pictures by their size, so that key frames stay the large ones. */
  #fill(frames: readonly PreparedFrame[], kbps: number): PreparedFrame[] {
    const haveBytes = bytesOf(frames);
    const wantBytes = Math.round((kbps * this.durationMs) / 8);
    if (wantBytes < haveBytes) {
      const least = Math.ceil((haveBytes * 8) / this.durationMs);
      throw new SrsError('ConfigInvalid', `${kbps} kbps must be at least ${least}, which the clip has of its own`);
    }
    const pictureBytes = bytesOf(frames.filter(isPicture));
    const overhead = this.nalLengthBytes + MIN_FILLER_BYTES;
    let seenBytes = 0;
    let filledBytes = 0;
    return frames.map((frame) => {
      if (!isPicture(frame)) return frame;
      seenBytes += frame.payload.length;
      const due = Math.round(((wantBytes - haveBytes) * seenBytes) / pictureBytes) - filledBytes;
      if (due < overhead) return frame;
      filledBytes += due;
      return { ...frame, payload: Buffer.concat([frame.payload, filler(due, this.nalLengthBytes)]) };
    });
  }
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
