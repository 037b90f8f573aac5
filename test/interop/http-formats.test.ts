/** Live MPEG-TS, AAC and MP3 over HTTP, by FFmpeg and by a reader that takes no fault. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LivePublisher } from '../e2e/live-client-test-support.ts';
import { type ClientRow, clientsOf } from '../e2e/server-view-test-support.ts';
import type { ChildProgram } from '../support/child-program.ts';
import { eventually } from '../support/deadline.ts';
import { payloadOf } from '../support/flv-files.ts';
import { publishWithFfmpeg } from '../support/foreign.ts';
import { HookServer } from '../support/hook-server.ts';
import { clip, isContiguousPart } from '../support/media.ts';
import { requires } from '../support/requires.ts';
import { ServerProcess } from '../support/server-process.ts';
import { playedPackets, publishedPackets, TsViewer } from './http-formats-test-support.ts';

const canRun = requires('ffmpeg', 'ffprobe');

const SECONDS = 2;
const clips = { aac: 'h264-bframes-aac', mp3: 'h264-mp3' } as const;

let server: ServerProcess;
let hooks: HookServer;
const publishers: ChildProgram[] = [];
const urlOf = (path: string, scheme = 'http'): string =>
  `${scheme}://${server.place.host}:${server.place.httpServerPort}/${path}`;
const open = (path: string, scheme?: string): TsViewer => new TsViewer(urlOf(path, scheme), () => server.program.tail());
const httpWorkers = async () => (await server.workers()).filter(({ role }) => role === 'http');
const listed = async () => {
  const rows = await Promise.all((await httpWorkers()).map((worker) => clientsOf(server, worker)));
  return rows.flat() as (ClientRow & { readonly protocol: string })[];
};
const rtmpUrl = (path: string): string => `rtmp://${server.place.host}:${server.place.rtmpPort}/${path}`;
/** Before the publisher, and in a process that has no other viewer of it. */
let held: TsViewer;

beforeAll(async () => {
  if (!canRun) return;
  hooks = await HookServer.start(() => '1');
  server = await ServerProcess.start({
    workers: 'mode multi; stream 2; http 2;',
    top: ({ httpServerPort, directory }) => `
      http_server { enabled on; listen ${httpServerPort}; dir ${join(directory, 'www')}; }
      vhost short.test { min_latency on; queue_length 5; http_remux { enabled on; } }
      vhost cached.test { http_remux { enabled on; fast_cache 2; } }
      vhost hls.test { http_remux { enabled on; } hls { enabled on; hls_path ${join(directory, 'www')}; } }
      vhost refused.test { http_remux { enabled on; } http_hooks { enabled on; on_play ${hooks.url('/play')}; } }
      vhost silent.test { http_remux { enabled on; has_audio off; } }`,
    vhost: 'http_remux { enabled on; }',
  });
  const directory = join(server.place.directory, 'www/live');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'song.mp3'), 'a song that is a file');
  held = open('live/aac.ts');
  for (const [name, file] of Object.entries(clips)) {
    publishers.push(await publishWithFfmpeg(await clip(file), rtmpUrl(`live/${name}`)));
  }
});

afterAll(async () => {
  if (!canRun) return;
  held[Symbol.dispose]();
  await Promise.all(publishers.map((publisher) => publisher.stop()));
  await server.stop();
  await hooks.close();
});

