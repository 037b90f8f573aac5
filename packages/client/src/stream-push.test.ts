import { describeError, frameTypes } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { eventually } from '../../../test/support/deadline.ts';
import { LoopbackServer } from '../../../test/support/loopback-server.ts';
import { parseRtmpUrl } from './rtmp-target.ts';
import { StreamPush, type StreamPushOptions } from './stream-push.ts';

const LIMIT_MS = 10_000;
const retry = { firstMs: 20, maxMs: 80, unwantedMaxMs: 160, steadyMs: 60_000 };
const never = { firstMs: 60_000, maxMs: 60_000, unwantedMaxMs: 60_000, steadyMs: 60_000 };

/** What a push tells its owner. */
class Events {
  readonly lines: string[] = [];

  readonly handler: StreamPushOptions['handler'] = {
    onReady: ({ port }) => void this.lines.push(`ready ${port}`),
    onDrained: () => void this.lines.push('drained'),
    onLost: ({ port }, reason) => void this.lines.push(`lost ${port}: ${describeError(reason)}`),
  };

  async have(start: string): Promise<void> {
    await eventually(
      () => this.lines.some((line) => line.startsWith(start)),
      LIMIT_MS,
      () => `no ${start} in ${this.lines.join(' | ')}`,
    );
  }
}

function push(events: Events, urls: readonly string[], options: Partial<StreamPushOptions> = {}): StreamPush {
  const targets = urls.map((url) => parseRtmpUrl(url));
  const started = new StreamPush({ targets, handler: events.handler, retry, random: () => 0, ...options });
  started.start();
  return started;
}

/** With how long it waits after each try. */
function pushWithWaits(server: Pick<LoopbackServer, 'url'>, times = retry) {
  const waits: number[] = [];
  const handler = {
    onReady: () => {},
    onDrained: () => {},
    onLost: (_target: unknown, _reason: unknown, retryMs: number) => void waits.push(retryMs),
  };
  return { waits, pushed: push(new Events(), [server.url('live/s')], { handler, retry: times }) };
}

const until = (isSo: () => boolean, what: string): Promise<true> => eventually(isSo, LIMIT_MS, () => `it is not ${what}`);

const frame = (bytes = 100): Buffer => Buffer.alloc(bytes, 0x17);

