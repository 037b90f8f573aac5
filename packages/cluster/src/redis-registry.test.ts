import { createServer, type Server, type Socket } from 'node:net';
import { memoryLog, SrsError, systemClock } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { certificate, Files } from '../../../test/support/certificates.ts';
import { eventually } from '../../../test/support/deadline.ts';
import { RedisServer } from '../../../test/support/redis.ts';
import { requires } from '../../../test/support/requires.ts';
import { parsePlace } from './place-record.ts';
import { RedisRegistry } from './redis-registry.ts';
import type { StreamPlace } from './stream-registry.ts';

const LIMIT_MS = 10_000;
const TERMS = { leaseMs: 60_000, takesOver: false };
const STREAM = 'v/live/one';

const placeOf = (port: number, instanceId: string, hops: readonly string[] = []): StreamPlace => ({
  address: { host: '10.0.0.1', port },
  instanceId,
  cid: 105,
  hops,
});

const one = placeOf(1001, 'one');
const two = placeOf(1002, 'two');

function open(url: string) {
  const log = memoryLog();
  const registry = new RedisRegistry({ url, prefix: 'srs', clock: systemClock, random: Math.random, log });
  const isUp = (): Promise<boolean> =>
    eventually(
      () => registry.report.isUp,
      LIMIT_MS,
      () => `not up: ${registry.report.lastError}`,
    );
  const text = (): string => log.lines.map((line) => line.text).join('\n');
  return { registry, isUp, text, [Symbol.dispose]: () => registry.close() };
}

/** Accepts, and answers with whatever it is told, or not at all. */
async function fakeRedis(
  answer: (socket: Socket) => void,
): Promise<AsyncDisposable & { readonly url: string; readonly sockets: Set<Socket> }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    socket.resume();
    answer(socket);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `redis://user:hidden@127.0.0.1:${port}`,
    sockets,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

describe.concurrent('a registry in Redis', () => {
  requires('redis-server');

  it('gives a name to one server at a time, until that gives it up', async () => {
    await using redis = await RedisServer.start();
    using a = open(redis.url);
    using b = open(redis.url);
    await Promise.all([a.isUp(), b.isUp()]);
    expect(await a.registry.lookUp([STREAM])).toEqual([undefined]);
    expect(await a.registry.announce(STREAM, one, TERMS)).toEqual({ kind: 'held' });
    expect(await b.registry.announce(STREAM, two, TERMS)).toEqual({ kind: 'taken', by: one });
    expect(await b.registry.lookUp(['v/live/none', STREAM])).toEqual([undefined, one]);
    await b.registry.withdraw(STREAM, two);
    expect(await b.registry.lookUp([STREAM])).toEqual([one]);
    await a.registry.withdraw(STREAM, one);
    expect(await b.registry.announce(STREAM, two, TERMS)).toEqual({ kind: 'held' });
  });

  it('ends a lease that nobody renews, and keeps one that is renewed', async () => {
    await using redis = await RedisServer.start();
    using a = open(redis.url);
    await a.isUp();
    const leaseMs = 400;
    await a.registry.announce(STREAM, one, { leaseMs, takesOver: false });
    await a.registry.announce('v/live/renewed', one, { leaseMs, takesOver: false });
    await eventually(
      async () => {
        expect(await a.registry.announce('v/live/renewed', one, { leaseMs, takesOver: false })).toEqual({ kind: 'held' });
        return (await a.registry.lookUp([STREAM]))[0] === undefined;
      },
      LIMIT_MS,
      () => 'the lease does not end',
    );
    expect(await a.registry.lookUp(['v/live/renewed'])).toEqual([one]);
  });

  it.each<[string, StreamPlace, boolean]>([
    ['an earlier life of the same server', placeOf(1002, 'before'), false],
    ['a copy that was sent on from here', placeOf(1003, 'three', ['zero', 'two']), false],
    ['whoever has it, for a publish that replaces', one, true],
  ])('takes a name from %s', async (_who, holder, takesOver) => {
    await using redis = await RedisServer.start();
    using a = open(redis.url);
    await a.isUp();
    await a.registry.announce(STREAM, holder, TERMS);
    expect(await a.registry.announce(STREAM, two, { ...TERMS, takesOver })).toEqual({ kind: 'held' });
    expect(await a.registry.lookUp([STREAM])).toEqual([two]);
  });

  it('takes what others have written under its keys for a failure, and for no stream', async () => {
    await using redis = await RedisServer.start();
    using a = open(redis.url);
    await a.isUp();
    const { createClient } = await import('redis');
    const other = await createClient({ url: redis.url }).connect();
    await other.set('srs:stream:v/live/text', '{"address":"nowhere"}');
    await other.lPush('srs:stream:v/live/list', 'x');
    other.destroy();
    expect(await a.registry.lookUp(['v/live/text', 'v/live/list'])).toEqual([undefined, undefined]);
    await expect(a.registry.announce('v/live/text', one, TERMS)).rejects.toThrow('holds something else than a place');
    await expect(a.registry.announce('v/live/list', one, TERMS)).rejects.toThrow(SrsError);
    expect(a.registry.report).toMatchObject({ isUp: true, failures: 1 });
  });

  it('logs in with a password and chooses a database, and keeps the password out of the log', async () => {
    await using redis = await RedisServer.start(['--requirepass', 'open-sesame']);
    const address = `127.0.0.1:${redis.port}`;
    using wrong = open(`redis://:hidden@${address}`);
    await eventually(
      () => wrong.text().includes('WRONGPASS'),
      LIMIT_MS,
      () => wrong.text(),
    );
    using right = open(`redis://default:open-sesame@${address}/3`);
    await right.isUp();
    expect(right.registry.report.name).toBe(`redis://${address}/3`);
    expect(await right.registry.announce(STREAM, one, TERMS)).toEqual({ kind: 'held' });
    using elsewhere = open(`redis://:open-sesame@${address}`);
    await elsewhere.isUp();
    expect(await elsewhere.registry.lookUp([STREAM])).toEqual([undefined]);
    expect(`${wrong.text()} ${right.text()}`).not.toMatch(/hidden|sesame/);
  });

  it('is not asked over TLS when nobody vouches for its certificate', async () => {
    using files = new Files();
    const material = { key: files.write('key.pem', certificate.key), cert: files.write('cert.pem', certificate.cert) };
    await using redis = await RedisServer.startTls(material);
    using a = open(redis.url);
    await eventually(
      () => a.registry.report.lastError !== '',
      LIMIT_MS,
      () => 'nothing is wrong',
    );
    expect(a.registry.report).toMatchObject({
      name: redis.url,
      isUp: false,
      lastError: expect.stringContaining('self-signed certificate') as string,
    });
    await expect(a.registry.lookUp([STREAM])).rejects.toThrow(SrsError);
  });

  it('fails at once while its server is away, is told of it once, and calls back when it can be asked again', async () => {
    await using redis = await RedisServer.start();
    using a = open(redis.url);
    let ups = 0;
    a.registry.onUp(() => {
      ups += 1;
    });
    await a.isUp();
    await redis.stop();
    await eventually(
      () => !a.registry.report.isUp,
      LIMIT_MS,
      () => 'still up',
    );
    const beginMs = performance.now();
    for (let asked = 0; asked < 1_000; asked += 1) await expect(a.registry.lookUp([STREAM])).rejects.toThrow('cannot be asked');
    expect(performance.now() - beginMs).toBeLessThan(1_000);
    await redis.startAgain();
    await a.isUp();
    expect(ups).toBe(2);
    expect(await a.registry.lookUp([STREAM])).toEqual([undefined]);
    expect(a.text()).toContain('reached again');
  });
});

