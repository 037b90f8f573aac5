/** The management API of a real server: what it tells is what the test has done. */
import { request } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { expect, it } from 'vitest';
import { certificate, expired, Files } from '../support/certificates.ts';
import { eventually } from '../support/deadline.ts';
import { type ServerOptions, type ServerPlace, ServerProcess } from '../support/server-process.ts';
import { LivePlayer, LivePublisher } from './live-client-test-support.ts';
import { workersOf } from './server-view-test-support.ts';

const STREAM_WORKERS = 3;
const STREAMS = 6;
const PLAYERS_PER_STREAM = 4;
const FRAMES = 150;
/** Two counters that are read one after the other. */
const TOLERANCE = 0.02;

interface StreamRow {
  readonly id: string;
  readonly name: string;
  readonly clients: number;
  readonly players: number;
  readonly frames: number;
  readonly send_bytes: number;
  readonly recv_bytes: number;
  readonly publish: { readonly active: boolean; readonly cid: number; readonly pid: number; readonly worker: number };
}

interface ClientRow {
  readonly id: number;
  readonly stream: string;
  readonly pid: number;
  readonly publish: boolean;
  readonly send_bytes: number;
  readonly recv_bytes: number;
  readonly source_id: number;
  readonly source: { readonly pid: number } | null;
}

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

