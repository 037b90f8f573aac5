import { describe, expect, it } from 'vitest';
import { eventually, within } from '../../../test/support/deadline.ts';
import { failureOf } from '../../../test/support/failure.ts';
import { LoopbackServer } from '../../../test/support/loopback-server.ts';
import { FlvClip } from './flv-clip.ts';
import { FlvLoop } from './flv-loop.ts';
import { avcHeader, flvFile, keyFrame, metadata } from './flv-test-support.ts';

const LIMIT_MS = 10_000;
/** Four frames of 10 ms: many rounds within a second. */
const clip = FlvClip.read(flvFile([metadata, avcHeader, keyFrame(0, 1), keyFrame(10, 2), keyFrame(20, 3), keyFrame(30, 4)]));

describe('a clip published in a loop', () => {
  it('is one endless stream with its headers at the start', async () => {
    await using server = await LoopbackServer.start();
    let starts = 0;
    const loop = FlvLoop.start({ clip, target: server.url('live/one'), onPublishing: () => (starts += 1) });
    const peer = await server.peer();
    await within(peer.frameCount(2 + 4 * 20), LIMIT_MS, () => `${peer.frames.length} frames came`);
    await loop.stop();
    await loop.stop();
    await peer.unpublished();
    expect(starts).toBe(1);
    const [first, second, ...frames] = peer.frames;
    expect([first?.payload, second?.payload]).toEqual([metadata[2], avcHeader[2]]);
    expect(frames.map((frame) => frame.timestampMs)).toEqual(frames.map((_, index) => index * 10));
    expect(frames.map((frame) => frame.payload.at(-1))).toEqual(frames.map((_, index) => 1 + (index % 4)));
  });

  it('is published again when the server cuts it, from its start', async () => {
    await using server = await LoopbackServer.start();
    const lost: string[] = [];
    const loop = FlvLoop.start({ clip, target: server.url('live/one'), onLost: (reason) => lost.push(reason) });
    const first = await server.peer(0);
    await first.frameCount(5);
    first.socket.resetAndDestroy();
    const second = await within(server.peer(1), LIMIT_MS, () => 'it did not come back');
    await second.frameCount(3);
    await loop.stop();
    expect(lost).toEqual([expect.stringMatching(/ broke: \w+ ECONNRESET$|closed the connection/)]);
    expect(second.frames.slice(0, 3)).toEqual(first.frames.slice(0, 3));
  });

  it('is tried again, later each time, while the server refuses it', async () => {
    await using server = await LoopbackServer.start({
      answer: (request, peer) => {
        if (request === 'connect') peer.accept(request);
        else peer.session.reject('NetStream.Publish.BadName', 'taken');
      },
    });
    const lost: { readonly reason: string; readonly retryMs: number }[] = [];
    const loop = FlvLoop.start({
      clip,
      target: server.url('live/one'),
      random: () => 0,
      onLost: (reason, retryMs) => lost.push({ reason, retryMs }),
    });
    await eventually(
      () => lost.length >= 3,
      LIMIT_MS,
      () => `it was refused ${lost.length} times`,
    );
    await loop.stop();
    expect(lost.map((one) => one.retryMs).slice(0, 3)).toEqual([200, 400, 800]);
    expect(lost[0]?.reason).toMatch(/ refused: NetStream\.Publish\.BadName, taken$/);
  });

  it('stops while it waits for an answer, and while it waits to try again', async () => {
    await using silent = await LoopbackServer.start({ onSocket: (socket) => socket.resume() });
    const waiting = FlvLoop.start({ clip, target: silent.url('live/one') });
    await eventually(
      () => silent.connectionCount === 1,
      LIMIT_MS,
      () => 'it did not connect',
    );
    await within(waiting.stop(), LIMIT_MS, () => 'it did not stop');

    const gone = await LoopbackServer.start();
    const url = gone.url('live/one');
    await gone.stop();
    const lost = Promise.withResolvers<string>();
    const retrying = FlvLoop.start({ clip, target: url, onLost: (reason) => lost.resolve(reason) });
    expect(await lost.promise).toMatch(/^cannot connect to .*ECONNREFUSED/);
    await within(retrying.stop(), LIMIT_MS, () => 'it did not stop');
  });

  it('is refused for a target that is none', () => {
    expect(failureOf(() => FlvLoop.start({ clip, target: 'rtmp://h' })).errorName).toBe('RtmpTcUrl');
  });
});
