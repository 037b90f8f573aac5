/** Cuts an arena into regions and keeps account of them inside the arena, so that a restarted owner finds them again. */
import { type Arena, SrsError } from '@srs/kernel';
import { FreeBlocks } from './free-blocks.ts';
import { PAGE_BYTES } from './layout.ts';
import type { Region } from './region.ts';

/*
 *   arena
 *   +---------------+----------------------+-----------------------------------------+
 *   | table header  | entries, 32 bytes    | blocks of 64 KiB x 2^n, aligned         |
 *   | 4 KiB         | each                 | to their size                           |
 *   +---------------+----------------------+-----------------------------------------+
 *
 *   entry   state | first unit | order | pages | generation | tag | - | -
 */
const TABLE_MAGIC = 0x53525354;
const TABLE_VERSION = 1;
const tableWords = { magic: 0, version: 1, maxRegions: 2, lastGeneration: 3 } as const;
const entryWords = { state: 0, firstUnit: 1, order: 2, pages: 3, generation: 4, tag: 5, stride: 8 } as const;
const FREE = 0;
const USED = 1;

const UNIT_BYTES = 64 * 1024;
const TABLE_HEADER_BYTES = PAGE_BYTES;
const ENTRY_BYTES = entryWords.stride * 4;
const DEFAULT_MAX_REGIONS = 4096;
const MAX_REGIONS_LIMIT = 1_000_000;
/** Units are kept in Int32. */
const MAX_ARENA_UNITS = 2 ** 31 - 1;

export interface RegionTableOptions {
  /** Bytes of all regions together; the size of the arena unless given. */
  readonly limitBytes?: number;
  readonly maxRegions?: number;
}

/** A region with what the table knows besides. */
export interface UsedRegion extends Region {
  /** What `allocate` was given. */
  readonly tag: number;
}

/**
 * The allocator of an arena; only one process at a time may have one. Regions never share a page, and what has been freed is
 * given back to the system and reads as zeros.
 */
export class RegionTable {
  readonly #arena: Arena;
  readonly #words: Int32Array;
  readonly #maxRegions: number;
  readonly #free: FreeBlocks;
  readonly #maxOrder: number;
  /** Indices of free entries; the lowest at the end. */
  readonly #freeEntries: number[] = [];
  readonly limitBytes: number;
  #usedBytes = 0;