async function ask(server: ServerProcess, path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(`http://${server.place.host}:${server.place.httpApiPort}${path}`, {
    ...init,
    signal: AbortSignal.timeout(5_000),
  });
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

const streamsOf = async (server: ServerProcess) =>
  (await ask(server, '/api/v1/streams?count=100')).body.streams as readonly StreamRow[];
const clientsOf = async (server: ServerProcess) =>
  (await ask(server, '/api/v1/clients?count=100')).body.clients as readonly ClientRow[];

const sum = <T>(all: readonly T[], pick: (one: T) => number): number => all.reduce((total, one) => total + pick(one), 0);
const expectAbout = (actual: number, wanted: number): void => {
  expect(actual).toBeGreaterThan(wanted * (1 - TOLERANCE));
  expect(actual).toBeLessThan(wanted * (1 + TOLERANCE));
};

function serverWithApi(workers: string, more = ''): Promise<ServerProcess> {
  return ServerProcess.start({
    workers,
    top: ({ host, httpApiPort }) => `http_api { enabled on; listen ${host}:${httpApiPort}; ${more} }`,
  });
}

it('adds up what three workers published and played, and disconnects whom it is told to', { timeout: 90_000 }, async () => {
  await using server = await serverWithApi(`mode multi; stream ${STREAM_WORKERS};`);
  const streamWorkers = await workersOf(server, 'stream');
  expect(streamWorkers).toHaveLength(STREAM_WORKERS);
  const names = Array.from({ length: STREAMS }, (_, index) => `live/s${index}`);
  const publishers = await Promise.all(names.map((name) => LivePublisher.start(server, name)));
  const players = (await Promise.all(names.map((name) => LivePlayer.crowd(server, name, PLAYERS_PER_STREAM)))).flat();
  // The kernel spreads them by chance: 30 on one of three workers would be none.
  expect(new Set(players.map(({ peer }) => peer.pid)).size).toBeGreaterThan(1);
  await Promise.all(players.map((player) => player.waitForFrames(FRAMES, 30_000)));
  for (const publisher of publishers) publisher.pause();
  const sent = (): number => sum(publishers, ({ socket }) => socket.bytesWritten);
  const received = (): number => sum(players, ({ socket }) => socket.bytesRead);

  // What was on its way arrives.
  let streams: readonly StreamRow[] = [];
  await eventually(
    async () => {
      streams = await streamsOf(server);
      return sum(streams, ({ recv_bytes }) => recv_bytes) >= sent() && sum(streams, ({ send_bytes }) => send_bytes) >= received();
    },
    10_000,
    () => `the API counts less than was sent and received: ${JSON.stringify(streams)}`,
  );
  expectAbout(
    sum(streams, ({ recv_bytes }) => recv_bytes),
    sent() + sum(players, ({ socket }) => socket.bytesWritten),
  );
  expectAbout(
    sum(streams, ({ send_bytes }) => send_bytes),
    received() + sum(publishers, ({ socket }) => socket.bytesRead),
  );
  expect(streams.map(({ name }) => name)).toEqual(names.map((name) => name.slice('live/'.length)));
  for (const [index, stream] of streams.entries()) {
    const { peer } = publishers[index]!;
    expect(stream).toMatchObject({
      clients: 1 + PLAYERS_PER_STREAM,
      players: PLAYERS_PER_STREAM,
      publish: { active: true, cid: peer.id, pid: peer.pid },
      video: { codec: 'H264', profile: 'High', level: '3', width: 640, height: 360 },
      audio: { codec: 'AAC', sample_rate: 44_100, channel: 2, profile: 'LC' },
    });
    // 25 pictures a second.
    expect(stream.frames).toBe(publishers[index]!.source.durationMs / 40);
  }

  const clients = await clientsOf(server);
  expect(clients).toHaveLength(publishers.length + players.length);
  const byId = new Map(clients.map((client) => [client.id, client]));
  for (const [index, player] of players.entries()) {
    const publisher = publishers[Math.floor(index / PLAYERS_PER_STREAM)]!.peer;
    expect(byId.get(player.peer.id)).toMatchObject({
      pid: player.peer.pid,
      publish: false,
      source_id: publisher.id,
      source: { cid: publisher.id, pid: publisher.pid },
    });
    expectAbout(byId.get(player.peer.id)!.send_bytes, player.socket.bytesRead);
  }
  expectAbout(
    sum(clients, ({ send_bytes }) => send_bytes),
    received() + sum(publishers, ({ socket }) => socket.bytesRead),
  );

  const { vhosts } = (await ask(server, '/api/v1/vhosts')).body;
  expect(vhosts).toMatchObject([{ name: '__defaultVhost__', streams: STREAMS, clients: clients.length }]);
  await eventually(
    async () => {
      const { data } = (await ask(server, '/api/v1/summaries')).body as { data: { system: Record<string, number> } };
      const { srs_recv_bytes = 0, srs_send_bytes = 0, conn_srs = 0 } = data.system;
      const isThere = srs_recv_bytes >= sent() * (1 - TOLERANCE) && srs_send_bytes >= received() * (1 - TOLERANCE);
      if (!isThere) return false;
      expect(srs_recv_bytes).toBeLessThan((sent() + sum(players, ({ socket }) => socket.bytesWritten)) * (1 + TOLERANCE));
      // The API's own connection counts, too.
      expect(conn_srs).toBeGreaterThan(clients.length);
      return true;
    },
    10_000,
    () => 'the summaries do not tell the traffic',
  );

  const [kicked, neighbour] = players;
  expect(await ask(server, `/api/v1/clients/${kicked!.peer.id}`)).toMatchObject({
    status: 200,
    body: { client: { id: kicked!.peer.id } },
  });
  expect(await ask(server, `/api/v1/clients/${kicked!.peer.id}`, { method: 'DELETE' })).toMatchObject({
    status: 200,
    body: { code: 0 },
  });
  await kicked!.waitForClose(5_000);
  await eventually(
    async () => (await ask(server, `/api/v1/clients/${kicked!.peer.id}`)).status === 404,
    5_000,
    () => 'it is still listed',
  );
  expect((await ask(server, `/api/v1/clients/${kicked!.peer.id}`, { method: 'DELETE' })).status).toBe(404);
  publishers[0]!.play();
  await neighbour!.waitForFrames(20);
  expect(neighbour!.isOpen).toBe(true);

  expect((await ask(server, `/api/v1/clients/${publishers[0]!.peer.id}`, { method: 'DELETE' })).status).toBe(200);
  await publishers[0]!.waitForClose(5_000);
  await eventually(
    async () => (await streamsOf(server))[0]?.publish.active === false,
    5_000,
    () => 'it is still published',
  );
  expect(neighbour!.isOpen).toBe(true);
  for (const client of [...publishers, ...players]) client.close();
  await eventually(
    async () => (await clientsOf(server)).length === 0,
    10_000,
    () => 'clients are still listed',
  );
});

it('asks for credentials, tells its errors, and is there again after its process was killed', { timeout: 60_000 }, async () => {
  await using server = await serverWithApi('mode multi; stream 1;', 'auth { enabled on; username admin; password secret; }');
  const headers = { authorization: `Basic ${Buffer.from('admin:secret').toString('base64')}` };
  expect(await ask(server, '/api/v1/versions')).toMatchObject({ status: 401, body: { code: 3011, data: { status_code: 401 } } });
  expect(await ask(server, '/api/v1/versions', { headers })).toMatchObject({ status: 200, body: { code: 0 } });
  expect((await ask(server, '/api/v1/nothing', { headers })).status).toBe(404);
  expect((await ask(server, '/api/v1/streams', { method: 'DELETE', headers })).status).toBe(405);
  expect((await ask(server, '/api/v1/clients?start=x', { headers })).status).toBe(400);
  const [before] = (await server.workers()).filter(({ role }) => role === 'http');
  process.kill(before!.pid, 'SIGKILL');
  await eventually(
    async () => {
      const [now] = (await server.workers()).filter(({ role }) => role === 'http');
      return now?.state === 'ready' && now.pid !== before!.pid;
    },
    15_000,
    () => 'the http worker did not come back',
  );
  expect((await ask(server, '/api/v1/versions', { headers })).status).toBe(200);
});

it('is the same in one process', { timeout: 60_000 }, async () => {
  await using server = await serverWithApi('mode single;');
  using publisher = await LivePublisher.start(server, 'live/one');
  using player = await LivePlayer.start(server, 'live/one');
  await player.waitForFrames(10);
  const [stream] = await streamsOf(server);
  expect(stream).toMatchObject({
    clients: 2,
    players: 1,
    publish: { active: true, cid: publisher.peer.id, pid: server.program.pid },
  });
  expect((await ask(server, `/api/v1/clients/${player.peer.id}`, { method: 'DELETE' })).status).toBe(200);
  await player.waitForClose(5_000);
});

/** The certificate's last day, and the status of an answer. */
function askOverTls(port: number, path: string): Promise<{ readonly status: number; readonly validTo: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, rejectUnauthorized: false, agent: false }, (response) => {
      const { socket } = response;
      const validTo = 'getPeerCertificate' in socket ? String((socket as TLSSocket).getPeerCertificate().valid_to) : '';
      response.resume().on('end', () => resolve({ status: response.statusCode ?? 0, validTo }));
    });
    asked.on('error', reject).end();
  });
}

