/** Media whose every frame carries its number and a checksum, so that a player sees each gap, swap and damaged byte. */
import { crc32 } from 'node:zlib';
import { AmfObject, encodeAmf0 } from '@srs/amf';
import { type FrameType, frameTypes, timestampDelta } from '@srs/kernel';

const FRAMES_PER_SECOND = 25;
const PICTURE_MS = 1000 / FRAMES_PER_SECOND;
const SOUNDS_PER_PICTURE = 2;
/** From a key frame to the next, unless the source is told otherwise. */
export const GOP_FRAMES = FRAMES_PER_SECOND * (1 + SOUNDS_PER_PICTURE);

/** A real configuration (x264, High, 640x360) and AAC LC 44100 stereo: the server reads both. */
const avcConfiguration = Buffer.from(
  '0164001effe1001a6764001eacd940a02ff97011000003000100000300320f162d9601000668ebe3cb22c0fdf8f800',
  'hex',
);
const videoHeader = Buffer.concat([Buffer.from([0x17, 0, 0, 0, 0]), avcConfiguration]);
const audioHeader = Buffer.from([0xaf, 0, 0x12, 0x10]);
const metadata = encodeAmf0('@setDataFrame', 'onMetaData', AmfObject.ecmaArray({ width: 640, height: 360, framerate: 25 }));

const PACKET_TYPE = 1;
const videoHead = { keyFrame: Buffer.from([0x17, 1, 0, 0, 0]), interFrame: Buffer.from([0x27, 1, 0, 0, 0]) } as const;
const audioHead = Buffer.from([0xaf, 1]);

/*
 *   stamp, after the head of the FLV tag body
 *   +----------------+---------+----------+--------------------+------+
 *   | CRC of the rest | stream  | session  | sequence | filling        |
 *   | 4               | 4 (CRC) | 4        | 4        | any            |
 *   +----------------+---------+----------+--------------------+------+
 */
const STAMP_BYTES = 16;

export interface StampedFrame {
  readonly type: FrameType;
  readonly timestampMs: number;
  readonly payload: Buffer;
  readonly isKeyFrame: boolean;
}

export interface SourceOptions {
  /** Which publish of the stream this is; 1 unless told. */
  readonly session?: number;
  /** A key frame every so many pictures; 25 unless told. */
  readonly gopPictures?: number;
  /** Of a key frame; other pictures have a quarter, sounds a tenth. 4000 unless told. */
  readonly keyFrameBytes?: number;
  readonly firstTimestampMs?: number;
}

/** An endless programme: 25 pictures and 50 sounds a second, numbered through. */
export class StampedSource {
  readonly #streamCrc: number;
  readonly #session: number;
  readonly #gopPictures: number;
  readonly #keyFrameBytes: number;
  readonly #firstTimestampMs: number;
  #pictures = 0;
  #sequence = 0;

  constructor(stream: string, options: SourceOptions = {}) {
    this.#streamCrc = crc32(stream);
    this.#session = options.session ?? 1;
    this.#gopPictures = options.gopPictures ?? FRAMES_PER_SECOND;
    this.#keyFrameBytes = options.keyFrameBytes ?? 4000;
    this.#firstTimestampMs = options.firstTimestampMs ?? 0;
  }

  /** Frames made so far, headers not counted: the number of the next one. */
  get sequence(): number {
    return this.#sequence;
  }

  /** How much stream time has been made. */
  get durationMs(): number {
    return this.#pictures * PICTURE_MS;
  }

  headers(): StampedFrame[] {
    const timestampMs = this.#firstTimestampMs;
    return [
      { type: frameTypes.data, timestampMs, payload: metadata, isKeyFrame: false },
      { type: frameTypes.video, timestampMs, payload: videoHeader, isKeyFrame: false },
      { type: frameTypes.audio, timestampMs, payload: audioHeader, isKeyFrame: false },
    ];
  }

  /** One picture and the sounds that go with it: 40 ms of media. */
  nextPicture(): StampedFrame[] {
    const timestampMs = this.#firstTimestampMs + this.#pictures * PICTURE_MS;
    const isKeyFrame = this.#pictures % this.#gopPictures === 0;
    this.#pictures += 1;
    const videoBytes = isKeyFrame ? this.#keyFrameBytes : this.#keyFrameBytes / 4;
    const video = this.#stamped(isKeyFrame ? videoHead.keyFrame : videoHead.interFrame, videoBytes);
    const sounds = Array.from(
      { length: SOUNDS_PER_PICTURE },
      (_, index): StampedFrame => ({
        type: frameTypes.audio,
        timestampMs: timestampMs + (index * PICTURE_MS) / SOUNDS_PER_PICTURE,
        payload: this.#stamped(audioHead, this.#keyFrameBytes / 10),
        isKeyFrame: false,
      }),
    );
    return [{ type: frameTypes.video, timestampMs, payload: video, isKeyFrame }, ...sounds];
  }

