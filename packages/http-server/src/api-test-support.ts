/** The API over a server that says what a test tells it, on real sockets. */
import { type ClientRequest, type IncomingHttpHeaders, request } from 'node:http';
import { request as tlsRequest } from 'node:https';
import type { TlsMaterial } from '@srs/clients';
import { loadConfig } from '@srs/config';
import { memoryLog, systemClock } from '@srs/kernel';
import { type ApiServer, createApiServer } from './api-server.ts';
import type { ApiServices } from './api-services.ts';
import { HttpFront, type HttpFrontOptions } from './http-front.ts';
import type { PushReport, ReloadReport } from './server-documents.ts';
import type { ClientView, ServerView, StreamView } from './server-view.ts';
import { SystemStatistics } from './system-statistics.ts';

const HOST = '127.0.0.1';

export const streamOf = (streamId: string, more: Partial<StreamView> = {}): StreamView => ({
  streamId,
  clients: 3,
  players: 2,
  publisher: { slot: 1, pid: 1001, cid: 200, ip: '10.0.0.1' },
  publishSeconds: 12.5,
  videoFrames: 250,
  audioFrames: 430,
  droppedFrames: 1,
  video: { codec: 'H264', profile: 'High', level: '3.1', width: 1280, height: 720 },
  audio: { codec: 'AAC', profile: 'LC', sampleRate: 44_100, channels: 2 },
  recvBytes: 1000,
  sendBytes: 2000,
  recvKbps30s: 500,
  sendKbps30s: 1000,
  playerCuts: 4,
  playerDroppedFrames: 5,
  pendingBytes: 6,
  lagBytes: 7,
  flushIntervalMs: 8,
  pull: null,
  pushes: [],
  readers: [{ slot: 2, players: 2, playersInStep: 1, flushIntervalMs: 8, lagBytes: 7 }],
  ...more,
});

export const pushOf = (destination: string, more: Partial<PushReport> = {}): PushReport => ({
  kind: 'forward',
  source: 'config',
  destination,
  state: 'publishing',
  connects: 2,
  sentFrames: 3,
  sentBytes: 4,
  droppedFrames: 5,
  lastError: '',
  ...more,
});

export const clientOf = (id: number, more: Partial<ClientView> = {}): ClientView => ({
  id,
  slot: 2,
  pid: 1002,
  type: 'play',
  protocol: 'rtmp',
  dialect: '',
  ip: '10.0.0.9',
  vhost: '__defaultVhost__',
  app: 'live',
  stream: 'one',
  streamId: '__defaultVhost__/live/one',
  tcUrl: 'rtmp://host/live',
  pageUrl: 'http://page/',
  swfUrl: 'http://page/player.swf',
  flashVer: 'LNX',
  aliveSeconds: 10,
  source: { slot: 1, pid: 1001, cid: 200, ip: '10.0.0.1' },
  recvBytes: 100,
  sendBytes: 200,
  recvKbps30s: 1,
  sendKbps30s: 2,
  pendingBytes: 3,
  lagBytes: 4,
  cuts: 5,
  droppedFrames: 6,
  isPaused: false,
  isInStep: true,
  ...more,
});

export const reloadReport: ReloadReport = {
  isApplied: true,
  isDryRun: false,
  version: 2,
  file: 'srs.conf',
  changes: [{ kind: 'changed', directive: 'chunk_size', live: 'next use' }],
  problems: [],
  workers: [{ slot: 1, role: 'stream', pid: 1001, isApplied: true, detail: null }],
};

/** What happened to the server under test. */
export interface Deeds {
  readonly kicked: number[];
  readonly reloads: boolean[];
  /** `add` or `remove`, stream and destination. */
  readonly forwards: (readonly [deed: string, streamId: string, destination: string])[];
  readonly records: (readonly [streamId: string, isWanted: boolean | undefined])[];
}

