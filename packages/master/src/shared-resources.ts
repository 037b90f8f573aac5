/** What the master opens once and every worker inherits: ring memory, counters, doorbells, listening sockets. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '@srs/config';
import type { Arena } from '@srs/kernel';
import { closeFd, createDoorbell, createSharedMemory, type Doorbell, listenTcp, openSharedArena } from '@srs/native';
import { type Listener, STATUS_BOARD_BYTES, StatusBoard } from '@srs/worker';
import { listenAddresses } from './listen-addresses.ts';
import type { SlotPlan } from './slot-plan.ts';

export const LISTEN_BACKLOG = 512;

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
  /** By slot. */
  readonly doorbells: readonly Doorbell[];
  /** By slot; back-sources have none. */
  readonly listeners: readonly (readonly Required<Listener>[])[];

  /** @throws SrsError naming the address, size or path that could not be had; nothing stays open then */
  constructor(config: Config, plan: SlotPlan) {
    const closers: (() => void)[] = [];
    try {
      this.runtimeDirectory = mkdtempSync(join(tmpdir(), 'srs-run-'));
      closers.push(() => rmSync(this.runtimeDirectory, { recursive: true, force: true }));
      const memory = (name: string, sizeBytes: number): SharedMemoryFile => {
        const fd = createSharedMemory(name, sizeBytes);
        closers.push(() => closeFd(fd));
        return { fd, sizeBytes };
      };
      this.arenas = Array.from({ length: plan.backSourceCount }, (_, index) => memory(`srs-rings-${index}`, arenaBytes(config)));
      this.statusFd = memory('srs-status', STATUS_BOARD_BYTES).fd;
      const statusArena: Arena = openSharedArena(this.statusFd, STATUS_BOARD_BYTES);
      this.status = new StatusBoard(statusArena.region(0, STATUS_BOARD_BYTES), 0);
      this.doorbells = plan.slots.map(() => {
        const bell = createDoorbell();
        closers.push(
          () => closeFd(bell.readFd),
          () => closeFd(bell.writeFd),
        );
        return bell;
      });
      this.listeners = openListeners(config, plan, this.#listenerClosers);
      closers.push(() => this.closeListeners());
    } catch (error) {
      this.closeListeners();
      for (const close of closers) close();
      throw error;
    }
    this.#closers = closers;
  }

  readonly #closers: (() => void)[];
  readonly #listenerClosers: (() => void)[] = [];

  /** The master's hold on the listening sockets ends: they close as soon as their workers close them too. */
  closeListeners(): void {
    for (const close of this.#listenerClosers.splice(0)) close();
  }

  close(): void {
    for (const close of this.#closers.splice(0)) close();
  }
}

/**
 * One socket per address and slot. All sockets of an address exist before any worker accepts, so that the kernel spreads
 * clients from the first one on. The first is bound without SO_REUSEPORT, only to notice another server on the port.
 */
function openListeners(config: Config, plan: SlotPlan, closers: (() => void)[]): (readonly Required<Listener>[])[] {
  const bySlot: Required<Listener>[][] = plan.slots.map(() => []);
  for (const role of new Set(plan.slots.map((slot) => slot.role))) {
    const slots = plan.slots.filter((slot) => slot.role === role);
    for (const { service, host, port } of listenAddresses(config, role)) {
      const probe = listenTcp({ host, port, backlog: 1, reusePort: false });
      closeFd(probe.fd);
      for (const { slot } of slots) {
        const { fd } = listenTcp({ host, port: probe.port, backlog: LISTEN_BACKLOG, reusePort: true });
        closers.push(() => closeFd(fd));
        bySlot[slot]!.push({ service, slot, host, port: probe.port, fd });
      }
    }
  }
  return bySlot;
}

/** Bytes of address space for the rings of one back-source. */
export function arenaBytes(config: Config): number {
  return 2 ** Math.ceil(Math.log2(Math.max(ARENA_MIN_BYTES, config.ring.memoryBytes * ARENA_SPACE_FACTOR)));
}
