/** The samples of a track as columns: about 25 bytes for each. */
import { SrsError } from '@srs/kernel';
import { MAX_FILE_SAMPLES } from './limits.ts';

/** One row of each array is one sample, in decoding order. */
export interface Mp4Samples {
  readonly count: number;
  /** Where the bytes begin in the file. */
  readonly offsets: Float64Array;
  readonly sizes: Uint32Array;
  /** Decoding times in ticks of the track, after its edit list: the movie begins at 0, samples before it are below. */
  readonly dts: Float64Array;
  /** PTS minus DTS. */
  readonly compositionOffsets: Int32Array;
  /** 1 where decoding can begin. */
  readonly isSync: Uint8Array;
}

const FIRST_RESERVE = 1024;

/** How many samples a file has; shared by all its tracks. */
export class SampleBudget {
  readonly #limit: number;
  #used = 0;

  /** @param fileBytes of which each sample takes some: runs that say a size once can claim any number */
  constructor(fileBytes: number) {
    this.#limit = Math.min(MAX_FILE_SAMPLES, fileBytes);
  }

  /** @throws SrsError Mp4File when the file has more samples than it may have */
  claim(count: number): void {
    this.#used += count;
    if (this.#used > this.#limit) {
      throw new SrsError('Mp4File', `mp4 samples ${this.#used} must be at most ${this.#limit}`);
    }
  }
}

/** Columns that grow. */
export class SampleTable {
  readonly #budget: SampleBudget;
  count = 0;
  /** Ticks at which the last sample ends, before the edit list. */
  endDts = 0;
  offsets = new Float64Array(0);
  sizes = new Uint32Array(0);
  dts = new Float64Array(0);
  compositionOffsets = new Int32Array(0);
  isSync = new Uint8Array(0);

  constructor(budget: SampleBudget) {
    this.#budget = budget;
  }

  /**
   * Makes room for samples that are known to be there, and counts them.
   *
   * @returns the row of the first of them
   */
  extend(count: number): number {
    this.#budget.claim(count);
    const first = this.count;
    const rows = first + count;
    if (rows > this.offsets.length) {
      this.#resize(first === 0 ? rows : Math.max(rows, FIRST_RESERVE, first * 2));
    }
    this.count = rows;
    return first;
  }

  /** Leaves out all rows from `count` on. */
  shorten(count: number): void {
    this.count = count;
  }

  /** @param shift ticks added to all decoding times */
  finish(shift: number): Mp4Samples {
    if (this.offsets.length > this.count) this.#resize(this.count);
    const { count, offsets, sizes, dts, compositionOffsets, isSync } = this;
    for (let i = 0; i < count; i++) dts[i]! += shift;
    return { count, offsets, sizes, dts, compositionOffsets, isSync };
  }

  #resize(rows: number): void {
    const { offsets, sizes, dts, compositionOffsets, isSync } = this;
    const kept = Math.min(rows, this.count);
    this.offsets = new Float64Array(rows);
    this.offsets.set(offsets.subarray(0, kept));
    this.sizes = new Uint32Array(rows);
    this.sizes.set(sizes.subarray(0, kept));
    this.dts = new Float64Array(rows);
    this.dts.set(dts.subarray(0, kept));
    this.compositionOffsets = new Int32Array(rows);
    this.compositionOffsets.set(compositionOffsets.subarray(0, kept));
    this.isSync = new Uint8Array(rows);
    this.isSync.set(isSync.subarray(0, kept));
  }
}
