/** Streams that are posted over HTTP become publishes, and everybody else sees them as such. */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { ClientDescription } from '@srs/clients';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/deadline.ts';
import { HookServer } from '../support/hook-server.ts';
import { type ServerOptions, ServerProcess } from '../support/server-process.ts';
import { LivePlayer, LivePublisher } from './live-client-test-support.ts';
import { clientsOf } from './server-view-test-support.ts';
import { type Answer, FlvPoster } from './stream-caster-test-support.ts';

let server: ServerProcess;
let hooks: HookServer;

/** @param isOpen whether the caster listens */
const options = (isOpen: boolean): ServerOptions => ({
  workers: 'mode multi; stream 2; http 2;',
  top: ({ sparePort, rtmpPort, httpApiPort }) => `
    http_api { enabled on; listen 127.0.0.1:${httpApiPort}; }
    stream_caster { enabled ${isOpen ? 'on' : 'off'}; caster flv; listen ${sparePort}; output rtmp://127.0.0.1:${rtmpPort}/[app]/[stream]; }
    vhost closed.test { security { enabled on; deny publish all; } }
    vhost replace.test { publish { busy replace; } }
    vhost quick.test { publish { firstpkt_timeout 300; normal_timeout 300; } }
    vhost hooks.test { http_hooks { enabled on; on_connect ${hooks.url('/connect')}; on_close ${hooks.url('/close')};
      on_publish ${hooks.url('/publish')}; on_unpublish ${hooks.url('/unpublish')}; } }`,
});

beforeAll(async () => {
  hooks = await HookServer.start(({ body }) => (String(body.stream).startsWith('refused') ? '1' : '0'));
  server = await ServerProcess.start(options(true));
});

afterAll(async () => {
  await server.stop();
  await hooks.close();
});

/** Publishers of the HTTP workers. */
async function posters(): Promise<ClientDescription[]> {
  const workers = (await server.workers()).filter(({ role }) => role === 'http');
  const all = await Promise.all(workers.map((worker) => clientsOf(server, worker)));
  return all.flat() as unknown as ClientDescription[];
}

async function posterOf(stream: string): Promise<ClientDescription> {
  const find = async () => (await posters()).find((client) => client.stream === stream);
  return await eventually(find, 5_000, () => `${stream} is not published`);
}

async function waitUntilGone(stream: string): Promise<void> {
  const isGone = async () => (await posters()).every((client) => client.stream !== stream);
  await eventually(isGone, 5_000, () => `${stream} is still published`);
}

const errorOf = ({ body }: Answer): string => (JSON.parse(body) as { data: { error: string } }).data.error;

describe('a POST of FLV', () => {
  it('is what players on all workers get, frame by frame, and ends with 200', async () => {
    const workers = (await server.workers()).filter(({ role }) => role === 'stream');
    const players = await Promise.all(workers.map(({ pid }) => LivePlayer.start(server, 'live/posted', { onWorker: pid })));
    using poster = new FlvPoster(server, 'live/posted');
    poster.sendPictures(50);
    await Promise.all(players.map((player) => player.waitForFrames(150)));
    expect(await posterOf('posted')).toMatchObject({
      type: 'publish',
      protocol: 'http-post',
      streamId: '__defaultVhost__/live/posted',
      ip: '127.0.0.1',
    });
    poster.sendPictures(25);
    expect(await poster.end()).toMatchObject({ status: 200, body: '{"code":0,"data":null}' });
    await Promise.all(players.map((player) => player.waitForFrames(75 - Math.max(0, player.checker.frames - 150))));
    for (const player of players) {
      expect(player.checker.complaint).toBe('');
      expect(player.checker.firstSequence).toBe(0);
      player.close();
    }
    await waitUntilGone('posted');
  });

  it('that asks first is told to go on when it is let in, and answered at once when not', async () => {
    using welcome = new FlvPoster(server, 'live/asked', { headers: { expect: '100-continue' } });
    await posterOf('asked');
    await eventually(
      () => welcome.isContinueHeard,
      5_000,
      () => 'no 100 Continue',
    );
    welcome.sendPictures(1);
    expect((await welcome.end()).status).toBe(200);
    using unwelcome = new FlvPoster(server, 'live/asked', { query: '?vhost=closed.test', headers: { expect: '100-continue' } });
    expect((await unwelcome.answer()).status).toBe(403);
    expect(unwelcome.isContinueHeard).toBe(false);
  });

  it('that breaks off ends the publish, and the next one gets the stream', async () => {
    using first = new FlvPoster(server, 'live/broken', { session: 1 });
    using player = await LivePlayer.start(server, 'live/broken');
    first.sendPictures(10);
    await player.waitForFrames(30);
    first.close();
    await waitUntilGone('broken');
    using second = new FlvPoster(server, 'live/broken', { session: 2 });
    second.sendPictures(10);
    await player.waitForSession(2);
    expect((await second.end()).status).toBe(200);
  });

  it('whose body is no media, or turns into something else, is answered with what is wrong', async () => {
    using foreign = new FlvPoster(server, 'live/foreign');
    foreign.sendBytes(Buffer.alloc(100_000, 'x'));
    const refused = await foreign.answer();
    expect(refused.status).toBe(400);
    expect(errorOf(refused)).toBe(
      'the body is no flv, and cannot be read otherwise: mpeg-ts has no packets of 188 bytes in 65536 bytes',
    );
    using turned = new FlvPoster(server, 'live/turned');
    turned.sendPictures(2);
    turned.sendBytes(Buffer.alloc(100_000, 0xff));
    expect(errorOf(await turned.answer())).toMatch(/^flv tag of 16777215 bytes must be at most \d+$/);
    await waitUntilGone('turned');
  });

  it('without media is given up after the time-outs of its vhost', async () => {
    using silent = new FlvPoster(server, 'live/silent', { query: '?vhost=quick.test' });
    using stopped = new FlvPoster(server, 'live/stopped', { query: '?vhost=quick.test' });
    stopped.sendPictures(1);
    const answers = await Promise.all([silent.answer(), stopped.answer()]);
    expect(answers.map(({ status }) => status)).toEqual([408, 408]);
    expect(answers.map(errorOf)).toEqual([
      'publisher sent no media within 300 ms (publish firstpkt_timeout)',
      'publisher sent no media for 300 ms (publish normal_timeout)',
    ]);
  });
});

