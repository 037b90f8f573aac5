/** The real server as a test sees it: started from a configuration text on ports of its own, asked, stopped, and counted. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ChildProgram, type Exit } from './child-program.ts';
import { eventually } from './deadline.ts';
import type { NetworkHost } from './network.ts';
import { claimPorts, type PortBlock } from './ports.ts';

export const repositoryRoot = resolve(import.meta.dirname, '../..');
/** The launcher that users start. */
export const serverCommand = join(repositoryRoot, 'bin/srs');

const READY_LIMIT_MS = 20_000;
const REQUEST_LIMIT_MS = 2_000;
/** The private port of the master; the workers take the ones after it. */
const PRIVATE_PORT_OFFSET = 8;

/** Where one server under test lives. */
export interface ServerPlace {
  /** Where all its ports are. */
  readonly host: string;
  readonly rtmpPort: number;
  /** For a second RTMP listener, or whatever a test needs. */
  readonly sparePort: number;
  readonly httpApiPort: number;
  readonly httpServerPort: number;
  readonly privatePort: number;
  /** A temporary directory of its own; `objs/` stands in it. The server runs here. */
  readonly directory: string;
}

export interface ServerOptions {
  /** More directives at the top level of the configuration. */
  readonly top?: string | ((place: ServerPlace) => string);
  /** The inside of `vhost __defaultVhost__ { }`. */
  readonly vhost?: string | ((place: ServerPlace) => string);
  /** The inside of `workers { }`; `mode multi; stream 2;` unless told. */
  readonly workers?: string;
  /** The whole configuration, instead of the above. It must keep to the ports of the place, the console log and `daemon off;`. */
  readonly config?: (place: ServerPlace) => string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Arguments after `-c FILE`. */
  readonly args?: readonly string[];
  /** What to start instead of `bin/srs`. */
  readonly command?: string;
  readonly readyLimitMs?: number;
  /** Runs it on a host of a test network instead of this machine's loopback. */
  readonly on?: NetworkHost;
}

/** One worker as the master's private API lists it. */
export interface WorkerInfo {
  readonly role: string;
  readonly slot: number;
  readonly pid: number;
  /** Of its private API. */
  readonly port: number;
  readonly state: string;
}

function configText(place: ServerPlace, options: ServerOptions): string {
  if (options.config !== undefined) return options.config(place);
  const part = (text: ServerOptions['top']) => (typeof text === 'function' ? text(place) : (text ?? ''));
  return `
listen ${place.rtmpPort};
daemon off;
pid ${join(place.directory, 'objs/srs.pid')};
max_connections 1000;
srs_log_tank console;
srs_log_level trace;
private_api { listen ${place.host}:${place.privatePort}; }
workers { ${options.workers ?? 'mode multi; stream 2;'} }
${part(options.top)}
vhost __defaultVhost__ {
${part(options.vhost)}
}
`;
}

export class ServerProcess {
  readonly place: ServerPlace;
  readonly configFile: string;
  readonly #ports: PortBlock;
  readonly #startProgram: () => Promise<ChildProgram>;
  #program: ChildProgram;

  private constructor(
    place: ServerPlace,
    configFile: string,
    ports: PortBlock,
    startProgram: () => Promise<ChildProgram>,
    program: ChildProgram,
  ) {
    this.place = place;
    this.configFile = configFile;
    this.#ports = ports;
    this.#startProgram = startProgram;
    this.#program = program;
  }

  /** The master; another one after `restart`. */
  get program(): ChildProgram {
    return this.#program;
  }

  /** Starts a server and waits until every worker is ready and the RTMP port accepts. */
  static async start(options: ServerOptions = {}): Promise<ServerProcess> {
    const server = await ServerProcess.launch(options);
    try {
      await server.waitUntilReady(options.readyLimitMs);
      return server;
    } catch (thrown) {
      await server.stop().catch(() => {});
      throw thrown;
    }
  }

  /** Starts a server without waiting for it; for starts that are meant to fail. */
  static async launch(options: ServerOptions = {}): Promise<ServerProcess> {
    const ports = await claimPorts();
    const directory = mkdtempSync(join(tmpdir(), 'srs-test-'));
    const place: ServerPlace = {
      host: options.on?.address ?? '127.0.0.1',
      rtmpPort: ports.first,
      sparePort: ports.first + 1,
      httpApiPort: ports.first + 2,
      httpServerPort: ports.first + 3,
      privatePort: ports.first + PRIVATE_PORT_OFFSET,
      directory,
    };
    mkdirSync(join(directory, 'objs'));
    const configFile = join(directory, 'srs.conf');
    writeFileSync(configFile, configText(place, options));
    const [program, ...args] = [
      ...(options.on?.prefix ?? []),
      options.command ?? serverCommand,
      '-c',
      configFile,
      ...(options.args ?? []),
    ];
    const startProgram = (): Promise<ChildProgram> =>
      ChildProgram.start(program!, args, { cwd: directory, ...(options.env === undefined ? {} : { env: options.env }) });
    return new ServerProcess(place, configFile, ports, startProgram, await startProgram());
  }

