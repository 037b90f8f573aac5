/** How long a picture takes from the publisher to the screen of a browser. */
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/deadline.ts';
import { requires } from '../support/requires.ts';
import { type ServerPlace, ServerProcess } from '../support/server-process.ts';
import { NumberedPublisher, readPictureNumber } from './browser-latency-test-support.ts';
import { StartPage, startBrowser } from './browser-test-support.ts';

const canRun = requires('chromium', 'ffmpeg');
const LIMIT_MS = 30_000;
const PICTURES = 50;

let server: ServerProcess;
let browser: Browser;

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
  browser = await startBrowser();
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
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
    const { host, httpServerPort } = server.place;
    const choice = new URLSearchParams({ stream, player }).toString();
    await using page = await StartPage.open(browser, `http://${host}:${httpServerPort}/${query}#${choice}`);
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
