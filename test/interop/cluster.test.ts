/** Servers of other makers as origins of an edge, and as those that streams are forwarded to. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addressOf } from '../e2e/cluster-test-support.ts';
import { LivePlayer, LivePublisher } from '../e2e/live-client-test-support.ts';
import { GOP_FRAMES } from '../e2e/stamped-media-test-support.ts';
import { publishWithFfmpeg, runForeign, startForeign } from '../support/foreign.ts';
import { clip } from '../support/media.ts';
import { NginxRtmp, requiresNginx } from '../support/nginx.ts';
import { NodeMediaServer } from '../support/node-media-server.ts';
import { claimPorts } from '../support/ports.ts';
import { requires } from '../support/requires.ts';
import { ServerProcess } from '../support/server-process.ts';

/** nginx lets a player in with sound alone, and with pictures from the next key frame on; from there it must be whole. */
async function expectWholeFromKeyFrame(players: readonly LivePlayer[]): Promise<void> {
  await Promise.all(
    players.map((player) => player.waitFor('two groups of pictures', () => player.checker.frames > 2 * GOP_FRAMES)),
  );
  for (const { checker } of players) {
    expect(checker.faults.filter((fault) => !fault.includes('begin'))).toEqual([]);
    expect(checker.gaps.filter(({ to }) => to > checker.firstSequence + GOP_FRAMES)).toEqual([]);
  }
}

describe.concurrent('nginx', () => {
  const hasNginx = requiresNginx();
  let nginx: NginxRtmp;
  let edge: ServerProcess;
  let source: ServerProcess;

  beforeAll(async () => {
    if (!hasNginx) return;
    nginx = await NginxRtmp.start();
    edge = await ServerProcess.start({ vhost: `mode remote; origin ${addressOf(nginx)};` });
    source = await ServerProcess.start({
      vhost: `forward ${addressOf(nginx)};`,
      top: `vhost url.test { forward rtmp://${addressOf(nginx)}/live/[app]-[stream]?key=abc[param]; }`,
    });
  });

  afterAll(async () => {
    await edge?.stop();
    await source?.stop();
    await nginx?.[Symbol.asyncDispose]();
  });

  it('is an origin to pull from', async () => {
    const publisher = await LivePublisher.start(nginx, 'live/origin');
    const players = await LivePlayer.crowd(edge, 'live/origin', 4);
    await expectWholeFromKeyFrame(players);
    for (const client of [publisher, ...players]) client.leave();
  });

  it('is an origin to push to', async () => {
    const player = await LivePlayer.start(nginx, 'live/pushed');
    const publisher = await LivePublisher.start(edge, 'live/pushed');
    await expectWholeFromKeyFrame([player]);
    for (const client of [publisher, player]) client.leave();
  });

  it('is one to forward to', async () => {
    const player = await LivePlayer.start(nginx, 'live/forwarded');
    const publisher = await LivePublisher.start(source, 'live/forwarded');
    await expectWholeFromKeyFrame([player]);
    for (const client of [publisher, player]) client.leave();
  });

  it('is one to forward to under another name', async () => {
    const publishedAs = 'live/named';
    const player = await LivePlayer.start(nginx, 'live/live-named', { publishedAs });
    const publisher = await LivePublisher.start(source, publishedAs, { tcUrlParameters: '?vhost=url.test', parameters: '?a=b' });
    await expectWholeFromKeyFrame([player]);
    for (const client of [publisher, player]) client.leave();
  });

  it('pushes and pulls', async () => {
    await using server = await ServerProcess.start();
    await using relay = await NginxRtmp.start(`push rtmp://${addressOf(server)}/live;`);
    await using mirror = await NginxRtmp.start(`pull rtmp://${addressOf(server)}/live;`);
    const here = await LivePlayer.start(server, 'live/relayed');
    const publisher = await LivePublisher.start(relay, 'live/relayed');
    await here.waitForFrames(50);
    const there = await LivePlayer.start(mirror, 'live/relayed');
    await expectWholeFromKeyFrame([here, there]);
    for (const client of [publisher, here, there]) client.leave();
  });
});

