/** A media server as the benchmarks see it, whoever has made it. */
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChildRun } from './child-run.ts';
import type { Workbench } from './workbench.ts';

const READY_LIMIT_MS = 30_000;
const READY_POLL_MS = 20;

/** A process of a running server. */
export interface PeerProcess {
  readonly pid: number;
  readonly label: string;
  /** It is the one that serves media: what is compared with other servers. */
  readonly isServing: boolean;
}

/** What a server has given its players so far. */
export interface WriteCounters {
  readonly atMs: number;
  readonly writes: number;
  readonly bytes: number;
  /** Players that get their bytes in this way at the moment. */
  readonly players: number;
}

export interface RunningPeer extends AsyncDisposable {
  /** The address of a stream, to publish and to play: `url('bench')`. */
  url(stream: string): string;
  /** Where it is played, when that is another address. */
  playUrl?(stream: string): string;
  /** The address of a file that it serves, when that is another address than `url` gives. */
  fileUrl?(path: string): string;
  readonly processes: readonly PeerProcess[];
  /** Undefined for servers that do not tell. */
  writeCounters?(): Promise<WriteCounters>;
}

export interface Peer {
  /** On command lines and in documents. */
  readonly name: string;
  /** In tables and plots. */
  readonly title: string;
  /**
   * Fetches or looks up what is needed.
   * @returns its version
   * @throws PeerMissing when this machine cannot run it
   */
  prepare(bench: Workbench): Promise<string>;
  /** Starts it afresh on that port, in a folder of its own, and waits until it accepts. */
  start(bench: Workbench, port: number): Promise<RunningPeer>;
}

/** This machine lacks a server; the others are measured all the same. */
export class PeerMissing extends Error {
  override readonly name = 'PeerMissing';
}

/** Most clients at a time, for servers that want to know. */
export const MAX_CLIENTS = 20_000;

/** @throws Error when the server ends first, or takes too long */
export async function waitUntilAccepting(server: ChildRun, port: number, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + READY_LIMIT_MS;
  for (;;) {
    signal.throwIfAborted();
    if (!server.isRunning) throw server.failure();
    if (await accepts(port)) return;
    if (performance.now() > deadline) {
      throw new Error(`${server.name} did not accept on port ${port} within ${READY_LIMIT_MS} ms; it printed:\n${server.tail()}`);
    }
    await delay(READY_POLL_MS);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** @throws Error when something else listens there: its figures would be taken for the server's */
export async function ensurePortIsFree(port: number): Promise<void> {
  if (await accepts(port)) throw new Error(`port ${port} is taken by another program; choose one with --port`);
}
