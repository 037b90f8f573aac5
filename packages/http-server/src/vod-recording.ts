/** A recording as it is played: its outline, and its segments when they are asked for. */
import { createHash } from 'node:crypto';
import { ApiError } from './api-errors.ts';
import type { FileIdentity } from './vod-file-window.ts';
import type { SegmentBytes } from './vod-jobs.ts';

export interface VodOutline {
  /** Of each segment; whole milliseconds. */
  readonly durationsMs: readonly number[];
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
   * @throws ApiError
   */
  outline(): Promise<VodOutline>;
  /**
   * @param index below the number of segments
   * @throws ApiError
   */
  slice(index: number): Promise<SegmentBytes>;
}

/** Another way of cutting is another set of segments: caches must not put them together. */
const CUTTING_VERSION = 1;
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
        if (!(error instanceof ApiError && error.statusCode === 415) && this.#value === value) this.#value = undefined;
      });
    }
    return this.#value;
  }
}
