/** Recordings as fragmented MP4: playable up to the last fragment, whatever happens. */
import { describeAudio } from '@srs/codec';
import { type FrameType, frameFlags, frameTypes, SrsError, timestampDelta } from '@srs/kernel';
import { FlvToMp4 } from '@srs/mp4';
import { MediaSpan } from './media-span.ts';
import { movieDurationPosition } from './mp4-boxes.ts';
import type {
  FileSummary,
  KeptFrames,
  Recording,
  RecordingFacts,
  RecordingFormat,
  RecordingSink,
  RecordingStart,
} from './recording.ts';

/** A fragment ends at a key frame if it has this length, and at any frame when it has the other: so much is lost with a server that dies. */
const MIN_FRAGMENT_MS = 500;
const MAX_FRAGMENT_MS = 2000;
/** Sound ends a fragment when no picture does. */
const MAX_SOUND_FRAGMENT_MS = 2500;
/**
 * So much ends it at the next picture, and twice as much in any case: it waits in memory, for ever where time stands still, and a file takes no more at
 * once than may wait for the disk.
 */
const FULL_FRAGMENT_BYTES = 4 * 1024 * 1024;

export const mp4Format: RecordingFormat = {
  ending: '.mp4',
  begin: (sink, start) => new Mp4Recording(sink, start),
  canResume: (start, file) => {
    const converter = new FlvToMp4();
    takeKept(converter, start);
    return converter.initVersion > 0 && converter.initSegment().equals(file.mp4!.head);
  },
  resume: (sink, start, file) => new Mp4Recording(sink, start, file),
};

function takeKept(converter: FlvToMp4, { kept, onLeftOut }: RecordingStart): void {
  for (const [type, header] of keptHeaders(kept)) {
    try {
      converter.onHeader(type, header);
    } catch (error) {
      if (!(error instanceof SrsError)) throw error;
      onLeftOut(error);
    }
  }
}

function keptHeaders({ videoHeader, audioHeader }: KeptFrames): readonly (readonly [FrameType, Buffer])[] {
  const headers: (readonly [FrameType, Buffer])[] = [];
  if (videoHeader !== undefined) headers.push([frameTypes.video, videoHeader]);
  if (audioHeader !== undefined) headers.push([frameTypes.audio, audioHeader]);
  return headers;
}

class Mp4Recording implements Recording {
  readonly #sink: RecordingSink;
  readonly #onLeftOut: RecordingStart['onLeftOut'];
  readonly #converter = new FlvToMp4();
  readonly #span: MediaSpan;
  readonly #headers: Map<FrameType, Buffer>;
  /** The kinds of which the fragment that is being collected has something. */
  readonly #collected = new Set<FrameType>();
  #fragmentStartMs = 0;
  #collectedBytes = 0;
  /** The tracks that the beginning of the file announces; nothing may change once it is written. */
  #writtenVersion: number | undefined;
  #durationPosition: number | undefined;
  #sizeBytes = 0;

  constructor(sink: RecordingSink, start: RecordingStart, file?: FileSummary) {
    this.#sink = sink;
    this.#onLeftOut = start.onLeftOut;
    this.#span = new MediaSpan(file);
    this.#headers = new Map(keptHeaders(start.kept));
    takeKept(this.#converter, start);
    if (file === undefined) return;
    this.#sizeBytes = file.sizeBytes;
    this.#announce(this.#converter.initSegment());
  }

  takes(type: FrameType, flags: number, payload: Buffer): boolean {
    const isWritten = this.#writtenVersion !== undefined;
    if ((flags & frameFlags.sequenceHeader) !== 0) {
      const header = this.#headers.get(type);
      if (header === undefined) return !isWritten;
      return header.equals(payload) || !(isWritten || this.#collected.has(type));
    }
    if (!isWritten) return true;
    if (this.#converter.initVersion !== this.#writtenVersion) return false;
    // MP3 has no header that would have told of it.
    return type !== frameTypes.audio || this.#converter.audioCodec !== null || describeAudio(payload)?.codec !== 'mp3';
  }

  onFrame(type: FrameType, flags: number, timestampMs: number, payload: Buffer): void {
    if (type === frameTypes.data || (flags & frameFlags.videoMetadata) !== 0) return;
    try {
      if ((flags & frameFlags.sequenceHeader) !== 0) {
        this.#headers.set(type, Buffer.from(payload));
        this.#converter.onHeader(type, payload);
        return;
      }
      if (this.#isFragmentEnd(type, flags, timestampMs)) this.#writeFragment(type === frameTypes.video ? timestampMs : undefined);
      this.#converter.onFrame(type, timestampMs, payload);
    } catch (error) {
      if (!(error instanceof SrsError)) throw error;
      this.#onLeftOut(error);
      return;
    }
    if (this.#collected.size === 0) this.#fragmentStartMs = timestampMs;
    this.#collected.add(type);
    this.#collectedBytes += payload.length;
    this.#span.add(timestampMs);
  }

  finish(nextTimestampMs?: number): RecordingFacts {
    this.#writeFragment(nextTimestampMs);
    const { durationMs } = this.#span.times(nextTimestampMs);
    if (this.#durationPosition !== undefined) {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(Math.min(durationMs, 0xffffffff));
      this.#sink.patch(this.#durationPosition, bytes);
    }
    return { sizeBytes: this.#sizeBytes, durationMs };
  }

  #isFragmentEnd(type: FrameType, flags: number, timestampMs: number): boolean {
    if (this.#collected.size === 0) return false;
    if (this.#collectedBytes >= (type === frameTypes.video ? 1 : 2) * FULL_FRAGMENT_BYTES) return true;
    const lengthMs = timestampDelta(this.#fragmentStartMs, timestampMs);
    if (!this.#collected.has(frameTypes.video)) return lengthMs >= MAX_FRAGMENT_MS;
    if (type !== frameTypes.video) return lengthMs >= MAX_SOUND_FRAGMENT_MS;
    return lengthMs >= ((flags & frameFlags.keyFrame) !== 0 ? MIN_FRAGMENT_MS : MAX_FRAGMENT_MS);
  }

  #writeFragment(nextTimestampMs: number | undefined): void {
    this.#collected.clear();
    this.#collectedBytes = 0;
    const fragment = this.#converter.takeFragment(nextTimestampMs);
    if (fragment === undefined) return;
    if (this.#writtenVersion === undefined) {
      const head = this.#converter.initSegment();
      this.#announce(head);
      this.#write(head);
    }
    this.#write(fragment);
  }

  #announce(head: Buffer): void {
    this.#writtenVersion = this.#converter.initVersion;
    this.#durationPosition = movieDurationPosition(head);
  }

  #write(bytes: Buffer): void {
    this.#sizeBytes += bytes.length;
    this.#sink.write(bytes);
  }
}
