/** What a recorder knows of file formats: each is one way to turn headers and frames into bytes of a file. */
import type { FrameType, SrsError } from '@srs/kernel';
import type { MediaTimes } from './media-span.ts';

/** Where the bytes of a recording go; an `OutputFile` is one. */
export interface RecordingSink {
  /** Behind all that was written before. The bytes are the sink's own from then on. */
  write(bytes: Buffer): void;
  /** Overwrites bytes that were written before. */
  patch(position: number, bytes: Buffer): void;
}

/** Bytes that overwrite others of a file. */
export interface Patch {
  readonly position: number;
  readonly bytes: Buffer;
}

/** What a stream keeps for those who join later, as frames' payloads. */
export interface KeptFrames {
  readonly metadata?: Buffer | undefined;
  readonly videoHeader?: Buffer | undefined;
  /** Colour information of enhanced RTMP. */
  readonly videoMetadata?: Buffer | undefined;
  readonly audioHeader?: Buffer | undefined;
}

export interface RecordingStart {
  readonly kept: KeptFrames;
  /** Of the first picture or sound. */
  readonly timestampMs: number;
  /** How many key frames the index has at most; a longer recording has an index that is less dense. */
  readonly indexEntries: number;
  /** Is told of the first frame that the format cannot hold. */
  readonly onLeftOut: (error: SrsError) => void;
}

export interface RecordingFacts {
  readonly sizeBytes: number;
  readonly durationMs: number;
}

/** One file while it is written. Nothing here waits. */
export interface Recording {
  /**
   * Whether a frame can stand in this file, behind what is in it; otherwise a new file must begin with it.
   * Hot path.
   */
  takes(type: FrameType, flags: number, payload: Buffer): boolean;
  /**
   * Writes one frame.
   * Hot path: the payload is copied, nothing else is kept.
   * @param flags `frameFlags`
   * @param timestampMs 31 bits, on the timeline of the file
   * @param payload valid during the call only
   */
  onFrame(type: FrameType, flags: number, timestampMs: number, payload: Buffer): void;
  /**
   * Writes what is left and completes what could not be known earlier.
   * @param nextTimestampMs when the frame that would have come next begins, if there is one
   */
  finish(nextTimestampMs?: number): RecordingFacts;
}

/** What a finished or repaired file is, as far as it is needed to go on with it. Goes from one thread to another. */
export interface FileSummary extends RecordingFacts, MediaTimes {
  /** Bytes behind the last whole frame, which were cut off. */
  readonly cutBytes: number;
  readonly flv?: FlvFacts;
  readonly mp4?: Mp4Facts;
}

export interface FlvFacts {
  readonly hasAudio: boolean;
  readonly hasVideo: boolean;
  /** Where the key frames are: timestamps and positions in turn. */
  readonly index: readonly number[];
  /** Bytes of the file that were reserved for the index; 0 when it has no room for one. */
  readonly indexRoomBytes: number;
}

interface Mp4Facts {
  /** The boxes that announce the tracks, as they were when the recording began. */
  readonly head: Uint8Array;
}

export interface RecordingFormat {
  /** How the paths of its files end. */
  readonly ending: RecordingEnding;
  /** Begins a file. */
  begin(sink: RecordingSink, start: RecordingStart): Recording;
  /** Whether what begins now can stand behind what is in the file. */
  canResume(start: RecordingStart, file: FileSummary): boolean;
  /** Goes on behind what is in the file. */
  resume(sink: RecordingSink, start: RecordingStart, file: FileSummary): Recording;
}

export type RecordingEnding = '.flv' | '.mp4';