describe.concurrent('Node-Media-Server', () => {
  let other: NodeMediaServer;
  let edge: ServerProcess;
  let source: ServerProcess;

  beforeAll(async () => {
    other = await NodeMediaServer.start();
    const { host, httpPort } = other.place;
    edge = await ServerProcess.start({
      vhost: `mode remote; origin ${addressOf(other)};`,
      top: `vhost flv.test { cluster { mode remote; origin ${host}:${httpPort}; protocol flv; } }`,
      workers: 'mode single;',
    });
    source = await ServerProcess.start({ vhost: `forward ${addressOf(other)};`, workers: 'mode single;' });
  });

  afterAll(async () => {
    await edge?.stop();
    await source?.stop();
    await other?.[Symbol.asyncDispose]();
  });

  it('is an origin to pull from', async () => {
    const publisher = await LivePublisher.start(other, 'live/origin');
    const players = await LivePlayer.crowd(edge, 'live/origin', 4);
    await expectWholeFromKeyFrame(players);
    for (const client of [publisher, ...players]) client.leave();
  });

  it('is an origin to pull from over HTTP-FLV, whoever comes first', async () => {
    const players = await LivePlayer.crowd(edge, 'live/over-http', 2, { tcUrlParameters: '?vhost=flv.test' });
    const publisher = await LivePublisher.start(other, 'live/over-http');
    players.push(await LivePlayer.start(edge, 'live/over-http', { tcUrlParameters: '?vhost=flv.test' }));
    await expectWholeFromKeyFrame(players);
    for (const client of [publisher, ...players]) client.leave();
  });

  it('is an origin to push to', async () => {
    const publisher = await LivePublisher.start(edge, 'live/pushed');
    const player = await LivePlayer.start(other, 'live/pushed');
    await expectWholeFromKeyFrame([player]);
    for (const client of [publisher, player]) client.leave();
  });

  it('is one to forward to', async () => {
    const publisher = await LivePublisher.start(source, 'live/forwarded');
    const player = await LivePlayer.start(other, 'live/forwarded');
    await expectWholeFromKeyFrame([player]);
    for (const client of [publisher, player]) client.leave();
  });

  it('pulls and pushes', async () => {
    await using server = await ServerProcess.start({ workers: 'mode single;' });
    // It names the whole path as its tcUrl, the stream included: so that is the app here.
    const here = await LivePublisher.start(server, 'live/fetched/fetched');
    await other.relay({ mode: 'pull', url: server.url('live/fetched'), streamPath: '/live/fetched' });
    const there = await LivePublisher.start(other, 'live/sent');
    await other.relay({ mode: 'push', url: server.url('live/sent'), streamPath: '/live/sent' });
    const players = [
      await LivePlayer.start(other, 'live/fetched', { publishedAs: here.path }),
      await LivePlayer.start(server, 'live/sent/sent', { publishedAs: there.path }),
    ];
    await expectWholeFromKeyFrame(players);
    for (const client of [here, there, ...players]) client.leave();
  });
});

describe('ffmpeg that listens', () => {
  requires('ffmpeg', 'ffprobe');
  let directory: string;
  let ports: Awaited<ReturnType<typeof claimPorts>>;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'srs-listen-'));
    ports = await claimPorts();
  });

  afterAll(() => {
    ports?.release();
    rmSync(directory, { recursive: true, force: true });
  });

  /** Three seconds of what `url` gives, with ffmpeg as client or as server. */
  const record = async (file: string, url: string, ...options: string[]) =>
    await startForeign('ffmpeg', ['-nostdin', ...options, '-i', url, '-c', 'copy', '-t', '3', join(directory, file)]);

  async function expectThreeSeconds(file: string): Promise<void> {
    const shown = ['-show_entries', 'stream=codec_name:format=duration', '-of', 'csv=p=0'];
    const { stdout } = await runForeign('ffprobe', ['-v', 'error', ...shown, join(directory, file)]);
    const lines = stdout.split('\n');
    expect(lines.slice(0, 2).sort()).toEqual(['aac', 'h264']);
    expect(Number(lines[2])).toBeGreaterThan(2.5);
  }

  it('is one to forward to', async () => {
    const { first: port } = ports;
    const listener = await record('forwarded.flv', `rtmp://127.0.0.1:${port}/live/s`, '-listen', '1');
    await using server = await ServerProcess.start({ vhost: `forward 127.0.0.1:${port};` });
    const publisher = await publishWithFfmpeg(await clip('h264-aac'), server.url('live/s'));
    await listener.waitForExit();
    await publisher.stop();
    await expectThreeSeconds('forwarded.flv');
  });

  it('is an origin to pull from', async () => {
    const { first: port } = ports;
    await using edge = await ServerProcess.start({ vhost: `mode remote; origin 127.0.0.1:${port};` });
    const input = ['-nostdin', '-re', '-stream_loop', '-1', '-i', await clip('h264-aac'), '-c', 'copy'];
    const listener = await startForeign('ffmpeg', [...input, '-listen', '1', '-f', 'flv', `rtmp://127.0.0.1:${port}/live/s`]);
    const player = await record('pulled.flv', edge.url('live/s'));
    await player.waitForExit();
    await listener.stop();
    await expectThreeSeconds('pulled.flv');
  });
});
