import { amfToJson } from '@srs/amf';
import { MEDIA_STREAM_ID } from '@srs/rtmp';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { certificate, Files } from '../support/certificates.ts';
import { eventually } from '../support/deadline.ts';
import { runForeign } from '../support/foreign.ts';
import { HookServer } from '../support/hook-server.ts';
import { clip } from '../support/media.ts';
import { RawRtmp } from '../support/raw-rtmp.ts';
import { requires } from '../support/requires.ts';
import { ServerProcess } from '../support/server-process.ts';
import { LivePlayer, LivePublisher } from './live-client-test-support.ts';
import { workersOf } from './server-view-test-support.ts';

const EVENTS = ['on_connect', 'on_close', 'on_publish', 'on_unpublish', 'on_play', 'on_stop'];

/** All events go to one path each, with a query. */
const hooksOf = (hooks: HookServer, more = ''): string =>
  `http_hooks { enabled on; ${EVENTS.map((event) => `${event} ${hooks.url(`/${event}?x=1`)};`).join(' ')} ${more} }`;

let hooks: HookServer;
let server: ServerProcess;

/** The actions that were told of one client, in order. */
const actionsOf = (cid: number): string[] =>
  hooks.requests.filter(({ body }) => body.client_id === cid).map(({ body }) => String(body.action));

const waitForEnd = (cid: number): Promise<void> =>
  hooks.waitFor(({ body }) => body.client_id === cid && body.action === 'on_close');

