/** A browser opens the page of the server and sees the stream. */
import { join } from 'node:path';
import { embeddedClipFile, FlvLoop, RtmpPublisher, readClip } from '@srs/client';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/deadline.ts';
import { clip } from '../support/media.ts';
import { requires } from '../support/requires.ts';
import { type ServerPlace, ServerProcess } from '../support/server-process.ts';
import { StartPage, startBrowser } from './browser-test-support.ts';
import { clientsOf } from './server-view-test-support.ts';

const canRun = requires('chromium', 'ffmpeg');
const LIMIT_MS = 30_000;
const PUBLISHED = 'live/livestream';
const WAITING = 'Nobody publishes this stream at the moment; it starts by itself when somebody does.';

let server: ServerProcess;
let browser: Browser;
let loop: FlvLoop;
let base: string;

const publish = (path: string): FlvLoop => FlvLoop.start({ clip: readClip(embeddedClipFile), target: server.url(path) });
const linkTo = (player: string, stream = PUBLISHED): string => `${base}#${new URLSearchParams({ stream, player }).toString()}`;

beforeAll(async () => {
  if (!canRun) return;
  server = await ServerProcess.start({
    top: ({ httpServerPort, directory }: ServerPlace) =>
      `http_server { enabled on; start_page on; listen ${httpServerPort}; dir ${join(directory, 'html')}; }`,
    vhost: ({ directory }) => `
      http_remux { enabled on; }
      hls { enabled on; hls_path ${join(directory, 'html')}; hls_fragment 2; hls_window 12; hls_ctx on; }`,
  });
  base = `http://${server.place.host}:${server.place.httpServerPort}/`;
  loop = publish(PUBLISHED);
  browser = await startBrowser();
});

afterAll(async () => {
  await browser?.close();
  await loop?.stop();
  await server?.stop();
});

it('a viewer of HLS has one session for playlists and segments, by which the server knows it', async () => {
  await using page = await StartPage.open(browser, linkTo('hls'));
  await page.waitForState('Live', LIMIT_MS);
  const fetched = page.requests.filter((url) => url.startsWith(`${base}live/`)).map((url) => new URL(url));
  const segments = fetched.filter(({ pathname }) => pathname.endsWith('.ts'));
  const keys = new Set(segments.map(({ searchParams }) => searchParams.get('hls_ctx')));
  expect(keys).toEqual(new Set([expect.stringMatching(/^[\w-]{22}$/)]));
  const playlists = fetched.filter(({ pathname, searchParams }) => pathname.endsWith('.m3u8') && searchParams.has('hls_ctx'));
  expect(new Set(playlists.map(({ searchParams }) => searchParams.get('hls_ctx')))).toEqual(keys);
  const worker = (await server.workers()).find(({ role }) => role === 'http')!;
  expect(await clientsOf(server, worker)).toContainEqual(
    expect.objectContaining({ type: 'play', protocol: 'hls', stream: 'livestream' }),
  );
});