  /** Ends the server and starts it again in the same place; resolves when it is ready. */
  async restart(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.#program.stop(signal);
    this.#program = await this.#startProgram();
    await this.waitUntilReady();
  }

  async waitUntilReady(limitMs: number = READY_LIMIT_MS): Promise<void> {
    let state = 'the private API does not answer';
    await eventually(
      async () => {
        if (!this.program.isRunning) throw new Error(`the server ended while it started\n${this.program.tail()}`);
        const workers = await this.workers().catch(() => undefined);
        if (workers === undefined || workers.length === 0) return false;
        state = workers.map((worker) => `${worker.role} ${worker.slot} is ${worker.state}`).join(', ');
        return workers.every((worker) => worker.state === 'ready') && (await this.#accepts());
      },
      limitMs,
      () => `the server was not ready (${state})\n${this.program.tail()}`,
    );
  }

  /** The address of a stream: `server.url('live/one')`. */
  url(path: string): string {
    return `rtmp://${this.place.host}:${this.place.rtmpPort}/${path}`;
  }

  /** The workers, as the master lists them now. */
  async workers(): Promise<WorkerInfo[]> {
    return listIn(await this.privateApi('/api/v1/workers'));
  }

  /** The parsed answer of a private API: the master's, or the worker's with that port. */
  async privateApi(
    path: string,
    options: { readonly port?: number; readonly method?: string; readonly body?: unknown } = {},
  ): Promise<unknown> {
    const response = await fetch(`http://${this.place.host}:${options.port ?? this.place.privatePort}${path}`, {
      method: options.method ?? 'GET',
      ...(options.body === undefined
        ? {}
        : { body: JSON.stringify(options.body), headers: { 'content-type': 'application/json' } }),
      signal: AbortSignal.timeout(REQUEST_LIMIT_MS),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
    return JSON.parse(text) as unknown;
  }

  /** Writes a new configuration, for a reload; same rules as for `start`. */
  writeConfig(options: ServerOptions): void {
    writeFileSync(this.configFile, configText(this.place, options));
  }

  /** Every line the server has logged. */
  log(): readonly string[] {
    return this.program.lines();
  }

  /** The first line that matches, already logged (from line number `from` on) or still to come. */
  waitForLog(pattern: RegExp | string, options?: { readonly limitMs?: number; readonly from?: number }): Promise<string> {
    return this.program.waitForLine(pattern, options);
  }

  /** The master and all its processes that live now. */
  pids(): number[] {
    return this.program.pids();
  }

  signal(signal: NodeJS.Signals): void {
    this.program.signal(signal);
  }

  /** All processes at once: each stands still before the first is killed, so none does anything about the end of another. */
  killAll(): void {
    const pids = this.pids();
    for (const signal of ['SIGSTOP', 'SIGKILL'] as const) for (const pid of pids) process.kill(pid, signal);
  }

  /**
   * Ends the server and gives back its ports and directory (`SRS_TEST_KEEP=1` keeps the directory). May be called twice.
   *
   * @throws Error when it had to be killed or left processes behind
   */
  async stop(signal: NodeJS.Signals = 'SIGTERM', limitMs?: number): Promise<Exit> {
    try {
      return await this.program.stop(signal, limitMs);
    } finally {
      this.#ports.release();
      if (process.env.SRS_TEST_KEEP === undefined) rmSync(this.place.directory, { recursive: true, force: true });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #accepts(): Promise<boolean> {
    return new Promise((done) => {
      const socket = connect(this.place.rtmpPort, this.place.host);
      socket.once('connect', () => {
        socket.destroy();
        done(true);
      });
      socket.once('error', () => done(false));
    });
  }
}

/** The list may stand alone or in the usual envelope `{ code, data }`. */
function listIn(answer: unknown): WorkerInfo[] {
  if (Array.isArray(answer)) return answer as WorkerInfo[];
  if (typeof answer === 'object' && answer !== null) {
    if ('workers' in answer) return listIn(answer.workers);
    if ('data' in answer) return listIn(answer.data);
  }
  throw new Error(`no list of workers in ${JSON.stringify(answer)}`);
}
