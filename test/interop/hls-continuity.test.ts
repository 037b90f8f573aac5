/** HLS of a whole server: one playlist through republishes, changes of codec, killed processes and a restart. */
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parse } from 'hls-parser';
import { Parser } from 'm3u8-parser';
import type { Browser } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkPlaylists, type PlaylistVersion } from '../../packages/hls/src/rfc8216-checker-test-support.ts';
import { StartPage, startBrowser } from '../e2e/browser-test-support.ts';
import { eventually } from '../support/deadline.ts';
import { publishWithFfmpeg, runForeign } from '../support/foreign.ts';
import { type ClipName, clip } from '../support/media.ts';
import { requires } from '../support/requires.ts';
import { ServerProcess } from '../support/server-process.ts';

const canRun = requires('ffmpeg', 'ffprobe', 'chromium');

/** Of each part of the story; ten minutes in all for a long run. */
const STORY_MS = Number(process.env.HLS_SECONDS ?? '14') * 1000;
const PHASE_MS = STORY_MS / 7;
const FRAGMENT_SECONDS = 2;
const POLL_MS = 100;

/** A page may wait so long for the segments of the next publish, or stand still until it opens its player anew. */
const PICTURE_LIMIT_MS = 30_000;
/** Of the page, which keeps showing what is left of one publish while the next one, or a new server, begins. */
const STANDSTILL_LIMIT_SECONDS = 15;

let root: string;
let browser: Browser | undefined;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'srs-hls-'));
  browser = canRun ? await startBrowser() : undefined;
});

afterEach(async () => {
  await browser?.close();
  rmSync(root, { recursive: true, force: true });
});

const startServer = (): Promise<ServerProcess> =>
  ServerProcess.start({
    workers: 'mode multi; stream 1;',
    top: ({ httpServerPort }) => `http_server { enabled on; start_page on; listen ${httpServerPort}; dir ${root}; }`,
    vhost: `hls { enabled on; hls_path ${root}; hls_fragment ${FRAGMENT_SECONDS}; hls_window 10; }`,
  });

const pageOf = ({ place }: ServerProcess): string => `http://${place.host}:${place.httpServerPort}/#stream=live/s&player=hls`;

/** Notes in the page how long it has played, and how long it has stood still at most. */
const watchMovement = `(video) => {
  const seen = (window.seen = { playedSeconds: 0, stillSeconds: 0 });
  let lastTime = video.currentTime;
  let movedMs = performance.now();
  setInterval(() => {
    const step = video.currentTime - lastTime;
    lastTime = video.currentTime;
    if (step > 0 && step < 1) seen.playedSeconds += step;
    if (step !== 0) movedMs = performance.now();
    seen.stillSeconds = Math.max(seen.stillSeconds, (performance.now() - movedMs) / 1000);
  }, 100);
}`;

interface Movement {
  readonly playedSeconds: number;
  readonly stillSeconds: number;
}

/** Waits until the page shows what is published now: pictures, or sound alone. */
async function expectToPlay(page: StartPage, what: string, hasPicture: boolean): Promise<void> {
  const before = await page.onVideo<Movement>('() => window.seen');
  let state = '';
  await eventually(
    async () => {
      const { width } = await page.shown();
      const { playedSeconds } = await page.onVideo<Movement>('() => window.seen');
      state = `${await page.page.locator('#state').textContent()}, ${width} pixels wide, ${playedSeconds} s played`;
      return width > 0 === hasPicture && playedSeconds > before.playedSeconds + 1;
    },
    PICTURE_LIMIT_MS,
    () => `${what} is not shown: ${state} ${page.complaints.join('; ')}`,
  );
}

/** Keeps every version of the playlist, and a copy of every segment that it ever named. */
class Viewer {
  readonly versions: PlaylistVersion[] = [];
  readonly segments = new Map<string, string>();
  readonly missing: string[] = [];
  #isNewPublish = true;
  #timer: NodeJS.Timeout | undefined;

  start(): this {
    this.#timer = setInterval(() => this.#look(), POLL_MS);
    return this;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#look();
  }

  /** Something ends or begins anew, until its first segment is there: the last one may be short and follow the one before at once. */
  expectNewPublish(): void {
    this.#isNewPublish = true;
  }

  /** It goes on as it has begun. */
  expectSamePublish(): void {
    this.#isNewPublish = false;
  }

  get newest(): string {
    return this.versions.at(-1)?.text ?? '';
  }

  get sequence(): number {
    if (this.newest === '') return 0;
    const { mediaSequence, segments } = parserOf(this.newest);
    return mediaSequence + segments.length;
  }

  #look(): void {
    const path = join(root, 'live/s.m3u8');
    if (!existsSync(path)) return;
    const text = readFileSync(path, 'utf8');
    if (text === this.newest) return;
    this.versions.push({ text, atMs: performance.now(), isNewPublish: this.#isNewPublish });
    for (const uri of text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))) {
      if (this.segments.has(uri)) continue;
      const copy = join(root, `copy-${this.segments.size}.ts`);
      try {
        copyFileSync(join(root, 'live', uri), copy);
        this.segments.set(uri, copy);
      } catch {
        this.missing.push(uri);
      }
    }
  }
}

