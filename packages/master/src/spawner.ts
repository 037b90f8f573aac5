/** How workers come into being: as processes over inherited descriptors, or as parts of this process. */
import { randomBytes } from 'node:crypto';
import type { Config } from '@srs/config';
import type { Arena } from '@srs/kernel';
import type { ProcessLog } from '@srs/logging';
import { closeFd, createSharedMemory, openSharedArena } from '@srs/native';
import { MemoryArena } from '@srs/ring';
import { type Listener, LocalHub, type MasterRequests, type ProcessId, type WorkerStart } from '@srs/worker';
import type { OpenListener } from './listening-sockets.ts';
import { arenaBytes, SharedResources } from './shared-resources.ts';
import type { SlotDefinition } from './slot-plan.ts';
import { childFd, forkWorker, runLocalWorker, type WorkerHandle } from './worker-handle.ts';

/** What a worker is made with, as it stands when it is made. */
interface SpawnOptions {
  readonly slot: SlotDefinition;
  readonly config: Config;
  readonly living: readonly ProcessId[];
  readonly listeners: readonly OpenListener[];
}

export interface Spawner {
  spawn(options: SpawnOptions): { readonly handle: WorkerHandle; readonly start: WorkerStart };
  /** Sees to it that the slot has a bell. @throws SrsError SocketCreate */
  addBell(slot: number): void;
  /** The bells of all slots; none where they need no descriptors. */
  bells(): readonly { readonly slot: number; readonly writeFd: number }[];
  /** The worker of the slot is dead. */
  onGone(slot: SlotDefinition): void;
  /** Client connections of all workers, or of one. */
  connectionCount(slot?: number): number;
  close(): void;
}

const INSTANCE_ID_BYTES = 8;
/** See `WorkerEnvironment`. */
const instanceId = randomBytes(INSTANCE_ID_BYTES).toString('hex');

function commonStart({ slot, config, living }: SpawnOptions) {
  const { host, port } = config.privateApi.listen;
  return {
    role: slot.role,
    slot: slot.slot,
    instanceId,
    backSource: slot.role === 'back-source' ? slot.index : 0,
    config,
    privateHost: host,
    // The master has the first port, the slots have the following ones; 0 stays 0.
    privatePort: port === 0 ? 0 : port + 1 + slot.slot,
    living,
  };
}

/** @throws SrsError naming what could not be had; nothing stays open then */
export function processSpawner(config: Config, backSourceCount: number, requests: MasterRequests): Spawner {
  const resources = new SharedResources(config, backSourceCount);
  const { status } = resources;
  return {
    spawn: (options) => {
      const fds: number[] = [];
      const inherit = (fd: number): number => childFd(fds.push(fd) - 1);
      const doorbellWriteFds: (number | undefined)[] = [];
      for (const { slot, writeFd } of resources.doorbells()) doorbellWriteFds[slot] = inherit(writeFd);
      const start: WorkerStart = {
        ...commonStart(options),
        runtimeDirectory: resources.runtimeDirectory,
        arenas: resources.arenas.map(({ fd, sizeBytes }) => ({ fd: inherit(fd), sizeBytes })),
        statusFd: inherit(resources.statusFd),
        doorbellReadFd: inherit(resources.doorbell(options.slot.slot).readFd),
        doorbellWriteFds: Array.from(doorbellWriteFds),
        listeners: options.listeners.map((listener): Listener => ({ ...listener, fd: inherit(listener.fd) })),
        parcelFd: childFd(fds.length),
      };
      return { handle: forkWorker(fds, requests), start };
    },
    addBell: (slot) => void resources.doorbell(slot),
    bells: () => resources.doorbells(),
    onGone: ({ slot }) => status.clearSlot(slot),
    connectionCount: (slot) => (slot === undefined ? status.connectionCount() : status.connectionsOf(slot)),
    close: () => resources.close(),
  };
}

export function localSpawner(config: Config, processLog: ProcessLog, requests: MasterRequests): Spawner {
  const memory = openLocalMemory(config);
  const hub = new LocalHub({ arena: memory.arena, processLog });
  return {
    spawn: (options) => ({
      handle: runLocalWorker((start) => hub.environmentOf(start), requests),
      start: {
        ...commonStart(options),
        runtimeDirectory: '',
        arenas: [],
        statusFd: -1,
        doorbellReadFd: -1,
        doorbellWriteFds: [],
        listeners: options.listeners,
        parcelFd: -1,
      },
    }),
    addBell: () => {},
    bells: () => [],
    onGone: () => {},
    connectionCount: (slot) => hub.connectionCount(slot),
    close: memory.close,
  };
}

/** Mapped memory where the system has it: what streams have used goes back to the system, which plain memory does not do. */
function openLocalMemory(config: Config): { readonly arena: Arena; readonly close: () => void } {
  const sizeBytes = arenaBytes(config);
  if (process.platform !== 'linux') return { arena: new MemoryArena(sizeBytes), close: () => {} };
  const fd = createSharedMemory('srs-rings', sizeBytes);
  return { arena: openSharedArena(fd, sizeBytes), close: () => closeFd(fd) };
}
