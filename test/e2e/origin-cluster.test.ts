/** Two origins that share a registry in Redis, from the files in `conf/`. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/deadline.ts';
import { sampleOf } from '../support/prometheus-text.ts';
import { RedisServer } from '../support/redis.ts';
import { requires } from '../support/requires.ts';
import { ServerProcess } from '../support/server-process.ts';
import { startShipped, type Topology } from '../support/shipped-topology.ts';
import { LivePlayer, LivePublisher } from './live-client-test-support.ts';
import { allClients, metricsOf, withMetrics } from './server-view-test-support.ts';

const LEASE_MS = 2_000;
const LIMIT_MS = 10_000;
/** How long viewers may wait when a publisher moves to another server. */
const FOLLOW_MS = 3_000;

const hasRedis = requires('redis-server');
let redis: RedisServer;
let topology: Topology;
let a: ServerProcess;
let b: ServerProcess;

const changes = () => ({ '127.0.0.1:6379': `127.0.0.1:${redis.port}`, 'registry_lease 10s': `registry_lease ${LEASE_MS}ms` });

beforeAll(async () => {
  if (!hasRedis) return;
  redis = await RedisServer.start();
  topology = await startShipped(['conf/origin.cluster.serverA.conf', 'conf/origin.cluster.serverB.conf'], changes);
  [a, b] = topology.servers as [ServerProcess, ServerProcess];
});