  private constructor(arena: Arena, options: RegionTableOptions) {
    this.#maxRegions = options.maxRegions ?? DEFAULT_MAX_REGIONS;
    if (!Number.isInteger(this.#maxRegions) || this.#maxRegions < 1 || this.#maxRegions > MAX_REGIONS_LIMIT) {
      throw new SrsError('SharedMemory', `number of regions ${this.#maxRegions} must be 1..${MAX_REGIONS_LIMIT}`);
    }
    const tableBytes = TABLE_HEADER_BYTES + this.#maxRegions * ENTRY_BYTES;
    const firstUnit = Math.ceil(tableBytes / UNIT_BYTES);
    const units = Math.min(Math.floor(arena.sizeBytes / UNIT_BYTES), MAX_ARENA_UNITS);
    if (units <= firstUnit || arena.windowBytes < UNIT_BYTES) {
      throw new SrsError('SharedMemory', `arena of ${arena.sizeBytes} bytes must have more than ${firstUnit * UNIT_BYTES}`);
    }
    this.#arena = arena;
    this.limitBytes = options.limitBytes ?? arena.sizeBytes;
    this.#maxOrder = Math.floor(Math.log2(arena.windowBytes / UNIT_BYTES));
    this.#free = new FreeBlocks(firstUnit, units, this.#maxOrder);
    const table = arena.region(0, tableBytes);
    this.#words = new Int32Array(table.buffer, table.byteOffset, tableBytes / 4);
  }

  /**
   * Writes an empty table.
   * @throws SrsError SharedMemory when the arena is too small
   */
  static create(arena: Arena, options: RegionTableOptions = {}): RegionTable {
    const table = new RegionTable(arena, options);
    const maxRegions = table.#maxRegions;
    table.#words.fill(0);
    table.#words[tableWords.version] = TABLE_VERSION;
    table.#words[tableWords.maxRegions] = maxRegions;
    for (let index = maxRegions - 1; index >= 0; index--) table.#freeEntries.push(index);
    Atomics.store(table.#words, tableWords.magic, TABLE_MAGIC);
    return table;
  }

  /**
   * Takes over the table that an earlier owner left, with the options it was made with. Free memory is given back to the system once more.
   * @throws SrsError RingCorrupt when there is no such table
   */
  static recover(arena: Arena, options: RegionTableOptions = {}): RegionTable {
    const table = new RegionTable(arena, options);
    table.#recover();
    return table;
  }

  /** Takes over the table in the arena if one is there, else makes one. */
  static open(arena: Arena, options: RegionTableOptions = {}): RegionTable {
    const magic = arena.region(0, PAGE_BYTES).readInt32LE(tableWords.magic * 4);
    return magic === 0 ? RegionTable.create(arena, options) : RegionTable.recover(arena, options);
  }

  /** The sizes of all regions together. Pages of them that were never written take no memory. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  get regionCount(): number {
    return this.#maxRegions - this.#freeEntries.length;
  }

  /**
   * Hands out a zero-filled region of at least `sizeBytes`, inside one window of the arena.
   * @param tag a number for the owner, found again by `list`
   * @returns undefined when the limit, the arena or the table is full, or the size larger than a window
   */
  allocate(sizeBytes: number, tag = 0): Region | undefined {
    if (!(sizeBytes > 0)) throw new SrsError('SharedMemory', `region size ${sizeBytes} must be above 0`);
    const pages = Math.ceil(sizeBytes / PAGE_BYTES);
    const order = Math.max(0, Math.ceil(Math.log2((pages * PAGE_BYTES) / UNIT_BYTES)));
    if (order > this.#maxOrder || this.#usedBytes + pages * PAGE_BYTES > this.limitBytes) return undefined;
    const index = this.#freeEntries.at(-1);
    if (index === undefined) return undefined;
    const firstUnit = this.#free.allocate(order);
    if (firstUnit === undefined) return undefined;
    this.#freeEntries.pop();
    this.#usedBytes += pages * PAGE_BYTES;

    const entry = entryOf(index);
    this.#words[entry + entryWords.firstUnit] = firstUnit;
    this.#words[entry + entryWords.order] = order;
    this.#words[entry + entryWords.pages] = pages;
    this.#words[entry + entryWords.generation] = this.#nextGeneration();
    this.#words[entry + entryWords.tag] = tag;
    // Last, so that an owner that dies here leaves a complete entry or none.
    Atomics.store(this.#words, entry + entryWords.state, USED);
    return this.#regionAt(index);
  }

  /**
   * Takes a region back and gives its memory to the system. Nobody may write to it any more; a reader that still looks finds zeros
   * or another generation.
   * @returns false when that region is not in use (any more)
   */
  free(region: Region): boolean {
    const entry = entryOf(region.index);
    const isUsed = region.index >= 0 && region.index < this.#maxRegions && this.#words[entry + entryWords.state] === USED;
    if (!isUsed || this.#words[entry + entryWords.generation] !== region.generation) return false;
    const firstUnit = this.#words[entry + entryWords.firstUnit]!;
    const order = this.#words[entry + entryWords.order]!;
    Atomics.store(this.#words, entry + entryWords.state, FREE);
    this.#arena.discard(firstUnit * UNIT_BYTES, 2 ** order * UNIT_BYTES);
    this.#free.release(firstUnit, order);
    this.#freeEntries.push(region.index);
    this.#usedBytes -= this.#words[entry + entryWords.pages]! * PAGE_BYTES;
    return true;
  }

  /** All regions in use. */
  list(): UsedRegion[] {
    const regions: UsedRegion[] = [];
    for (let index = 0; index < this.#maxRegions; index++) {
      const entry = entryOf(index);
      if (this.#words[entry + entryWords.state] !== USED) continue;
      regions.push({ ...this.#regionAt(index), tag: this.#words[entry + entryWords.tag]! });
    }
    return regions;
  }

  #recover(): void {
    const header = this.#words;
    for (const [name, wanted] of [
      ['magic', TABLE_MAGIC],
      ['version', TABLE_VERSION],
      ['maxRegions', this.#maxRegions],
    ] as const) {
      const found = header[tableWords[name]];
      if (found !== wanted) throw new SrsError('RingCorrupt', `table of regions: ${name} ${found} must be ${wanted}`);
    }
    for (let index = this.#maxRegions - 1; index >= 0; index--) {
      const entry = entryOf(index);
      if (header[entry + entryWords.state] === USED) this.#takeOver(index);
      else this.#freeEntries.push(index);
    }
    this.#free.forEach((at, units) => {
      this.#arena.discard(at * UNIT_BYTES, units * UNIT_BYTES);
    });
  }

  #takeOver(index: number): void {
    const entry = entryOf(index);
    const firstUnit = this.#words[entry + entryWords.firstUnit]!;
    const order = this.#words[entry + entryWords.order]!;
    const pages = this.#words[entry + entryWords.pages]!;
    const isPossible =
      order >= 0 &&
      order <= this.#maxOrder &&
      firstUnit >= 0 &&
      firstUnit % 2 ** order === 0 &&
      pages >= 1 &&
      pages * PAGE_BYTES <= 2 ** order * UNIT_BYTES;
    if (!isPossible || !this.#free.reserve(firstUnit, order)) {
      const what = `${pages} pages in a block of 2^${order} units at unit ${firstUnit}`;
      throw new SrsError('RingCorrupt', `table of regions: entry ${index} cannot have ${what}`);
    }
    this.#usedBytes += pages * PAGE_BYTES;
  }

  #regionAt(index: number): Region {
    const entry = entryOf(index);
    return {
      index,
      offset: this.#words[entry + entryWords.firstUnit]! * UNIT_BYTES,
      sizeBytes: this.#words[entry + entryWords.pages]! * PAGE_BYTES,
      generation: this.#words[entry + entryWords.generation]!,
    };
  }

  #nextGeneration(): number {
    const next = (this.#words[tableWords.lastGeneration]! + 1) | 0;
    const generation = next === 0 ? 1 : next;
    this.#words[tableWords.lastGeneration] = generation;
    return generation;
  }
}

function entryOf(index: number): number {
  return TABLE_HEADER_BYTES / 4 + index * entryWords.stride;
}