function parserOf(text: string): Parser['manifest'] {
  const parser = new Parser();
  parser.push(text);
  parser.end();
  return parser.manifest;
}

async function publish(server: ServerProcess, name: ClipName, viewer: Viewer): Promise<() => Promise<void>> {
  viewer.expectNewPublish();
  const before = viewer.sequence;
  const program = await publishWithFfmpeg(await clip(name), server.url('live/s'), { limitMs: PHASE_MS * 8 + 60_000 });
  // New segments come within about one fragment, whatever the publish before has left.
  await eventually(
    () => viewer.sequence > before,
    (FRAGMENT_SECONDS + 4) * 1000,
    () => `no new segment after ${name} is published\n${viewer.newest}\n${server.program.tail()}`,
  );
  viewer.expectSamePublish();
  return async () => {
    // The last segment is listed when it is complete, however short it is.
    viewer.expectNewPublish();
    await program.stop();
  };
}

describe('one playlist', () => {
  it('goes on through republish, another codec, sound only, a killed back-source and a new server', {
    timeout: 2 * STORY_MS + 120_000,
  }, async () => {
    if (!canRun) return;
    const viewer = new Viewer().start();
    const server = await startServer();
    await using page = await StartPage.open(browser!, pageOf(server));
    await page.onVideo(watchMovement);
    try {
      for (const name of ['h264-aac', 'h264-bframes-aac', 'aac-only', 'h264-aac'] as const) {
        const stop = await publish(server, name, viewer);
        await Promise.all([delay(PHASE_MS), expectToPlay(page, name, name !== 'aac-only')]);
        await stop();
      }
      const stop = await publish(server, 'h264-aac', viewer);
      await delay(PHASE_MS);
      const backSource = (await server.workers()).find(({ role }) => role === 'back-source')!;
      viewer.expectNewPublish();
      const before = viewer.sequence;
      process.kill(backSource.pid, 'SIGKILL');
      await eventually(
        () => viewer.sequence > before + 1,
        15_000,
        () => `no new segment after the back-source is killed\n${server.program.tail()}`,
      );
      viewer.expectSamePublish();
      await Promise.all([delay(PHASE_MS), expectToPlay(page, 'what follows the killed back-source', true)]);
      await stop();
      await server.restart();
      const stopLast = await publish(server, 'h264-aac', viewer);
      await Promise.all([delay(PHASE_MS), expectToPlay(page, 'what a new server has', true)]);
      await stopLast();
    } finally {
      viewer.stop();
      await server.stop();
    }
    const movement = await page.onVideo<Movement>('() => window.seen');
    console.log(
      `the page has played ${Math.round(movement.playedSeconds)} s, the longest standstill was ${movement.stillSeconds.toFixed(1)} s`,
    );
    expect(movement.stillSeconds).toBeLessThan(STANDSTILL_LIMIT_SECONDS);
    expect(viewer.missing).toEqual([]);
    expect(checkPlaylists(viewer.versions)).toEqual([]);
    // The story is long enough for the ends of publishes to leave the window.
    expect(viewer.newest).toMatch(/^#EXT-X-DISCONTINUITY-SEQUENCE:[1-9]/m);
    // Numbers of a new server go on where the old one was.
    expect(viewer.sequence).toBeGreaterThanOrEqual(viewer.segments.size);
    expectParsersToAgree(viewer);
    await expectDecodable(viewer);
  });
});

function expectParsersToAgree(viewer: Viewer): void {
  for (const { text } of viewer.versions) {
    const one = parse(text);
    const other = parserOf(text);
    if (one.isMasterPlaylist) throw new Error('a media playlist is taken for a master playlist');
    expect(one.mediaSequenceBase).toBe(other.mediaSequence);
    expect(one.targetDuration).toBe(other.targetDuration);
    expect(one.segments.map(({ uri, duration, discontinuity = false }) => ({ uri, duration, discontinuity }))).toEqual(
      other.segments.map(({ uri, duration, discontinuity = false }) => ({ uri, duration, discontinuity })),
    );
    for (const { duration } of one.segments) expect(Math.round(duration)).toBeLessThanOrEqual(one.targetDuration);
  }
}

/** Each by itself, as a player that joins meets it. */
async function expectDecodable(viewer: Viewer): Promise<void> {
  expect(viewer.segments.size).toBeGreaterThan(7);
  const complaints: string[] = [];
  for (const [uri, path] of viewer.segments) {
    const { code, stderr } = await runForeign('ffmpeg', ['-nostdin', '-v', 'warning', '-i', path, '-f', 'null', '-']);
    if (code !== 0 || stderr !== '') complaints.push(`${uri}: ${code} ${stderr}`);
  }
  expect(complaints).toEqual([]);
}