describe('hooks of one server', () => {
  beforeAll(async () => {
    hooks = await HookServer.start();
    server = await ServerProcess.start({ vhost: () => hooksOf(hooks, 'timeout 3s;') });
  });

  afterEach(() => {
    hooks.behaviour = () => '0';
  });

  afterAll(async () => {
    await server.stop();
    await hooks.close();
  });

  it('a publisher and a player are told of in order, with what the client said and the bytes it moved', async () => {
    const publisher = await LivePublisher.start(server, 'live/one', { parameters: '?key="k"' });
    const player = await LivePlayer.start(server, 'live/one', {
      tcUrlParameters: '?token=t',
      rtmp: { pageUrl: 'http://page.test/x' },
    });
    await player.waitForFrames(10);
    const [publisherId, playerId] = [publisher.peer.id, player.peer.id];
    player.leave();
    await waitForEnd(playerId);
    publisher.leave();
    await waitForEnd(publisherId);

    expect(actionsOf(publisherId)).toEqual(['on_connect', 'on_publish', 'on_unpublish', 'on_close']);
    expect(actionsOf(playerId)).toEqual(['on_connect', 'on_play', 'on_stop', 'on_close']);
    const client = { ip: '127.0.0.1', vhost: '__defaultVhost__', app: 'live' };
    const [published] = hooks.bodies('on_publish');
    expect(published).toMatchObject({
      ...client,
      client_id: publisherId,
      stream: 'one',
      param: '?key="k"',
      stream_url: '/live/one',
    });
    const [played] = hooks.bodies('on_play');
    expect(played).toMatchObject({ ...client, client_id: playerId, param: '?token=t', pageUrl: 'http://page.test/x' });
    expect(played?.tcUrl).toBe(`rtmp://127.0.0.1:${server.place.rtmpPort}/live?token=t`);
    expect(played?.server_id).toBe(published?.server_id);
    const closed = hooks.bodies('on_close').find((body) => body.client_id === playerId);
    expect(closed?.send_bytes).toBeGreaterThan(1000);
    expect(closed?.recv_bytes).toBeGreaterThan(3000);
    expect(hooks.requests.map(({ path }) => path)).toContain('/on_close?x=1');
    // The hook server is who sees the secrets; the log is not.
    const log = server.log().filter((line) => line.includes('http hook'));
    expect(log.join('\n')).not.toContain('token=t');
  });

  it('several publishes and plays of one connection are each told of', async () => {
    using client = await RawRtmp.connect(server.place.rtmpPort);
    const { args } = await client.connectApp('live');
    const { id } = (amfToJson(args[1]) as { readonly data: { readonly id?: number } } | null)?.data ?? {};
    expect(JSON.stringify((await client.publish('again')).args.map(amfToJson))).toContain('Publish.Start');
    await client.waitForAnswer(client.sendCommand('FCUnpublish', null, ['again']));
    await client.publish('more');
    await client.waitForAnswer(client.sendCommand('FCUnpublish', null, ['more']));
    await client.play('again');
    client.sendCommand('closeStream', null, [], { messageStreamId: MEDIA_STREAM_ID });
    await hooks.waitFor(({ body }) => body.action === 'on_stop' && body.stream === 'again');
    client.socket.destroy();
    const cid = Number(hooks.requests.find(({ body }) => body.stream === 'more')?.body.client_id);
    if (id !== undefined) expect(id).toBe(cid);
    await waitForEnd(cid);
    const told = hooks.requests.filter(({ body }) => body.client_id === cid);
    expect(told.map(({ body }) => [body.action, body.stream].join(' ').trim())).toEqual([
      'on_connect',
      'on_publish again',
      'on_unpublish again',
      'on_publish more',
      'on_unpublish more',
      'on_play again',
      'on_stop again',
      'on_close',
    ]);
  });

  it.each([
    ['on_connect', 'NetConnection.Connect.Rejected', []],
    ['on_publish', 'NetStream.Publish.BadName', ['on_connect', 'on_publish', 'on_close']],
    ['on_play', 'NetStream.Play.Failed', ['on_connect', 'on_play', 'on_close']],
  ] as const)(
    'a client that %s refuses is told so before it is let go, and has no end of what it did not get',
    async (event, code, told) => {
      hooks.behaviour = ({ body }) => (body.action === event ? '{"code":403,"msg":"secret"}' : '0');
      const before = hooks.requests.length;
      const Client = event === 'on_play' ? LivePlayer : LivePublisher;
      using client = await Client.open(server, 'live/refused');
      expect(client.rejection).toMatchObject({ level: 'error', code, description: `refused by the ${event} hook` });
      expect(client.statusCodes.filter((status) => status.endsWith('.Start'))).toEqual([]);
      await client.waitForClose();
      if (told.length > 0) await waitForEnd(client.peer.id);
      expect(hooks.requests.slice(before).map(({ body }) => body.action)).toEqual(told.length > 0 ? told : ['on_connect']);
      const url = hooks.url(`/${event}?x=1`);
      await server.waitForLog(`refused. ret=3008: refused by the ${event} hook: hook ${url} answered code 403, must be 0`);
    },
  );

  it('answers that are none refuse the client, and the log says which', async () => {
    hooks.behaviour = ({ body }, response) => {
      if (body.action === 'on_publish') response.writeHead(500);
      return '0';
    };
    using client = await LivePublisher.open(server, 'live/broken');
    expect(client.rejection?.description).toBe('the on_publish hook gave no valid answer');
    await server.waitForLog(/ret=3008: the on_publish hook gave no valid answer: hook http:\S+ answered status 500, must be 200/);
  });

  it('a hook server that hangs for one client delays that one only, for its time', async () => {
    const player = await LivePlayer.start(server, 'live/other');
    hooks.behaviour = ({ body }) => (body.stream === 'hangs' ? undefined : '0');
    const startedMs = performance.now();
    const hanging = [LivePublisher.open(server, 'live/hangs'), LivePlayer.open(server, 'live/hangs')];
    await hooks.waitFor(({ body }) => body.stream === 'hangs', 2);
    const other = await LivePublisher.start(server, 'live/other');
    await player.waitForFrames(20);
    expect(performance.now() - startedMs).toBeLessThan(2_900);
    const clients = await Promise.all(hanging);
    expect(performance.now() - startedMs).toBeGreaterThan(2_900);
    expect(clients.map(({ rejection }) => rejection?.description)).toEqual([
      'the on_publish hook gave no valid answer',
      'the on_play hook gave no valid answer',
    ]);
    expect(player.checker.complaint).toBe('');
    for (const client of [...clients, other, player]) client.close();
  });

  it('a publisher of a busy stream is refused without a question, so that hook servers count right', async () => {
    const publisher = await LivePublisher.start(server, 'live/busy');
    using second = await LivePublisher.open(server, 'live/busy');
    expect(second.rejection?.description).toContain(`is already published by 127.0.0.1, cid=${publisher.peer.id}`);
    await waitForEnd(second.peer.id);
    expect(actionsOf(second.peer.id)).toEqual(['on_connect', 'on_close']);
    publisher.close();
  });

  it('a client that leaves while it is asked about: a yes is followed by the end', async () => {
    let answer: (() => void) | undefined;
    hooks.behaviour = ({ body }, response) => {
      if (body.stream !== 'leaves' || body.action !== 'on_publish') return '0';
      answer = () => void response.end('0');
      return undefined;
    };
    using client = await RawRtmp.connect(server.place.rtmpPort);
    await client.connectApp('live');
    void client.publish('leaves').catch(() => {});
    await hooks.waitFor(({ body }) => body.stream === 'leaves');
    client.socket.resetAndDestroy();
    answer?.();
    const cid = Number(hooks.requests.at(-1)?.body.client_id);
    await waitForEnd(cid);
    expect(actionsOf(cid)).toEqual(['on_connect', 'on_publish', 'on_unpublish', 'on_close']);
  });

  it('what a waiting client sends is taken in a bounded amount', async () => {
    let answer: (() => void) | undefined;
    hooks.behaviour = ({ body }, response) => {
      if (body.stream !== 'eager') return '0';
      answer = () => void response.end('1');
      return undefined;
    };
    using client = await RawRtmp.connect(server.place.rtmpPort);
    await client.connectApp('live');
    void client.publish('eager').catch(() => {});
    await hooks.waitFor(({ body }) => body.stream === 'eager');
    const part = Buffer.alloc(1024 * 1024);
    const isTaken = () => client.socket.write(part);
    for (let mebibytes = 0; mebibytes < 64; mebibytes += 1) isTaken();
    // Whatever the kernel holds is gone from the queue; all the rest stays until the answer.
    await eventually(
      () => client.socket.writableLength > 32 * 1024 * 1024 && client.socket.writableLength,
      2_000,
      () => `${client.socket.writableLength} bytes wait`,
    );
    answer?.();
    await client.waitForClose();
  });
});