describe.concurrent('a server that is no good', () => {
  it('that never answers is tried again, with one connection at a time', async () => {
    let connections = 0;
    await using fake = await fakeRedis(() => {
      connections += 1;
    });
    using a = open(fake.url);
    await expect(a.registry.lookUp([STREAM])).rejects.toThrow('cannot be asked');
    await eventually(
      () => connections >= 2,
      LIMIT_MS,
      () => `${connections} connections`,
    );
    expect(fake.sockets.size).toBeLessThanOrEqual(1);
    expect(a.text()).toContain('no answer within 2000 ms');
    expect(a.text()).not.toContain('hidden');
  });

  it('that falls silent in the middle fails the commands that wait within a second', async () => {
    let isSilent = false;
    await using fake = await fakeRedis((socket) => {
      socket.on('data', () => {
        if (!isSilent) socket.write('+PONG\r\n');
      });
    });
    using a = open(fake.url.replace('user:hidden@', ''));
    await a.isUp();
    isSilent = true;
    const beginMs = performance.now();
    const asked = Array.from({ length: 100 }, () => a.registry.lookUp([STREAM]));
    const results = await Promise.allSettled(asked);
    expect(performance.now() - beginMs).toBeLessThan(1_500);
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['rejected']));
    expect(a.registry.report.failures).toBe(100);
  });

  it.each(['HTTP/1.1 400 Bad Request\r\n\r\n', '*1000000000\r\n', '$99999999999\r\n', '\0\0\0\0'])(
    'that answers %j is no registry',
    async (words) => {
      await using fake = await fakeRedis((socket) => void socket.on('data', () => socket.write(words)));
      using a = open(fake.url.replace('user:hidden@', ''));
      await eventually(
        () => a.registry.report.lastError !== '',
        LIMIT_MS,
        () => 'no error',
      );
      expect(a.registry.report.isUp).toBe(false);
    },
  );
});

it('a place that is read back is the one that was written, and other text is none', () => {
  expect(parsePlace(JSON.stringify({ address: '[::1]:1935', instance: 'x', id: 1, hops: ['y'] }))).toEqual({
    address: { host: '::1', port: 1935 },
    instanceId: 'x',
    cid: 1,
    hops: ['y'],
  });
  const good = { address: 'a:1', instance: 'x', id: 1, hops: [] };
  const bad = [
    { address: 'a:0' },
    { address: 1 },
    { instance: '' },
    { id: -1 },
    { id: '1' },
    { hops: [1] },
    { hops: Array(99).fill('h') },
  ];
  for (const change of bad) expect(parsePlace(JSON.stringify({ ...good, ...change })), JSON.stringify(change)).toBeUndefined();
  for (const text of ['', '[]', 'null', '{', 'x'.repeat(5_000)]) expect(parsePlace(text)).toBeUndefined();
});
