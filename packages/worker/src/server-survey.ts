/** The whole server as the management API shows it: the master's directory, and what all workers answer. */
import type { ServerAddress } from '@srs/config';
import type { Channel } from '@srs/control';
import type {
  Answered,
  ClientsView,
  ClientView,
  ForwardOutcome,
  ListPart,
  ReloadReport,
  ServerTraffic,
  ServerView,
  SilentWorker,
  StreamsView,
  TrafficView,
  WorkerAnswer,
} from '@srs/http-server';
import { describeError, SrsError } from '@srs/kernel';
import {
  askPrivateApi,
  askStreams,
  askSummary,
  askWorkers,
  type ClientDescription,
  type ServerDirectory,
  type SlotReport,
  type TrafficDescription,
  type WorkerSummary,
} from '@srs/survey';
import type { StatusBoard } from './status-board.ts';
import { joinStreams } from './stream-join.ts';
import type { MasterProtocol } from './worker-start.ts';

/** Who has not answered by then is told to be silent. */
const ANSWER_LIMIT_MS = 1_000;
const DIRECTORY_LIMIT_MS = 1_000;
/** Whoever is asked first loads what records, or pushes on. */
const OUTPUT_LIMIT_MS = 5_000;
/** All workers apply it and answer; one that hangs is part of the report. */
const RELOAD_LIMIT_MS = 30_000;

export interface ServerSurveyOptions {
  readonly master: Channel<MasterProtocol>;
  /** Where the private APIs of all workers are. */
  readonly privateHost: string;
  readonly status: StatusBoard;
  wallMs(): number;
  /** Since the server started. */
  uptimeMs(): number;
}

export class ServerSurvey implements ServerView {
  readonly #options: ServerSurveyOptions;
  #streams: Promise<StreamsView> | undefined;

  constructor(options: ServerSurveyOptions) {
    this.#options = options;
  }