it('is served over TLS too; a reload that cannot be changes nothing, one that can moves it to another port', {
  timeout: 60_000,
}, async () => {
  using files = new Files();
  const good = { key: files.write('key.pem', certificate.key), cert: files.write('cert.pem', certificate.cert) };
  const other = files.write('other.pem', expired.key);
  const options = (key: string, port: (place: ServerPlace) => number): ServerOptions => ({
    workers: 'mode multi; stream 1;',
    top: (place) => `http_api { enabled on; listen ${place.host}:${port(place)};
      https { enabled on; listen ${place.host}:${place.sparePort}; key ${key}; cert ${good.cert}; } }`,
  });
  await using server = await ServerProcess.start(options(good.key, ({ httpApiPort }) => httpApiPort));
  const { sparePort, httpApiPort, httpServerPort } = server.place;
  expect(await askOverTls(sparePort, '/api/v1/versions')).toEqual({ status: 200, validTo: 'Jan  1 00:00:00 2120 GMT' });
  using publisher = await LivePublisher.start(server, 'live/one');

  const reload = (port: number) => fetch(`http://127.0.0.1:${port}/api/v1/reload`, { method: 'POST' });
  server.writeConfig(options(other, (place) => place.httpServerPort));
  const refused = await reload(httpApiPort);
  expect([refused.status, await refused.json()]).toMatchObject([
    400,
    { code: 1023, data: { error: expect.stringContaining(`key ${other} must belong together`) as string } },
  ]);
  expect((await askOverTls(sparePort, '/api/v1/versions')).status).toBe(200);
  expect((await ask(server, '/api/v1/versions')).status).toBe(200);

  server.writeConfig(options(good.key, (place) => place.httpServerPort));
  const applied = await reload(httpApiPort);
  expect([applied.status, await applied.json()]).toMatchObject([
    200,
    { code: 0, data: { isApplied: true, changes: [{ directive: 'http_api / listen' }] } },
  ]);
  expect((await fetch(`http://127.0.0.1:${httpServerPort}/api/v1/versions`)).status).toBe(200);
  await expect(fetch(`http://127.0.0.1:${httpApiPort}/api/v1/versions`)).rejects.toThrow();
  expect(publisher.isOpen).toBe(true);
});
