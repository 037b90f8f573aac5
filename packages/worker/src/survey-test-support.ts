/** Workers that tell a survey what a test wants, over their own private APIs. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { Channel, linkPair } from '@srs/control';
import type { ClientDescription, DirectoryStream, SlotReport, WorkerStream } from '@srs/survey';
import { afterEach } from 'vitest';
import { parseForwardRequest } from './forward-request.ts';
import { Page, parseId, parsePage } from './page.ts';
import { type PrivateRoutes, startPrivateApi } from './private-api.ts';
import { parseRecordRequest } from './record-request.ts';
import { ServerSurvey } from './server-survey.ts';
import { STATUS_BOARD_BYTES, StatusBoard } from './status-board.ts';
import type { MasterProtocol } from './worker-start.ts';

export const HOST = '127.0.0.1';
export const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

const rate = (last30s: number) => ({ average: 0, last30s, last5m: 0 });

export const clientOf = (id: number, more: Partial<ClientDescription> = {}): ClientDescription => ({
  id,
  ip: '10.0.0.9',
  type: 'play',
  protocol: 'rtmp',
  dialect: '',
  vhost: 'v',
  app: 'a',
  stream: 's',
  streamId: 'v/a/s',
  tcUrl: '',
  pageUrl: '',
  swfUrl: '',
  flashVer: '',
  aliveSeconds: 1,
  sendBytes: 20,
  recvBytes: 10,
  sendKbps: rate(2),
  recvKbps: rate(1),
  pendingBytes: 0,
  source: null,
  ...more,
});

export const play = {
  players: 5,
  playersInStep: 4,
  flushIntervalMs: 7,
  flushes: 1,
  batchBytes: 7000,
  writes: 1,
  flushedBytes: 1,
  laps: 1,
  lagBytes: 9,
  cuts: 2,
  droppedFrames: 6,
};
const traffic = {
  recvBytes: 100,
  sendBytes: 200,
  recvKbps: rate(10),
  sendKbps: rate(20),
  clients: 5,
  players: 5,
  pendingBytes: 3,
};
export const publisher = {
  cid: 200,
  ip: '10.0.0.1',
  aliveSeconds: 100,
  recvBytes: 4096,
  recvKbps: rate(500),
  audioFrames: 43,
  videoFrames: 25,
  dataFrames: 1,
  bytes: 4000,
  droppedFrames: 11,
  correctedTimestamps: 12,
  ringBytes: 2 ** 20,
  gopBytes: 3072,
};
export const video = { codec: 'H264', profile: 'High', level: '3.1', width: 1280, height: 720 };

export const workerStream = (streamId: string, more: Partial<WorkerStream> = {}): WorkerStream => ({
  streamId,
  publisher: null,
  sourceCid: 200,
  play,
  traffic,
  tracks: { video, audio: null },
  ring: null,
  ...more,
});
export const directoryStream = (streamId: string): DirectoryStream => ({
  streamId,
  publisher: { slot: 1, pid: 1001, cid: 200, ip: '10.0.0.1' },
  subscribers: 2,
  ring: null,
  pull: null,
  pushes: [],
  lease: null,
});

interface FakeWorker {
  readonly role?: SlotReport['role'];
  readonly streams?: readonly (WorkerStream | DirectoryStream)[];
  readonly clients?: readonly ClientDescription[];
  readonly state?: SlotReport['state'];
  /** Accepts and says nothing. */
  readonly isHung?: boolean;
}

/** What is told of streams to back-sources. */
interface Told {
  readonly recorded: string[];
  /** `add` or `remove`, stream and destination. */
  readonly forwarded: string[];
}

/** As a worker serves it. */
function routesOf(
  { role, streams = [], clients = [] }: FakeWorker,
  kicked: number[],
  { recorded, forwarded }: Told,
): PrivateRoutes {
  const all = new Set(clients);
  const find = (id: number | undefined) => clients.filter((client) => client.id === id);
  return {
    '/api/v1/streams': () => streams,
    '/api/v1/clients': (query) => {
      const id = parseId(query);
      return id === undefined ? Page.of(all, parsePage(query), (client) => client) : new Page(find(id).length, 0, find(id));
    },
    '/api/v1/kick': {
      POST: (query) => {
        const found = find(parseId(query));
        kicked.push(...found.map(({ id }) => id));
        return { isFound: found.length > 0 };
      },
    },
    '/api/v1/record': {
      POST: (query) => {
        if (role !== 'back-source') throw new Error('it owns no streams');
        const { streamId, isWanted } = parseRecordRequest(query);
        const isFound = streams.some((stream) => stream.streamId === streamId);
        if (isFound) recorded.push(`${streamId} ${isWanted}`);
        return { isFound };
      },
    },
    '/api/v1/forwards/add': {
      POST: (query) => {
        const { streamId, destination } = parseForwardRequest(query);
        const isFound = streams.some((stream) => stream.streamId === streamId);
        if (!isFound) return { outcome: { reason: 'no stream', text: `not in ${role}` } };
        if (destination === 'bad') return { outcome: { reason: 'malformed', text: 'bad it is' } };
        if (forwarded.includes(`add ${streamId} ${destination}`)) return { outcome: 'already' };
        forwarded.push(`add ${streamId} ${destination}`);
        return { outcome: 'added' };
      },
    },
    '/api/v1/forwards/remove': {
      POST: (query) => {
        const { streamId, destination } = parseForwardRequest(query);
        const isFound = streams.some((stream) => stream.streamId === streamId);
        if (isFound) forwarded.push(`remove ${streamId} ${destination}`);
        return { isFound };
      },
    },
  };
}

async function hungPort(): Promise<number> {
  const server: Server = createServer(() => {}).listen(0, HOST);
  await once(server, 'listening');
  opened.push(server);
  return (server.address() as AddressInfo).port;
}

export async function surveyOf(
  fakes: readonly FakeWorker[],
): Promise<Told & { survey: ServerSurvey; kicked: number[]; status: StatusBoard }> {
  const kicked: number[] = [];
  const told: Told = { recorded: [], forwarded: [] };
  const workers = await Promise.all(
    fakes.map(async (fake, slot): Promise<SlotReport> => {
      const report = {
        slot,
        role: fake.role ?? ('stream' as const),
        pid: 1000 + slot,
        restarts: 0,
        lastEnd: 'signal SIGKILL',
        uptimeSeconds: 1,
      };
      if (fake.isHung === true) return { ...report, state: 'ready', port: await hungPort() };
      const api = await startPrivateApi({ host: HOST, port: 0, isPortFixed: true, routes: routesOf(fake, kicked, told) });
      opened.push(api);
      return { ...report, state: fake.state ?? 'ready', port: api.port };
    }),
  );
  const server = { version: '2.0.0', pid: 999, mode: 'multi' as const, uptimeSeconds: 10, listen: [], workers: workers.length };
  const [near, far] = linkPair();
  const master = new Channel<MasterProtocol>(far, { requests: { directory: () => ({ server, workers }) } });
  const status = new StatusBoard(Buffer.alloc(STATUS_BOARD_BYTES), 0);
  const channel = new Channel<MasterProtocol>(near, {});
  opened.push(master, channel);
  const survey = new ServerSurvey({ master: channel, privateHost: HOST, status, wallMs: () => 5, uptimeMs: () => 10_000 });
  return { survey, kicked, ...told, status };
}
