/** Origins without a registry, which ask each other by their HTTP APIs. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HookServer } from '../support/hook-server.ts';
import { type ServerOptions, ServerProcess } from '../support/server-process.ts';
import { FlvViewer } from './http-flv-test-support.ts';
import { LivePlayer, LivePublisher } from './live-client-test-support.ts';
import { allClients } from './server-view-test-support.ts';

/** A viewer that was there first sees the first frame so soon, and goes on so soon on another server. */
const FOLLOW_MS = 3_000;
/** For a viewer that comes when the stream is published. */
const START_MS = 1_500;

const apiOf = ({ place }: ServerProcess): string => `${place.host}:${place.httpApiPort}`;

function optionsOf(
  coworkers: readonly string[],
  more: { readonly cluster?: string; readonly auth?: string } = {},
): ServerOptions {
  return {
    workers: 'mode multi; stream 2;',
    top: ({ host, httpApiPort, httpServerPort }) => `
      http_api { enabled on; listen ${host}:${httpApiPort}; ${more.auth ?? ''} }
      http_server { enabled on; listen ${httpServerPort}; }`,
    vhost: `
      http_remux { enabled on; }
      cluster { origin_cluster on; ${more.cluster ?? ''} ${coworkers.length === 0 ? '' : `coworkers ${coworkers.join(' ')};`} }`,
  };
}

/** Accepts questions and never answers. */
let hung: HookServer;
let a: ServerProcess;
let b: ServerProcess;
let redirecting: ServerProcess;

beforeAll(async () => {
  hung = await HookServer.start(() => undefined);
  a = await ServerProcess.start(optionsOf([]));
  // Itself, one that is dead and one that hangs do no harm.
  b = await ServerProcess.start(optionsOf([apiOf(a)]));
  redirecting = await ServerProcess.start(optionsOf([apiOf(a), apiOf(b)], { cluster: 'on_miss redirect;' }));
  a.writeConfig(optionsOf(['127.0.0.1:1', `127.0.0.1:${hung.port}`, apiOf(a), apiOf(b), apiOf(redirecting)]));
  a.signal('SIGHUP');
  await a.waitForLog(/reload/);
});

afterAll(async () => {
  for (const server of [redirecting, b, a]) await server?.stop();
  await hung?.close();
});

function expectWhole(...players: readonly Pick<LivePlayer, 'checker'>[]): void {
  for (const { checker } of players) expect([checker.complaint, checker.gaps]).toEqual(['', []]);
}

/** What `server` tells of a stream to one that knows it under that address. */
async function originAt(server: ServerProcess, stream: string, coworker = apiOf(server)): Promise<unknown> {
  const query = new URLSearchParams({ vhost: '__defaultVhost__', app: 'live', stream, coworker });
  const response = await fetch(`http://${apiOf(server)}/api/v1/clusters?${query.toString()}`);
  return ((await response.json()) as { readonly data: { readonly origin: unknown } }).data.origin;
}