afterAll(async () => {
  await topology?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

function expectWhole(...players: readonly LivePlayer[]): void {
  for (const { checker } of players) expect([checker.complaint, checker.gaps]).toEqual(['', []]);
}

/** As soon as the server lets it; each try is a session of its own. */
function publishAgain(
  server: ServerProcess,
  path: string,
): Promise<{ readonly publisher: LivePublisher; readonly session: number }> {
  let session = 1;
  return eventually(
    async () => {
      session += 1;
      const publisher = await LivePublisher.open(server, path, { session });
      if (publisher.isOpen && publisher.rejection === undefined) {
        publisher.sendHeaders();
        publisher.play();
        // A dismissal comes with the answer of the registry.
        await delay(200);
        if (publisher.isOpen) return { publisher, session };
      }
      publisher.close();
      return undefined;
    },
    LIMIT_MS,
    () => `${path} is not let in`,
  );
}

describe('two origins with a registry', () => {
  it('play what is published on either, and carry it over once', async () => {
    const early = await LivePlayer.start(a, 'live/one');
    const publisher = await LivePublisher.start(b, 'live/one');
    await early.waitForFrames(50);
    const players = await LivePlayer.crowd(a, 'live/one', 5);
    await Promise.all(players.map((player) => player.waitForFrames(50)));
    expectWhole(early, ...players);
    expect((await allClients(b)).filter(({ type }) => type === 'play')).toHaveLength(1);
    for (const client of [publisher, early, ...players]) client.leave();
  });

  it('let a second publisher of a name know that it has one, and no viewer notices', async () => {
    const publisher = await LivePublisher.start(b, 'live/taken');
    const player = await LivePlayer.start(b, 'live/taken');
    await player.waitForFrames(25);
    const second = await LivePublisher.open(a, 'live/taken');
    await second.waitForClose();
    expect(second.statuses.map(({ code, description }) => `${code} ${description}`).join()).toMatch(
      /NetStream\.Publish\.BadName .*already published at 127\.0\.0\.1:\d+/,
    );
    const there = await LivePlayer.start(a, 'live/taken');
    await there.waitForFrames(25);
    const third = await LivePublisher.open(a, 'live/taken');
    expect(third.rejection?.description).toContain('is already published by 127.0.0.1');
    await there.waitForFrames(25);
    expectWhole(player, there);
    for (const client of [publisher, player, there]) client.leave();
  });

  it('send a viewer over RTMP there where its stream lives, when they are told to', async () => {
    await using third = await ServerProcess.start({
      workers: 'mode single;',
      vhost: ({ host, rtmpPort }) =>
        `cluster { origin_cluster on; registry ${redis.url}; on_miss redirect; announce ${host}:${rtmpPort}; }`,
    });
    const publisher = await LivePublisher.start(b, 'live/sent');
    const { redirect } = await eventually(
      async () => {
        const player = await LivePlayer.open(third, 'live/sent');
        player.close();
        return player.rejection;
      },
      LIMIT_MS,
      () => 'the viewer is not sent away',
    );
    expect(redirect?.url).toBe(`rtmp://127.0.0.1:${b.place.rtmpPort}/live/sent`);
    const here = await LivePublisher.start(third, 'live/here');
    const player = await LivePlayer.start(third, 'live/here');
    await player.waitForFrames(25);
    expectWhole(player);
    for (const client of [publisher, here, player]) client.leave();
  });

  it('follow a publisher that moves from one to the other', async () => {
    const first = await LivePublisher.start(a, 'live/moves');
    const player = await LivePlayer.start(b, 'live/moves');
    const stays = await LivePlayer.start(a, 'live/moves');
    await Promise.all([player, stays].map((each) => each.waitForFrames(50)));
    first.leave();
    const { publisher: next, session } = await publishAgain(b, 'live/moves');
    const movedMs = performance.now();
    await Promise.all([player, stays].map((each) => each.waitForSession(session)));
    expect(performance.now() - movedMs).toBeLessThan(FOLLOW_MS);
    await Promise.all([player, stays].map((each) => each.waitForFrames(25)));
    expect([player, stays].map(({ checker }) => checker.complaint)).toEqual(['', '']);
    for (const client of [next, player, stays]) client.leave();
  });

  it('go on when the registry is stopped and started again, and tell it anew what they have', async () => {
    const publisher = await LivePublisher.start(a, 'live/outage');
    const player = await LivePlayer.start(b, 'live/outage');
    await player.waitForFrames(50);
    await redis.stop();
    await b.waitForLog(/registry redis:\/\/127\.0\.0\.1:\d+: /);
    await player.waitForFrames(200);
    const meanwhile = await LivePublisher.start(b, 'live/meanwhile');
    await redis.startAgain();
    const late = await LivePlayer.start(a, 'live/meanwhile');
    await late.waitForFrames(25);
    await player.waitForFrames(50);
    expectWhole(player, late);
    for (const client of [publisher, meanwhile, player, late]) client.leave();
  });

  it('leave a viewer and a publisher alone while the registry accepts and never answers', async () => {
    process.kill(redis.pid, 'SIGSTOP');
    try {
      const publisher = await LivePublisher.start(a, 'live/hangs');
      const player = await LivePlayer.start(a, 'live/hangs');
      await player.waitForFrames(100);
      expectWhole(player);
      for (const client of [publisher, player]) client.leave();
    } finally {
      process.kill(redis.pid, 'SIGCONT');
    }
  });

  it('take over the name of one that was killed when its lease has run out', async () => {
    const first = await LivePublisher.start(b, 'live/dies');
    const player = await LivePlayer.start(a, 'live/dies');
    await player.waitForFrames(50);
    b.signal('SIGKILL');
    const killedMs = performance.now();
    const { publisher: next, session } = await publishAgain(a, 'live/dies');
    expect(performance.now() - killedMs).toBeLessThan(LEASE_MS + 3_000);
    await player.waitForSession(session);
    await player.waitForFrames(50);
    expect(player.checker.complaint).toBe('');
    for (const client of [first, next, player]) client.close();
  });
});

it('the metrics tell whether the registry is reached, and what was asked of it', async () => {
  if (!hasRedis) return;
  await using own = await RedisServer.start();
  await using server = await ServerProcess.start({
    workers: 'mode single;',
    top: withMetrics,
    vhost: ({ host, rtmpPort }) =>
      `cluster { origin_cluster on; registry ${own.url}; registry_lease ${LEASE_MS}ms; announce ${host}:${rtmpPort}; }`,
  });
  const labels = { slot: '0', role: 'back-source', registry: own.url };
  let seen: Awaited<ReturnType<typeof metricsOf>> = new Map();
  const value = (name: string): number => sampleOf(seen, `srs_registry_${name}`, labels);
  const see = async (what: string, probe: () => boolean): Promise<void> => {
    await eventually(
      async () => {
        seen = await metricsOf(server);
        return seen.has('srs_registry_up') && probe();
      },
      LIMIT_MS,
      () => `the metrics do not tell that ${what}`,
    );
  };
  const publisher = await LivePublisher.start(server, 'live/counted');
  await see(
    'the stream is announced',
    () => value('leases') === 1 && value('commands_total') > 0 && value('latency_seconds') > 0,
  );
  expect(value('up')).toBe(1);
  // Half a second is long for a server on the same machine.
  expect(value('latency_seconds')).toBeLessThan(0.5);
  // What was to be sent before there was a connection has failed, and was sent again.
  const [commands, failures] = [value('commands_total'), value('failures_total')];
  await see('leases are renewed', () => value('commands_total') > commands);
  expect(value('failures_total')).toBe(failures);
  await own.stop();
  await see('the registry is away', () => value('up') === 0 && value('failures_total') > failures);
  expect(value('leases')).toBe(1);
  await own.startAgain();
  await see('it is back', () => value('up') === 1);
  publisher.leave();
  await see('the stream has ended', () => value('leases') === 0);
});
