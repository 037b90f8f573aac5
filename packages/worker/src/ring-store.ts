/** Cuts rings from the arena of one back-source, in sizes from the configuration. */
import type { RingRef } from '@srs/control';
import type { Arena } from '@srs/kernel';
import {
  endRing,
  MAX_CAPACITY_BYTES,
  type Region,
  RegionTable,
  RingReader,
  RingWriter,
  ringBytes,
  ringEndReasons,
} from '@srs/ring';
import type { RingStore } from '@srs/stream';

/** In the header of a ring that its writer has not opened yet. */
const NO_WRITER = -1;

export interface RingStoreOptions {
  /** Index of the back-source whose arena this is. */
  readonly backSource: number;
  readonly arena: Arena;
  readonly initialSizeBytes: number;
  readonly maxSizeBytes: number;
  readonly memoryBytes: number;
}

export class ArenaRingStore implements RingStore {
  readonly #options: RingStoreOptions;
  readonly #table: RegionTable;

  constructor(options: RingStoreOptions) {
    this.#options = options;
    this.#table = RegionTable.open(options.arena, { limitBytes: options.memoryBytes });
  }

  get usedBytes(): number {
    return this.#table.usedBytes;
  }

  allocate(): RingRef | undefined {
    const ring = this.#allocate(this.#options.initialSizeBytes);
    // Readers hear of the ring at the same time as its writer, and must find one.
    if (ring !== undefined) RingWriter.create(this.#options.arena, ring, { writerSlot: NO_WRITER, writerPid: NO_WRITER });
    return ring;
  }

  allocateBigger(previous: RingRef, capacityBytes: number): RingRef | undefined {
    const capacity = 2 ** Math.ceil(Math.log2(Math.min(capacityBytes, MAX_CAPACITY_BYTES)));
    const sizeBytes = Math.min(ringBytes(capacity), this.#options.maxSizeBytes);
    return sizeBytes > previous.sizeBytes ? this.#allocate(sizeBytes) : undefined;
  }

  free(ring: RingRef): void {
    this.#table.free(ring);
  }

  endForDeadWriter(ring: RingRef): number {
    // A writer that died before it made the ring has written nothing.
    if (!endRing(this.#options.arena, ring, ringEndReasons.writerDied)) return 0;
    return new RingReader(this.#options.arena, ring).newestTimestampMs;
  }

  inherited(): readonly RingRef[] {
    return this.#table.list().map((region) => this.#refOf(region));
  }

  #allocate(sizeBytes: number): RingRef | undefined {
    const region = this.#table.allocate(sizeBytes);
    return region === undefined ? undefined : this.#refOf(region);
  }

  #refOf(region: Region): RingRef {
    return {
      arena: this.#options.backSource,
      index: region.index,
      generation: region.generation,
      offset: region.offset,
      sizeBytes: region.sizeBytes,
    };
  }
}
