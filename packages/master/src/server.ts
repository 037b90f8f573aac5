/** One running server: its workers, what they share, and the API through which it is told what to do. */
import { flushCompileCache } from 'node:module';
import { type Config, formatAddress } from '@srs/config';
import { logLevels, SrsError } from '@srs/kernel';
import type { ProcessLog } from '@srs/logging';
import type { ConfigDocument, DrainSummary, MasterSummary, ReloadReport, SlotReport } from '@srs/survey';
import { type MasterRequests, type PrivateApi, type PrivateRoutes, startPrivateApi } from '@srs/worker';
import { type DrainServerRequest, parseDrainRequest } from './drain-request.ts';
import { Fleet, type PreparedFleet } from './fleet.ts';
import { ListeningSockets } from './listening-sockets.ts';
import { ServerDrain } from './server-drain.ts';
import { planSlots } from './slot-plan.ts';
import { localSpawner, processSpawner, type Spawner } from './spawner.ts';

export interface ServerOptions {
  readonly config: Config;
  readonly processLog: ProcessLog;
  readonly version: string;
  readonly control: ServerControl;
}

/** What concerns more than the workers, and is asked for through them or through the private API. */
interface ServerControl {
  reload(isDryRun: boolean): Promise<ReloadReport>;
  config(): ConfigDocument;
  /** Ends the server and the process. */
  stop(reason: string): void;
}

/** Clients are told and let go within this time, so that the whole server ends within 3 s. */
const STOP_GRACE_MS = 1_500;
const DRAINED_WAIT_MS = 1_000;

export class Server {
  readonly #options: ServerOptions;
  readonly #spawner: Spawner;
  readonly #sockets: ListeningSockets;
  readonly #fleet: Fleet;
  readonly #startedMs = performance.now();
  #config: Config;
  #api: PrivateApi | undefined;
  #apiStart: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  #drain: ServerDrain | undefined;

  private constructor(options: ServerOptions) {
    const { config, processLog } = options;
    this.#options = options;
    this.#config = config;
    const isSingle = config.workers.mode === 'single';
    const requests = this.#requests();
    this.#sockets = new ListeningSockets(!isSingle);
    this.#spawner = isSingle
      ? localSpawner(config, processLog, requests)
      : processSpawner(config, planSlots(config).backSourceCount, requests);
    try {
      this.#fleet = new Fleet({ config, log: processLog.log, spawner: this.#spawner, sockets: this.#sockets });
    } catch (error) {
      this.#sockets.close();
      this.#spawner.close();
      throw error;
    }
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
    return this.#fleet.reports();
  }

