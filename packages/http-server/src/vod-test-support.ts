/** Recordings over HLS from a directory of their own, and FLV files as bytes. */
import { closeSync, fstatSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { AmfObject, encodeAmf0 } from '@srs/amf';
import { loadConfig } from '@srs/config';
import { encodeFlvHeader, encodeFlvTag } from '@srs/flv';
import { type Clock, frameTypes, type Log, type LogLine, memoryLog, systemClock } from '@srs/kernel';
import type { MediaTimes } from './media-services.ts';
import { type MediaAnswer, type MediaQuestion, TestMedia } from './media-test-support.ts';
import { FileWindow } from './vod-file-window.ts';
import { vodRoutes } from './vod-routes.ts';
import type { VodLimits } from './vod-server.ts';

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

/** What `flvFile` puts into a tag. */
export interface TestTag {
  readonly kind: 'key' | 'inter' | 'sound' | 'video-header' | 'audio-header' | 'data' | 'raw';
  readonly ms?: number;
  /** Of the payload. */
  readonly bytes?: number;
  /** Instead of what the kind stands for. */
  readonly payload?: Buffer;
  /** For `raw`. */
  readonly type?: number;
}

// 320x180, High, by x264.
const avcConfiguration = Buffer.from(
  '0164000cffe1001a6764000cacd941419f9f011000000300100000030320f142996001000668ebe3cb22c0fdf8f800',
  'hex',
);
/** AAC LC, 44,100 Hz, stereo. */
export const aacConfiguration = Buffer.from('1210', 'hex');

export function payloadOf({ kind, bytes = 100, payload }: TestTag): Buffer {
  if (payload !== undefined) return payload;
  const unit = (nal: number): Buffer => {
    const body = Buffer.alloc(Math.max(1, bytes - 9), 0x55);
    body[0] = nal;
    const length = Buffer.alloc(4);
    length.writeUInt32BE(body.length);
    return Buffer.concat([length, body]);
  };
  switch (kind) {
    case 'key':
      return Buffer.concat([Buffer.from([0x17, 1, 0, 0, 0]), unit(0x65)]);
    case 'inter':
      return Buffer.concat([Buffer.from([0x27, 1, 0, 0, 0]), unit(0x41)]);
    case 'sound':
      return Buffer.concat([Buffer.from([0xaf, 1]), Buffer.alloc(Math.max(1, bytes - 2), 0x21)]);
    case 'video-header':
      return Buffer.concat([Buffer.from([0x17, 0, 0, 0, 0]), avcConfiguration]);
    case 'audio-header':
      return Buffer.concat([Buffer.from([0xaf, 0]), aacConfiguration]);
    case 'data':
    case 'raw':
      return Buffer.alloc(bytes);
  }
}

const types: Readonly<Record<TestTag['kind'], number>> = {
  key: frameTypes.video,
  inter: frameTypes.video,
  'video-header': frameTypes.video,
  sound: frameTypes.audio,
  'audio-header': frameTypes.audio,
  data: frameTypes.data,
  raw: 31,
};

export interface TestFlv {
  readonly bytes: Buffer;
  /** Of each tag. */
  readonly positions: readonly number[];
}

export function flvOf(tags: readonly TestTag[]): TestFlv {
  const parts = [encodeFlvHeader({ hasAudio: true, hasVideo: true })];
  const positions: number[] = [];
  let position = parts[0]!.length;
  for (const tag of tags) {
    const bytes = encodeFlvTag(tag.type ?? types[tag.kind], tag.ms ?? 0, payloadOf(tag));
    positions.push(position);
    parts.push(bytes);
    position += bytes.length;
  }
  return { bytes: Buffer.concat(parts), positions };
}

export const headers: readonly TestTag[] = [{ kind: 'video-header' }, { kind: 'audio-header' }];

/** Pictures at 25 a second, and a sound after each that a group begins with. */
export function picturesOf(options: {
  readonly groups: number;
  readonly groupMs: number;
  readonly fromMs?: number;
  readonly bytes?: number;
}): TestTag[] {
  const { groups, groupMs, fromMs = 0, bytes = 100 } = options;
  const tags: TestTag[] = [];
  for (let ms = 0; ms < groups * groupMs; ms += 40) {
    const isKey = ms % groupMs === 0;
    tags.push({ kind: isKey ? 'key' : 'inter', ms: fromMs + ms, bytes });
    if (isKey) tags.push({ kind: 'sound', ms: fromMs + ms });
  }
  return tags;
}

/** As recorders write it. */
export function metadataOf(positions: readonly number[], timesMs: readonly number[]): TestTag {
  const keyframes = AmfObject.object({ filepositions: [...positions], times: timesMs.map((ms) => ms / 1000) });
  return { kind: 'data', payload: encodeAmf0('onMetaData', AmfObject.object({ duration: 0, keyframes })) };
}

/** The file with a list of its key frames in front. */
export function indexedFlv(
  tags: readonly TestTag[],
  change: (entries: [position: number, ms: number][]) => void = () => {},
): TestFlv {
  const keys = tags.flatMap(({ kind, ms = 0 }, index) => (kind === 'key' ? [{ index, ms }] : []));
  const entriesOf = (positions: readonly number[]): [position: number, ms: number][] => {
    const entries = keys.map(({ index, ms }): [number, number] => [positions[index]!, ms]);
    change(entries);
    return entries;
  };
  const place = (entries: readonly (readonly [position: number, ms: number])[]): TestFlv =>
    flvOf([
      metadataOf(
        entries.map(([position]) => position),
        entries.map(([, ms]) => ms),
      ),
      ...tags,
    ]);
  // Numbers have one size, so the list has its size before its values are known.
  const draft = place(entriesOf(tags.map((_, index) => index)));
  return place(entriesOf(draft.positions.slice(1)));
}

/** Lets `use` read bytes as a file. */
export function withWindow<Result>(bytes: Buffer, use: (window: FileWindow, places: FileWindow) => Result): Result {
  const directory = mkdtempSync(join(tmpdir(), 'srs-vod-'));
  const path = join(directory, 'file');
  writeFileSync(path, bytes);
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    return use(new FileWindow(fd, size), new FileWindow(fd, size, 4096));
  } finally {
    closeSync(fd);
    rmSync(directory, { recursive: true });
  }
}
