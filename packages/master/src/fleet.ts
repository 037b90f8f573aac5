/** The workers of a server: how many there are, what each of them has been told, and who is on its way out. */
import type { Config } from '@srs/config';
import type { DrainOrder } from '@srs/control';
import { describeError, type Log, SrsError } from '@srs/kernel';
import type { ReloadedWorker, SlotReport } from '@srs/survey';
import { type Listener, listenerName, type ProcessId, type WorkerConfigure } from '@srs/worker';
import { listenAddresses } from './listen-addresses.ts';
import type { ListeningSockets, OpenListener, PreparedSockets } from './listening-sockets.ts';
import type { DrainedServer } from './server-drain.ts';
import { planSlots, type SlotDefinition, type SlotPlan } from './slot-plan.ts';
import { SlotSupervisor } from './slot-supervisor.ts';
import type { Spawner } from './spawner.ts';
import type { WorkerHandle } from './worker-handle.ts';

export interface FleetOptions {
  readonly config: Config;
  readonly log: Log;
  readonly spawner: Spawner;
  readonly sockets: ListeningSockets;
}

/** A new configuration for which everything has been opened that it needs. */
export interface PreparedFleet {
  /** Cannot fail any more; a worker that cannot do its part is told of. */
  apply(): Promise<readonly ReloadedWorker[]>;
  undo(): void;
}

/** What a worker has been told, and has confirmed. */
interface Told {
  version: number;
  readonly listeners: Set<string>;
  readonly bells: Set<number>;
}

/** A worker follows a reload within this time, or is told again when it answers to a ping. */
const CONFIGURE_LIMIT_MS = 5_000;
const COUNT_LIMIT_MS = 1_000;
/** Who has not left in time is told, and let go when it has heard, or after this. */
const DISMISS_GRACE_MS = 1_500;
const LOOK_EVERY_MS = 100;

type SentAway = Awaited<ReturnType<DrainedServer['setDrain']>>;
const nobody: SentAway = { redirected: 0, dismissed: 0 };

export class Fleet {
  readonly #log: Log;
  readonly #spawner: Spawner;
  readonly #sockets: ListeningSockets;
  #config: Config;
  /** Of everything that workers are told: one more with each change. */
  #version = 1;
  readonly #slots = new Map<number, SlotSupervisor>();
  readonly #told = new WeakMap<WorkerHandle, Told>();
  /** One after the other, so that nobody is told something old after something new. */
  #telling: Promise<unknown> = Promise.resolve();
  /** Slots that are drained to be started again: their sockets are lent to a neighbour meanwhile. */
  readonly #restarting = new Set<SlotSupervisor>();
  /** Slots that are not wanted any more, until their clients have gone. */
  readonly #leaving = new Set<SlotSupervisor>();
  /** Those of both whose end is being waited for. */
  readonly #finishing = new Set<SlotSupervisor>();
  /** Set by hand, and who has been told. */
  #logLevel: Config['log']['level'] | undefined;
  #hasLogLevel = new WeakSet<WorkerHandle>();
  /** Of the whole server, and who has been told. */
  #drain: DrainOrder | null = null;
  #hasDrain = new WeakSet<WorkerHandle>();
  #isStopping = false;

  /** @throws SrsError naming what cannot be had; the owner closes sockets and spawner */
  constructor(options: FleetOptions) {
    this.#config = options.config;
    this.#log = options.log;
    this.#spawner = options.spawner;
    this.#sockets = options.sockets;
    const plan = planSlots(options.config);
    this.#open(plan, options.config).commit();
    for (const definition of plan.added) this.#add(definition);
  }

  /** In the order of their numbers; those that finish with their clients are among them. */
  slots(): readonly SlotSupervisor[] {
    return Array.from(this.#slots.values()).sort((one, other) => one.definition.slot - other.definition.slot);
  }

  reports(): readonly SlotReport[] {
    return this.slots().map((slot) => slot.report());
  }

  /** @throws the reason why one of them cannot serve */
  async start(): Promise<void> {
    await Promise.all(this.slots().map((slot) => slot.start()));
  }

  /** Ends all workers in good order, the ones with clients first. */
  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true;
    const end = async (isChosen: (slot: SlotSupervisor) => boolean): Promise<void> => {
      await Promise.all(
        this.slots()
          .filter(isChosen)
          .map((slot) => slot.stop(graceMs)),
      );
    };
    await end((slot) => slot.definition.role !== 'back-source');
    await end((slot) => slot.definition.role === 'back-source');
  }

