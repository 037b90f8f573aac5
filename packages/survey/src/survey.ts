/** Asks the master who is there, and then all workers at once. Whoever does not answer is part of the result. */
import { formatAddress, type ServerAddress } from '@srs/config';
import { describeError, SrsError } from '@srs/kernel';
import { askPrivateApi } from './private-client.ts';
import type {
  ClientDescription,
  DirectoryStream,
  MasterSummary,
  ServerDirectory,
  SlotReport,
  SlotState,
  WorkerAnswer,
  WorkerStream,
  WorkerSummary,
} from './private-documents.ts';

/** What a worker said, all or in part. */
type Said<T> = Omit<WorkerAnswer<T>, 'worker'>;

const PAGE_COUNT = 1_000;

/** @throws SrsError naming the address and the reason */
export async function askMaster(api: ServerAddress, timeoutMs: number): Promise<ServerDirectory> {
  try {
    const [server, workers] = await Promise.all([
      askPrivateApi(api, '/api/v1/summary', timeoutMs),
      askPrivateApi(api, '/api/v1/workers', timeoutMs),
    ]);
    if (!isObject(server.data) || !('version' in server.data) || !Array.isArray(workers.data)) {
      throw new SrsError('HttpAnswer', 'what answers there is not a master');
    }
    return { server: server.data as MasterSummary, workers: workers.data as SlotReport[] };
  } catch (error) {
    const name = error instanceof SrsError ? error.errorName : 'SocketConnect';
    throw new SrsError(name, `the master's private API at ${formatAddress(api)} cannot be reached: ${reasonOf(error)}`);
  }
}

/** Asks every worker that is ready, all at the same time; none can hold up the others for longer than its own time. */
export async function askWorkers<T>(
  api: ServerAddress,
  workers: readonly SlotReport[],
  ask: (address: ServerAddress, worker: SlotReport) => Promise<Said<T>>,
): Promise<readonly WorkerAnswer<T>[]> {
  return await Promise.all(
    workers.map(async (worker): Promise<WorkerAnswer<T>> => {
      const absence = absences[worker.state];
      if (absence !== null) return { worker, data: null, problem: absence(worker) };
      try {
        return { worker, ...(await ask({ host: api.host, port: worker.port }, worker)) };
      } catch (error) {
        return { worker, data: null, problem: reasonOf(error) };
      }
    }),
  );
}

/** Why a worker in that state is not asked. */
const absences: Readonly<Record<SlotState, ((worker: SlotReport) => string) | null>> = {
  ready: null,
  draining: null,
  starting: ({ lastEnd, restarts }) => (restarts === 0 ? 'is being started' : `is being started again after ${lastEnd}`),
  waiting: ({ lastEnd }) => `died of ${lastEnd}, is started again in a moment`,
  stopping: () => 'is being stopped',
  stopped: () => 'is stopped',
};

export async function askSummary(address: ServerAddress, timeoutMs: number): Promise<Said<WorkerSummary>> {
  const { data } = await askPrivateApi(address, '/api/v1/summary', timeoutMs);
  if (!isObject(data) || !('traffic' in data)) throw new SrsError('HttpAnswer', 'its answer is not the summary of a worker');
  return { data: data as WorkerSummary, problem: null };
}

/** What a worker answers depends on its role. */
export type StreamRows =
  | { readonly role: 'back-source'; readonly streams: readonly DirectoryStream[] }
  /** A worker of another role has none. */
  | { readonly role: 'stream' | 'http'; readonly streams: readonly WorkerStream[] };

export async function askStreams(address: ServerAddress, worker: SlotReport, timeoutMs: number): Promise<Said<StreamRows>> {
  const { data } = await askPrivateApi(address, '/api/v1/streams', timeoutMs);
  if (!Array.isArray(data)) throw new SrsError('HttpAnswer', 'its answer is not a list of streams');
  const rows: StreamRows =
    worker.role === 'back-source'
      ? { role: 'back-source', streams: data as DirectoryStream[] }
      : { role: worker.role, streams: data as WorkerStream[] };
  return { data: rows, problem: null };
}

/**
 * All pages, each with the time of one answer. Clients that come and go between two pages can be missed; none is listed twice.
 */
export async function askClients(address: ServerAddress, timeoutMs: number): Promise<Said<readonly ClientDescription[]>> {
  const clients = new Map<number, ClientDescription>();
  let problem: string | null = null;
  for (let start = 0; ; start += PAGE_COUNT) {
    try {
      const page = await askPrivateApi(address, `/api/v1/clients?start=${start}&count=${PAGE_COUNT}`, timeoutMs);
      if (!Array.isArray(page.data)) throw new SrsError('HttpAnswer', 'its answer is not a list of clients');
      for (const client of page.data as ClientDescription[]) clients.set(client.id, client);
      if (page.data.length === 0 || start + PAGE_COUNT >= (page.total ?? 0)) break;
    } catch (error) {
      if (clients.size === 0) throw error;
      problem = reasonOf(error);
      break;
    }
  }
  return { data: Array.from(clients.values()), problem };
}

/** Without the causes: an operator wants `connection refused`, not the name of a system call. */
function reasonOf(error: unknown): string {
  return error instanceof SrsError ? error.message : describeError(error);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
