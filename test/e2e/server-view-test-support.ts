/** What a running server tells of itself, and how much of the machine it holds. */

import { mappings, openDescriptors, processMemory } from '../support/proc.ts';
import { type ParsedMetric, parseMetrics } from '../support/prometheus-text.ts';
import type { ServerPlace, ServerProcess, WorkerInfo } from '../support/server-process.ts';

interface RingsOfBackSource {
  readonly count: number;
  readonly usedBytes: number;
}

export interface ClientRow {
  readonly id: number;
  readonly type: string;
  readonly stream: string;
  readonly streamId: string;
  readonly isInStep?: boolean;
  readonly isPaused?: boolean;
  readonly cuts?: number;
  readonly droppedFrames?: number;
}

/** Directives of a server with the API, and metrics for `metricsOf`. */
export const withMetrics = ({ host, httpApiPort, sparePort }: ServerPlace): string =>
  `http_api { enabled on; listen ${host}:${httpApiPort}; } exporter { enabled on; listen ${host}:${sparePort}; }`;

/** What Prometheus is told on the port of the API. */
export async function metricsOf({ place }: ServerProcess): Promise<ReadonlyMap<string, ParsedMetric>> {
  const url = `http://${place.host}:${place.httpApiPort}/metrics`;
  return parseMetrics(await (await fetch(url, { signal: AbortSignal.timeout(10_000) })).text());
}

async function ask<T>(server: ServerProcess, path: string, port: number): Promise<T> {
  return ((await server.privateApi(path, { port })) as { readonly data: T }).data;
}

export async function workersOf(server: ServerProcess, role: 'stream' | 'back-source' | 'http'): Promise<WorkerInfo[]> {
  return (await server.workers()).filter((worker) => worker.role === role);
}

/** The ready worker in a slot of that role; undefined while there is none. */
export async function readyWorker(server: ServerProcess, slot: number): Promise<WorkerInfo | undefined> {
  return (await server.workers()).find((worker) => worker.slot === slot && worker.state === 'ready');
}

/** Shared memory handed out by all back-sources. */
export async function ringsOf(server: ServerProcess): Promise<RingsOfBackSource> {
  const backSources = await workersOf(server, 'back-source');
  const all = await Promise.all(backSources.map(({ port }) => ask<RingsOfBackSource>(server, '/api/v1/rings', port)));
  return {
    count: all.reduce((sum, rings) => sum + rings.count, 0),
    usedBytes: all.reduce((sum, rings) => sum + rings.usedBytes, 0),
  };
}

export function clientsOf(server: ServerProcess, worker: WorkerInfo): Promise<ClientRow[]> {
  return ask<ClientRow[]>(server, '/api/v1/clients', worker.port);
}

/** Clients of all stream workers. */
export async function allClients(server: ServerProcess): Promise<ClientRow[]> {
  const workers = await workersOf(server, 'stream');
  return (await Promise.all(workers.map((worker) => clientsOf(server, worker)))).flat();
}

/** Clients of all http workers. */
export async function httpClients(server: ServerProcess): Promise<ClientRow[]> {
  const workers = await workersOf(server, 'http');
  return (await Promise.all(workers.map((worker) => clientsOf(server, worker)))).flat();
}

/** Bytes in the JavaScript heap of a worker. */
export async function heapUsedOf(server: ServerProcess, worker: WorkerInfo): Promise<number> {
  const { memory } = await ask<{ readonly memory: { readonly heapUsedBytes: number } }>(server, '/api/v1/summary', worker.port);
  return memory.heapUsedBytes;
}

export interface Holdings {
  readonly pid: number;
  readonly pssBytes: number;
  readonly descriptors: number;
  readonly mappings: number;
}

/** What each process of the server holds of the machine. */
export function holdingsOf(server: ServerProcess): Holdings[] {
  return server.pids().map((pid) => ({
    pid,
    pssBytes: processMemory(pid).pssBytes,
    descriptors: openDescriptors(pid).length,
    // Only what is mapped by name: the allocator's anonymous areas come and go.
    mappings: mappings(pid).filter(({ permissions, name }) => permissions.endsWith('s') || name.startsWith('/')).length,
  }));
}

/** A stream as its back-source knows it. */
export interface DirectoryRow {
  readonly streamId: string;
  /** Null while nobody publishes. */
  readonly publisher: unknown;
  readonly pushes: readonly unknown[];
  readonly pull: unknown;
}

/** @param path of a stream of the vhost */
export async function directoryRowOf(
  server: ServerProcess,
  path: string,
  vhost = '__defaultVhost__',
): Promise<DirectoryRow | undefined> {
  const [backSource] = await workersOf(server, 'back-source');
  const rows = await ask<readonly DirectoryRow[]>(server, '/api/v1/streams', backSource!.port);
  return rows.find(({ streamId }) => streamId === `${vhost}/${path}`);
}