/** A server with these streams and clients. */
export function fakeView(deeds: Deeds, streams: readonly StreamView[], clients: readonly ClientView[]): ServerView {
  return {
    traffic: () => ({ sampleTimeMs: 1, recvBytes: 11, sendBytes: 22, recvKbps: 33, sendKbps: 44, connections: 55 }),
    directory: () => Promise.reject(new Error('nobody asks')),
    summaries: async () => [],
    streams: async () => ({ streams, silent: [] }),
    clients: async ({ start, count }) => ({ total: clients.length, clients: clients.slice(start, start + count), silent: [] }),
    client: async (id) => ({ found: clients.find((client) => client.id === id) ?? null, silent: [] }),
    kick: async (id) => {
      const found = clients.some((client) => client.id === id);
      if (found) deeds.kicked.push(id);
      return { found, silent: [] };
    },
    record: async (streamId, isWanted) => {
      const found = streams.some((stream) => stream.streamId === streamId && stream.publisher !== null);
      if (found) deeds.records.push([streamId, isWanted]);
      return { found, silent: [] };
    },
    addForward: async (streamId, destination) => {
      const stream = streams.find((each) => each.streamId === streamId && each.publisher !== null);
      if (stream === undefined) return { found: { reason: 'no stream', text: 'it is not here' }, silent: [] };
      if (stream.pushes.some((push) => push.destination === destination)) return { found: 'already', silent: [] };
      deeds.forwards.push(['add', streamId, destination]);
      return { found: 'added', silent: [] };
    },
    removeForward: async (streamId, destination) => {
      const stream = streams.find((each) => each.streamId === streamId);
      const found = stream?.pushes.some((push) => push.destination === destination && push.source === 'api') ?? false;
      if (found) deeds.forwards.push(['remove', streamId, destination]);
      return { found, silent: [] };
    },
    reload: async (isDryRun) => {
      deeds.reloads.push(isDryRun);
      return { ...reloadReport, isDryRun };
    },
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Undefined for a body that is not JSON. */
  readonly body: unknown;
}

export interface Question {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The own address to ask from. */
  readonly localAddress?: string;
}

export interface ApiOptions {
  /** The inside of `http_api { }`. */
  readonly httpApi?: string;
  readonly vhosts?: string;
  readonly view?: Partial<ServerView>;
  readonly placeOf?: ApiServices['placeOf'];
  readonly streams?: readonly StreamView[];
  readonly clients?: readonly ClientView[];
  readonly tls?: TlsMaterial;
  readonly front?: Partial<HttpFrontOptions>;
}

export class TestApi {
  readonly deeds: Deeds;
  readonly log: ReturnType<typeof memoryLog>;
  readonly front: HttpFront;
  readonly #api: ApiServer;
  readonly #statistics: SystemStatistics;
  readonly #isTls: boolean;

  private constructor(
    o: Pick<TestApi, 'deeds' | 'log' | 'front'> & { api: ApiServer; statistics: SystemStatistics; isTls: boolean },
  ) {
    this.deeds = o.deeds;
    this.log = o.log;
    this.front = o.front;
    this.#api = o.api;
    this.#statistics = o.statistics;
    this.#isTls = o.isTls;
  }

  static async start(options: ApiOptions = {}): Promise<TestApi> {
    const {
      httpApi = '',
      vhosts = 'vhost __defaultVhost__ { } vhost other.com { enabled off; }',
      streams = [],
      clients = [],
    } = options;
    const { config } = loadConfig(`listen 1935; http_api { enabled on; ${httpApi} } ${vhosts}`, { fileName: 'srs.conf' });
    const deeds: Deeds = { kicked: [], reloads: [], forwards: [], records: [] };
    const log = memoryLog();
    const statistics = new SystemStatistics({ version: '2.1.3', disks: () => [], clock: systemClock });
    await statistics.start();
    const api = await createApiServer({
      view: { ...fakeView(deeds, streams, clients), ...options.view },
      placeOf: options.placeOf ?? (async () => null),
      statistics,
      config: () => config,
      identity: { version: '2.1.3', primary: 'Someone', authors: 'Some people', site: 'http://site/' },
      features: { rtmp: true, hls: false },
      masterPid: 999,
      clock: systemClock,
      log,
    });
    const front = new HttpFront({
      log,
      serve: (incoming, response) => api.serve(incoming, response),
      claimConnection: () => true,
      releaseConnection: () => {},
      closeListener: (server) => {
        server.close();
        return [];
      },
      ...options.front,
    });
    await front.listen('api', { host: HOST, port: 0 }, options.tls);
    return new TestApi({ deeds, log, front, api, statistics, isTls: options.tls !== undefined });
  }

  get port(): number {
    return this.front.portOf('api');
  }

  ask(path: string, question: Question = {}): Promise<Answer> {
    const { method = 'GET', headers = {}, body, localAddress } = question;
    return new Promise((resolve, reject) => {
      const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
      const options = {
        host: HOST,
        port: this.port,
        path,
        method,
        headers: { ...length, ...headers },
        agent: false as const,
        rejectUnauthorized: false,
        ...(localAddress === undefined ? {} : { localAddress }),
      };
      const asked: ClientRequest = (this.#isTls ? tlsRequest : request)(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, body: parsed(text) });
        });
      });
      asked.on('error', reject);
      asked.end(body);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#statistics.stop();
    await this.front.close(0);
    await this.#api.close();
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
