import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describeError, frameTypes, SrsError } from '@srs/kernel';
import { encodeMessage, messageTypes, nodeRtmpCrypto, ServerHandshake } from '@srs/rtmp';
import { describe, expect, it } from 'vitest';
import { certificate, expired } from '../../../test/support/certificates.ts';
import { eventually, within } from '../../../test/support/deadline.ts';
import { LoopbackServer } from '../../../test/support/loopback-server.ts';
import { describeCloseReason } from './client-options.ts';
import { RtmpClient } from './rtmp-client.ts';
import { RtmpPlayer } from './rtmp-player.ts';
import { RtmpPublisher } from './rtmp-publisher.ts';
import { RtmpRefusal } from './rtmp-refusal.ts';

const LIMIT_MS = 10_000;

/** What `opening` rejects with; it must be an SrsError. */
async function refusalOf(opening: Promise<unknown>): Promise<SrsError> {
  try {
    await opening;
  } catch (thrown) {
    if (thrown instanceof SrsError) return thrown;
    throw thrown;
  }
  throw new Error('it was opened');
}

async function noConnections(server: LoopbackServer): Promise<void> {
  await eventually(
    () => server.connectionCount === 0,
    LIMIT_MS,
    () => `${server.connectionCount} connections were left open`,
  );
}

/** Shakes hands, then sends `bytes` and reads whatever comes. */
function afterHandshake(socket: Socket, bytes: () => Buffer): void {
  const handshake = new ServerHandshake({
    crypto: nodeRtmpCrypto,
    unixSeconds: () => 0,
    send: (answer) => void socket.write(answer),
  });
  let isDone = false;
  socket.on('data', (data: Buffer) => {
    if (isDone || handshake.receive(data) === undefined) return;
    isDone = true;
    socket.write(bytes());
  });
}