  summary(): MasterSummary {
    const { workers, listen } = this.#config;
    return {
      version: this.#options.version,
      pid: process.pid,
      mode: workers.mode,
      uptimeSeconds: Math.round((performance.now() - this.#startedMs) / 1000),
      listen,
      workers: this.workers().length,
      ...(this.#drain === undefined ? {} : { drain: this.#drain.summary }),
    };
  }

  /** For people: `listen=0.0.0.0:1935, workers=3`. */
  get state(): string {
    return `listen=${this.#config.listen.map(formatAddress).join(' ')}, workers=${this.workers().length}`;
  }

  /** Opens what a new configuration needs. @throws SrsError what cannot be had; nothing has changed then */
  prepare(config: Config): PreparedFleet {
    const prepared = this.#fleet.prepare(config);
    return {
      undo: () => prepared.undo(),
      apply: () => {
        this.#config = config;
        return prepared.apply();
      },
    };
  }

  reopenLogs(): void {
    this.#options.processLog.reopen();
    this.#fleet.reopenLogs();
  }

  /** Whether streams can be published and played. Without an http worker they can. */
  isServing(): boolean {
    const ready = this.workers().filter((worker) => worker.state === 'ready');
    return (['back-source', 'stream'] as const).every((role) => ready.some((worker) => worker.role === role));
  }

  /** Client connections of all workers. */
  clientCount(): number {
    return this.#spawner.connectionCount();
  }

  /** Lets nobody in any more; who is there may stay until `stop`. A worker that dies is not replaced. */
  stopAccepting(): void {
    this.#fleet.stopAccepting();
  }

  /** Ends all workers in good order, the ones with clients first. Safe to call more than once. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #start(): Promise<void> {
    const { host, port } = this.#config.privateApi.listen;
    // On the very first start the workers find what this process has compiled; later there is nothing to write.
    flushCompileCache();
    // Started together: a stream worker finds its back-source as soon as that one listens. The private API is loaded meanwhile.
    const workers = this.#fleet.start();
    this.#apiStart = startPrivateApi({ host, port, isPortFixed: true, routes: this.#routes() }).then((api) => {
      this.#api = api;
    });
    await Promise.all([workers, this.#apiStart]);
  }

  async #stop(): Promise<void> {
    this.#drain?.close();
    await this.#fleet.stop(STOP_GRACE_MS);
    // One that is still on its way must not stay behind; why it failed has been told.
    await this.#apiStart?.catch(() => {});
    await this.#api?.close();
    this.#sockets.close();
    this.#spawner.close();
  }

  /** What workers ask. */
  #requests(): MasterRequests {
    return {
      directory: () => ({ server: this.summary(), workers: this.workers() }),
      reload: ({ isDryRun }) => this.#options.control.reload(isDryRun),
      drain: async ({ slot }) => {
        await this.#fleet.drain(slot);
        return null;
      },
      logLevel: ({ level }) => {
        this.#setLogLevel(level);
        return null;
      },
    };
  }

  async #beginDrain({ to, withinMs, isStopping }: DrainServerRequest): Promise<DrainSummary> {
    const clients = await this.#fleet.clientCount();
    if (this.#drain !== undefined) throw new SrsError('ConfigInvalid', 'the server is drained already; cancel that first');
    const { control, processLog } = this.#options;
    this.#drain = new ServerDrain({
      server: this.#fleet,
      clients,
      to,
      withinMs,
      isStopping,
      log: processLog.log,
      onEmpty: () => {
        // Whoever waits for the drain reads its end first.
        if (isStopping) setTimeout(() => control.stop('the server is drained'), DRAINED_WAIT_MS);
      },
    });
    return this.#drain.summary;
  }

  async #cancelDrain(): Promise<DrainSummary> {
    const drain = this.#drain;
    if (drain === undefined) throw new SrsError('ConfigInvalid', 'the server is not drained');
    this.#drain = undefined;
    const { summary } = drain;
    await drain.cancel();
    return summary;
  }

  #setLogLevel(level: Config['log']['level']): void {
    const { processLog } = this.#options;
    processLog.log.trace(`log level ${level}, until a reload changes it`);
    processLog.setLevel(level);
    this.#fleet.setLogLevel(level);
  }

  #routes(): PrivateRoutes {
    const { control } = this.#options;
    return {
      '/api/v1/workers': () => this.workers(),
      '/api/v1/summary': () => this.summary(),
      '/api/v1/config': () => control.config(),
      '/api/v1/reload': { POST: ({ dry_run: isDryRun }) => control.reload(isDryRun === '1' || isDryRun === 'true') },
      '/api/v1/drain': {
        GET: () => this.#drain?.summary ?? null,
        POST: async (query) => {
          const request = parseDrainRequest(query, this.#config.workers.drainTimeoutMs);
          switch (request.kind) {
            case 'slot':
              await this.#fleet.drain(request.slot);
              return { slot: request.slot };
            case 'server':
              return await this.#beginDrain(request);
            case 'cancel':
              return await this.#cancelDrain();
          }
        },
      },
      '/api/v1/log-level': {
        POST: ({ level }) => {
          this.#setLogLevel(parseLevel(level));
          return { level };
        },
      },
    };
  }
}

const levels = [...logLevels, 'off'] as const;

function parseLevel(text: unknown): (typeof levels)[number] {
  const level = levels.find((known) => known === text);
  if (level !== undefined) return level;
  throw new SrsError('ConfigInvalid', `level ${JSON.stringify(text)} must be one of ${levels.join(' ')}`);
}
