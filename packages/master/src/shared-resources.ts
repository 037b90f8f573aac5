/** What the master opens once and every worker inherits: ring memory, counters, doorbells. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '@srs/config';
import type { Arena } from '@srs/kernel';
import { closeFd, createDoorbell, createSharedMemory, type Doorbell, openSharedArena } from '@srs/native';
import { STATUS_BOARD_BYTES, StatusBoard } from '@srs/worker';

/**
 * The address space of one back-source's rings. Sparse: only what holds frames is memory, and `ring { memory }` limits that.
 * Power-of-two regions leave gaps, so there is more room than the limit.
 */
const ARENA_SPACE_FACTOR = 4;
const ARENA_MIN_BYTES = 2 ** 30;

export interface SharedMemoryFile {
  readonly fd: number;
  readonly sizeBytes: number;
}

export class SharedResources {
  readonly runtimeDirectory: string;
  readonly arenas: readonly SharedMemoryFile[];
  readonly status: StatusBoard;
  readonly statusFd: number;
  /** By slot, for as long as the server lives: a slot that comes again finds its own. */
  readonly #doorbells = new Map<number, Doorbell>();

  /** @throws SrsError naming the size or path that could not be had; nothing stays open then */
  constructor(config: Config, backSourceCount: number) {
    const closers: (() => void)[] = [];
    try {
      this.runtimeDirectory = mkdtempSync(join(tmpdir(), 'srs-run-'));
      closers.push(() => rmSync(this.runtimeDirectory, { recursive: true, force: true }));
      const memory = (name: string, sizeBytes: number): SharedMemoryFile => {
        const fd = createSharedMemory(name, sizeBytes);
        closers.push(() => closeFd(fd));
        return { fd, sizeBytes };
      };
      this.arenas = Array.from({ length: backSourceCount }, (_, index) => memory(`srs-rings-${index}`, arenaBytes(config)));
      this.statusFd = memory('srs-status', STATUS_BOARD_BYTES).fd;
      const statusArena: Arena = openSharedArena(this.statusFd, STATUS_BOARD_BYTES);
      this.status = new StatusBoard(statusArena.region(0, STATUS_BOARD_BYTES), 0);
    } catch (error) {
      for (const close of closers) close();
      throw error;
    }
    this.#closers = closers;
  }

  readonly #closers: (() => void)[];

  /** @throws SrsError SocketCreate */
  doorbell(slot: number): Doorbell {
    let bell = this.#doorbells.get(slot);
    if (bell === undefined) {
      bell = createDoorbell();
      this.#doorbells.set(slot, bell);
    }
    return bell;
  }

  /** Of all slots that there have been. */
  doorbells(): readonly { readonly slot: number; readonly writeFd: number }[] {
    return Array.from(this.#doorbells, ([slot, { writeFd }]) => ({ slot, writeFd }));
  }

  close(): void {
    for (const close of this.#closers.splice(0)) close();
    for (const { readFd, writeFd } of this.#doorbells.values()) {
      closeFd(readFd);
      closeFd(writeFd);
    }
    this.#doorbells.clear();
  }
}

/** Bytes of address space for the rings of one back-source. */
export function arenaBytes(config: Config): number {
  return 2 ** Math.ceil(Math.log2(Math.max(ARENA_MIN_BYTES, config.ring.memoryBytes * ARENA_SPACE_FACTOR)));
}
