/** This server, as users start it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ChildRun } from './child-run.ts';
import {
  ensurePortIsFree,
  MAX_CLIENTS,
  type Peer,
  type PeerProcess,
  type RunningPeer,
  type WriteCounters,
  waitUntilAccepting,
} from './peer.ts';
import type { Workbench } from './workbench.ts';

/** Of the HTTP server, from the RTMP port on. */
const HTTP_PORT_OFFSET = 5;
/** The private ports lie above both: the master's, then the workers'. */
const PRIVATE_PORT_OFFSET = 10;
const REQUEST_LIMIT_MS = 5_000;
const READY_LIMIT_MS = 30_000;
const READY_POLL_MS = 50;
/** How players get a stream. */
export type PlayedOver = 'rtmp' | 'http-flv' | 'ws-flv';

export interface SrsSettings {
  readonly name: string;
  readonly title: string;
  readonly streamWorkers: number;
  /** Directives inside the vhost. */
  readonly vhost?: string;
  /** The HTTP server is on, with one worker, and serves the streams and this folder. */
  readonly httpDirectory?: string;
  /** How streams are played, of a server with HTTP; `rtmp` unless told. */
  readonly playedOver?: PlayedOver;
  /** The cores of the servers unless told, those of the testers, or wherever the system puts it. */
  readonly runsOn?: 'servers' | 'testers' | 'all';
}

export const srsDefault: SrsSettings = { name: 'srs', title: 'srs', streamWorkers: 1 };
export const srsLowLatency: SrsSettings = {
  name: 'srs-low-latency',
  title: 'srs, min_latency on',
  streamWorkers: 1,
  vhost: 'min_latency on;',
};

/** A worker as the master lists it. */
export interface SrsWorker {
  readonly role: string;
  readonly slot: number;
  readonly pid: number;
  /** Of its private API. */
  readonly port: number;
  readonly state: string;
}

/** What is read of a stream in a worker's private API. */
interface StreamRow {
  readonly play: PlayRow | null;
}

interface PlayRow {
  readonly playersInStep: number;
  readonly writes: number;
  readonly flushedBytes: number;
}

export function srsConfig(settings: SrsSettings, port: number): string {
  return `listen 127.0.0.1:${port};
daemon off;
pid srs.pid;
max_connections ${MAX_CLIENTS};
srs_log_tank console;
srs_log_level warn;
private_api { listen 127.0.0.1:${port + PRIVATE_PORT_OFFSET}; }
workers { mode multi; back_source 1; stream ${settings.streamWorkers}; }
${httpDirectives(settings, port)}vhost __defaultVhost__ {
    ${vhostDirectives(settings)}
}
`;
}

function httpDirectives({ httpDirectory }: SrsSettings, port: number): string {
  if (httpDirectory === undefined) return '';
  return `http_server { enabled on; listen 127.0.0.1:${port + HTTP_PORT_OFFSET}; dir ${httpDirectory}; }\n`;
}

function vhostDirectives({ vhost, httpDirectory }: SrsSettings): string {
  return [vhost ?? '', httpDirectory === undefined ? '' : 'http_remux { enabled on; }'].join('');
}

function coresOf(bench: Workbench, { runsOn = 'servers' }: SrsSettings): string | undefined {
  if (runsOn === 'all') return undefined;
  return runsOn === 'servers' ? bench.serverCores : bench.testerCores;
}

export class SrsPeer implements Peer {
  readonly name: string;
  readonly title: string;
  readonly #settings: SrsSettings;

  constructor(settings: SrsSettings = srsDefault) {
    this.name = settings.name;
    this.title = settings.title;
    this.#settings = settings;
  }

  async prepare(bench: Workbench): Promise<string> {
    const description = JSON.parse(readFileSync(join(bench.root, 'package.json'), 'utf8')) as { readonly version: string };
    return description.version;
  }