describe('origins that ask each other', () => {
  it('play what is published on another one, over RTMP and HTTP-FLV, and carry it over once', async () => {
    const publisher = await LivePublisher.start(b, 'live/one');
    const beginMs = performance.now();
    const player = await LivePlayer.start(a, 'live/one');
    await player.waitForFrames(1);
    expect(performance.now() - beginMs).toBeLessThan(START_MS);
    const players = await LivePlayer.crowd(a, 'live/one', 5);
    const viewer = await FlvViewer.open(a, 'live/one');
    await Promise.all([player, ...players, viewer].map((each) => each.waitForFrames(50)));
    expectWhole(player, ...players, viewer);
    expect((await allClients(b)).filter(({ type }) => type === 'play')).toHaveLength(1);
    const second = await LivePublisher.open(a, 'live/one');
    expect(second.rejection?.description).toContain('is already published by 127.0.0.1');
    for (const client of [publisher, player, ...players]) client.leave();
    viewer.close();
  });

  it('tell of what is published on them, and not of what they have got', async () => {
    const publisher = await LivePublisher.start(b, 'live/told');
    const player = await LivePlayer.start(a, 'live/told');
    await player.waitForFrames(1);
    const { rtmpPort } = b.place;
    const api = apiOf(b);
    expect(await originAt(b, 'told')).toEqual({
      ip: '127.0.0.1',
      port: rtmpPort,
      vhost: '__defaultVhost__',
      api,
      routers: [api],
      instance: expect.stringMatching(/./) as unknown,
      id: publisher.peer.id,
      hops: [],
    });
    expect(await originAt(b, 'told', 'b.test:1985')).toMatchObject({ ip: 'b.test', port: rtmpPort });
    expect(await originAt(a, 'told')).toBeNull();
    expect(await originAt(b, 'nothing')).toBeNull();
    for (const client of [publisher, player]) client.leave();
  });

  it('hold a viewer until somebody publishes its stream on one of them', async () => {
    const player = await LivePlayer.start(a, 'live/later');
    const publisher = await LivePublisher.start(b, 'live/later');
    const publishedMs = performance.now();
    await player.waitForFrames(1);
    expect(performance.now() - publishedMs).toBeLessThan(FOLLOW_MS);
    await player.waitForFrames(50);
    expectWhole(player);
    for (const client of [publisher, player]) client.leave();
  });

  it('send a viewer over RTMP there where its stream lives, when they are told to', async () => {
    const publisher = await LivePublisher.start(b, 'live/sent');
    const beginMs = performance.now();
    const sent = await LivePlayer.open(redirecting, 'live/sent');
    expect(performance.now() - beginMs).toBeLessThan(START_MS);
    expect(sent.rejection?.redirect?.url).toBe(`rtmp://127.0.0.1:${b.place.rtmpPort}/live/sent`);
    const here = await LivePublisher.start(redirecting, 'live/here');
    const player = await LivePlayer.start(redirecting, 'live/here');
    await player.waitForFrames(25);
    expectWhole(player);
    for (const client of [publisher, sent, here, player]) client.close();
  });

  it('follow a publisher that moves from one to another, and back', async () => {
    const first = await LivePublisher.start(b, 'live/moves');
    const players = [await LivePlayer.start(a, 'live/moves'), await LivePlayer.start(b, 'live/moves')];
    await Promise.all(players.map((player) => player.waitForFrames(50)));
    first.leave();
    const second = await LivePublisher.start(redirecting, 'live/moves', { session: 2 });
    const movedMs = performance.now();
    await players[0]!.waitForSession(2);
    expect(performance.now() - movedMs).toBeLessThan(FOLLOW_MS);
    second.leave();
    const third = await LivePublisher.start(a, 'live/moves', { session: 3 });
    const backMs = performance.now();
    await Promise.all(players.map((player) => player.waitForSession(3)));
    expect(performance.now() - backMs).toBeLessThan(FOLLOW_MS);
    for (const player of players) expect([player.checker.complaint, player.isOpen]).toEqual(['', true]);
    for (const client of [third, ...players]) client.leave();
  });

  it('go on without one that was killed, and with it when it is back', async () => {
    const stays = await LivePublisher.start(a, 'live/stays');
    const dies = await LivePublisher.start(b, 'live/dies');
    const players = [await LivePlayer.start(a, 'live/stays'), await LivePlayer.start(a, 'live/dies')] as const;
    await Promise.all(players.map((player) => player.waitForFrames(50)));
    await b.restart('SIGKILL');
    await players[0].waitForFrames(25);
    const again = await LivePublisher.start(b, 'live/dies', { session: 2 });
    await players[1].waitForSession(2);
    expectWhole(...players);
    for (const client of [stays, dies, again, ...players]) client.close();
  });

  it('give an edge that knows them what it is asked for', async () => {
    await using edge = await ServerProcess.start(optionsOf([apiOf(a), apiOf(b)], { cluster: 'mode remote;' }));
    const publisher = await LivePublisher.start(b, 'live/edge');
    const player = await LivePlayer.start(edge, 'live/edge');
    await player.waitForFrames(25);
    expectWhole(player);
    for (const client of [publisher, player]) client.leave();
  });

  it('need the credentials of each other where they have any', async () => {
    const auth = (token: string) => ({ auth: `auth { enabled on; token ${token}; }` });
    await using locked = await ServerProcess.start(optionsOf([], auth('0123456789abcdef0123')));
    await using friend = await ServerProcess.start(optionsOf([apiOf(locked)], auth('0123456789abcdef0123')));
    await using stranger = await ServerProcess.start(optionsOf([apiOf(locked)], auth('another-token-of-20-characters')));
    const publisher = await LivePublisher.start(locked, 'live/locked');
    const player = await LivePlayer.start(friend, 'live/locked');
    const refused = await LivePlayer.start(stranger, 'live/locked');
    await player.waitForFrames(25);
    await stranger.waitForLog(/coworker 127\.0\.0\.1:\d+: answered 401 Unauthorized, must be 200/);
    for (const client of [publisher, player, refused]) client.leave();
  });
});