describe('who is not let in', () => {
  it.each([
    ['by another method', 'live/s', { method: 'PUT' }, 405, 'method PUT must be POST'],
    ['by the rules of the vhost', 'live/s', { query: '?vhost=closed.test' }, 403, 'denied'],
    ['by a hook', 'live/refused', { query: '?vhost=hooks.test' }, 403, ''],
    ['for a name that leaves its place', 'live/%2e%2e', {}, 400, 'begins with a dot'],
    ['for a URL without an app', 's', {}, 404, 'it names no app'],
    ['from a page of another site', 'live/s', { headers: { origin: 'http://evil.test' } }, 403, 'origin "http://evil.test"'],
  ])('%s hears it by its status', async (_, path, how, status, error) => {
    using poster = new FlvPoster(server, path, how);
    const answer = await poster.answer();
    expect(answer.status).toBe(status);
    expect(errorOf(answer)).toContain(error);
  });

  it('may finish what it is sending: its connection is not reset', async () => {
    const { host, sparePort } = server.place;
    const socket = connect({ host, port: sparePort, allowHalfOpen: true });
    socket.write('POST /live/s.flv?vhost=closed.test HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(String(answer)).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
    socket.write(Buffer.alloc(900_000));
    socket.end(Buffer.alloc(100_000));
    expect(await once(socket, 'close')).toEqual([false]);
  });

  it('because somebody publishes, over RTMP or by a POST, is told who', async () => {
    using _publisher = await LivePublisher.start(server, 'live/taken');
    using second = new FlvPoster(server, 'live/taken');
    const answer = await second.answer();
    expect(answer.status).toBe(409);
    expect(errorOf(answer)).toMatch(/^stream __defaultVhost__\/live\/taken is already published by 127\.0\.0\.1, cid=\d+$/);
    using poster = new FlvPoster(server, 'live/taken2');
    poster.sendPictures(1);
    await posterOf('taken2');
    using third = await LivePublisher.open(server, 'live/taken2');
    expect(third.rejection?.description).toContain('is already published');
    expect((await poster.end()).status).toBe(200);
  });
});

it('a publisher that takes a stream over, where that is allowed, ends the POST', async () => {
  using poster = new FlvPoster(server, 'live/over', { query: '?vhost=replace.test' });
  poster.sendPictures(1);
  await posterOf('over');
  using publisher = await LivePublisher.start(server, 'live/over', { parameters: '?vhost=replace.test' });
  const answer = await poster.answer();
  expect(answer.status).toBe(409);
  expect(errorOf(answer)).toMatch(/^stream taken over by 127\.0\.0\.1/);
  using again = new FlvPoster(server, 'live/over', { query: '?vhost=replace.test' });
  await publisher.waitForClose();
  again.sendPictures(1);
  expect((await again.end()).status).toBe(200);
});

it('hooks hear of a publish and its end, with the parameters of the URL', async () => {
  using poster = new FlvPoster(server, 'live/hooked', { query: '?vhost=hooks.test&token=abc' });
  poster.sendPictures(1);
  expect((await poster.end()).status).toBe(200);
  await hooks.waitFor(({ body }) => body.action === 'on_unpublish' && body.stream === 'hooked');
  const own = hooks.requests.filter(({ body }) => body.stream === 'hooked').map(({ body }) => body);
  expect(own.map(({ action, app, vhost, param }) => [action, app, vhost, param])).toEqual([
    ['on_publish', 'live', 'hooks.test', '?vhost=hooks.test&token=abc'],
    ['on_unpublish', 'live', 'hooks.test', '?vhost=hooks.test&token=abc'],
  ]);
});

it('the API lists who posts, and sends it away', async () => {
  using poster = new FlvPoster(server, 'live/kicked');
  poster.sendPictures(5);
  const { id } = await posterOf('kicked');
  const { host, httpApiPort } = server.place;
  const kicked = await fetch(`http://${host}:${httpApiPort}/api/v1/clients/${id}`, { method: 'DELETE' });
  expect(kicked.status).toBe(200);
  const answer = await poster.answer();
  expect([answer.status, errorOf(answer)]).toEqual([503, 'disconnected by the operator']);
  await waitUntilGone('kicked');
});

it('a reload closes the caster for who comes, opens it again, and leaves who is there', async () => {
  using poster = new FlvPoster(server, 'live/stays');
  using player = await LivePlayer.start(server, 'live/stays');
  poster.sendPictures(5);
  await player.waitForFrames(15);
  const reload = async (isOpen: boolean): Promise<void> => {
    const from = server.log().length;
    server.writeConfig(options(isOpen));
    server.signal('SIGHUP');
    await server.waitForLog(/reload config success/, { from });
  };
  await reload(false);
  await expect(new FlvPoster(server, 'live/other').answer()).rejects.toThrow('ECONNREFUSED');
  poster.sendPictures(5);
  await player.waitForFrames(15);
  await reload(true);
  using late = new FlvPoster(server, 'live/late');
  late.sendPictures(1);
  expect((await late.end()).status).toBe(200);
  expect((await poster.end()).status).toBe(200);
});
