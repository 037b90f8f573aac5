/** A registry over TLS, shared by servers of which one has several back-sources, while its configuration and processes change. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificate, Files } from '../support/certificates.ts';
import { eventually } from '../support/deadline.ts';
import { RedisServer } from '../support/redis.ts';
import { requires } from '../support/requires.ts';
import { type ServerPlace, ServerProcess } from '../support/server-process.ts';
import { SMALL } from './cluster-test-support.ts';
import { LivePlayer, LivePublisher } from './live-client-test-support.ts';
import { allClients, workersOf } from './server-view-test-support.ts';

const LIMIT_MS = 15_000;
const LEASE_MS = 2_000;
/** Enough that each of two back-sources has some. */
const NAMES = ['live/a', 'live/b', 'live/c', 'live/d', 'live/e', 'live/f'];

const hasRedis = requires('redis-server');
let files: Files;
let redis: RedisServer;
let many: ServerProcess;
let one: ServerProcess;

interface Row {
  readonly streamId: string;
  readonly publisher: unknown;
  readonly pull: unknown;
  readonly lease: { readonly state: string; readonly holder: string } | null;
}

const clusterOf = ({ host, rtmpPort }: ServerPlace, more = ''): string =>
  `cluster { origin_cluster on; registry ${redis.url}; registry_lease ${LEASE_MS}ms; announce ${host}:${rtmpPort}; ${more} }`;

/** @param vhost what stands in it; in the cluster unless told otherwise */
const optionsOf = (workers: string, vhost: (place: ServerPlace) => string = clusterOf) => ({
  workers,
  top: ({ host, httpApiPort }: ServerPlace) => `http_api { enabled on; listen ${host}:${httpApiPort}; }`,
  vhost: (place: ServerPlace) => vhost(place),
  env: { NODE_EXTRA_CA_CERTS: files.path('cert.pem') },
});

const MANY = 'mode multi; back_source 2; stream 2;';

beforeAll(async () => {
  if (!hasRedis) return;
  files = new Files();
  redis = await RedisServer.startTls({
    key: files.write('key.pem', certificate.key),
    cert: files.write('cert.pem', certificate.cert),
  });
  [many, one] = await Promise.all([ServerProcess.start(optionsOf(MANY)), ServerProcess.start(optionsOf(SMALL))]);
});

afterAll(async () => {
  await Promise.all([many?.stop(), one?.stop()]);
  await redis?.[Symbol.asyncDispose]();
  files?.[Symbol.dispose]();
});

/** By the process that owns them. */
async function rowsOf(server: ServerProcess): Promise<ReadonlyMap<number, readonly Row[]>> {
  const backSources = await workersOf(server, 'back-source');
  const rows = backSources.map(async ({ pid, port }) => {
    const { data } = (await server.privateApi('/api/v1/streams', { port })) as { readonly data: readonly Row[] };
    return [pid, data.filter(({ publisher }) => publisher !== null)] as const;
  });
  return new Map(await Promise.all(rows));
}

/** How each stream is announced that was not got from another server; `none` for one that is not. */
async function leasesOf(server: ServerProcess): Promise<readonly string[]> {
  const rows = Array.from((await rowsOf(server)).values()).flat();
  return rows.filter(({ pull }) => pull === null).map(({ lease }) => lease?.state ?? 'none');
}

function announced(server: ServerProcess, wanted: readonly string[]): Promise<unknown> {
  let leases: readonly string[] = [];
  return eventually(
    async () => {
      leases = await leasesOf(server).catch(() => []);
      return leases.join() === wanted.join();
    },
    LIMIT_MS,
    () => `leases are ${leases.join()}, not ${wanted.join()}`,
  );
}

const all = (state: string): readonly string[] => NAMES.map(() => state);
const publishAll = () => Promise.all(NAMES.map((name) => LivePublisher.start(many, name)));
const playAll = (server: ServerProcess) => Promise.all(NAMES.map((name) => LivePlayer.start(server, name)));

async function reload(server: ServerProcess, options: ReturnType<typeof optionsOf>): Promise<void> {
  server.writeConfig(options);
  const { data } = (await server.privateApi('/api/v1/reload', { method: 'POST', body: {} })) as {
    readonly data: { readonly isApplied: boolean; readonly problems: readonly string[] };
  };
  expect(data).toMatchObject({ isApplied: true, problems: [] });
}

function expectWhole(players: readonly LivePlayer[]): void {
  for (const { checker } of players) expect([checker.complaint, checker.gaps]).toEqual(['', []]);
}

