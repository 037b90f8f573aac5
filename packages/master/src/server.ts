/** One running server: its shared resources, its workers, its directory of private ports. */
import { flushCompileCache } from 'node:module';
import type { Config } from '@srs/config';
import type { Arena, Log } from '@srs/kernel';
import type { ProcessLog } from '@srs/logging';
import { closeFd, createSharedMemory, listenTcp, openSharedArena } from '@srs/native';
import { MemoryArena } from '@srs/ring';
import {
  type Listener,
  LocalHub,
  type MasterRequests,
  type MasterSummary,
  type PrivateApi,
  type PrivateRoutes,
  type SlotReport,
  startPrivateApi,
  type WorkerStart,
} from '@srs/worker';
import { listenAddresses } from './listen-addresses.ts';
import { arenaBytes, LISTEN_BACKLOG, SharedResources } from './shared-resources.ts';
import { planSlots, type SlotDefinition, type SlotPlan } from './slot-plan.ts';
import { SlotSupervisor } from './slot-supervisor.ts';
import { childFd, forkWorker, runLocalWorker, type WorkerHandle } from './worker-handle.ts';

export interface ServerOptions {
  readonly config: Config;
  readonly processLog: ProcessLog;
  readonly version: string;
}

/** Clients are told and let go within this time, so that the whole server ends within 3 s. */
const STOP_GRACE_MS = 1_500;

/** How workers come into being: as processes over inherited descriptors, or as parts of this process. */
interface Spawner {
  spawn(slot: SlotDefinition): { readonly handle: WorkerHandle; readonly start: WorkerStart };
  onGone(slot: SlotDefinition): void;
  /** Client connections of all workers. */
  connectionCount(): number;
  /** Gives up the listening sockets; the workers hold them still. */
  closeListeners(): void;
  close(): void;
}

