/** Everything that can be made of a stream, of many streams at once. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { embeddedClipFile, FlvLoop, readClip } from '@srs/client';
import { expect, it } from 'vitest';
import { eventually } from '../support/deadline.ts';
import { openDescriptors } from '../support/proc.ts';
import { ServerProcess, type WorkerInfo } from '../support/server-process.ts';
import { LivePlayer } from './live-client-test-support.ts';

const STREAMS = 20;
/** Ten minutes for a long run. */
const RUN_MS = Number(process.env.OUTPUT_SECONDS ?? '12') * 1000;
/** Over so much of the run memory is let grow to what it needs. */
const WARM_UP_MS = Math.min(60_000, Math.max(6_000, RUN_MS / 4));
const MAX_HEAP_GROWTH_BYTES = 24 * 1024 * 1024;
const MAX_LOOP_P99_MS = 20;

interface Load {
  readonly memory: { readonly heapUsedBytes: number };
  readonly eventLoop: { readonly p99Ms: number };
}

it('20 streams are played over RTMP and HTTP-FLV, cut to HLS and recorded, and nothing grows', {
  timeout: WARM_UP_MS + RUN_MS + 120_000,
}, async () => {
  await using server = await ServerProcess.start({
    workers: 'mode multi; stream 2; http 1;',
    top: ({ httpServerPort }) => `http_server { enabled on; listen ${httpServerPort}; }`,
    vhost: ({ directory }) => `
      http_remux { enabled on; }
      hls { enabled on; hls_path ${directory}/www; hls_fragment 2; hls_window 8; }
      dvr { enabled on; dvr_path ${directory}/rec; dvr_plan segment; dvr_duration 10; }`,
  });
  const { directory, httpServerPort } = server.place;
  const names = Array.from({ length: STREAMS }, (_, index) => `s${index}`);
  const clip = readClip(embeddedClipFile);
  const loops = names.map((name) => FlvLoop.start({ clip, target: server.url(`live/${name}`) }));
  const control = new AbortController();
  try {
    const players = await Promise.all(names.map((name) => LivePlayer.start(server, `live/${name}`)));
    const received = await Promise.all(
      names.map((name) => watchFlv(`http://127.0.0.1:${httpServerPort}/live/${name}.flv`, control.signal)),
    );
    await delay(WARM_UP_MS);
    const before = await loadsOf(server);
    await delay(RUN_MS);
    // A window of its own, without whatever happened at the start.
    const after = await loadsOf(server);
    for (const [slot, { load, descriptors }] of after) {
      const first = before.get(slot)!;
      expect(load.memory.heapUsedBytes - first.load.memory.heapUsedBytes, `heap of slot ${slot}`).toBeLessThan(
        MAX_HEAP_GROWTH_BYTES,
      );
      expect(Math.abs(descriptors - first.descriptors), `descriptors of slot ${slot}`).toBeLessThan(STREAMS * 3);
    }
    const backSource = Array.from(after.values()).find(({ worker }) => worker.role === 'back-source')!;
    expect(backSource.load.eventLoop.p99Ms).toBeLessThan(MAX_LOOP_P99_MS);
    for (const [index, name] of names.entries()) {
      const playlist = readFileSync(join(directory, 'www/live', `${name}.m3u8`), 'utf8');
      expect(Number(/MEDIA-SEQUENCE:(\d+)/.exec(playlist)?.[1]) + playlist.split('#EXTINF').length).toBeGreaterThan(
        RUN_MS / 3000,
      );
      expect(recordingsOf(directory, name).length).toBeGreaterThan(RUN_MS / 15_000);
      expect(received[index]!.bytes).toBeGreaterThan(0);
      expect(players[index]!.isOpen).toBe(true);
    }
    expect(server.log().filter((line) => /\[error\]/.test(line))).toEqual([]);
    // What is old is gone.
    expect(readdirSync(join(directory, 'www/live')).length).toBeLessThan(STREAMS * 12);
    for (const player of players) player.close();
  } finally {
    control.abort();
    await Promise.all(loops.map((loop) => loop.stop()));
  }
  await eventually(
    () => names.every((name) => recordingsOf(directory, name).every((file) => !file.endsWith('.tmp'))),
    10_000,
    () => 'recordings are not completed',
  );
});

const recordingsOf = (directory: string, name: string): string[] => {
  const path = join(directory, 'rec/live');
  return existsSync(path) ? readdirSync(path).filter((file) => file.startsWith(`${name}.`)) : [];
};

/** Counts what comes. */
async function watchFlv(url: string, signal: AbortSignal): Promise<{ readonly bytes: number }> {
  const count = { bytes: 0 };
  const { body } = await fetch(url, { signal });
  const read = async (): Promise<void> => {
    for await (const bytes of body as AsyncIterable<Uint8Array>) count.bytes += bytes.length;
  };
  read().catch(() => {});
  return count;
}

interface WorkerLoad {
  readonly worker: WorkerInfo;
  readonly load: Load;
  readonly descriptors: number;
}

async function loadsOf(server: ServerProcess): Promise<Map<number, WorkerLoad>> {
  const loads = new Map<number, WorkerLoad>();
  for (const worker of await server.workers()) {
    const { data } = (await server.privateApi('/api/v1/summary', { port: worker.port })) as { readonly data: Load };
    loads.set(worker.slot, { worker, load: data, descriptors: openDescriptors(worker.pid).length });
  }
  return loads;
}
