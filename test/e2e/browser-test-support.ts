/** The system's Chromium, without a window, and pages in it. Call `requires('chromium')` first. */
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { eventually } from '../support/deadline.ts';
import { findProgram } from '../support/programs.ts';

const LIMIT_MS = 20_000;

// A browser of a person plays without sound by itself, and asks its maker for this and that: neither is wanted here.
const browserArgs = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
];

export async function startBrowser(): Promise<Browser> {
  return await chromium.launch({ executablePath: findProgram('chromium')!, args: browserArgs });
}

/** What the `video` of the page shows. */
export interface Shown {
  readonly currentTime: number;
  /** Seconds of media that wait to be shown. */
  readonly aheadSeconds: number;
  readonly width: number;
  /** Tells one picture from another. */
  readonly picture: number;
}

/** A number made of the pixels of the picture, as the browser has decoded it. */
const lookAtVideo = `(video) => {
  const canvas = document.createElement('canvas');
  canvas.width = 160;
  canvas.height = 90;
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, 0, canvas.width, canvas.height);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  let picture = 0;
  for (const byte of data) picture = (picture * 31 + byte) | 0;
  const { buffered, currentTime } = video;
  const aheadSeconds = buffered.length === 0 ? 0 : buffered.end(buffered.length - 1) - currentTime;
  return { currentTime, aheadSeconds, width: video.videoWidth, picture };
}`;

/** The start page of a server. */
export class StartPage {
  readonly page: Page;
  /** Errors and warnings of scripts, refusals of the page's policy, and answers that are errors. */
  readonly complaints: string[] = [];
  /** Every address that was asked for. */
  readonly requests: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning')
        this.complaints.push(`${message.type()}: ${message.text()}`);
    });
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('request', (request) => this.requests.push(request.url()));
    page.on('websocket', (socket) => this.requests.push(socket.url()));
  }

  static async open(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<StartPage> {
    const context = await browser.newContext(options);
    const page = new StartPage(await context.newPage());
    page.page.setDefaultTimeout(LIMIT_MS);
    await page.page.goto(url);
    return page;
  }

  /** Nothing went wrong in it, and it has asked nobody but the server of that address. */
  expectClean(base: string): void {
    expect(this.complaints).toEqual([]);
    const hosts = new Set(this.requests.filter((url) => !url.startsWith('blob:')).map((url) => new URL(url).host));
    expect([...hosts]).toEqual([new URL(base).host]);
  }

  /** Waits until the page says this of the chosen stream. */
  async waitForState(text: string | RegExp, limitMs = LIMIT_MS): Promise<void> {
    await this.page.locator('#state').filter({ hasText: text }).waitFor({ state: 'attached', timeout: limitMs });
  }

  /**
   * Calls a function of the page with its `video`. Tests are checked without the types of browsers, so it is a text.
   * @param script `(video, argument) => ...`; what it returns is waited for
   */
  async onVideo<T>(script: string, argument?: number): Promise<T> {
    return await this.page.evaluate<T>(`(${script})(document.querySelector('video'), ${argument})`);
  }

  async shown(): Promise<Shown> {
    return await this.onVideo<Shown>(lookAtVideo);
  }

  /** Waits until so many different pictures have been shown. */
  async waitForPictures(count: number, limitMs = LIMIT_MS): Promise<void> {
    const pictures = new Set<number>();
    await eventually(
      async () => pictures.add((await this.shown()).picture).size >= count,
      limitMs,
      () => `${pictures.size} different pictures were shown, not ${count}`,
    );
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