export class Server {
  readonly #options: ServerOptions;
  readonly #log: Log;
  readonly #plan: SlotPlan;
  readonly #spawner: Spawner;
  readonly #slots: readonly SlotSupervisor[];
  readonly #startedMs = performance.now();
  #api: PrivateApi | undefined;
  #apiStart: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  private constructor(options: ServerOptions) {
    this.#options = options;
    this.#log = options.processLog.log;
    this.#plan = planSlots(options.config);
    const base = (slot: SlotDefinition): StartBase => ({ config: options.config, slot, living: this.#living(slot) });
    const requests: MasterRequests = { directory: () => ({ server: this.summary(), workers: this.workers() }) };
    this.#spawner =
      options.config.workers.mode === 'single'
        ? localSpawner(options, base, requests)
        : processSpawner(options, this.#plan, base, requests);
    this.#slots = this.#plan.slots.map(
      (definition) =>
        new SlotSupervisor(definition, {
          log: this.#log,
          spawn: (slot) => this.#spawner.spawn(slot),
          onGone: (slot, pid) => this.#onGone(slot, pid),
        }),
    );
  }

  /** Starts everything; resolves when clients can connect. @throws the reason; nothing stays behind then */
  static async start(options: ServerOptions): Promise<Server> {
    const server = new Server(options);
    try {
      await server.#start();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  /** Port of the master's own private API. */
  get privatePort(): number {
    return this.#api?.port ?? 0;
  }

  workers(): readonly SlotReport[] {
    return this.#slots.map((slot) => slot.report());
  }

  summary(): MasterSummary {
    const { config, version } = this.#options;
    return {
      version,
      pid: process.pid,
      mode: config.workers.mode,
      uptimeSeconds: Math.round((performance.now() - this.#startedMs) / 1000),
      listen: config.listen,
      workers: this.#slots.length,
    };
  }

  reopenLogs(): void {
    this.#options.processLog.reopen();
    for (const slot of this.#slots) slot.handle?.channel.notify('reopenLog', null);
  }

  /** Whether there is a worker of each kind that serves. */
  isServing(): boolean {
    const roles = new Set(this.#slots.map((slot) => slot.definition.role));
    return [...roles].every((role) => this.workers().some((worker) => worker.role === role && worker.state === 'ready'));
  }

  /** Client connections of all workers. */
  clientCount(): number {
    return this.#spawner.connectionCount();
  }

  /** Lets nobody in any more; who is there may stay until `stop`. A worker that dies is not replaced. */
  stopAccepting(): void {
    this.#spawner.closeListeners();
    for (const slot of this.#slots) {
      slot.retire();
      slot.handle?.channel.notify('stopAccepting', null);
    }
  }

  /** Ends all workers in good order, the ones with clients first. Safe to call more than once. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #start(): Promise<void> {
    const { host, port } = this.#options.config.privateApi.listen;
    // On the very first start the workers find what this process has compiled; later there is nothing to write.
    flushCompileCache();
    // Started together: a stream worker finds its back-source as soon as that one listens. The private API is loaded meanwhile.
    const workers = this.#slots.map((slot) => slot.start());
    this.#apiStart = startPrivateApi({ host, port, isPortFixed: true, routes: this.#routes() }).then((api) => {
      this.#api = api;
    });
    await Promise.all([...workers, this.#apiStart]);
  }

  async #stop(): Promise<void> {
    const withClients = this.#slots.filter((slot) => slot.definition.role !== 'back-source');
    const others = this.#slots.filter((slot) => slot.definition.role === 'back-source');
    await Promise.all(withClients.map((slot) => slot.stop(STOP_GRACE_MS)));
    await Promise.all(others.map((slot) => slot.stop(STOP_GRACE_MS)));
    // One that is still on its way must not stay behind; why it failed has been told.
    await this.#apiStart?.catch(() => {});
    await this.#api?.close();
    this.#spawner.close();
  }

  #onGone(slot: SlotDefinition, pid: number): void {
    this.#spawner.onGone(slot);
    for (const other of this.#slots) {
      if (other.definition.role === 'back-source') other.handle?.channel.notify('workerGone', { slot: slot.slot, pid });
    }
  }

  #living(except: SlotDefinition): readonly { readonly slot: number; readonly pid: number }[] {
    // A worker that is being started holds nothing yet, but it may by the time the back-source asks.
    return (this.#slots ?? [])
      .filter(
        (slot) => slot.definition.role === 'stream' && slot.definition.slot !== except.slot && slot.report().state === 'ready',
      )
      .map((slot) => ({ slot: slot.definition.slot, pid: slot.pid }));
  }

  #routes(): PrivateRoutes {
    return {
      '/api/v1/workers': () => this.workers(),
      '/api/v1/summary': () => this.summary(),
    };
  }
}

interface StartBase {
  readonly config: Config;
  readonly slot: SlotDefinition;
  readonly living: WorkerStart['living'];
}

function commonStart(
  base: StartBase,
): Omit<
  WorkerStart,
  'arenas' | 'parcelFd' | 'statusFd' | 'doorbellReadFd' | 'doorbellWriteFds' | 'listeners' | 'runtimeDirectory'
> {
  const { host, port } = base.config.privateApi.listen;
  return {
    role: base.slot.role,
    slot: base.slot.slot,
    backSource: base.slot.role === 'back-source' ? base.slot.index : 0,
    config: base.config,
    privateHost: host,
    // The master has the first port, the slots have the following ones; 0 stays 0.
    privatePort: port === 0 ? 0 : port + 1 + base.slot.slot,
    living: base.living,
  };
}

function processSpawner(
  options: ServerOptions,
  plan: SlotPlan,
  base: (slot: SlotDefinition) => StartBase,
  requests: MasterRequests,
): Spawner {
  const resources = new SharedResources(options.config, plan);
  return {
    spawn: (slot) => {
      const fds: number[] = [];
      const inherit = (fd: number): number => childFd(fds.push(fd) - 1);
      const start: WorkerStart = {
        ...commonStart(base(slot)),
        runtimeDirectory: resources.runtimeDirectory,
        parcelFd: -1,
        arenas: resources.arenas.map(({ fd, sizeBytes }) => ({ fd: inherit(fd), sizeBytes })),
        statusFd: inherit(resources.statusFd),
        doorbellReadFd: inherit(resources.doorbells[slot.slot]!.readFd),
        doorbellWriteFds: resources.doorbells.map(({ writeFd }) => inherit(writeFd)),
        listeners: resources.listeners[slot.slot]!.map((listener): Listener => ({ ...listener, fd: inherit(listener.fd) })),
      };
      return { handle: forkWorker(fds, requests), start };
    },
    onGone: (slot) => resources.status.clearSlot(slot.slot),
    connectionCount: () => resources.status.connectionCount(),
    closeListeners: () => resources.closeListeners(),
    close: () => resources.close(),
  };
}

function localSpawner(options: ServerOptions, base: (slot: SlotDefinition) => StartBase, requests: MasterRequests): Spawner {
  const { config, processLog } = options;
  const memory = openLocalMemory(config);
  const hub = new LocalHub({ arena: memory.arena, processLog });
  return {
    spawn: (slot) => ({
      handle: runLocalWorker((start) => hub.environmentOf(start), requests),
      start: {
        ...commonStart(base(slot)),
        runtimeDirectory: '',
        arenas: [],
        parcelFd: -1,
        statusFd: -1,
        doorbellReadFd: -1,
        doorbellWriteFds: [],
        listeners: openLocalListeners(config, slot),
      },
    }),
    onGone: () => {},
    connectionCount: () => hub.connectionCount(),
    closeListeners: () => {},
    close: memory.close,
  };
}

/** Opened here as in multi mode, so that a port in use is the same error; whoever accepts from them closes them. */
function openLocalListeners(config: Config, { role, slot }: SlotDefinition): Listener[] {
  return listenAddresses(config, role).map(({ service, host, port }) => ({
    service,
    slot,
    host,
    ...listenTcp({ host, port, backlog: LISTEN_BACKLOG, reusePort: false }),
  }));
}

/** Mapped memory where the system has it: what streams have used goes back to the system, which plain memory does not do. */
function openLocalMemory(config: Config): { readonly arena: Arena; readonly close: () => void } {
  const sizeBytes = arenaBytes(config);
  if (process.platform !== 'linux') return { arena: new MemoryArena(sizeBytes), close: () => {} };
  const fd = createSharedMemory('srs-rings', sizeBytes);
  return { arena: openSharedArena(fd, sizeBytes), close: () => closeFd(fd) };
}