  #stamped(head: Buffer, sizeBytes: number): Buffer {
    const payload = Buffer.alloc(head.length + STAMP_BYTES + Math.round(sizeBytes), this.#sequence & 0xff);
    head.copy(payload);
    const at = head.length;
    payload.writeUInt32BE(this.#streamCrc, at + 4);
    payload.writeUInt32BE(this.#session, at + 8);
    payload.writeUInt32BE(this.#sequence, at + 12);
    payload.writeUInt32BE(crc32(payload.subarray(at + 4)), at);
    this.#sequence += 1;
    return payload;
  }
}

/** A place where a player was not given what comes next. */
export interface Gap {
  readonly session: number;
  /** The first frame that is missing, and the one that came instead. */
  readonly from: number;
  readonly to: number;
}

/**
 * Holds what one player gets to what must be true of it: headers before media, a key frame first, no damage, time that never goes
 * back. Missing frames are listed in `gaps`, everything else that is wrong in `faults`.
 */
export class SequenceChecker {
  readonly gaps: Gap[] = [];
  readonly faults: string[] = [];
  /** Numbers of the publishes seen, in order. */
  readonly sessions: number[] = [];
  /** For whoever wants to see each frame of media as it came; `payload` is valid during the call only. */
  onFrame: ((sequence: number, timestampMs: number, payload: Buffer) => void) | undefined;
  readonly #streamCrc: number;
  #frames = 0;
  #next = -1;
  #firstSequence = -1;
  #firstTimestampMs = -1;
  #lastTimestampMs = -1;
  #headers = { metadata: 0, video: 0, audio: 0 };
  /** Headers since the last frame of media: a player that starts (again) needs all of them. */
  #fresh = new Set<string>();

  constructor(stream: string) {
    this.#streamCrc = crc32(stream);
  }

  /** Frames of media, headers not counted. */
  get frames(): number {
    return this.#frames;
  }

  /** The number the next frame must have; -1 before the first. */
  get nextSequence(): number {
    return this.#next;
  }

  get firstSequence(): number {
    return this.#firstSequence;
  }

  get lastTimestampMs(): number {
    return this.#lastTimestampMs;
  }

  /** From the first frame to the newest. */
  get playedMs(): number {
    return this.#frames === 0 ? 0 : this.#lastTimestampMs - this.#firstTimestampMs;
  }

  get headers(): Readonly<{ metadata: number; video: number; audio: number }> {
    return this.#headers;
  }

  /** Nothing missing and nothing wrong, as one readable line; empty when all is well. */
  get complaint(): string {
    const gaps = this.gaps.map(({ session, from, to }) => `session ${session}: ${from} is missing, ${to} came`);
    return [...gaps, ...this.faults].slice(0, 5).join('; ');
  }

  accept(type: FrameType, timestampMs: number, payload: Buffer): void {
    if (type === frameTypes.data) {
      this.#acceptHeader('metadata');
      return;
    }
    const isVideo = type === frameTypes.video;
    if (payload[1] !== PACKET_TYPE) {
      if (!payload.equals(isVideo ? videoHeader : audioHeader)) this.#fault('a sequence header is damaged');
      this.#acceptHeader(isVideo ? 'video' : 'audio');
      return;
    }
    const at = isVideo ? videoHead.keyFrame.length : audioHead.length;
    if (payload.length < at + STAMP_BYTES || payload.readUInt32BE(at) !== crc32(payload.subarray(at + 4))) {
      this.#fault(`a frame of ${payload.length} bytes after ${this.#next - 1} is damaged`);
      return;
    }
    if (payload.readUInt32BE(at + 4) !== this.#streamCrc) this.#fault('a frame belongs to another stream');
    const isKeyFrame = isVideo && payload[0] === videoHead.keyFrame[0];
    this.#acceptFrame(payload.readUInt32BE(at + 8), payload.readUInt32BE(at + 12), isKeyFrame);
    this.#acceptTime(timestampMs);
    this.#fresh.clear();
    this.onFrame?.(payload.readUInt32BE(at + 12), timestampMs, payload);
  }

  #acceptHeader(kind: 'metadata' | 'video' | 'audio'): void {
    this.#headers[kind] += 1;
    this.#fresh.add(kind);
  }

  #acceptFrame(session: number, sequence: number, isKeyFrame: boolean): void {
    this.#frames += 1;
    if (this.sessions.at(-1) !== session) {
      if (this.sessions.includes(session)) this.#fault(`frames of session ${session} come back`);
      this.sessions.push(session);
      if (this.#firstSequence < 0) this.#firstSequence = sequence;
      this.#checkStart(`session ${session}`, isKeyFrame);
    } else if (sequence < this.#next) {
      this.#fault(`frame ${sequence} comes again or too late, ${this.#next} was due`);
    } else if (sequence > this.#next) {
      this.gaps.push({ session, from: this.#next, to: sequence });
      this.#checkStart(`what follows the gap before ${sequence}`, isKeyFrame);
    }
    this.#next = sequence + 1;
  }

  /** A decoder can begin here. */
  #checkStart(what: string, isKeyFrame: boolean): void {
    if (!isKeyFrame) this.#fault(`${what} does not begin with a key frame`);
    if (this.#fresh.size < 3) this.#fault(`${what} begins without all headers, only ${[...this.#fresh].join(', ')}`);
  }

  #acceptTime(timestampMs: number): void {
    if (this.#firstTimestampMs < 0) this.#firstTimestampMs = timestampMs;
    else if (timestampDelta(this.#lastTimestampMs, timestampMs) < 0) {
      this.#fault(`time goes back from ${this.#lastTimestampMs} to ${timestampMs}`);
    }
    this.#lastTimestampMs = timestampMs;
  }

  #fault(text: string): void {
    if (this.faults.length < 20) this.faults.push(text);
  }
}
