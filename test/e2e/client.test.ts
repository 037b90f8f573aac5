/** The client library against real servers: this one, FFmpeg, and a machine that does not answer. */
import { closeSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FlvClip, FlvLoop, parseRtmpUrl, RtmpPlayer, RtmpPublisher, RtmpRefusal } from '@srs/client';
import { type FrameType, frameTypes, SrsError } from '@srs/kernel';
import { listenTcp } from '@srs/native';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChildProgram } from '../support/child-program.ts';
import { eventually, within } from '../support/deadline.ts';
import { startForeign } from '../support/foreign.ts';
import { packetHashes } from '../support/media.ts';
import { claimPorts } from '../support/ports.ts';
import { requires } from '../support/requires.ts';
import { repositoryRoot, ServerProcess } from '../support/server-process.ts';

const LIMIT_MS = 30_000;
const clipFile = join(repositoryRoot, 'packages/client/assets/clip.flv');
const clip = FlvClip.read(readFileSync(clipFile));

interface Frame {
  readonly type: FrameType;
  readonly timestampMs: number;
  readonly payload: Buffer;
}

/** A player that keeps what it gets. */
async function openPlayer(url: string): Promise<{ readonly player: RtmpPlayer; readonly frames: Frame[] }> {
  const frames: Frame[] = [];
  const player = await RtmpPlayer.open(url, {
    onFrame: (type, timestampMs, payload) => frames.push({ type, timestampMs, payload: Buffer.from(payload) }),
  });
  return { player, frames };
}

/** Writes the whole clip as fast as the server takes it. */
async function writeClip(publisher: RtmpPublisher): Promise<void> {
  for (const { type, timeMs, payload } of [...clip.headers, ...clip.frames]) {
    if (!publisher.write(type, timeMs, payload)) await publisher.drained();
  }
}

async function errorOf(opening: Promise<unknown>): Promise<SrsError> {
  try {
    await opening;
  } catch (thrown) {
    if (thrown instanceof SrsError) return thrown;
    throw thrown;
  }
  throw new Error('it was opened');
}

describe('with this server', () => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await ServerProcess.start();
  });
  afterAll(() => server.stop());

  it('what is published is what players get, byte for byte, on whatever worker they are', async () => {
    const url = server.url('live/whole?token=x');
    const players = await Promise.all(Array.from({ length: 4 }, () => openPlayer(url)));
    const publisher = await RtmpPublisher.open(url);
    await writeClip(publisher);
    const media = (frames: readonly Frame[]) =>
      frames.filter((frame) => frame.type !== frameTypes.data && frame.payload[1] !== 0);
    for (const { frames } of players) {
      await eventually(
        () => media(frames).length >= clip.frames.length,
        LIMIT_MS,
        () => `${media(frames).length} of ${clip.frames.length} frames came`,
      );
      expect(media(frames).map((frame) => [frame.type, frame.payload])).toEqual(
        clip.frames.map((frame) => [frame.type, frame.payload]),
      );
    }
    expect(await publisher.close()).toEqual({ kind: 'closed' });
    for (const { player } of players) expect(await player.close()).toEqual({ kind: 'closed' });
  });

  it('knows who the server is', async () => {
    const publisher = await RtmpPublisher.open(server.url('live/who'));
    expect(server.pids()).toContain(publisher.client.connected?.peer?.pid);
    await publisher.close();
  });

  it('a second publisher is refused with the reason, and the first goes on', async () => {
    const first = await RtmpPublisher.open(server.url('live/busy'));
    const error = await errorOf(RtmpPublisher.open(server.url('live/busy')));
    expect(error).toBeInstanceOf(RtmpRefusal);
    expect((error as RtmpRefusal).rejection.code).toBe('NetStream.Publish.BadName');
    expect(first.write(frameTypes.audio, 0, Buffer.of(0xaf, 0, 0x11, 0x90))).toBe(true);
    await first.close();
    const next = await RtmpPublisher.open(server.url('live/busy'));
    await next.close();
  });

  it('a hundred connections open and close without a trace', async () => {
    for (let round = 0; round < 5; round++) {
      const players = await Promise.all(Array.from({ length: 20 }, () => openPlayer(server.url('live/none'))));
      await Promise.all(players.map(({ player }) => player.close()));
    }
    const workers = (await server.workers()).filter((worker) => worker.role === 'stream');
    await eventually(
      async () => {
        const answers = await Promise.all(workers.map(({ port }) => server.privateApi('/api/v1/clients', { port })));
        return answers.every((answer) => (answer as { data: unknown[] }).data.length === 0);
      },
      LIMIT_MS,
      () => 'clients are left',
    );
  });

  it('a loop is published again after its worker has died', async () => {
    const lost: string[] = [];
    let starts = 0;
    const loop = FlvLoop.start({
      clip,
      target: server.url('live/loop'),
      onPublishing: () => (starts += 1),
      onLost: (reason) => lost.push(reason),
    });
    await eventually(
      () => starts === 1,
      LIMIT_MS,
      () => lost.join('; '),
    );
    const publishing = await server.waitForLog(/client identified, type=publish.*stream_name=loop/);
    process.kill(Number(/\]\[(\d+)\]\[\d+\]/.exec(publishing)?.[1]), 'SIGKILL');
    await eventually(
      () => starts === 2,
      LIMIT_MS,
      () => lost.join('; '),
    );
    const { player, frames } = await openPlayer(server.url('live/loop'));
    await eventually(
      () => frames.length > 50,
      LIMIT_MS,
      () => `${frames.length} frames came`,
    );
    await player.close();
    await loop.stop();
  });
});

