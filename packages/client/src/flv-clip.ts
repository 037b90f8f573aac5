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

const MAX_DURATION_MS = 24 * 60 * 60 * 1000;

export class FlvClip {
  /** Metadata and sequence headers that stand before the first picture or sound. */
  readonly headers: readonly ClipFrame[];
  /** All that follows, in the order of the file; never empty. */
  readonly frames: readonly ClipFrame[];
  /** From the first frame to where the next round begins. */
  readonly durationMs: number;
  /** Headers change on the way, so each round needs them again. */
  readonly changesHeaders: boolean;

  private constructor(headers: readonly ClipFrame[], frames: readonly ClipFrame[]) {
    this.headers = headers;
    this.frames = frames;
    this.durationMs = durationOf(frames);
    this.changesHeaders = frames.some((frame) => isHeader(frame.type, frame.payload));
  }

  /**
   * @param bytes a whole FLV file; not kept
   * @throws SrsError FlvHeader or FlvTag when it is none, FlvTag when it has no frames or lasts longer than a day
   */
  static read(bytes: Buffer): FlvClip {
    const tags: ClipFrame[] = [];
    const reader = new FlvReader({
      onTag: (type, timestampMs, payload) => {
        // Players take an end of sequence for the end of the stream.
        if (!isFrameType(type) || (classifyFrame(type, payload) & frameFlags.endOfSequence) !== 0) return;
        tags.push({ type, timeMs: timestampMs, payload: Buffer.from(payload) });
      },
    });
    reader.receive(bytes);
    reader.end();
    const firstMedia = tags.findIndex((tag) => !isHeader(tag.type, tag.payload));
    if (firstMedia < 0) throw new SrsError('FlvTag', 'flv clip has no audio or video frame');
    const media = tags.slice(firstMedia);
    const startMs = media.reduce((least, tag) => Math.min(least, tag.timeMs), media[0]!.timeMs);
    return new FlvClip(
      tags.slice(0, firstMedia).map((tag) => ({ ...tag, timeMs: 0 })),
      media.map((tag) => ({ ...tag, timeMs: tag.timeMs - startMs })),
    );
  }
}

function isFrameType(type: number): type is FrameType {
  return type === frameTypes.audio || type === frameTypes.video || type === frameTypes.data;
}

function isHeader(type: FrameType, payload: Buffer): boolean {
  const headers = frameFlags.sequenceHeader | frameFlags.videoMetadata;
  return type === frameTypes.data || (classifyFrame(type, payload) & headers) !== 0;
}

/**
 * The last frame of a track lasts as long as its frames do on average. The longest track counts: the next round must not begin
 * before it has ended.
 */
function durationOf(frames: readonly ClipFrame[]): number {
  const ends = [frameTypes.audio, frameTypes.video].map((type) => {
    const track = frames.filter((frame) => frame.type === type && !isHeader(frame.type, frame.payload));
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