describe('a push', () => {
  it('publishes, and ends the publish in good order', async () => {
    await using server = await LoopbackServer.start();
    const events = new Events();
    const pushed = push(events, [server.url('live/s?token=x')]);
    expect([pushed.state, pushed.isFull]).toEqual(['connecting', true]);
    pushed.write(frameTypes.video, 0, frame());
    await events.have('ready');
    expect([pushed.state, pushed.isFull]).toEqual(['publishing', false]);
    pushed.write(frameTypes.video, 40, frame());
    const peer = await server.peer();
    await peer.frameCount(1);
    expect(peer.frames.map(({ timestampMs }) => timestampMs)).toEqual([40]);
    await pushed.close();
    await peer.unpublished();
    expect([pushed.state, pushed.isFull, pushed.sentFrames, pushed.connects]).toEqual(['closed', true, 1, 1]);
    expect(pushed.sentBytes).toBeGreaterThan(3000);
    expect(events.lines).toHaveLength(1);
  });

  it('connects again when the connection is lost', async () => {
    await using server = await LoopbackServer.start();
    const events = new Events();
    const pushed = push(events, [server.url('live/s')]);
    const first = await server.peer();
    await events.have('ready');
    first.socket.destroy();
    await events.have('lost');
    expect(pushed.isFull).toBe(true);
    const second = await server.peer(1);
    await eventually(
      () => pushed.connects === 2,
      LIMIT_MS,
      () => 'it does not come back',
    );
    pushed.write(frameTypes.video, 0, frame());
    await second.frameCount(1);
    await pushed.close();
  });

  it('tries the next server when one is away or closes', async () => {
    await using closing = await LoopbackServer.start({ onSocket: (socket) => void socket.destroy() });
    await using server = await LoopbackServer.start();
    const events = new Events();
    const pushed = push(events, ['rtmp://127.0.0.1:1/live/s', closing.url('live/s'), server.url('live/s')]);
    await events.have('ready');
    expect(events.lines).toEqual([
      expect.stringMatching(/^lost 1: .*cannot connect.*ECONNREFUSED/),
      expect.stringMatching(new RegExp(`^lost ${closing.port}: `)),
      `ready ${server.port}`,
    ]);
    await pushed.close();
  });

  it('asks the same server again when that refuses, and not another one', async () => {
    let answers = 0;
    await using busy = await LoopbackServer.start({
      answer: (request, peer) => {
        if (request !== 'publish') peer.accept(request);
        else if (answers++ === 0) peer.session.reject('NetStream.Publish.BadName', 'busy');
        else peer.accept(request);
      },
    });
    await using other = await LoopbackServer.start();
    const events = new Events();
    const pushed = push(events, [busy.url('live/s'), other.url('live/s')]);
    await events.have('ready');
    expect(events.lines).toEqual([
      expect.stringMatching(new RegExp(`^lost ${busy.port}: .*NetStream.Publish.BadName, busy`)),
      `ready ${busy.port}`,
    ]);
    expect(other.connectionCount).toBe(0);
    await pushed.close();
  });

  it('waits longer each time for a server that takes something and breaks off', async () => {
    await using server = await LoopbackServer.start();
    const { pushed, waits } = pushWithWaits(server);
    for (let round = 0; round < 5; round += 1) {
      const peer = await server.peer(round);
      await until(() => pushed.connects > round, 'ready');
      pushed.write(frameTypes.video, 0, frame());
      await peer.frameCount(1);
      peer.socket.end();
    }
    await until(() => waits.length === 5, 'lost');
    await pushed.close();
    expect(waits).toEqual([20, 40, 80, 160, 160]);
  });

  it('waits longer each time for a server that refuses', async () => {
    await using server = await LoopbackServer.start({
      answer: (request, peer) =>
        request === 'publish' ? peer.session.reject('NetStream.Publish.BadName', 'busy') : peer.accept(request),
    });
    const { pushed, waits } = pushWithWaits(server);
    await until(() => waits.length === 5, 'lost');
    await pushed.close();
    expect(waits).toEqual([20, 40, 80, 160, 160]);
  });

  it('starts over when a publish has lasted', async () => {
    await using server = await LoopbackServer.start();
    const { pushed, waits } = pushWithWaits(server, { ...retry, steadyMs: 1 });
    for (let round = 0; round < 3; round += 1) {
      const peer = await server.peer(round);
      await until(() => pushed.connects > round, 'ready');
      // A timer that was set later goes off later.
      await new Promise((resolve) => void setTimeout(resolve, 2));
      peer.socket.end();
      await until(() => waits.length > round, 'lost');
    }
    await pushed.close();
    expect(waits).toEqual([20, 20, 20]);
  });

  it('waits for a server that is away no longer than its own limit', async () => {
    const { pushed, waits } = pushWithWaits({ url: (path) => `rtmp://127.0.0.1:1/${path}` });
    await until(() => waits.length === 4, 'lost');
    await pushed.close();
    expect(waits).toEqual([20, 40, 80, 80]);
  });

  it('goes where the server sends it', async () => {
    await using server = await LoopbackServer.start();
    await using redirecting = await LoopbackServer.start({
      answer: (_request, peer) => peer.session.redirect({ tcUrl: server.url('other') }),
    });
    const events = new Events();
    const pushed = push(events, [redirecting.url('live/s')]);
    await events.have(`ready ${server.port}`);
    const peer = await server.peer();
    expect(peer.requests.slice(0, 2)).toEqual([`connect ${server.url('other')} other`, 'publish s']);
    await pushed.close();
  });

  it('goes at once where the server sends it in the middle, without waiting', async () => {
    await using server = await LoopbackServer.start();
    await using leaving = await LoopbackServer.start();
    const events = new Events();
    const pushed = push(events, [leaving.url('live/s')], { retry: never });
    const peer = await leaving.peer();
    await events.have(`ready ${leaving.port}`);
    pushed.write(frameTypes.video, 0, frame());
    await peer.frameCount(1);
    peer.session.redirect({ tcUrl: server.url('live') });
    await events.have(`ready ${server.port}`);
    expect(pushed.target.port).toBe(leaving.port);
    await pushed.close();
  });

  it('waits before it follows a server that has taken nothing', async () => {
    await using leaving = await LoopbackServer.start();
    const events = new Events();
    const pushed = push(events, [leaving.url('live/s')], { retry: never });
    const peer = await leaving.peer();
    await events.have(`ready ${leaving.port}`);
    peer.session.redirect({ tcUrl: leaving.url('live') });
    await events.have('lost');
    expect(pushed.state).toBe('waiting');
    await pushed.close();
  });

  it('gives up a server that sends it in circles', async () => {
    await using server: LoopbackServer = await LoopbackServer.start({
      answer: (_request, peer) => peer.session.redirect({ tcUrl: server.url('live') }),
    });
    const events = new Events();
    const pushed = push(events, [server.url('live/s')], { retry: never });
    await events.have('lost');
    expect(events.lines[0]).toContain('redirects more than 4 times');
    await pushed.close();
  });

  it('is full while the server does not read, and tells when that is over', async () => {
    await using server = await LoopbackServer.start();
    const events = new Events();
    const pushed = push(events, [server.url('live/s')]);
    await events.have('ready');
    const peer = await server.peer();
    peer.socket.pause();
    while (!pushed.isFull) {
      for (let index = 0; index < 100; index += 1) pushed.write(frameTypes.video, 0, frame(10_000));
      await new Promise(setImmediate);
    }
    expect(events.lines).toHaveLength(1);
    peer.socket.resume();
    await events.have('drained');
    expect(pushed.isFull).toBe(false);
    await pushed.close();
  });

  it('can be closed at every stage', async () => {
    await using silent = await LoopbackServer.start({ onSocket: (socket) => void socket.resume() });
    const events = new Events();
    const connecting = push(events, [silent.url('live/s')]);
    await eventually(
      () => silent.connectionCount === 1,
      LIMIT_MS,
      () => 'not connected',
    );
    await connecting.close();
    const waiting = push(events, ['rtmp://127.0.0.1:1/live/s'], { retry: never });
    await events.have('lost 1');
    await waiting.close();
    await waiting.close();
    expect([connecting.state, waiting.state]).toEqual(['closed', 'closed']);
    await eventually(
      () => silent.connectionCount === 0,
      LIMIT_MS,
      () => 'a connection is left',
    );
  });
});
