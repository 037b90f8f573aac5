/** A server as `srs-cli` sees it: private APIs that say what a test tells them, and others that say nothing. */
import { EventEmitter, once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import type { SlotReport, WorkerSummary } from '@srs/survey';
import { type PrivateApi, type PrivateRoutes, startPrivateApi } from '@srs/worker';
import { afterEach, expect } from 'vitest';
import { type CliProcess, runCli } from './cli-command.ts';

/** Long enough for a busy machine; those who stay silent are given less. */
const TIMEOUT_MS = 5_000;
const HOST = '127.0.0.1';

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

export async function serve(routes: PrivateRoutes): Promise<number> {
  const api: PrivateApi = await startPrivateApi({ host: HOST, port: 0, isPortFixed: true, routes });
  opened.push(api);
  return api.port;
}

/** Accepts and does with the connection what it is told: nothing at all, for a process that hangs. */
export async function serveBytes(onConnection: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onConnection(socket);
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  opened.push({
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  return (server.address() as AddressInfo).port;
}

/** A port where nobody listens. */
export async function deadPort(): Promise<number> {
  const server = createServer();
  server.listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export const slotOf = (slot: number, port: number, more: Partial<SlotReport> = {}): SlotReport => ({
  slot,
  role: slot === 0 ? 'back-source' : 'stream',
  state: 'ready',
  pid: 1000 + slot,
  port,
  restarts: 0,
  lastEnd: '',
  uptimeSeconds: 100,
  ...more,
});

export const kbps = (last30s: number) => ({ average: 1, last30s, last5m: 2 });

export const summaryOf = (slot: number, more: Partial<WorkerSummary> = {}): WorkerSummary => ({
  role: slot === 0 ? 'back-source' : 'stream',
  slot,
  pid: 1000 + slot,
  uptimeSeconds: 100,
  streams: 1,
  publishedStreams: 1,
  clients: slot === 0 ? 0 : 10,
  publishers: slot === 0 ? 0 : 1,
  players: slot === 0 ? 0 : 8,
  traffic: { recvBytes: slot * 1024, sendBytes: slot * 2048, recvKbps: kbps(slot * 10), sendKbps: kbps(slot * 100) },
  droppedFrames: slot,
  playerCuts: slot,
  playerDroppedFrames: slot * 2,
  fanOut: { share: 0.05, writesPerSecond: 1000 * slot, bytesPerSecond: 1e6, stretch: 1, flushIntervalMs: 40, batchBytes: 2500 },
  rings: slot === 0 ? { count: 3, usedBytes: 2 ** 21, limitBytes: 2 ** 30 } : { held: 1 },
  memory: { rssBytes: 2 ** 26, pssBytes: 2 ** 25, heapUsedBytes: 2 ** 24, externalBytes: 0 },
  eventLoop: { windowSeconds: 10, p50Ms: 0.1, p99Ms: 2.5, maxMs: 40 },
  cpuPercent: 12.5,
  ...more,
});

export const master = {
  version: '2.0.0',
  pid: 999,
  mode: 'multi',
  uptimeSeconds: 3700,
  listen: [{ host: '0.0.0.0', port: 1935 }],
};

/** @param more routes that this test is about */
export async function serveMaster(workers: readonly SlotReport[], more: PrivateRoutes = {}): Promise<number> {
  return await serve({
    '/api/v1/summary': () => ({ ...master, workers: workers.length }),
    '/api/v1/workers': () => workers,
    ...more,
  });
}

interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

interface Screen {
  readonly isTTY?: boolean;
  readonly env?: Record<string, string>;
}

/** A process without a terminal, unless it is told to have one; keeps what is written. */
export class FakeProcess extends EventEmitter implements CliProcess {
  readonly pid = 4711;
  readonly env: Record<string, string>;
  readonly stdin = new FakeInput();
  readonly stdout: FakeOutput;
  readonly stderr = new FakeOutput(false);
  readonly signals: string[] = [];

  constructor({ isTTY = false, env = {} }: Screen = {}) {
    super();
    this.env = env;
    this.stdin.isTTY = isTTY;
    this.stdout = new FakeOutput(isTTY);
  }

  kill(pid: number, signal: string): void {
    this.signals.push(`${signal} to ${pid}`);
  }
}

class FakeInput extends PassThrough {
  isTTY = false;
  isRaw = false;

  setRawMode(isRaw: boolean): void {
    this.isRaw = isRaw;
  }
}

class FakeOutput extends EventEmitter {
  readonly isTTY: boolean;
  rows = 24;
  text = '';

  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }

  write(text: string): void {
    this.text += text;
    this.emit('written');
  }
}

export async function run(port: number, args: readonly string[], screen: Screen = {}): Promise<Run> {
  const process = new FakeProcess(screen);
  const code = await runCli(['--api', String(port), '--timeout', String(TIMEOUT_MS), ...args], process);
  return { code, out: process.stdout.text, err: process.stderr.text };
}

export async function json(port: number, ...args: string[]): Promise<unknown> {
  const { code, out, err } = await run(port, ['--json', ...args]);
  expect([code, err]).toEqual([0, '']);
  return JSON.parse(out) as unknown;
}

/** The cells of a table's line that begins with `first`. */
export function cellsOf(out: string, first: string): string[] {
  const line = out.split('\n').find((each) => each.trimStart().startsWith(first));
  return (line ?? `no line ${first} in ${out}`).trim().split(/ {2,}/);
}