// Most of their time is that of the media.
describe.concurrent('live streams over HTTP', () => {
  it('who is held before the publisher gets the stream from its first picture on', async () => {
    await held.waitFor('pictures', () => held.picturesMs.length > 10 && held.sounds > 10);
    expect(held.response?.headers['content-type']).toBe('video/MP2T');
    // Decoding times begin 0.8 s after the clock.
    expect(held.picturesMs[0]).toBeLessThan(1000);
  });

  it('FFmpeg reads every packet as it was published, and has nothing to complain about', async () => {
    const kinds = [
      ['aac', 'live/aac.ts'],
      ['aac', 'live/aac.aac'],
      ['mp3', 'live/mp3.ts'],
      ['mp3', 'live/mp3.mp3'],
    ] as const;
    const published = { aac: await publishedPackets(await clip(clips.aac)), mp3: await publishedPackets(await clip(clips.mp3)) };
    const played = await Promise.all(kinds.map(([, path]) => playedPackets(urlOf(path), SECONDS)));
    for (const [index, [codec, path]] of kinds.entries()) {
      const { video, audio, complaints } = played[index]!;
      expect(`${path} ${complaints}`).toBe(`${path} `);
      expect(isContiguousPart(audio, published[codec].audio, { isLooped: true, mayStartAnywhere: true }).difference).toBe('');
      expect(audio.length).toBeGreaterThan(SECONDS * 30);
      if (!path.endsWith('.ts')) continue;
      expect(isContiguousPart(video, published[codec].video, { isLooped: true, mayStartAnywhere: true }).difference).toBe('');
      expect(video.length).toBeGreaterThan(SECONDS * 20);
    }
    expect(held.fault).toBeUndefined();
  });

  it('viewers who come at any time, over HTTP and WebSockets, get streams without a fault, and are listed by their formats', async () => {
    const viewers = Array.from({ length: 8 }, (_, index) =>
      index % 4 === 3 ? open('live/mp3.ts', 'ws') : open(`live/${index % 2 === 0 ? 'aac' : 'mp3'}.ts`),
    );
    for (const viewer of viewers) await viewer.waitFor('pictures', () => viewer.picturesMs.length > 20 && viewer.sounds > 20);
    const counts = Map.groupBy(await listed(), ({ protocol }) => protocol);
    expect(counts.get('http-ts')?.length).toBeGreaterThanOrEqual(6);
    expect(counts.get('ws-ts')?.length).toBe(2);
    expect(viewers.map(({ breaks }) => breaks)).toEqual(viewers.map(() => 0));
    for (const viewer of viewers) viewer[Symbol.dispose]();
  });

  it('a viewer that does not read is cut to a key frame, told so by marks, and reads on without a fault', async () => {
    using publisher = await LivePublisher.open(server, 'live/slow', { parameters: '?vhost=short.test' });
    const send = (type: 8 | 9, ms: number, kind: Parameters<typeof payloadOf>[0]['kind'], bytes = 100): void =>
      publisher.session.sendFrame(type, ms, payloadOf({ kind, bytes }));
    send(9, 0, 'video-header');
    send(8, 0, 'audio-header');
    let pictures = 0;
    const feed = (count: number): void => {
      for (const end = pictures + count; pictures < end; pictures += 1) {
        send(9, pictures * 40, pictures % 25 === 0 ? 'key' : 'inter', pictures % 25 === 0 ? 100_000 : 40_000);
        send(8, pictures * 40, 'sound', 400);
      }
    };
    feed(25);
    using slow = open('live/slow.ts?vhost=short.test');
    using quick = open('live/slow.ts?vhost=short.test');
    await Promise.all([slow, quick].map((viewer) => viewer.waitFor('pictures', () => viewer.picturesMs.length > 20)));
    slow.response?.pause();
    for (let round = 0; round < 16; round += 1) {
      feed(25);
      await quick.waitFor('all', () => quick.picturesMs.length >= pictures - 2);
    }
    slow.response?.resume();
    const newestMs = (): number => quick.picturesMs.at(-1)!;
    await slow.waitFor('newest pictures', () => slow.picturesMs.at(-1)! >= newestMs() - 80);
    feed(50);
    await slow.waitFor('what comes then', () => slow.picturesMs.at(-1)! >= (pictures - 2) * 40 + 800);
    expect(slow.breaks).toBeGreaterThan(0);
    expect(slow.picturesMs.length).toBeLessThan(pictures);
    expect(quick.breaks).toBe(0);
  });

  it('with fast_cache a listener gets the last seconds at once', async () => {
    const publisher = await publishWithFfmpeg(await clip('mp3-only'), rtmpUrl('live/cached?vhost=cached.test'));
    publishers.push(publisher);
    const listen = async (path: string, bytes: number): Promise<number> => {
      const answer = await fetch(urlOf(`${path}?vhost=cached.test`));
      expect(answer.headers.get('content-type')).toBe('audio/mpeg');
      const startMs = performance.now();
      let received = 0;
      for await (const part of answer.body as unknown as AsyncIterable<Uint8Array>) {
        received += part.length;
        if (received >= bytes) break;
      }
      return performance.now() - startMs;
    };
    // 64 kbit/s: three seconds have gone by when so much has come.
    await listen('live/cached.mp3', 3 * 8000);
    expect(await listen('live/cached.mp3', 1.8 * 8000)).toBeLessThan(1000);
  });

  it('who cannot have a stream is told why, and a file or a segment of that name comes first', async () => {
    const ask = async (path: string): Promise<readonly [number, string]> => {
      const answer = await fetch(urlOf(path));
      return [answer.status, await answer.text()];
    };
    expect(await ask('live/aac.mp3')).toEqual([415, expect.stringContaining('the stream has audio aac: it must have mp3')]);
    expect(await ask('live/mp3.aac')).toEqual([415, expect.stringContaining('the stream has audio mp3: it must have aac')]);
    expect(await ask('live/s.ts?vhost=refused.test')).toEqual([403, expect.anything()]);
    expect(await ask('live/song.mp3')).toEqual([200, 'a song that is a file']);
    expect(await ask('live/gone-7.ts?vhost=hls.test')).toEqual([404, expect.stringContaining('nobody publishes this stream')]);
    expect(await ask('a.mp3')).toEqual([404, expect.anything()]);
    const socket = new WebSocket(urlOf('live/aac.mp3', 'ws'));
    const end = await new Promise<CloseEvent>((resolve) => socket.addEventListener('close', resolve));
    expect([end.code, end.reason]).toEqual([1003, 'the stream has audio aac: it must have mp3']);
  });

  it('who waits for a publisher and is disconnected gets an answer still', async () => {
    const answer = fetch(urlOf('live/nobody.ts'));
    let id: number | undefined;
    await eventually(
      async () => {
        id = (await listed()).find(({ stream }) => stream === 'nobody')?.id;
        return id !== undefined;
      },
      5000,
      () => 'it is not listed',
    );
    for (const { port } of await httpWorkers())
      await server.privateApi(`/api/v1/kick?id=${id}`, { port, method: 'POST', body: {} });
    expect((await answer).status).toBe(503);
  });

  it('a stream whose name is like that of a segment is played while it is there', async () => {
    const publisher = await publishWithFfmpeg(await clip('h264-bframes-aac'), rtmpUrl('live/cam-7?vhost=hls.test'));
    publishers.push(publisher);
    await eventually(
      async () => {
        using viewer = open('live/cam-7.ts?vhost=hls.test');
        await viewer.waitFor('answer', () => viewer.response !== undefined);
        if (viewer.response?.statusCode !== 200) return false;
        await viewer.waitFor('picture', () => viewer.picturesMs.length > 0);
        return true;
      },
      5000,
      () => 'it is not played',
    );
  });
});