describe('a process that dies', () => {
  it('a killed stream worker: its peers tell the ends of its clients, once each', async () => {
    hooks = await HookServer.start();
    server = await ServerProcess.start({ vhost: () => hooksOf(hooks) });
    const [stays, dies] = await workersOf(server, 'stream');
    const publisher = await LivePublisher.start(server, 'live/one', { onWorker: dies!.pid });
    const players = await LivePlayer.crowd(server, 'live/one', 3, { onWorker: dies!.pid });
    const survivor = await LivePlayer.start(server, 'live/one', { onWorker: stays!.pid });
    // One that has left before must not be told again.
    const gone = await LivePlayer.start(server, 'live/one', { onWorker: dies!.pid });
    gone.leave();
    // A worker that dies between the call and its answer cannot know that it was heard: its peers call again.
    await server.waitForLog(`http hook on_close ok. client_id=${gone.peer.id}`);

    process.kill(dies!.pid, 'SIGKILL');
    for (const { peer } of [publisher, ...players]) await waitForEnd(peer.id);
    survivor.leave();
    await waitForEnd(survivor.peer.id);
    expect(actionsOf(publisher.peer.id)).toEqual(['on_connect', 'on_publish', 'on_unpublish', 'on_close']);
    for (const { peer } of [...players, gone, survivor]) {
      expect(actionsOf(peer.id)).toEqual(['on_connect', 'on_play', 'on_stop', 'on_close']);
    }
    const closed = hooks.bodies('on_close').find(({ client_id }) => client_id === publisher.peer.id);
    expect(closed).not.toHaveProperty('send_bytes');
    for (const client of [publisher, ...players]) client.close();
    await server.stop();
    await hooks.close();
  });

  it('a killed back-source is told again what is owed', async () => {
    hooks = await HookServer.start();
    server = await ServerProcess.start({ vhost: () => hooksOf(hooks) });
    const [worker] = await workersOf(server, 'stream');
    const publisher = await LivePublisher.start(server, 'live/one', { onWorker: worker!.pid });
    const [backSource] = await workersOf(server, 'back-source');
    process.kill(backSource!.pid, 'SIGKILL');
    await eventually(
      async () => {
        const [successor] = await workersOf(server, 'back-source');
        return successor?.state === 'ready' && successor.pid !== backSource!.pid;
      },
      5_000,
      () => 'the back-source is not back',
    );
    // A publish is answered when the successor has heard from the worker.
    using other = await LivePublisher.start(server, 'live/two', { onWorker: worker!.pid });
    process.kill(worker!.pid, 'SIGKILL');
    for (const { peer } of [publisher, other]) {
      await waitForEnd(peer.id);
      expect(actionsOf(peer.id)).toEqual(['on_connect', 'on_publish', 'on_unpublish', 'on_close']);
    }
    publisher.close();
    await server.stop();
    await hooks.close();
  });

  it.each(['multi', 'single'])('a server in mode %s that is stopped tells the ends of its clients first', async (mode) => {
    hooks = await HookServer.start();
    server = await ServerProcess.start({ vhost: () => hooksOf(hooks), workers: `mode ${mode}; stream 2;` });
    const publisher = await LivePublisher.start(server, 'live/one');
    const player = await LivePlayer.start(server, 'live/one');
    await server.stop();
    expect(actionsOf(publisher.peer.id)).toEqual(['on_connect', 'on_publish', 'on_unpublish', 'on_close']);
    expect(actionsOf(player.peer.id)).toEqual(['on_connect', 'on_play', 'on_stop', 'on_close']);
    await hooks.close();
  });
});

