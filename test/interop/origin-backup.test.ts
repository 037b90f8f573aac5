/** Two origins, ffmpeg publishing to both, nginx in front of them, and players that must not notice when either origin is lost. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkPlaylists, type PlaylistVersion } from '../../packages/hls/src/rfc8216-checker-test-support.ts';
import type { ChildProgram } from '../support/child-program.ts';
import { eventually } from '../support/deadline.ts';
import { startForeign } from '../support/foreign.ts';
import { NginxProxy, requiresNginx } from '../support/nginx.ts';
import { requires } from '../support/requires.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { startShipped } from '../support/shipped-topology.ts';

requiresNginx();
requires('ffmpeg');

const POLL_MS = 200;
/** Between two servers that list the same segment, on a busy machine: less than a segment. */
const LIST_LIMIT_MS = 1_500;
/** A full window before a server shows its playlist, and a slot that it has not seen whole. */
const READY_LIMIT_MS = 25_000;
const PLAY_MS = 1500;

/** A window is full, and shown, earlier. */
const shorter = { 'hls_window 8;': 'hls_window 6;' };

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'srs-backup-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** Each connection is made again by itself. */
async function publishToBoth(servers: readonly ServerProcess[]): Promise<ChildProgram> {
  const fifo = ['attempt_recovery=1', 'recover_any_error=1', 'drop_pkts_on_overflow=1', 'recovery_wait_time=0.5'].join('\\\\:');
  const slaves = servers.map((server) => `[f=flv:onfail=ignore:use_fifo=1:fifo_options=${fifo}]${server.url('live/s')}`);
  const input = [
    '-re',
    '-f',
    'lavfi',
    '-i',
    'testsrc2=size=320x180:rate=25',
    '-re',
    '-f',
    'lavfi',
    '-i',
    'sine=sample_rate=44100',
  ];
  const codecs = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-g', '25', '-c:a', 'aac'];
  const time = ['-output_ts_offset', String(Math.floor(Date.now() / 1000))];
  const output = ['-map', '0:v', '-map', '1:a', ...codecs, '-flags', '+global_header', ...time, '-f', 'tee', slaves.join('|')];
  return await startForeign('ffmpeg', ['-nostdin', '-hide_banner', '-loglevel', 'warning', ...input, ...output], {
    limitMs: 150_000,
  });
}

/** Asks for the playlist all the time, and for each new segment. */
class Viewer {
  readonly versions: PlaylistVersion[] = [];
  readonly segments = new Map<string, Buffer>();
  readonly complaints: string[] = [];
  readonly #url: string;
  #isStopped = false;
  readonly #done: Promise<void>;

  constructor(url: string) {
    this.#url = url;
    this.#done = this.#watch();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#done;
  }

  async #watch(): Promise<void> {
    while (!this.#isStopped) {
      await this.#look();
      await delay(POLL_MS);
    }
  }

  async #look(): Promise<void> {
    const text = (await this.#get('s.m3u8'))?.toString();
    // One server has listed a segment, and the other is about to.
    const isJustBefore = text === this.versions.at(-2)?.text && performance.now() - this.versions.at(-1)!.atMs < LIST_LIMIT_MS;
    if (text === undefined || text === this.versions.at(-1)?.text || isJustBefore) return;
    this.versions.push({ text, atMs: performance.now() });
    for (const uri of text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))) {
      const bytes = await this.#get(uri);
      const before = this.segments.get(uri);
      if (bytes !== undefined && before?.equals(bytes) === false) this.complaints.push(`${uri} has other bytes`);
      if (bytes !== undefined) this.segments.set(uri, bytes);
    }
  }

  async #get(name: string): Promise<Buffer | undefined> {
    const response = await fetch(`${this.#url}/${name}`);
    const bytes = Buffer.from(await response.arrayBuffer());
    if (response.ok) return bytes;
    this.complaints.push(`${name}: ${response.status}`);
    return undefined;
  }
}

/** Decoding times of the pictures that a player has written. */
function pictureTimes(file: string): readonly number[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('0,'))
    .map((line) => Number(line.split(',')[1]));
}

const playlistOf = async (server: ServerProcess): Promise<string> => {
  const response = await fetch(`http://${server.place.host}:${server.place.httpServerPort}/live/s.m3u8`).catch(() => undefined);
  return response?.ok === true ? await response.text() : '';
};

const waitForPlaylist = (server: ServerProcess): Promise<unknown> =>
  eventually(
    async () => (await playlistOf(server)) !== '',
    READY_LIMIT_MS,
    () => `no playlist\n${server.program.tail()}`,
  );

describe('a pair of origins', () => {
  it('is one for viewers of HLS, whichever is asked, killed and started again', { timeout: 150_000 }, async () => {
    await using topology = await startShipped(['conf/origin.backup.a.conf', 'conf/origin.backup.b.conf'], () => shorter);
    const { servers } = topology;
    await using proxy = await NginxProxy.start(servers.map(({ place }) => `${place.host}:${place.httpServerPort}`));
    const encoder = await publishToBoth(servers);
    await Promise.all(servers.map(waitForPlaylist));
    const viewer = new Viewer(`${proxy.origin}/live`);
    const file = join(directory, 'frames');
    const input = ['-live_start_index', '-3', '-i', `${proxy.origin}/live/s.m3u8`];
    const player = await startForeign(
      'ffmpeg',
      ['-nostdin', '-loglevel', 'warning', ...input, '-c', 'copy', '-f', 'framecrc', file],
      {
        limitMs: 120_000,
      },
    );
    try {
      for (const server of servers) {
        await delay(PLAY_MS);
        await server.restart('SIGKILL');
        await waitForPlaylist(server);
      }
      await delay(PLAY_MS);
    } finally {
      await viewer.stop();
      await player.stop();
      await encoder.stop();
    }
    expect(viewer.complaints).toEqual([]);
    expect(checkPlaylists(viewer.versions)).toEqual([]);
    expect(viewer.versions.every(({ text }) => !text.includes('DISCONTINUITY'))).toBe(true);
    expect(viewer.segments.size).toBeGreaterThan(10);
    const times = pictureTimes(file);
    const steps = times.slice(1).map((time, index) => time - times[index]!);
    expect(times.length).toBeGreaterThan(300);
    expect([...new Set(steps)].filter((step) => step < 2700 || step > 4500)).toEqual([]);
    expect(player.lines().filter((line) => !/Opening|keepalive/.test(line))).toEqual([]);
  });
});
