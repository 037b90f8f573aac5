/** An FLV file in memory, ready to be published again and again. */
import { classifyFrame } from '@srs/codec';
import { FlvReader } from '@srs/flv';
import { type FrameType, frameFlags, frameTypes, SrsError } from '@srs/kernel';

export interface ClipFrame {
  readonly type: FrameType;
  /** From the start of the clip. */
  readonly timeMs: number;
  readonly payload: Buffer;
}

const EMPTY_AAC_HEADER_BYTES = 2;
const MAX_DURATION_MS = 24 * 60 * 60 * 1000;

export class FlvClip {
  /** Metadata and sequence headers that stand before the first frame of their track. */
  readonly headers: readonly ClipFrame[];
  /** All that follows, in the order of the file; never empty. */
  readonly frames: readonly ClipFrame[];
  /** From the first frame to where the next round begins. */
  readonly durationMs: number;
  /** Sequence headers change on the way, so each round needs the first ones again. */
  readonly changesHeaders: boolean;

  private constructor(headers: readonly ClipFrame[], frames: readonly ClipFrame[]) {
    this.headers = headers;
    this.frames = frames;
    this.durationMs = durationOf(frames);
    this.changesHeaders = frames.some(
      (frame) => isSequenceHeader(frame) && !headers.some((header) => header.payload.equals(frame.payload)),
    );
  }

  /**
   * @param bytes a whole FLV file; not kept
   * @throws SrsError FlvHeader or FlvTag when it is none, FlvTag when it has no frames or lasts longer than a day
   */
  static read(bytes: Buffer): FlvClip {
    const headers: ClipFrame[] = [];
    const frames: ClipFrame[] = [];
    const begunTracks = new Set<FrameType>();
    const reader = new FlvReader({
      onTag: (type, timestampMs, payload) => {
        if (!isFrameType(type) || isUseless(type, payload)) return;
        const frame = { type, timeMs: timestampMs, payload: Buffer.from(payload) };
        const isMedia = type !== frameTypes.data && !isSequenceHeader(frame);
        if (isMedia) begunTracks.add(type);
        // The header of one track may well stand behind the first frame of the other.
        const isHeader = type === frameTypes.data ? begunTracks.size === 0 : !begunTracks.has(type);
        if (isHeader) headers.push({ ...frame, timeMs: 0 });
        else frames.push(frame);
      },
    });
    reader.receive(bytes);
    reader.end();
    if (begunTracks.size === 0) throw new SrsError('FlvTag', 'flv clip has no audio or video frame');
    const startMs = frames.reduce((least, frame) => Math.min(least, frame.timeMs), frames[0]!.timeMs);
    return new FlvClip(
      headers,
      frames.map((frame) => ({ ...frame, timeMs: frame.timeMs - startMs })),
    );
  }
}

function isFrameType(type: number): type is FrameType {
  return type === frameTypes.audio || type === frameTypes.video || type === frameTypes.data;
}

function isSequenceHeader(frame: ClipFrame): boolean {
  return (classifyFrame(frame.type, frame.payload) & (frameFlags.sequenceHeader | frameFlags.videoMetadata)) !== 0;
}

/** What a recorder writes at either end of a file, and no player of an endless stream should see. */
function isUseless(type: FrameType, payload: Buffer): boolean {
  if (payload.length === 0) return true;
  const flags = classifyFrame(type, payload);
  // Players take an end of sequence for the end of the stream.
  if ((flags & frameFlags.endOfSequence) !== 0) return true;
  // FFmpeg begins with an AAC header without configuration when it does not know it yet.
  return type === frameTypes.audio && (flags & frameFlags.sequenceHeader) !== 0 && payload.length <= EMPTY_AAC_HEADER_BYTES;
}

/**
 * The last frame of a track lasts as long as its frames do on average. The longest track counts: the next round must not begin
 * before it has ended.
 */
function durationOf(frames: readonly ClipFrame[]): number {
  const ends = [frameTypes.audio, frameTypes.video].map((type) => {
    const track = frames.filter((frame) => frame.type === type && !isSequenceHeader(frame));
    const [first, last] = [track[0], track.at(-1)];
    if (first === undefined || last === undefined) return 0;
    return last.timeMs + (track.length > 1 ? (last.timeMs - first.timeMs) / (track.length - 1) : 0);
  });
  const durationMs = Math.round(Math.max(...ends));
  if (durationMs < 1 || durationMs > MAX_DURATION_MS) {
    throw new SrsError('FlvTag', `flv clip of ${durationMs} ms must last 1..${MAX_DURATION_MS} ms`);
  }
  return durationMs;
}
