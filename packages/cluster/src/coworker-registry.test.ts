import { memoryLog, systemClock } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { eventually } from '../../../test/support/deadline.ts';
import { type HookBehaviour, HookServer } from '../../../test/support/hook-server.ts';
import { CoworkerRegistry } from './coworker-registry.ts';

const STREAM = 'v.test/live/a/one';
const LIMIT_MS = 10_000;
/** Within which a viewer is told where its stream is. */
const VIEWER_MS = 1_000;

const answerOf = (origin: unknown): string => JSON.stringify({ code: 0, data: { query: {}, origin } });
/** As SRS answers. */
const there = { ip: '10.0.0.2', port: 19351, vhost: 'v.test', api: '10.0.0.2:1985', routers: ['10.0.0.2:1985'] };
const has: HookBehaviour = () => answerOf(there);
const hasNot: HookBehaviour = () => answerOf(null);
/** Accepts, and says nothing. */
const hangs: HookBehaviour = () => undefined;

function open(ports: readonly number[], more: { readonly authorization?: string; readonly host?: string } = {}) {
  const log = memoryLog();
  let aheadMs = 0;
  const registry = new CoworkerRegistry({
    coworkers: ports.map((port) => ({ host: more.host ?? '127.0.0.1', port })),
    authorization: () => more.authorization ?? '',
    clock: { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs },
    random: () => 0,
    log,
  });
  const pass = (ms: number): void => {
    aheadMs += ms;
  };
  return { registry, log, pass, warnings: () => log.lines.map(({ text }) => text) };
}