describe('the page', () => {
  it('plays the test stream when nothing was chosen, and says what it is', async () => {
    await using page = await StartPage.open(browser, base);
    await page.waitForState('Live');
    expect(await page.page.title()).toContain('livestream');
    await page.page.getByText('H.264 640×360', { exact: true }).waitFor();
    await page.page.getByText('AAC 48 kHz stereo', { exact: true }).waitFor();
    page.expectClean(base);
  });

  it('waits for a stream that nobody publishes, and goes on when it is published again', async () => {
    await using page = await StartPage.open(browser, linkTo('flv', 'live/later'));
    await page.waitForState(WAITING);
    for (let round = 0; round < 2; round++) {
      const later = publish('live/later');
      try {
        await page.waitForState('Live', LIMIT_MS);
        await page.waitForPictures(10);
      } finally {
        await later.stop();
      }
      await page.waitForState(WAITING);
    }
    page.expectClean(base);
  });

  it('shows a picture when the stream comes back with one', async () => {
    const path = 'live/sound-first';
    await using page = await StartPage.open(browser, linkTo('flv', path));
    const sound = FlvLoop.start({ clip: readClip(await clip('aac-only')), target: server.url(path) });
    try {
      await page.waitForState('Live', LIMIT_MS);
      expect((await page.shown()).width).toBe(0);
    } finally {
      await sound.stop();
    }
    const both = publish(path);
    try {
      await eventually(
        async () => (await page.shown()).width === 640,
        LIMIT_MS,
        () => 'there is no picture',
      );
      await page.waitForPictures(10);
    } finally {
      await both.stop();
    }
    page.expectClean(base);
  });

  it('goes on when the process that serves it has died', async () => {
    await using page = await StartPage.open(browser, linkTo('flv'));
    await page.waitForState('Live');
    const { pid } = (await server.workers()).find(({ role }) => role === 'http')!;
    process.kill(pid, 'SIGKILL');
    await page.waitForState('The connection was lost; trying again.');
    await page.waitForState('Live', LIMIT_MS);
    await page.waitForPictures(10);
  });

  it('shows names that clients make up as what they are, and makes nothing of them', async () => {
    const name = '"><b>bold<img/src=x';
    const publisher = await RtmpPublisher.open(server.url(`live/${name}`));
    try {
      await using page = await StartPage.open(browser, base);
      const link = page.page.getByRole('link', { name: '"><b>bold<img' });
      await eventually(
        async () => (await link.count()) > 0,
        LIMIT_MS,
        () => 'it is not listed',
      );
      expect(await page.page.locator('#streams b, #streams img').count()).toBe(0);
      await link.click();
      await page.page.getByRole('heading', { name: 'src=x' }).waitFor();
      expect(await page.page.locator('main b, main img').count()).toBe(0);
      page.expectClean(base);
    } finally {
      await publisher.close();
    }
  });

  it('names the codec that the browser cannot play', async () => {
    await using page = await StartPage.open(browser, 'about:blank');
    await page.page.route('**/srs/streams*', async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, body: (await answer.text()).replace('"H264"', '"HEVC"') });
    });
    await page.page.goto(linkTo('flv'));
    await page.waitForState('The picture of this stream is HEVC (H.265), which this browser cannot play.');
    expect(page.requests.filter((url) => url.endsWith('.flv'))).toEqual([]);
  });

  it('gives all addresses of a stream, and they are right', async () => {
    await using page = await StartPage.open(browser, base);
    await page.waitForState('Live');
    // Those of other tests may be listed still.
    const row = page.page.locator('#streams > li', { has: page.page.locator('[aria-current]') });
    await row.getByText('Addresses').click();
    const addresses = await row.locator('.address').allTextContents();
    const host = new URL(base).host;
    expect(addresses).toEqual([
      server.url(PUBLISHED),
      `http://${host}/${PUBLISHED}.flv`,
      `ws://${host}/${PUBLISHED}.flv`,
      `http://${host}/${PUBLISHED}.m3u8`,
    ]);
    const copy = row.getByRole('button', { name: 'Copy the HTTP-FLV address' });
    await copy.click();
    await copy.filter({ hasText: 'Copied' }).waitFor();
  });

  it('can be used without a mouse', async () => {
    await using page = await StartPage.open(browser, linkTo('flv'));
    await page.waitForState('Live');
    const { keyboard } = page.page;
    await page.page.getByRole('radio', { name: 'HTTP-FLV' }).focus();
    await keyboard.press('ArrowRight');
    await eventually(
      () => page.requests.some((url) => url.startsWith('ws:')),
      LIMIT_MS,
      () => 'no websocket was opened',
    );
    await page.waitForState('Live');
    expect(page.page.url()).toContain('player=ws');

    await page.page.getByRole('button', { name: 'Turn sound on' }).focus();
    await keyboard.press('Enter');
    await eventually(
      () => page.onVideo<boolean>('(video) => !video.muted && !video.paused'),
      LIMIT_MS,
      () => 'the sound stays off',
    );
    await page.page.getByRole('button', { name: 'Turn sound on' }).waitFor({ state: 'hidden' });
  });

  it.each([
    ['light', 320],
    ['dark', 375],
  ] as const)('fits a phone, %s, %i pixels wide', async (colorScheme, width) => {
    await using page = await StartPage.open(browser, linkTo('flv'), {
      colorScheme,
      viewport: { width, height: 700 },
      isMobile: true,
      hasTouch: true,
    });
    await page.waitForState('Live');
    await page.page.getByText('Addresses').first().click();
    expect(await page.page.evaluate<number>('document.documentElement.scrollWidth')).toBe(width);
    const brightness = await page.page.evaluate<number>(
      'parseInt(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])',
    );
    expect(brightness > 128).toBe(colorScheme === 'light');
  });
});
