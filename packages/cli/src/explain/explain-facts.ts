/** All that is known of one client or stream, put together from what every process says. */
import type { ServerAddress } from '@srs/config';
import type { Kbps } from '@srs/kernel';
import {
  askMaster,
  askPrivateApi,
  askStreams,
  askSummary,
  askWorkers,
  type ClientDescription,
  type ConfigDocument,
  type Departure,
} from '@srs/survey';
import { type ClientRow, clientsReport } from '../cli-clients.ts';
import { askConfig } from '../cli-config.ts';
import { type StatusDocument, type SummarizedWorker, statusReport } from '../cli-status.ts';
import { type StreamRow, streamsReport } from '../cli-streams.ts';
import { currentKbps } from '../cli-text.ts';

type Setting = ConfigDocument['directives'][number];

/** What the whole server said, before it is known what it is asked about. */
export interface ServerFacts {
  readonly status: StatusDocument;
  readonly streams: readonly StreamRow[];
  /** Empty when the master does not tell them. */
  readonly settings: readonly Setting[];
  /** The client with the id that was asked for. */
  readonly client: ClientRow | undefined;
  /** Clients that have left, the newest first; each worker knows its last ones. */
  readonly departures: readonly DepartureRow[];
}

export interface DepartureRow extends Departure {
  /** Slot of the worker that it was connected to. */
  readonly worker: number;
}

/** @param id of the client to ask for. @throws SrsError without a master */
export async function askFacts(api: ServerAddress, id: number | undefined, timeoutMs: number): Promise<ServerFacts> {
  const directory = await askMaster(api, timeoutMs);
  const { workers } = directory;
  const [summaries, streams, clients, departures, settings] = await Promise.all([
    askWorkers(api, workers, (address) => askSummary(address, timeoutMs)),
    askWorkers(api, workers, (address, worker) => askStreams(address, worker, timeoutMs)),
    askWorkers(api, workers, async (address) => ({
      data: id === undefined ? [] : await askClient(address, id, timeoutMs),
      problem: null,
    })),
    askWorkers(api, workers, async (address) => ({ data: await askDepartures(address, timeoutMs), problem: null })),
    // Figures can be judged without the configuration.
    askConfig(api, timeoutMs).catch(() => undefined),
  ]);
  return {
    status: statusReport(api, directory, summaries).document,
    streams: streamsReport(api, directory, streams).document.streams,
    settings: settings?.directives ?? [],
    client: clientsReport(api, directory, clients).document.clients.find((client) => client.id === id),
    departures: departures
      .flatMap(({ worker, data }) => (data ?? []).map((departure): DepartureRow => ({ ...departure, worker: worker.slot })))
      .sort((a, b) => a.agoSeconds - b.agoSeconds),
  };
}

async function askClient(address: ServerAddress, id: number, timeoutMs: number): Promise<readonly ClientDescription[]> {
  const { data } = await askPrivateApi(address, `/api/v1/clients?id=${id}`, timeoutMs);
  return Array.isArray(data) ? (data as ClientDescription[]) : [];
}

async function askDepartures(address: ServerAddress, timeoutMs: number): Promise<readonly Departure[]> {
  const { data } = await askPrivateApi(address, '/api/v1/departures', timeoutMs);
  return Array.isArray(data) ? (data as Departure[]) : [];
}

/** What the rules look at. */
export interface Facts {
  /** Undefined when a stream is explained. */
  readonly client: ClientRow | undefined;
  readonly streamId: string;
  /** Undefined when no process knows it. */
  readonly stream: StreamRow | undefined;
  /** Clients of the stream that have left, the newest first. */
  readonly departures: readonly DepartureRow[];
  /** Of the publisher, now; undefined while nobody publishes or its worker is silent. */
  readonly inputKbps: number | undefined;
  /** Ids of the streams that are published. */
  readonly published: readonly string[];
  readonly workerIn: (slot: number) => SummarizedWorker | undefined;
  /** The value in force of a directive of the stream's vhost, or else of the root: `play / mw_latency`. */
  readonly setting: (directive: string) => string | undefined;
}

export function factsOf(server: ServerFacts, client: ClientRow | undefined, streamId: string): Facts {
  const stream = server.streams.find((each) => each.streamId === streamId);
  const vhost = `vhost ${streamId.split('/', 1)[0] ?? ''} / `;
  const values = new Map(server.settings.map(({ directive, value }) => [directive, value]));
  return {
    client,
    streamId,
    stream,
    departures: streamId === '' ? [] : server.departures.filter((departure) => departure.streamId === streamId),
    inputKbps: stream?.input == null ? undefined : currentKbps(stream.input.recvKbps, stream.input.aliveSeconds),
    published: server.streams.filter(({ publisher }) => publisher !== null).map((each) => each.streamId),
    workerIn: (slot) => server.status.workers.find((worker) => worker.slot === slot),
    setting: (directive) => values.get(vhost + directive) ?? values.get(directive),
  };
}

/** What somebody has written into the file or the environment for the stream's vhost, and what holds for all. */
export function settingsOf({ settings }: ServerFacts, streamId: string): readonly Setting[] {
  const vhost = `vhost ${streamId.split('/', 1)[0] ?? ''} / `;
  const isOurs = ({ directive }: Setting): boolean => directive.startsWith(vhost) || generalSettings.has(directive);
  return settings.filter((setting) => setting.origin !== 'default' && isOurs(setting));
}

/** Directives of the root that clients and streams can feel. */
const generalSettings = new Set([
  'chunk_size',
  'max_connections',
  'ring / initial_size',
  'ring / max_size',
  'ring / memory',
  'workers / mode',
  'workers / stream',
]);

/** The rate of something that is as old as it says. */
export function rateNow(kbps: Kbps, { aliveSeconds }: { readonly aliveSeconds: number }): number {
  return currentKbps(kbps, aliveSeconds);
}