describe('coworkers', () => {
  it('are asked as SRS asks, and understood as SRS answers', async () => {
    await using server = await HookServer.start(has);
    const { registry } = open([server.port]);
    const place = { address: { host: '10.0.0.2', port: 19351 }, instanceId: '', cid: 0, hops: [] };
    expect(await registry.lookUp([STREAM])).toEqual([place]);
    const [{ method, path, rawHeaders }] = server.requests as [(typeof server.requests)[0]];
    const query = new URL(path, 'http://a').searchParams;
    expect([method, path.split('?')[0]]).toEqual(['GET', '/api/v1/clusters']);
    expect(Object.fromEntries(query)).toEqual({
      vhost: 'v.test',
      app: 'live/a',
      stream: 'one',
      ip: '',
      coworker: `127.0.0.1:${server.port}`,
    });
    expect(rawHeaders.join()).not.toMatch(/authorization/i);
    registry.close();
  });

  it('say more of themselves where they can, and nothing they have no address for', async () => {
    await using server = await HookServer.start(() =>
      answerOf({ ...there, ip: '0.0.0.0', instance: 'there', id: 105, hops: ['first'] }),
    );
    const { registry } = open([server.port]);
    const place = { address: { host: '127.0.0.1', port: 19351 }, instanceId: 'there', cid: 105, hops: ['first'] };
    expect(await registry.lookUp([STREAM])).toEqual([place]);
    registry.close();
  });

  it('are called by their address, and shown the credentials of this server', async () => {
    await using server = await HookServer.start(hasNot);
    const { registry } = open([server.port], { host: 'localhost', authorization: 'Bearer t' });
    expect(await registry.lookUp([STREAM])).toEqual([undefined]);
    const headers = server.requests[0]!.rawHeaders.join(' ');
    expect(headers).toMatch(new RegExp(`host (127\\.0\\.0\\.1|\\[::1\\]):${server.port}`));
    expect(headers).toContain('authorization Bearer t');
    registry.close();
  });

  it('that hang or are dead hold up nobody whose stream is somewhere', async () => {
    await using hung = await HookServer.start(hangs);
    await using other = await HookServer.start(has);
    const { registry, warnings } = open([hung.port, 1, other.port]);
    const beginMs = performance.now();
    const [place] = await registry.lookUp([STREAM]);
    expect(performance.now() - beginMs).toBeLessThan(500);
    expect(place?.address.port).toBe(19351);
    await eventually(
      () => warnings().length === 2,
      LIMIT_MS,
      () => warnings().join(),
    );
    expect(warnings().sort()).toEqual([
      expect.stringMatching(/^coworker 127\.0\.0\.1:1: .*ECONNREFUSED/),
      `coworker 127.0.0.1:${hung.port}: no answer within 800 ms`,
    ]);
    expect(registry.report).toMatchObject({ isUp: false, commands: 3, failures: 2 });
    expect(registry.report.lastError).toContain(`127.0.0.1:${hung.port}: no answer within 800 ms`);
    registry.close();
  });

  it('that do not answer are left alone for a while, and asked again', async () => {
    await using hung = await HookServer.start(hangs);
    await using other = await HookServer.start(hasNot);
    const { registry, pass, warnings } = open([hung.port, other.port]);
    const beginMs = performance.now();
    expect(await registry.lookUp([STREAM, `${STREAM}-2`])).toEqual([undefined, undefined]);
    expect(performance.now() - beginMs).toBeLessThan(VIEWER_MS);
    expect(hung.requests).toHaveLength(2);
    const againMs = performance.now();
    expect(await registry.lookUp([STREAM])).toEqual([undefined]);
    expect(performance.now() - againMs).toBeLessThan(200);
    expect(hung.requests).toHaveLength(2);
    hung.behaviour = has;
    pass(500);
    const [place] = await registry.lookUp([STREAM]);
    expect(place?.address.port).toBe(19351);
    expect(warnings().at(-1)).toBe(`coworker 127.0.0.1:${hung.port}: answers again`);
    expect(registry.report).toMatchObject({ isUp: true, lastError: '' });
    registry.close();
  });

  it('of whom none answers are an error', async () => {
    const { registry } = open([1, 2]);
    await expect(registry.lookUp([STREAM])).rejects.toThrow(/no coworker answers: 127\.0\.0\.1:1: .*, 127\.0\.0\.1:2: /);
    registry.close();
  });

  it.each<[string, HookBehaviour, string]>([
    ['no JSON', () => 'hello', 'answered no JSON'],
    ['another code', () => '{"code":100}', 'answered code 100, must be 0'],
    ['no origin', () => '{"code":0,"data":{}}', 'answered ip undefined and port undefined, must be those of a server'],
    [
      'a bad port',
      () => answerOf({ ...there, port: 70_000 }),
      'answered ip "10.0.0.2" and port 70000, must be those of a server',
    ],
    ['a bad host', () => answerOf({ ...there, ip: 'a b' }), 'answered ip "a b" and port 19351, must be those of a server'],
    ['too much', () => answerOf({ ...there, more: 'x'.repeat(20_000) }), 'answered more than 16384 bytes'],
    ['a refusal', (_, response) => void response.writeHead(401).end('{}') as undefined, 'answered 401 Unauthorized, must be 200'],
  ])('that answer %s have not answered', async (_, behaviour, complaint) => {
    await using server = await HookServer.start(behaviour);
    const { registry } = open([server.port]);
    await expect(registry.lookUp([STREAM])).rejects.toThrow(`no coworker answers: 127.0.0.1:${server.port}: ${complaint}`);
    registry.close();
  });

  it('are asked over 16 connections at most, and no more than 1000 questions wait', async () => {
    await using server = await HookServer.start(hasNot);
    const { registry } = open([server.port]);
    const many = Array.from({ length: 1_500 }, (_, index) => `${STREAM}-${index}`);
    const places = await registry.lookUp(many);
    expect(places).toEqual(many.map(() => undefined));
    expect(server.connections).toBeLessThanOrEqual(16);
    expect(server.requests.length).toBeLessThanOrEqual(1_000);
    registry.close();
  });

  it('are not blamed for a connection that they have closed meanwhile', async () => {
    await using server = await HookServer.start((_, response) => {
      // As a server whose patience with idle connections is over in the moment of the next question.
      response.socket?.once('data', () => response.socket?.destroy());
      response.end(answerOf(there));
      return undefined;
    });
    const { registry } = open([server.port]);
    for (let round = 0; round < 3; round += 1)
      expect(await registry.lookUp([STREAM])).toMatchObject([{ address: { port: 19351 } }]);
    expect(registry.report.failures).toBe(0);
    registry.close();
  });

  it('have failed nobody who asks no more', async () => {
    await using hung = await HookServer.start(hangs);
    const { registry, warnings } = open([hung.port]);
    const asking = registry.lookUp([STREAM]);
    await hung.waitFor(() => true);
    registry.close();
    await expect(asking).rejects.toThrow(/no coworker answers/);
    expect(warnings()).toEqual([]);
  });

  it('decide nothing about what is published here', async () => {
    const { registry } = open([1]);
    expect(await registry.announce()).toEqual({ kind: 'held' });
    await registry.withdraw();
    expect(registry.report).toMatchObject({ isUp: true, commands: 0 });
    registry.close();
  });
});
