/** That a browser plays, and how long a picture takes from the publisher to its screen. */
import { join } from 'node:path';
import { embeddedClipFile, FlvLoop, readClip } from '@srs/client';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/deadline.ts';
import { requires } from '../support/requires.ts';
import { type ServerPlace, ServerProcess } from '../support/server-process.ts';
import { NumberedPublisher, readPictureNumber } from './browser-latency-test-support.ts';
import { StartPage, startBrowser } from './browser-test-support.ts';

const canRun = requires('chromium', 'ffmpeg');
const LIMIT_MS = 30_000;
const PUBLISHED = 'live/livestream';
const PICTURES = 50;

let server: ServerProcess;
let browser: Browser;
let loop: FlvLoop;
let base: string;

const linkTo = (player: string, stream = PUBLISHED, query = ''): string =>
  `${base}${query}#${new URLSearchParams({ stream, player }).toString()}`;

beforeAll(async () => {
  if (!canRun) return;
  server = await ServerProcess.start({
    top: ({ httpServerPort, directory }: ServerPlace) =>
      `http_server { enabled on; start_page on; listen ${httpServerPort}; dir ${join(directory, 'html')}; }
      vhost memory.test { hls { enabled on; hls_storage memory; hls_fragment 2; } }
      vhost ll.test { hls { enabled on; hls_format ll; hls_fragment 2; } }`,
    vhost: ({ directory }) => `
      http_remux { enabled on; }
      hls { enabled on; hls_path ${join(directory, 'html')}; hls_fragment 2; hls_window 12; }`,
  });
  base = `http://${server.place.host}:${server.place.httpServerPort}/`;
  loop = FlvLoop.start({ clip: readClip(embeddedClipFile), target: server.url(PUBLISHED) });
  browser = await startBrowser();
});

afterAll(async () => {
  await browser?.close();
  await loop?.stop();
  await server?.stop();
});

describe.each([
  ['HTTP-FLV', 'flv', 1],
  ['WS-FLV', 'ws', 1],
  ['HLS', 'hls', 12],
])('%s', (_, player, aheadLimitSeconds) => {
  it('moves in the browser, with the size that was published', async () => {
    await using page = await StartPage.open(browser, linkTo(player));
    await page.waitForState('Live', LIMIT_MS);
    const first = await page.shown();
    expect(first.width).toBe(640);
    await page.waitForPictures(25);
    const second = await eventually(
      async () => {
        const shown = await page.shown();
        return shown.currentTime >= first.currentTime + 1.5 && shown;
      },
      LIMIT_MS,
      () => 'the time stands still',
    );
    expect(second.aheadSeconds).toBeLessThan(aheadLimitSeconds);
    page.expectClean(base);
  });

  it('tells how far it is behind', async () => {
    await using page = await StartPage.open(browser, linkTo(player));
    await page.waitForState('Live', LIMIT_MS);
    const behind = await eventually(
      async () => Number.parseFloat((await page.page.locator('#delay').textContent()) ?? '') || false,
      LIMIT_MS,
      () => 'no delay is shown',
    );
    expect(behind).toBeGreaterThan(0);
    expect(behind).toBeLessThan(aheadLimitSeconds);
  });
});

describe.each([
  ['HTTP-FLV', 'flv', 1000],
  ['WS-FLV', 'ws', 1000],
  ['HLS', 'hls', 12_000],
  ['HLS from memory', 'hls', 12_000, 'memory.test'],
  ['LL-HLS', 'hls', 3000, 'll.test'],
])('%s, from the publisher to the screen', (name, player, limitMs, vhost?: string) => {
  it(`takes less than ${limitMs} ms`, async () => {
    // Each has a stream of its own: HLS would begin with what is left of the one before.
    const stream = `live/numbered-${name.replaceAll(' ', '-')}`;
    const query = vhost === undefined ? '' : `?vhost=${vhost}`;
    await using publisher = await NumberedPublisher.start(server.url(`${stream}${query}`));
    await using page = await StartPage.open(browser, linkTo(player, stream, query));
    await page.waitForState('Live', LIMIT_MS);
    const delays: number[] = [];
    // What the player catches up with at its start is not counted.
    await eventually(
      async () => publisher.delayOf(await readPictureNumber(page)) < limitMs,
      LIMIT_MS,
      () => 'it stays behind',
    );
    while (delays.length < PICTURES) delays.push(publisher.delayOf(await readPictureNumber(page)));
    delays.sort((one, other) => one - other);
    const median = delays[PICTURES / 2];
    expect(median).toBeGreaterThan(0);
    expect(median).toBeLessThan(limitMs);
  });
});
