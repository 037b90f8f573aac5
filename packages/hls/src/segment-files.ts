/** What takes the segments of one publish and lists them. */
import type { SegmentSecret } from './encryption.ts';
import type { InitSection, ListedSegment } from './playlist.ts';
import type { FileName, SegmentFacts } from './segment-names.ts';
import type { SegmentSink } from './store.ts';

/** A segment that is being written. */
export interface OpenSegment {
  readonly sink: SegmentSink;
  readonly facts: SegmentFacts;
  readonly name: FileName;
}

export type SegmentDetails = Pick<ListedSegment, 'durationMs' | 'isDiscontinuity' | 'programDateTimeMs' | 'key' | 'init'>;

/** A part of the open segment: what the sink was given since the part before. */
export interface PartDetails extends SegmentDetails {
  /** Decoding can begin here. */
  readonly isIndependent: boolean;
  /** How long parts are meant to be by now. */
  readonly targetMs: number;
}

export interface SegmentFiles {
  /** @param secret only where parts are listed, which are encrypted each by itself; whole segments are written encrypted */
  openSegment(facts: SegmentFacts, secret?: SegmentSecret): OpenSegment;
  /** Stores a key; segments that are listed after this call may name it. */
  storeKey(path: string, bytes: Buffer): void;
  /** Whether a key may not have this path, because another one has it. */
  isKeyTaken(path: string): boolean;
  /** Stores an init segment that is needed from this segment on; segments that are listed after this call may name it. */
  storeInit(bytes: Buffer, facts: SegmentFacts): InitSection;
  discardSegment(open: OpenSegment): void;
  /** Finishes a segment and lists it. */
  listSegment(open: OpenSegment, details: SegmentDetails): void;
  /** Absent where only whole segments are listed. */
  addPart?(open: OpenSegment, part: PartDetails): void;
}