describe('publishing', () => {
  it('brings every frame to the server as it is, and says goodbye', async () => {
    await using server = await LoopbackServer.start();
    const publisher = await RtmpPublisher.open(server.url('live/one?token=x'));
    const peer = await server.peer();
    const big = Buffer.alloc(200_000, 7);
    expect(publisher.write(frameTypes.video, 40, Buffer.of(0x17, 1, 2))).toBe(true);
    publisher.write(frameTypes.audio, 0x7fffffff, big);
    await peer.frameCount(2);
    expect(peer.frames).toEqual([
      { type: 9, timestampMs: 40, payload: Buffer.of(0x17, 1, 2) },
      { type: 8, timestampMs: 0x7fffffff, payload: big },
    ]);
    expect(peer.requests).toEqual([`connect rtmp://127.0.0.1:${server.port}/live live`, 'publish one?token=x']);

    expect(await publisher.close()).toEqual({ kind: 'closed' });
    await peer.unpublished();
    await peer.closed();
    expect(publisher.write(frameTypes.video, 80, Buffer.of(1))).toBe(false);
    expect(await publisher.closed).toEqual({ kind: 'closed' });
  });

  it('sends what waits before it closes', async () => {
    await using server = await LoopbackServer.start();
    const publisher = await RtmpPublisher.open(server.url('live/one'));
    const peer = await server.peer();
    const payload = Buffer.alloc(60_000);
    for (let count = 0; count < 100; count++) publisher.write(frameTypes.video, count, payload);
    await publisher.close();
    await peer.unpublished();
    expect(peer.frames).toHaveLength(100);
  });

  it('knows who the server is', async () => {
    await using server = await LoopbackServer.start();
    const { client } = await RtmpPublisher.open(server.url('live/one'));
    expect(client.connected?.peer).toMatchObject({ server: 'loopback', pid: 7, id: 9 });
    expect(client.localAddress).toBe('127.0.0.1');
    expect(client.bytesReceived).toBeGreaterThan(3073);
    expect(client.bytesSent).toBeGreaterThan(3073);
    await client.close();
  });

  it('tells that the server does not keep up, and when it does again', async () => {
    await using server = await LoopbackServer.start();
    const publisher = await RtmpPublisher.open(server.url('live/one'));
    const peer = await server.peer();
    peer.socket.pause();
    const payload = Buffer.alloc(100_000);
    let sent = 1;
    while (publisher.write(frameTypes.video, sent, payload)) sent += 1;
    let isDrained = false;
    const drained = publisher.drained().then(() => {
      isDrained = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isDrained).toBe(false);
    expect(publisher.client.bytesUnsent).toBeGreaterThan(0);
    peer.socket.resume();
    await within(drained, LIMIT_MS, () => 'the publisher was not drained');
    expect(publisher.client.bytesUnsent).toBe(0);
    await peer.frameCount(sent);
    expect(publisher.write(frameTypes.video, sent, Buffer.of(1))).toBe(true);
    await publisher.drained();
    await publisher.close();
  });

  it('gives up a server that reads nothing for too long', async () => {
    await using server = await LoopbackServer.start();
    const publisher = await RtmpPublisher.open(server.url('live/one'), { sendTimeoutMs: 100 });
    (await server.peer()).socket.pause();
    const payload = Buffer.alloc(100_000);
    for (let count = 0; publisher.write(frameTypes.video, count, payload); count++);
    await within(publisher.drained(), LIMIT_MS, () => 'nobody told the writer');
    expect(describeCloseReason(await publisher.closed)).toMatch(
      /^rtmp:\/\/127\.0\.0\.1:\d+\/live\/one: \d+ bytes not taken within 100 ms$/,
    );
  });

  it('holds no more than the limit for a server that reads nothing', async () => {
    await using server = await LoopbackServer.start();
    const publisher = await RtmpPublisher.open(server.url('live/one'), { maxUnsentBytes: 1_000_000 });
    (await server.peer()).socket.pause();
    const payload = Buffer.alloc(100_000);
    let highest = 0;
    for (let count = 0; count < 200; count++) {
      publisher.write(frameTypes.video, count, payload);
      highest = Math.max(highest, publisher.client.bytesUnsent);
    }
    expect(highest).toBeLessThanOrEqual(1_101_000);
    expect(describeCloseReason(await publisher.closed)).toMatch(/leaves \d+ bytes unread, must be at most 1000000$/);
  });

  it('reports the error that the server told before it closed', async () => {
    await using server = await LoopbackServer.start();
    const seen: string[] = [];
    const publisher = await RtmpPublisher.open(server.url('live/one'), { onStatus: (status) => seen.push(status.code) });
    const peer = await server.peer();
    peer.session.notify({ level: 'error', code: 'NetStream.Publish.BadName', description: 'taken' });
    peer.socket.end();
    const reason = await publisher.closed;
    expect(reason).toMatchObject({ kind: 'closed-by-server', status: { code: 'NetStream.Publish.BadName' } });
    expect(describeCloseReason(reason)).toBe('the server closed the connection: NetStream.Publish.BadName, taken');
    expect(seen).toContain('NetStream.Publish.BadName');
  });

  it('ends within the limit when the server keeps its side open', async () => {
    let hasEnded = false;
    await using server = await LoopbackServer.start({
      answer: (request, peer) => {
        peer.socket.allowHalfOpen = true;
        peer.socket.once('end', () => {
          hasEnded = true;
        });
        peer.accept(request);
      },
    });
    const publisher = await RtmpPublisher.open(server.url('live/one'));
    expect(await within(publisher.close(), LIMIT_MS, () => 'it stayed open')).toEqual({ kind: 'closed' });
    expect(hasEnded).toBe(true);
  });
});

describe('playing', () => {
  it('delivers every frame of the server, headers and data too', async () => {
    await using server = await LoopbackServer.start();
    const frames: unknown[] = [];
    const arrived = Promise.withResolvers<void>();
    const player = await RtmpPlayer.open(server.url('live/one'), {
      onFrame: (type, timestampMs, payload) => {
        frames.push({ type, timestampMs, payload: Buffer.from(payload) });
        if (frames.length === 3) arrived.resolve();
      },
    });
    const peer = await server.peer();
    const big = Buffer.alloc(300_000, 3);
    const sent = [
      { type: frameTypes.data, timestampMs: 0, payload: Buffer.from('020001613ff0000000000000', 'hex') },
      { type: frameTypes.video, timestampMs: 1, payload: big },
      { type: frameTypes.audio, timestampMs: 0xffffff, payload: Buffer.of(0xaf, 1, 9) },
    ] as const;
    for (const { type, timestampMs, payload } of sent) peer.sendFrame(type, timestampMs, payload);
    await within(arrived.promise, LIMIT_MS, () => `${frames.length} of 3 frames came`);
    expect(frames).toEqual(sent);

    player.pause(true);
    await eventually(
      () => peer.requests.includes('pause true'),
      LIMIT_MS,
      () => 'no pause came',
    );
    expect(await player.close()).toEqual({ kind: 'closed' });
    await peer.closed();
  });

  it('delivers frames that come in the same breath as the last answer', async () => {
    await using server = await LoopbackServer.start({
      answer: (request, peer) => {
        peer.socket.cork();
        peer.accept(request);
        if (request === 'play') peer.sendFrame(frameTypes.video, 5, Buffer.of(0x17, 1));
        peer.socket.uncork();
      },
    });
    const times: number[] = [];
    const player = await RtmpPlayer.open(server.url('live/one'), { onFrame: (_type, timestampMs) => times.push(timestampMs) });
    await eventually(
      () => times.length > 0,
      LIMIT_MS,
      () => 'no frame came',
    );
    expect(times).toEqual([5]);
    await player.close();
  });

  it('an error in the handler of frames ends that connection, and is its reason', async () => {
    await using server = await LoopbackServer.start();
    const fault = new TypeError('a fault of the owner');
    const broken = await RtmpPlayer.open(server.url('live/one'), {
      onFrame: () => {
        throw fault;
      },
    });
    const whole = await RtmpPlayer.open(server.url('live/two'), { onFrame: () => {} });
    (await server.peer(0)).sendFrame(frameTypes.video, 0, Buffer.of(0x17, 1));
    expect(await within(broken.closed, LIMIT_MS, () => 'it lived on')).toEqual({ kind: 'failed', error: fault });
    await (await server.peer(0)).closed();
    await whole.close();
  });

  it('may be closed from within the handler of frames', async () => {
    await using server = await LoopbackServer.start();
    let frames = 0;
    const player = await RtmpPlayer.open(server.url('live/one'), {
      onFrame: () => {
        frames += 1;
        void player.close();
      },
    });
    const peer = await server.peer();
    peer.socket.cork();
    for (let count = 0; count < 5; count++) peer.sendFrame(frameTypes.audio, count, Buffer.of(0xaf, 1));
    peer.socket.uncork();
    expect(await within(player.closed, LIMIT_MS, () => 'it lived on')).toEqual({ kind: 'closed' });
    expect(frames).toBe(1);
  });

  it('tells a connection that is cut from one that the server closes', async () => {
    await using server = await LoopbackServer.start();
    const player = await RtmpPlayer.open(server.url('live/one'), { onFrame: () => {} });
    (await server.peer()).socket.resetAndDestroy();
    const reason = await player.closed;
    expect(reason).toMatchObject({ kind: 'failed', error: { errorName: 'SocketRead' } });
    expect(describeCloseReason(reason)).toMatch(/^connection to rtmp:\S+ broke: read ECONNRESET$/);
  });

  it('ends when nothing comes for longer than it was told', async () => {
    await using server = await LoopbackServer.start();
    const player = await RtmpPlayer.open(server.url('live/one'), { onFrame: () => {}, idleTimeoutMs: 100 });
    expect(await within(player.closed, LIMIT_MS, () => 'it lived on')).toMatchObject({
      kind: 'failed',
      error: { errorName: 'SocketTimeout' },
    });
  });
});

describe('connecting only', () => {
  it('is open as soon as the server lets the client in, and carries commands', async () => {
    await using server = await LoopbackServer.start();
    const client = await RtmpClient.open(server.url('live/one'), { role: 'connect' });
    client.sendCommand('onSrsBandCheckStartingPlayBytes', null);
    const peer = await server.peer();
    await eventually(
      () => peer.requests.at(-1) === 'command onSrsBandCheckStartingPlayBytes',
      LIMIT_MS,
      () => `the server saw ${peer.requests.join(', ')}`,
    );
    await client.close();
  });
});

describe('a connection that does not come about', () => {
  it.each(['connect', 'publish'] as const)('is a refusal with code and description when %s is rejected', async (refused) => {
    await using server = await LoopbackServer.start({
      answer: (request, peer) =>
        request === refused ? peer.session.reject('NetStream.Publish.BadName', 'one is taken') : peer.accept(request),
    });
    const error = await refusalOf(RtmpPublisher.open(server.url('live/one?token=secret')));
    expect(error).toBeInstanceOf(RtmpRefusal);
    expect(error.message).toMatch(/^rtmp:\/\/127\.0\.0\.1:\d+\/live\/one refused: NetStream\.Publish\.BadName, one is taken$/);
    expect((error as RtmpRefusal).rejection).toMatchObject({ code: 'NetStream.Publish.BadName', description: 'one is taken' });
    expect((error as RtmpRefusal).redirect).toBeUndefined();
    await noConnections(server);
  });

  it('gives the address of a redirect as a value', async () => {
    await using server = await LoopbackServer.start({
      answer: (request, peer) =>
        request === 'play' ? peer.session.redirect({ tcUrl: 'rtmp://b/live', url: 'rtmp://b/live/one' }) : peer.accept(request),
    });
    const error = await refusalOf(RtmpPlayer.open(server.url('live/one'), { onFrame: () => {} }));
    expect((error as RtmpRefusal).redirect).toEqual({ tcUrl: 'rtmp://b/live', url: 'rtmp://b/live/one' });
  });

  it('names the machine when nobody listens there', async () => {
    const server = await LoopbackServer.start();
    const url = server.url('live/one');
    await server.stop();
    const error = await refusalOf(RtmpPublisher.open(url));
    expect(error).toMatchObject({ errorName: 'SocketConnect', message: `cannot connect to ${url}` });
    expect(error.cause).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('names the machine when its name is unknown', async () => {
    const error = await refusalOf(RtmpPublisher.open('rtmp://no..name/live/one'));
    expect(error).toMatchObject({ errorName: 'DnsResolve', message: 'cannot connect to rtmp://no..name/live/one' });
  });

  it('is given up when the server says nothing', async () => {
    await using server = await LoopbackServer.start({ onSocket: (socket) => socket.resume() });
    const error = await refusalOf(RtmpPublisher.open(server.url('live/one'), { startTimeoutMs: 100 }));
    expect(error.errorName).toBe('SocketTimeout');
    expect(error.message).toMatch(/one: publish not answered \(in phase handshake\) within 100 ms$/);
    await noConnections(server);
  });

  it('is given up when the server does not answer the last command', async () => {
    await using server = await LoopbackServer.start({
      answer: (request, peer) => {
        if (request === 'connect') peer.accept(request);
      },
    });
    const error = await refusalOf(RtmpPlayer.open(server.url('live/one'), { onFrame: () => {}, startTimeoutMs: 200 }));
    expect(error.message).toMatch(/one: play not answered \(in phase start\) within 200 ms$/);
    await noConnections(server);
  });

  it('names the phase in which the server closed', async () => {
    await using server = await LoopbackServer.start({ answer: (_request, peer) => peer.socket.end() });
    const error = await refusalOf(RtmpPublisher.open(server.url('live/one')));
    expect(error.errorName).toBe('SocketClosed');
    expect(error.message).toMatch(/one closed the connection without an answer \(in phase connect\)$/);
  });

  it.each([
    ['no RTMP', () => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), 'RtmpPlainRequired'],
    ['another version', () => Buffer.alloc(3073, 6), 'RtmpPlainRequired'],
  ])('is an error of the protocol when the server speaks %s', async (_what, bytes, errorName) => {
    await using server = await LoopbackServer.start({
      onSocket: (socket) => {
        socket.resume();
        socket.write(bytes());
      },
    });
    expect((await refusalOf(RtmpPublisher.open(server.url('live/one')))).errorName).toBe(errorName);
    await noConnections(server);
  });

  it('takes no more than 1 MiB from a server that talks instead of answering', async () => {
    let sentBytes = 0;
    await using server = await LoopbackServer.start({
      onSocket: (socket) => {
        const chatter = encodeMessage(3, messageTypes.amf0Data, 0, 0, Buffer.alloc(50_000, 5), 128);
        const talk = () => {
          while (socket.writable && socket.write(chatter)) sentBytes += chatter.length;
        };
        afterHandshake(socket, () => chatter);
        socket.once('data', () => talk());
        socket.on('drain', talk);
      },
    });
    const error = await refusalOf(RtmpPublisher.open(server.url('live/one'), { startTimeoutMs: LIMIT_MS }));
    expect(error.errorName).toBe('RtmpResponse');
    expect(error.message).toMatch(/one sent \d+ bytes before it answered, must be at most 1048576$/);
    await noConnections(server);
    expect(sentBytes).toBeGreaterThan(1024 * 1024);
  });

  it('is given up when it is aborted, before it begins and while it waits', async () => {
    await using server = await LoopbackServer.start({ onSocket: (socket) => socket.resume() });
    const before = await refusalOf(RtmpPublisher.open(server.url('live/one'), { signal: AbortSignal.abort() }));
    expect(before).toMatchObject({ errorName: 'SocketClosed', message: `connecting to ${server.url('live/one')} was given up` });
    const abort = new AbortController();
    const opening = refusalOf(RtmpPublisher.open(server.url('live/one'), { signal: abort.signal }));
    await eventually(
      () => server.connectionCount === 1,
      LIMIT_MS,
      () => 'nobody connected',
    );
    abort.abort();
    expect((await opening).message).toMatch(/was given up$/);
    await noConnections(server);
  });

  it('an open connection no longer hears the signal', async () => {
    await using server = await LoopbackServer.start();
    const abort = new AbortController();
    const publisher = await RtmpPublisher.open(server.url('live/one'), { signal: abort.signal });
    abort.abort();
    publisher.write(frameTypes.audio, 0, Buffer.of(0xaf, 1));
    await (await server.peer()).frameCount(1);
    await publisher.close();
  });

  it('opens no socket for an address or option that is wrong', async () => {
    expect((await refusalOf(RtmpPublisher.open('rtmp://h'))).errorName).toBe('RtmpTcUrl');
    await using server = await LoopbackServer.start();
    expect((await refusalOf(RtmpPublisher.open(server.url('live/one'), { chunkSize: 1 }))).errorName).toBe('RtmpChunkSize');
    expect(server.connectionCount).toBe(0);
  });

  it('a server that asks without end and reads nothing fills no memory here', async () => {
    await using server = await LoopbackServer.start();
    const player = await RtmpPlayer.open(server.url('live/one'), { onFrame: () => {}, maxUnsentBytes: 100_000 });
    const { socket } = await server.peer();
    socket.pause();
    const ping = encodeMessage(2, messageTypes.userControl, 0, 0, Buffer.of(0, 6, 0, 0, 0, 1), 128);
    const pings = Buffer.concat(Array.from({ length: 4096 }, () => ping));
    const flood = async () => {
      while (socket.writable) if (!socket.write(pings)) await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
    };
    void flood().catch(() => {});
    const reason = await within(player.closed, LIMIT_MS, () => `it held ${player.client.bytesUnsent} bytes`);
    expect(describeCloseReason(reason)).toMatch(/leaves \d+ bytes unread, must be at most 100000$/);
  });
});

describe('RTMP within TLS', () => {
  it('brings frames both ways to a server whose certificate is known', async () => {
    await using server = await LoopbackServer.start({ tls: certificate });
    const publisher = await RtmpPublisher.open(server.url('live/one'), { ca: certificate.cert });
    const sender = await server.peer();
    const big = Buffer.alloc(300_000, 7);
    publisher.write(frameTypes.video, 40, big);
    await sender.frameCount(1);
    expect(sender.frames[0]?.payload.equals(big)).toBe(true);
    expect(sender.requests[0]).toBe(`connect rtmps://127.0.0.1:${server.port}/live live`);
    await publisher.close();

    const played: Buffer[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const player = await RtmpPlayer.open(server.url('live/one'), {
      ca: certificate.cert,
      onFrame: (_type, _timestampMs, payload) => {
        played.push(Buffer.from(payload));
        if (played.length === 2) resolve();
      },
    });
    const receiver = await server.peer(1);
    receiver.sendFrame(frameTypes.video, 0, big);
    receiver.sendFrame(frameTypes.audio, 10, Buffer.of(0xaf, 1, 2));
    await within(promise, LIMIT_MS, () => `${played.length} frames came`);
    expect(played[0]?.equals(big)).toBe(true);
    await player.close();
    await noConnections(server);
  });

  it.each([
    ['is not known', certificate, {}],
    ['has expired', expired, { ca: expired.cert }],
  ])('is refused when the certificate %s, unless that does not matter', async (_, tls, options) => {
    await using server = await LoopbackServer.start({ tls });
    const error = await refusalOf(RtmpPublisher.open(server.url('live/one'), options));
    expect(error.errorName).toBe('SocketConnect');
    expect(describeError(error)).toMatch(/certificate/);
    const publisher = await RtmpPublisher.open(server.url('live/one'), { ...options, verifiesCertificate: false });
    await publisher.close();
    await noConnections(server);
  });
});
