/** Feeds clips to consumers, and serves what a feature keeps in memory to foreign players. */
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { classifyFrame } from '@srs/codec';
import { FlvReader } from '@srs/flv';
import { type FrameType, frameTypes, systemClock, TIMESTAMP_MASK } from '@srs/kernel';
import type { FrameConsumer } from '@srs/stream';
import { expect } from 'vitest';
import { ffprobe, runForeign } from '../../../test/support/foreign.ts';
import { type ClipName, clip, type Packets, type ProbedPackets, packetArgs, packetsIn } from '../../../test/support/media.ts';
import type { HlsFeature } from './hls-feature.ts';

export interface ClipOptions {
  /** Only this kind of frames. */
  readonly only?: FrameType;
}

/** Gives a clip to a consumer, and lets others have a turn between. */
export async function feedClip(consumer: FrameConsumer, name: ClipName, { only }: ClipOptions = {}): Promise<void> {
  const frames: { type: FrameType; timestampMs: number; payload: Buffer }[] = [];
  const reader = new FlvReader({
    onTag(type, timestampMs, payload) {
      frames.push({ type: type as FrameType, timestampMs: timestampMs & TIMESTAMP_MASK, payload: Buffer.from(payload) });
    },
  });
  reader.receive(await readFile(await clip(name)));
  expect(frames.length).toBeGreaterThan(100);
  for (const [index, { type, timestampMs, payload }] of frames.entries()) {
    if (only !== undefined && type !== only && type !== frameTypes.data) continue;
    consumer.onFrame(type, classifyFrame(type, payload), timestampMs, systemClock.wallMs() % 2 ** 32, payload);
    if (index % 8 === 0) await setImmediate();
  }
}

/** A copy of the playlist in `directory` that ends, for ffmpeg would wait for more. */
export async function endedPlaylist(directory: string): Promise<string> {
  const path = join(directory, 'live/ended.m3u8');
  await writeFile(path, `${await readFile(join(directory, 'live/livestream.m3u8'), 'utf8')}#EXT-X-ENDLIST\n`);
  return path;
}

/** So that ffmpeg takes segments with endings other than `.ts`, in playlists only. */
export function inputOptions(input: string): readonly string[] {
  return input.endsWith('.m3u8') ? ['-allowed_extensions', 'ALL'] : [];
}

export async function expectDecodable(input: string, ...output: readonly string[]): Promise<void> {
  const from = [...inputOptions(input), '-i', input];
  const end = await runForeign('ffmpeg', ['-nostdin', '-v', 'error', ...from, ...output, '-f', 'null', '-']);
  expect([end.code, end.stderr]).toEqual([0, '']);
}

export async function packetsOf(input: string): Promise<Packets> {
  return packetsIn((await ffprobe([...packetArgs, ...inputOptions(input), input])) as ProbedPackets);
}

export interface MemoryServer {
  readonly origin: string;
  /** Status and URL of each answer. */
  readonly answers: readonly string[];
  close(): void;
}

/** @param isEnded playlists get an end, for ffmpeg would wait for more */
export async function serveMemory(feature: HlsFeature, isEnded: boolean): Promise<MemoryServer> {
  const answers: string[] = [];
  const server: Server = createServer((request, response) => {
    void (async () => {
      const { pathname, search } = new URL(request.url!, 'http://localhost');
      const gone = new AbortController();
      response.on('close', () => gone.abort());
      const path = decodeURIComponent(pathname).slice(1);
      const answer = await feature.answer({ vhost: 'a.com', path, query: search.slice(1), signal: gone.signal });
      answers.push(`${answer.status} ${request.url}`);
      if (answer.status !== 200) {
        response.writeHead(answer.status).end(answer.reason);
        return;
      }
      const body = isEnded && path.endsWith('.m3u8') ? `${answer.body.toString()}#EXT-X-ENDLIST\n` : answer.body;
      response.writeHead(200, { 'content-type': answer.contentType }).end(body);
    })();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, answers, close: () => server.close() };
}