it('a reload turns the next call of clients that are there to the new URLs', async () => {
  await using before = await HookServer.start();
  await using after = await HookServer.start();
  hooks = after;
  server = await ServerProcess.start({ vhost: () => hooksOf(before) });
  const publisher = await LivePublisher.start(server, 'live/one');
  server.writeConfig({ vhost: () => hooksOf(after) });
  const from = server.log().length;
  server.signal('SIGHUP');
  await server.waitForLog(/reload config success/, { from });
  publisher.leave();
  await waitForEnd(publisher.peer.id);
  expect(before.bodies('on_publish')).toHaveLength(1);
  expect(before.bodies('on_unpublish')).toEqual([]);
  expect(actionsOf(publisher.peer.id)).toEqual(['on_unpublish', 'on_close']);
  await server.stop();
});

it('an https hook is called when its authority is known, and refuses everybody when it is not', async () => {
  using files = new Files();
  await using secure = await HookServer.start(() => '0', { tls: certificate });
  for (const env of [{ NODE_EXTRA_CA_CERTS: files.write('ca.pem', certificate.cert) }, {}]) {
    await using server = await ServerProcess.start({ vhost: () => hooksOf(secure), env });
    using publisher = await LivePublisher.open(server, 'live/one');
    const isKnown = 'NODE_EXTRA_CA_CERTS' in env;
    expect(publisher.rejection?.description).toBe(isKnown ? undefined : 'the on_connect hook gave no valid answer');
    if (!isKnown) await server.waitForLog(/has a certificate that is not trusted: self-signed certificate/);
  }
  expect(secure.bodies('on_publish')).toHaveLength(1);
});

describe('ffmpeg', () => {
  requires('ffmpeg');

  it('that is refused says why', async () => {
    hooks = await HookServer.start(({ body }) => (body.action === 'on_publish' ? '1' : '0'));
    server = await ServerProcess.start({ vhost: () => hooksOf(hooks) });
    const file = await clip('h264-aac');
    const { code, stderr } = await runForeign('ffmpeg', [
      '-nostdin',
      '-re',
      '-i',
      file,
      '-c',
      'copy',
      '-f',
      'flv',
      server.url('live/one'),
    ]);
    expect(code).not.toBe(0);
    expect(stderr).toContain('refused by the on_publish hook');
    await server.stop();
    await hooks.close();
  });
});