  traffic(): ServerTraffic {
    const { status } = this.#options;
    let recvBytes = 0;
    let sendBytes = 0;
    for (const { counts } of status.counters()) {
      recvBytes += counts.recvBytes;
      sendBytes += counts.sendBytes;
    }
    const elapsedMs = Math.max(1, this.#options.uptimeMs());
    return {
      sampleTimeMs: this.#options.wallMs(),
      recvBytes,
      sendBytes,
      recvKbps: Math.round((recvBytes * 8) / elapsedMs),
      sendKbps: Math.round((sendBytes * 8) / elapsedMs),
      connections: status.connectionCount(),
    };
  }

  directory(): Promise<ServerDirectory> {
    return this.#options.master.request('directory', null, DIRECTORY_LIMIT_MS);
  }

  async summaries(): Promise<readonly WorkerAnswer<WorkerSummary>[]> {
    return await this.#askAll(isAny, (address) => askSummary(address, ANSWER_LIMIT_MS));
  }

  /** Who asks while an answer is being made gets the same one: many that watch cost the workers no more than one. */
  streams(): Promise<StreamsView> {
    this.#streams ??= this.#askStreams().finally(() => {
      this.#streams = undefined;
    });
    return this.#streams;
  }

  async #askStreams(): Promise<StreamsView> {
    const answers = await this.#askAll(isAny, (address, worker) => askStreams(address, worker, ANSWER_LIMIT_MS));
    return { streams: joinStreams(answers), silent: silentOf(answers) };
  }

  /** First how many each worker has, then the part itself of those that hold it. */
  async clients({ start, count }: ListPart): Promise<ClientsView> {
    const counted = await this.#askAll(hasClients, (address) => this.#askPage(address, 'start=0&count=1'));
    const wanted: { readonly worker: SlotReport; readonly query: string }[] = [];
    let total = 0;
    let left = count;
    for (const { worker, data } of counted) {
      if (data === null) continue;
      const first = Math.max(0, start - total);
      const length = Math.min(left, data.total - first);
      total += data.total;
      if (length <= 0) continue;
      left -= length;
      wanted.push({ worker, query: `start=${first}&count=${length}` });
    }
    const pages = await askWorkers(
      this.#address,
      wanted.map(({ worker }) => worker),
      (address, worker) => this.#askPage(address, wanted.find((each) => each.worker === worker)?.query ?? ''),
    );
    return { total, clients: pages.flatMap(clientsOf), silent: [...silentOf(counted), ...silentOf(pages)] };
  }

  async client(id: number): Promise<Answered<ClientView | null>> {
    const answers = await this.#askAll(hasClients, (address) => this.#askPage(address, `id=${id}`));
    return { found: answers.flatMap(clientsOf)[0] ?? null, silent: silentOf(answers) };
  }

  async kick(id: number): Promise<Answered<boolean>> {
    const answers = await this.#askAll(hasClients, async (address) => {
      const { data } = await askPrivateApi(address, `/api/v1/kick?id=${id}`, ANSWER_LIMIT_MS, 'POST');
      return { data: (data as { readonly isFound: boolean }).isFound, problem: null };
    });
    return { found: answers.some(({ data }) => data === true), silent: silentOf(answers) };
  }

  async record(streamId: string, isWanted: boolean | undefined): Promise<Answered<boolean>> {
    const on = isWanted === undefined ? 'auto' : String(isWanted);
    const answers = await this.#askOwner<boolean>('record', { stream: streamId, on }, 'isFound');
    return { found: answers.some(({ data }) => data === true), silent: silentOf(answers) };
  }

  async addForward(streamId: string, destination: string): Promise<Answered<ForwardOutcome>> {
    const answers = await this.#askOwner<ForwardOutcome>('forwards/add', { stream: streamId, destination }, 'outcome');
    const outcomes = answers.flatMap(({ data }) => data ?? []);
    // The others do not have the stream.
    const found = outcomes.find((outcome) => typeof outcome === 'string' || outcome.reason !== 'no stream') ?? outcomes[0];
    const nobody: ForwardOutcome = { reason: 'no stream', text: `nobody publishes stream ${JSON.stringify(streamId)}` };
    return { found: found ?? nobody, silent: silentOf(answers) };
  }

  async removeForward(streamId: string, destination: string): Promise<Answered<boolean>> {
    const answers = await this.#askOwner<boolean>('forwards/remove', { stream: streamId, destination }, 'isFound');
    return { found: answers.some(({ data }) => data === true), silent: silentOf(answers) };
  }

  async reload(isDryRun: boolean): Promise<ReloadReport> {
    return await this.#options.master.request('reload', { isDryRun }, RELOAD_LIMIT_MS);
  }

  get #address(): ServerAddress {
    return { host: this.#options.privateHost, port: 0 };
  }

  async #askAll<T>(
    isAsked: (worker: SlotReport) => boolean,
    ask: (address: ServerAddress, worker: SlotReport) => Promise<{ readonly data: T | null; readonly problem: string | null }>,
  ): Promise<readonly WorkerAnswer<T>[]> {
    const { workers } = await this.#directoryOrRefusal();
    return await askWorkers(this.#address, workers.filter(isAsked), ask);
  }

  /** Whichever back-source has the stream does what it is told; the others say that they do not have it. @param name of what is asked for */
  async #askOwner<T>(path: string, query: Readonly<Record<string, string>>, name: string): Promise<readonly WorkerAnswer<T>[]> {
    const url = `/api/v1/${path}?${new URLSearchParams(query).toString()}`;
    return await this.#askAll(isBackSource, async (address) => {
      const { data } = await askPrivateApi(address, url, OUTPUT_LIMIT_MS, 'POST');
      return { data: (data as Readonly<Record<string, T>>)[name] ?? null, problem: null };
    });
  }

  async #directoryOrRefusal(): Promise<ServerDirectory> {
    try {
      return await this.directory();
    } catch (error) {
      throw new SrsError('ControlTimeout', `the master process does not answer: ${describeError(error)}`, { cause: error });
    }
  }

  async #askPage(address: ServerAddress, query: string): Promise<{ readonly data: ClientPage; readonly problem: null }> {
    const { data, total = 0 } = await askPrivateApi(address, `/api/v1/clients?${query}`, ANSWER_LIMIT_MS);
    if (!Array.isArray(data)) throw new SrsError('HttpAnswer', 'its answer is not a list of clients');
    return { data: { total, clients: data as ClientDescription[] }, problem: null };
  }
}

interface ClientPage {
  readonly total: number;
  readonly clients: readonly ClientDescription[];
}

const isAny = (): boolean => true;
const isBackSource = ({ role }: SlotReport): boolean => role === 'back-source';
const hasClients = (worker: SlotReport): boolean => !isBackSource(worker);

function silentOf(answers: readonly WorkerAnswer<unknown>[]): readonly SilentWorker[] {
  return answers.flatMap(({ worker: { slot, role, pid }, problem }) => (problem === null ? [] : [{ slot, role, pid, problem }]));
}

function clientsOf({ worker, data }: WorkerAnswer<ClientPage>): readonly ClientView[] {
  return (data?.clients ?? []).map((client) => ({
    ...client,
    ...trafficOf(client),
    slot: worker.slot,
    pid: worker.pid,
    lagBytes: client.lagBytes ?? 0,
    cuts: client.cuts ?? 0,
    droppedFrames: client.droppedFrames ?? 0,
    isPaused: client.isPaused ?? false,
    isInStep: client.isInStep ?? false,
  }));
}

function trafficOf({ recvBytes, sendBytes, recvKbps, sendKbps }: TrafficDescription): TrafficView {
  return { recvBytes, sendBytes, recvKbps30s: recvKbps.last30s, sendKbps30s: sendKbps.last30s };
}