  async start(bench: Workbench, port: number): Promise<RunningSrs> {
    await ensurePortIsFree(port);
    const place = bench.newPlace(this.name);
    const configFile = join(place, 'srs.conf');
    writeFileSync(configFile, srsConfig(this.#settings, port));
    const program = await ChildRun.start({
      name: this.name,
      command: [join(bench.root, 'bin/srs'), '-c', configFile],
      cwd: place,
      cores: coresOf(bench, this.#settings),
    });
    const running = new RunningSrs(program, port, this.#settings);
    try {
      await running.waitUntilReady(bench.signal);
      return running;
    } catch (thrown) {
      await program.stop();
      throw thrown;
    }
  }
}

export class RunningSrs implements RunningPeer {
  readonly #program: ChildRun;
  readonly #port: number;
  readonly #settings: SrsSettings;
  #workers: readonly SrsWorker[] = [];

  constructor(program: ChildRun, port: number, settings: SrsSettings) {
    this.#program = program;
    this.#port = port;
    this.#settings = settings;
  }

  get workers(): readonly SrsWorker[] {
    return this.#workers;
  }

  get processes(): readonly PeerProcess[] {
    return [
      { pid: this.#program.pid, label: 'master', isServing: false },
      ...this.#workers.map(({ pid, role, slot }) => ({ pid, label: `${role}-${slot}`, isServing: role === this.#servingRole })),
    ];
  }

  url(stream: string): string {
    return `rtmp://127.0.0.1:${this.#port}/live/${stream}`;
  }

  playUrl(stream: string): string {
    const { playedOver = 'rtmp' } = this.#settings;
    if (playedOver === 'rtmp') return this.url(stream);
    return `${playedOver === 'ws-flv' ? 'ws' : 'http'}://${this.#httpAddress}/live/${stream}.flv`;
  }

  fileUrl(path: string): string {
    return `http://${this.#httpAddress}/${path}`;
  }

  async waitUntilReady(signal: AbortSignal): Promise<void> {
    await waitUntilAccepting(this.#program, this.#port, signal);
    const deadline = performance.now() + READY_LIMIT_MS;
    for (;;) {
      signal.throwIfAborted();
      if (!this.#program.isRunning) throw this.#program.failure();
      this.#workers = await this.#listWorkers().catch(() => []);
      if (this.#workers.length > 0 && this.#workers.every(({ state }) => state === 'ready')) return;
      if (performance.now() > deadline) throw new Error(`${this.#program.name} was not ready within ${READY_LIMIT_MS} ms`);
      await delay(READY_POLL_MS);
    }
  }

  async writeCounters(): Promise<WriteCounters> {
    const serving = this.#servingWorkers;
    const answers = await Promise.all(serving.map(({ port }) => this.ask(port, '/api/v1/streams')));
    const plays = (answers as readonly StreamRow[][]).flat().flatMap(({ play }) => (play === null ? [] : [play]));
    const sum = (pick: (play: PlayRow) => number): number => plays.reduce((total, play) => total + pick(play), 0);
    return {
      atMs: performance.now(),
      writes: sum(({ writes }) => writes),
      bytes: sum(({ flushedBytes }) => flushedBytes),
      players: sum(({ playersInStep }) => playersInStep),
    };
  }

  /** Players of each stream worker. */
  async playersPerWorker(): Promise<number[]> {
    const summaries = await Promise.all(this.#servingWorkers.map(({ port }) => this.ask(port, '/api/v1/summary')));
    return summaries.map((summary) => (summary as { readonly players: number }).players);
  }

  /** The document at that path of a private API. */
  async ask(port: number, path: string): Promise<unknown> {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(REQUEST_LIMIT_MS) });
    if (!response.ok) throw new Error(`${path} on port ${port} answered ${response.status}`);
    const { data } = (await response.json()) as { readonly data: unknown };
    return data;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program.stop();
  }

  /** The workers' class that serves players. */
  get #servingRole(): string {
    const { playedOver = 'rtmp' } = this.#settings;
    return playedOver === 'rtmp' ? 'stream' : 'http';
  }

  get #servingWorkers(): readonly SrsWorker[] {
    return this.#workers.filter(({ role }) => role === this.#servingRole);
  }

  get #httpAddress(): string {
    return `127.0.0.1:${this.#port + HTTP_PORT_OFFSET}`;
  }

  async #listWorkers(): Promise<readonly SrsWorker[]> {
    const data = await this.ask(this.#port + PRIVATE_PORT_OFFSET, '/api/v1/workers');
    return Array.isArray(data) ? data : (data as { readonly workers: readonly SrsWorker[] }).workers;
  }
}
