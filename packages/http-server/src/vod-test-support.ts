/** Recordings over HLS from a directory of their own. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadConfig } from '@srs/config';
import { type Clock, type Log, type LogLine, memoryLog, systemClock } from '@srs/kernel';
import type { VodLimits } from '@srs/vod';
import type { MediaTimes } from './media-services.ts';
import { type MediaAnswer, type MediaQuestion, TestMedia } from './media-test-support.ts';
import { vodRoutes } from './vod-routes.ts';

export interface VodOptions {
  readonly limits?: Partial<VodLimits>;
  readonly times?: MediaTimes;
  readonly clock?: Clock;
}

export interface TestPlaylist {
  readonly text: string;
  readonly urls: readonly string[];
  /** Seconds. */
  readonly durations: readonly number[];
}

export class TestVod {
  /** Holds `www`, which is served, and what else a test puts beside it. */
  readonly directory: string;
  readonly log: Log & { readonly lines: readonly LogLine[] };
  readonly media: TestMedia;

  private constructor(directory: string, log: TestVod['log'], media: TestMedia) {
    this.directory = directory;
    this.log = log;
    this.media = media;
  }

  static async start({ limits = {}, times, clock = systemClock }: VodOptions = {}): Promise<TestVod> {
    const directory = mkdtempSync(join(tmpdir(), 'srs-vod-'));
    mkdirSync(join(directory, 'www'));
    const vhosts = `vhost __defaultVhost__ { http { enabled on; mount /; dir ${directory}/www; } }`;
    const { config } = loadConfig(`listen 1935; http_stream { enabled on; } ${vhosts}`, { fileName: 'srs.conf' });
    const log = memoryLog();
    const plugin = vodRoutes({ config: () => config, clock, log, limits, ...(times === undefined ? {} : { times }) });
    return new TestVod(directory, log, await TestMedia.start({ vhosts, plugins: [plugin] }));
  }

  url(path: string): string {
    return `http://127.0.0.1:${this.media.port}${path}`;
  }

  path(path: string): string {
    return join(this.directory, path);
  }

  /** @returns where it is */
  write(path: string, contents: string | Buffer): string {
    const full = this.path(path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, contents);
    return full;
  }

  ask(path: string, question?: MediaQuestion): Promise<MediaAnswer> {
    return this.media.ask(path, question);
  }

  async playlist(path: string): Promise<TestPlaylist> {
    const { status, bytes } = await this.ask(path);
    const text = bytes.toString();
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
    const urls = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const durations = [...text.matchAll(/^#EXTINF:(.+),$/gm)].map(([, seconds]) => Number(seconds));
    return { text, urls: urls.map((url) => new URL(url, this.url(path)).pathname), durations };
  }

  /** All segments, one behind the other. */
  async segments(path: string): Promise<Buffer> {
    const { urls } = await this.playlist(path);
    const parts: Buffer[] = [];
    for (const url of urls) {
      const { status, bytes } = await this.ask(url);
      if (status !== 200) throw new Error(`${url}: ${status} ${bytes.toString()}`);
      parts.push(bytes);
    }
    return Buffer.concat(parts);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.media[Symbol.asyncDispose]();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