it('a server that stops tells its clients, and they say so', async () => {
  await using server = await ServerProcess.start({ workers: 'mode single;' });
  const { player } = await openPlayer(server.url('live/one'));
  const publisher = await RtmpPublisher.open(server.url('live/one'));
  await server.stop();
  const reasons = await Promise.all([player.closed, publisher.closed]);
  expect(reasons.map((reason) => reason.kind)).toEqual(['closed-by-server', 'closed-by-server']);
});

it('a machine that does not answer is given up after the limit', async () => {
  // A queue of connections that nobody accepts, filled up: the kernel drops what comes after.
  const listener = listenTcp({ host: '127.0.0.1', port: 0, backlog: 0, reusePort: false });
  const fillers: Socket[] = [];
  try {
    for (let count = 0; count < 8; count++) fillers.push(connect(listener.port, '127.0.0.1').on('error', () => {}));
    await eventually(
      () => fillers.some((socket) => socket.readyState === 'open'),
      LIMIT_MS,
      () => 'nothing connected',
    );
    const target = parseRtmpUrl(`rtmp://127.0.0.1:${listener.port}/live/one`);
    const error = await within(errorOf(RtmpPublisher.open(target, { connectTimeoutMs: 300 })), LIMIT_MS, () => 'it still waits');
    expect(error).toMatchObject({
      errorName: 'SocketTimeout',
      message: `rtmp://127.0.0.1:${listener.port}/live/one: no connection within 300 ms`,
    });
  } finally {
    for (const socket of fillers) socket.destroy();
    closeSync(listener.fd);
  }
});

it('a program that has closed its connections ends by itself', async () => {
  await using server = await ServerProcess.start({ workers: 'mode single;' });
  const child = join(import.meta.dirname, 'fixtures/client-that-ends.ts');
  const end = await ChildProgram.run(process.execPath, [child, server.url('live/one')], { limitMs: LIMIT_MS });
  expect(end).toMatchObject({ code: 0, stdout: 'closed closed refused\n', stderr: '' });
});

describe('with FFmpeg as the server', () => {
  requires('ffmpeg', 'ffprobe');
  const quiet = ['-nostdin', '-hide_banner', '-y'];

  it('FFmpeg receives the whole clip', async () => {
    const ports = await claimPorts();
    const file = join(tmpdir(), `srs-test-client-${ports.first}.flv`);
    const url = `rtmp://127.0.0.1:${ports.first}/live/one`;
    try {
      await using receiver = await startForeign('ffmpeg', [...quiet, '-f', 'flv', '-listen', '1', '-i', url, '-c', 'copy', file]);
      const publisher = await openWhenListening(() => RtmpPublisher.open(url));
      await writeClip(publisher);
      await publisher.close();
      expect(await receiver.waitForExit(LIMIT_MS)).toMatchObject({ code: 0 });
      const [got, sent] = await Promise.all([packetHashes(file), packetHashes(clipFile)]);
      expect(got.video.map((packet) => packet.hash)).toEqual(sent.video.map((packet) => packet.hash));
      expect(got.audio.map((packet) => packet.hash)).toEqual(sent.audio.map((packet) => packet.hash));
    } finally {
      ports.release();
      rmSync(file, { force: true });
    }
  });

  it('FFmpeg sends the whole clip', async () => {
    const ports = await claimPorts();
    const url = `rtmp://127.0.0.1:${ports.first}/live/one`;
    try {
      await using sender = await startForeign('ffmpeg', [
        ...quiet,
        '-i',
        clipFile,
        '-c',
        'copy',
        '-f',
        'flv',
        '-listen',
        '1',
        url,
      ]);
      const { player, frames } = await openWhenListening(() => openPlayer(url));
      await within(player.closed, LIMIT_MS, () => `FFmpeg goes on after ${frames.length} frames\n${sender.tail()}`);
      const pictures = (all: readonly { readonly type: FrameType; readonly payload: Buffer }[]) =>
        all.filter((frame) => frame.type === frameTypes.video && frame.payload[1] === 1).map((frame) => frame.payload);
      expect(pictures(frames)).toEqual(pictures(clip.frames));
    } finally {
      ports.release();
    }
  });

  /** FFmpeg does not say when it listens, and takes one connection only: whoever looks whether it does has used it up. */
  function openWhenListening<T>(open: () => Promise<T>): Promise<T> {
    return eventually(
      async () => {
        try {
          return await open();
        } catch (error) {
          if (error instanceof SrsError && error.errorName === 'SocketConnect') return undefined;
          throw error;
        }
      },
      LIMIT_MS,
      () => 'FFmpeg did not listen',
    );
  }
});