describe('a registry over TLS', () => {
  it('has the streams of all back-sources, and other servers play them', async () => {
    const publishers = await publishAll();
    await announced(many, all('held'));
    const shares = Array.from((await rowsOf(many)).values(), (rows) => rows.length);
    expect(shares).toHaveLength(2);
    expect(Math.min(...shares)).toBeGreaterThan(0);
    const players = await playAll(one);
    await Promise.all(players.map((player) => player.waitForFrames(50)));
    expectWhole(players);
    for (const client of [...publishers, ...players]) client.leave();
    await announced(many, []);
  });

  it('keeps the names of a back-source that is killed, viewers elsewhere go on, and what it got from there it gets again', async () => {
    const publishers = [...(await publishAll()), await LivePublisher.start(one, 'live/far')];
    const far = await LivePlayer.start(many, 'live/far');
    await announced(many, all('held'));
    const players = await playAll(one);
    const here = await playAll(many);
    await Promise.all([...players, ...here, far].map((player) => player.waitForFrames(50)));
    const killed = Array.from(await rowsOf(many)).find(([, rows]) => rows.some(({ streamId }) => streamId.endsWith('live/far')));
    process.kill(killed![0], 'SIGKILL');
    const restarted = eventually(
      async () => {
        const backSources = await workersOf(many, 'back-source').catch(() => []);
        return backSources.every(({ pid, state }) => pid !== killed![0] && state === 'ready');
      },
      LIMIT_MS,
      () => 'the back-source is not started again',
    );
    await restarted;
    await far.waitForFrames(50);
    expect(far.checker.faults).toEqual([]);
    await announced(many, all('held'));
    // Longer than a lease: who lives renews it.
    await Promise.all([...players, ...here].map((player) => player.waitForFrames((LEASE_MS * 2) / 20)));
    await announced(many, all('held'));
    const name = NAMES.find((each) => killed![1].some(({ streamId }) => streamId.endsWith(each)));
    if (name === undefined) throw new Error('the back-source that was killed had none of the streams');
    const thief = await LivePublisher.open(one, name);
    await thief.waitForClose();
    expect(thief.isOpen).toBe(false);
    expectWhole([...players, ...here]);
    expect(publishers.map(({ isOpen }) => isOpen)).toEqual(publishers.map(() => true));
    for (const client of [...publishers, ...players, ...here, far]) client.leave();
    await announced(many, []);
  });

  it('is left, changed and entered again by a reload, and who plays and publishes notices nothing', async () => {
    const publishers = await publishAll();
    const here = await playAll(many);
    await announced(many, all('held'));
    await reload(
      many,
      optionsOf(MANY, () => ''),
    );
    await announced(many, all('none'));
    const waiting = await playAll(one);
    await reload(
      many,
      optionsOf(MANY, (place) => clusterOf(place, 'registry_prefix elsewhere;')),
    );
    await announced(many, all('held'));
    await Promise.all(here.map((player) => player.waitForFrames(50)));
    // They are announced where the other server does not look.
    expect(waiting.map(({ checker }) => checker.frames)).toEqual(NAMES.map(() => 0));
    await reload(many, optionsOf(MANY));
    await announced(many, all('held'));
    await Promise.all(waiting.map((player) => player.waitForFrames(50)));
    expectWhole([...here, ...waiting]);
    expect(publishers.map(({ isOpen }) => isOpen)).toEqual(NAMES.map(() => true));
    for (const client of [...publishers, ...here, ...waiting]) client.leave();
    await announced(many, []);
  });

  it('is changed under viewers of streams of other servers, who notice nothing', async () => {
    const publishers = await Promise.all(['live/far', 'live/other'].map((path) => LivePublisher.start(many, path)));
    const player = await LivePlayer.start(one, 'live/far');
    await player.waitForFrames(25);
    await reload(
      one,
      optionsOf(SMALL, (place) => clusterOf(place, 'registry_prefix elsewhere;')),
    );
    // Where it looks now nobody has announced anything.
    const waiting = await LivePlayer.start(one, 'live/other');
    await player.waitForFrames(50);
    expect(waiting.checker.frames).toBe(0);
    const { host, httpApiPort } = many.place;
    await reload(
      one,
      optionsOf(SMALL, () => `cluster { origin_cluster on; coworkers ${host}:${httpApiPort}; }`),
    );
    await waiting.waitForFrames(25);
    await reload(one, optionsOf(SMALL));
    await Promise.all([player, waiting].map((each) => each.waitForFrames(50)));
    expectWhole([player, waiting]);
    for (const client of [...publishers, player, waiting]) client.leave();
    await announced(many, []);
  });

  it('brings a viewer back whose server was in no cluster for a while', async () => {
    const publisher = await LivePublisher.start(many, 'live/back');
    const player = await LivePlayer.start(one, 'live/back');
    await player.waitForFrames(25);
    await reload(
      one,
      optionsOf(SMALL, () => ''),
    );
    await eventually(
      async () => (await allClients(many)).every(({ type }) => type !== 'play'),
      LIMIT_MS,
      () => 'the stream is got still',
    );
    await reload(one, optionsOf(SMALL));
    await player.waitForFrames(25);
    expect(player.checker.faults).toEqual([]);
    for (const client of [publisher, player]) client.leave();
    await announced(many, []);
  });

  it('tells an edge without an origin where a stream is, also under the name that its vhost has there', async () => {
    const another = (place: ServerPlace) => `vhost another.test { mode remote; ${clusterOf(place, 'vhost __defaultVhost__;')}`;
    await reload(
      one,
      optionsOf(SMALL, (place) => `mode remote; ${clusterOf(place)} } ${another(place)}`),
    );
    const early = await LivePlayer.start(one, 'live/edge');
    const publisher = await LivePublisher.start(many, 'live/edge');
    await early.waitForFrames(50);
    const late = await LivePlayer.start(one, 'live/edge');
    const elsewhere = await LivePlayer.start(one, 'live/edge', { tcUrlParameters: '?vhost=another.test' });
    await Promise.all([late, elsewhere].map((player) => player.waitForFrames(50)));
    expectWhole([early, late, elsewhere]);
    for (const client of [publisher, early, late, elsewhere]) client.leave();
    await reload(one, optionsOf(SMALL));
  });
});
