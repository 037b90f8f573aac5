/** A recording as it is played: its outline, and its segments when they are asked for. */
import { createHash } from 'node:crypto';
import { SrsError } from '@srs/kernel';
import type { FileIdentity } from './file-window.ts';
import type { SegmentBytes } from './jobs.ts';
import { MAX_SEGMENT_BYTES } from './limits.ts';

export type RecordingFormat = 'flv' | 'mp4';

export interface RecordingFile {
  readonly identity: FileIdentity;
  /** As its players call it: that of the file, or of a link to it. */
  readonly name: string;
  readonly format: RecordingFormat;
}

export interface VodOutline {
  /** Of each segment; whole milliseconds. */
  readonly durationsMs: readonly number[];
  /** What the file has for each of them, about; more than a segment may have for none. */
  readonly sizesBytes: readonly number[];
  /** A player can begin with any segment. */
  readonly isIndependent: boolean;
}

export interface VodRecording {
  /** Of this version of the file, and of how it is cut. */
  readonly id: string;
  /** What it keeps in memory, about. */
  readonly keptBytes: number;
  /**
   * Found out once, however many ask.
   * @throws SrsError
   */
  outline(): Promise<VodOutline>;
  /**
   * @param index below the number of segments
   * @throws SrsError
   */
  slice(index: number): Promise<SegmentBytes>;
}

/** Another way of cutting is another set of segments: caches must not put them together. */
const CUTTING_VERSION = 2;
const ID_CHARACTERS = 16;

/** The same in all processes that serve the file. */
export function recordingId({ device, inode, sizeBytes, modifiedMs }: FileIdentity): string {
  const text = [CUTTING_VERSION, device, inode, sizeBytes, modifiedMs].join(' ');
  return createHash('sha256').update(text).digest('hex').slice(0, ID_CHARACTERS);
}

/** @param startsMs of all segments, and the end of the last one */
export function durationsBetween(startsMs: readonly number[]): readonly number[] {
  const durations: number[] = [];
  for (let index = 1; index < startsMs.length; index++) {
    // Rounded as a sum, so that the error does not grow with the number of segments.
    durations.push(Math.max(1, Math.round(startsMs[index]!) - Math.round(startsMs[index - 1]!)));
  }
  return durations;
}

/** @param positions where segments begin in the file, and where the last one ends */
export function sizesBetween(positions: readonly number[]): readonly number[] {
  return positions.slice(1).map((position, index) => Math.min(position - positions[index]!, MAX_SEGMENT_BYTES));
}

/** Something that is found out once; what is wrong with the file is remembered, other failures are not. */
export class Remembered<Value> {
  readonly #find: () => Promise<Value>;
  #value: Promise<Value> | undefined;

  constructor(find: () => Promise<Value>) {
    this.#find = find;
  }

  get(): Promise<Value> {
    if (this.#value === undefined) {
      const value = this.#find();
      this.#value = value;
      value.catch((error: unknown) => {
        if (!isLasting(error) && this.#value === value) this.#value = undefined;
      });
    }
    return this.#value;
  }
}

function isLasting(error: unknown): boolean {
  return error instanceof SrsError && error.errorName !== 'VodBusy';
}