  /**
   * Opens what `config` needs: sockets, and bells for slots that come.
   * @throws SrsError naming what cannot be had; nothing has changed then
   */
  prepare(config: Config): PreparedFleet {
    if (this.#isStopping) throw new SrsError('ConfigInvalid', 'the server is about to end');
    const plan = planSlots(
      config,
      this.#staying(),
      Array.from(this.#leaving, ({ definition }) => definition),
    );
    const sockets = this.#open(plan, config);
    return { undo: () => sockets.undo(), apply: () => this.#apply(config, plan, sockets) };
  }

  /**
   * Lets the worker in a slot finish with its clients, within `drain_timeout`, and starts it again. Resolves when that has begun.
   * @throws SrsError when there is no such slot, or its clients would have nowhere to go
   */
  async drain(slot: number): Promise<void> {
    const supervisor = this.#slots.get(slot);
    if (supervisor === undefined) {
      throw new SrsError(
        'ConfigInvalid',
        `slot ${slot} must be one of ${this.slots()
          .map((each) => each.definition.slot)
          .join(' ')}`,
      );
    }
    const { role } = supervisor.definition;
    if (supervisor.state !== 'ready') {
      throw new SrsError(
        'ConfigInvalid',
        `${role} worker in slot ${slot} is ${supervisor.state}, it must be ready to be drained`,
      );
    }
    if (role !== 'back-source' && this.#neighbourOf(supervisor) === undefined) {
      throw new SrsError(
        'ConfigInvalid',
        `slot ${slot} is the only ${role} worker: nobody would let clients in meanwhile, so have two (workers { ${role} 2; }) and reload first`,
      );
    }
    this.#restarting.add(supervisor);
    supervisor.beginDrain();
    this.#log.trace(`${role} worker in slot ${slot} is drained, pid=${supervisor.pid}`);
    await this.#tellAll();
    void this.#finishDrain(supervisor);
  }

  reopenLogs(): void {
    for (const slot of this.slots()) slot.handle?.channel.notify('reopenLog', null);
  }

  /** Lets nobody in any more; who is there may stay until `stop`. A worker that dies is not replaced. */
  stopAccepting(): void {
    this.#isStopping = true;
    this.#sockets.close();
    for (const slot of this.slots()) {
      slot.retire();
      slot.handle?.channel.notify('stopAccepting', null);
    }
  }

  /** For all that run and all that are started from now on, until the configuration has another level. */
  setLogLevel(level: Config['log']['level']): void {
    this.#logLevel = level;
    this.#hasLogLevel = new WeakSet();
    for (const slot of this.slots()) this.#tellLogLevel(slot);
  }

  /**
   * The whole server takes nobody any more, or takes clients again; those who are started from now on too.
   * @returns how many clients were told to go
   */
  async setDrain(order: DrainOrder | null): Promise<SentAway> {
    this.#drain = order;
    this.#hasDrain = new WeakSet();
    const told = await Promise.all(this.slots().map((slot) => this.#tellDrain(slot)));
    return told.reduce(
      (sum, { redirected, dismissed }) => ({ redirected: sum.redirected + redirected, dismissed: sum.dismissed + dismissed }),
      nobody,
    );
  }

  /** Who publishes or plays, or is about to. For a worker that does not answer its connections count. */
  async clientCount(): Promise<number> {
    const counts = await Promise.all(
      this.slots().map(async ({ handle, definition, isAlive }) => {
        if (handle === undefined || !isAlive || definition.role === 'back-source') return 0;
        const known = (): number => this.#spawner.connectionCount(definition.slot);
        return await handle.channel.request('clientCount', null, COUNT_LIMIT_MS).catch(known);
      }),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** One that hangs is asked again when it answers. */
  async #tellDrain({ handle, isAlive }: SlotSupervisor): Promise<SentAway> {
    if (handle === undefined || !isAlive || this.#hasDrain.has(handle)) return nobody;
    this.#hasDrain.add(handle);
    try {
      return await handle.channel.request('setDrain', this.#drain, CONFIGURE_LIMIT_MS);
    } catch {
      this.#hasDrain.delete(handle);
      return nobody;
    }
  }

  #tellLogLevel({ handle }: SlotSupervisor): void {
    if (handle === undefined || this.#logLevel === undefined || this.#hasLogLevel.has(handle)) return;
    this.#hasLogLevel.add(handle);
    handle.channel.notify('setLogLevel', { level: this.#logLevel });
  }

  async #apply(config: Config, plan: SlotPlan, sockets: PreparedSockets): Promise<readonly ReloadedWorker[]> {
    if (config.log.level !== this.#config.log.level) this.#logLevel = undefined;
    this.#config = config;
    this.#version += 1;
    // Before the workers close theirs: what the kernel accepts until then they still take in.
    sockets.commit();
    const leaving = plan.removed.map(({ slot }) => this.#slots.get(slot)!);
    for (const supervisor of leaving) {
      this.#leaving.add(supervisor);
      supervisor.beginDrain();
    }
    const added = plan.added.map((definition) => this.#add(definition));
    // Those who are there first: a new worker may ask any of them for a wake-up.
    const answers = await this.#tellAll();
    for (const supervisor of leaving) void this.#finishDrain(supervisor);
    await Promise.all(added.map((supervisor) => supervisor.startOrRetry()));
    return this.slots().map((supervisor) => this.#describe(supervisor, answers.get(supervisor)));
  }

  #describe(supervisor: SlotSupervisor, problem: string | null | undefined): ReloadedWorker {
    const { slot, role } = supervisor.definition;
    const { pid } = supervisor;
    const row = { slot, role, pid };
    if (problem !== undefined && problem !== null) return { ...row, isApplied: false, detail: problem };
    if (this.#leaving.has(supervisor)) {
      const count = this.#spawner.connectionCount(slot);
      return {
        ...row,
        isApplied: true,
        detail: `ends when its ${count} clients have left, in ${this.#drainSeconds} s at the latest`,
      };
    }
    if (supervisor.isAlive) return { ...row, isApplied: true, detail: problem === undefined ? 'is new' : null };
    return { ...row, isApplied: true, detail: 'is being started, with the new configuration' };
  }

  get #drainSeconds(): number {
    return this.#config.workers.drainTimeoutMs / 1000;
  }

  /** Ends a drained worker when its clients have gone, and starts another one unless the slot is not wanted any more. */
  async #finishDrain(supervisor: SlotSupervisor): Promise<void> {
    // A reload may take away a slot that is drained already: who sees to that looks what is wanted when it comes so far.
    if (this.#finishing.has(supervisor)) return;
    this.#finishing.add(supervisor);
    do {
      await this.#empty(supervisor);
      if (this.#isStopping) return;
      await supervisor.stop(DISMISS_GRACE_MS);
      if (this.#leaving.delete(supervisor)) {
        this.#restarting.delete(supervisor);
        this.#slots.delete(supervisor.definition.slot);
        return;
      }
      if (this.#isStopping) return;
      await supervisor.startAgain();
      this.#restarting.delete(supervisor);
    } while (this.#leaving.has(supervisor));
    this.#finishing.delete(supervisor);
    // The neighbour gives the sockets back.
    await this.#tellAll();
  }

  async #empty(supervisor: SlotSupervisor): Promise<void> {
    const { slot, role } = supervisor.definition;
    const endMs = performance.now() + this.#config.workers.drainTimeoutMs;
    const hasClients = (): boolean => supervisor.isAlive && this.#spawner.connectionCount(slot) > 0;
    while (hasClients() && performance.now() < endMs && !this.#isStopping) await pause();
    if (this.#isStopping) return;
    const left = hasClients() ? this.#spawner.connectionCount(slot) : 0;
    const clients = left === 0 ? 'its clients have left' : `${left} clients are dismissed`;
    this.#log.trace(`${role} worker in slot ${slot} ends, ${clients}`);
  }

  #add(definition: SlotDefinition): SlotSupervisor {
    const supervisor = new SlotSupervisor(definition, {
      log: this.#log,
      spawn: () => this.#spawn(supervisor),
      onGone: (slot, pid) => this.#onGone(slot, pid),
      onAlive: (slot) => this.#onAlive(slot),
    });
    this.#slots.set(definition.slot, supervisor);
    return supervisor;
  }

  #spawn(supervisor: SlotSupervisor): ReturnType<Spawner['spawn']> {
    const listeners = this.#listenersOf(supervisor);
    const spawned = this.#spawner.spawn({
      slot: supervisor.definition,
      config: this.#config,
      living: this.#living(supervisor),
      listeners,
    });
    this.#told.set(spawned.handle, {
      version: this.#version,
      listeners: new Set(listeners.map(listenerName)),
      bells: new Set(this.#spawner.bells().map(({ slot }) => slot)),
    });
    return spawned;
  }

  #onGone(definition: SlotDefinition, pid: number): void {
    this.#spawner.onGone(definition);
    for (const other of this.#slots.values()) {
      if (other.definition.role === 'back-source') other.handle?.channel.notify('workerGone', { slot: definition.slot, pid });
    }
  }

  /** One that was being started during a change, or did not answer, has missed it. */
  #onAlive(supervisor: SlotSupervisor): void {
    this.#tellLogLevel(supervisor);
    if (this.#drain !== null) void this.#tellDrain(supervisor);
    const handle = supervisor.handle;
    const isUpToDate = handle !== undefined && this.#told.get(handle)?.version === this.#version;
    if (!isUpToDate || this.#restarting.size > 0) void this.#tellAll();
  }

  #living(except: SlotSupervisor): readonly ProcessId[] {
    // A worker that is being started holds nothing yet, but it may by the time the back-source asks.
    return Array.from(this.#slots.values())
      .filter((slot) => slot !== except && slot.definition.role !== 'back-source' && slot.isAlive)
      .map((slot) => ({ slot: slot.definition.slot, pid: slot.pid }));
  }

  #staying(): readonly SlotDefinition[] {
    return this.slots()
      .filter((slot) => !this.#leaving.has(slot))
      .map(({ definition }) => definition);
  }

  #open(plan: SlotPlan, config: Config): PreparedSockets {
    for (const { slot } of plan.added) this.#spawner.addBell(slot);
    return this.#sockets.prepare(
      plan.slots.flatMap(({ slot, role }) => listenAddresses(config, role).map((address) => ({ ...address, slot }))),
    );
  }

  /** Its own sockets, and those of the drained worker that it stands in for. */
  #listenersOf(supervisor: SlotSupervisor): readonly OpenListener[] {
    if (supervisor.state === 'draining') return [];
    const lenders = Array.from(this.#restarting).filter(
      (lender) => lender !== supervisor && lender.state !== 'ready' && this.#neighbourOf(lender) === supervisor,
    );
    return [supervisor, ...lenders].flatMap(({ definition }) => this.#sockets.of(definition.slot));
  }

  /** Who lets clients in for a worker that does not: the next of its kind. */
  #neighbourOf(supervisor: SlotSupervisor): SlotSupervisor | undefined {
    const able = this.slots().filter(
      (other) => other !== supervisor && other.definition.role === supervisor.definition.role && other.state === 'ready',
    );
    return able.find((other) => other.definition.slot > supervisor.definition.slot) ?? able[0];
  }

  /** @returns by worker what it could not do, null for nothing; only those who serve are there */
  #tellAll(): Promise<ReadonlyMap<SlotSupervisor, string | null>> {
    const told = this.#telling.then(async () => {
      const alive = this.slots().filter((slot) => slot.isAlive);
      return new Map(await Promise.all(alive.map(async (slot) => [slot, await this.#tell(slot)] as const)));
    });
    this.#telling = told;
    return told;
  }

  async #tell(supervisor: SlotSupervisor): Promise<string | null> {
    const handle = supervisor.handle;
    const told = handle === undefined ? undefined : this.#told.get(handle);
    if (handle === undefined || told === undefined) return null;
    const version = this.#version;
    const listeners = this.#listenersOf(supervisor);
    const bells = this.#spawner.bells();
    try {
      const { problem } = await handle.channel.request('configure', this.#message(handle, told, listeners), CONFIGURE_LIMIT_MS);
      told.version = version;
      told.listeners.clear();
      for (const listener of listeners) told.listeners.add(listenerName(listener));
      for (const { slot } of bells) told.bells.add(slot);
      return problem;
    } catch (error) {
      if (handle.channel.isClosed) return null;
      return describeError(error);
    }
  }

  #message(handle: WorkerHandle, told: Told, listeners: readonly OpenListener[]): WorkerConfigure {
    const fds: number[] = [];
    // Inside one process a descriptor is what it says; else it is a place in the parcel.
    const enclose = (fd: number): number => (handle.passDescriptors === undefined ? fd : fds.push(fd) - 1);
    const enclosed = listeners.map((listener): Listener => {
      const { fd, ...place } = listener;
      return told.listeners.has(listenerName(listener)) ? place : { ...place, fd: enclose(fd) };
    });
    const doorbells = this.#spawner
      .bells()
      .filter(({ slot }) => !told.bells.has(slot))
      .map(({ slot, writeFd }) => ({ slot, fd: enclose(writeFd) }));
    const parcel = fds.length === 0 ? undefined : handle.passDescriptors?.(fds);
    return { config: this.#config, listeners: enclosed, doorbells, parcel };
  }
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
