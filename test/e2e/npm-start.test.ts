/** `npm start`: a server in the foreground with a test stream that never ends. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { FlvClip, RtmpPlayer } from '@srs/client';
import { encodeFlvHeader, encodeFlvTag } from '@srs/flv';
import { type FrameType, frameTypes } from '@srs/kernel';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChildProgram } from '../support/child-program.ts';
import { eventually, within } from '../support/deadline.ts';
import { claimPorts, type PortBlock } from '../support/ports.ts';
import { isAlive, processTree } from '../support/proc.ts';
import { repositoryRoot } from '../support/server-process.ts';

const LIMIT_MS = 30_000;
const node = join(repositoryRoot, 'node_modules/.bin/node');
const startConfigFile = join(repositoryRoot, 'conf/start.conf');
const program = join(repositoryRoot, 'packages/cli/src/start.ts');

/** Ten pictures of 40 ms, each marked with its number; the first is a key frame. Sound every 20 ms. */
const PICTURES = 10;
const PICTURE_MS = 40;
const MARK_AT = 5;
const embedded = FlvClip.read(readFileSync(join(repositoryRoot, 'packages/client/assets/clip.flv')));
const picture = (index: number) => Buffer.of(index === 0 ? 0x17 : 0x27, 1, 0, 0, 0, index, 0, 0, 0, 1, 0x65);
const sound = (index: number) => Buffer.of(0xaf, 1, index);

function tinyClip(): Buffer {
  const tags = Array.from({ length: PICTURES }, (_, index) => [
    encodeFlvTag(frameTypes.video, index * PICTURE_MS, picture(index)),
    encodeFlvTag(frameTypes.audio, index * PICTURE_MS, sound(2 * index)),
    encodeFlvTag(frameTypes.audio, index * PICTURE_MS + PICTURE_MS / 2, sound(2 * index + 1)),
  ]);
  return Buffer.concat([
    encodeFlvHeader({ hasAudio: true, hasVideo: true }),
    ...embedded.headers.map((header) => encodeFlvTag(header.type, 0, header.payload)),
    ...tags.flat(),
  ]);
}

/** As the page gets it. */
interface StreamList {
  readonly total: number;
}

interface Frame {
  readonly type: FrameType;
  readonly timestampMs: number;
  readonly payload: Buffer;
}

let directory: string;
let ports: PortBlock;
let configFile: string;
let clipFile: string;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'srs-test-'));
  ports = await claimPorts();
  configFile = join(directory, 'test.conf');
  clipFile = join(directory, 'tiny.flv');
  writeFileSync(clipFile, tinyClip());
  writeFileSync(
    configFile,
    `listen ${ports.first};
pid ${join(directory, 'srs.pid')};
max_connections 100;
daemon off;
srs_log_tank console;
private_api { listen 127.0.0.1:${ports.first + 8}; }
http_stream { enabled on; start_page on; listen ${ports.first + 1}; }
workers { mode multi; stream 2; }
vhost __defaultVhost__ { }
`,
  );
});

afterEach(() => {
  ports.release();
  rmSync(directory, { recursive: true, force: true });
});

const pageUrl = () => `http://localhost:${ports.first + 1}/`;
const url = () => `rtmp://127.0.0.1:${ports.first}/live/livestream`;

/** Without npm around it. */
function start(...args: readonly string[]): Promise<ChildProgram> {
  return ChildProgram.start(node, [program, '--config', configFile, '--clip', clipFile, ...args], { cwd: directory });
}

async function playUntil(isEnough: (frames: readonly Frame[]) => boolean): Promise<readonly Frame[]> {
  const frames: Frame[] = [];
  const enough = Promise.withResolvers<void>();
  const player = await RtmpPlayer.open(url(), {
    onFrame: (type, timestampMs, payload) => {
      frames.push({ type, timestampMs, payload: Buffer.from(payload) });
      if (isEnough(frames)) enough.resolve();
    },
  });
  try {
    await within(Promise.race([enough.promise, player.closed]), LIMIT_MS, () => `${frames.length} frames came`);
  } finally {
    await player.close();
  }
  return frames;
}

const pictures = (frames: readonly Frame[]) =>
  frames.filter((frame) => frame.type === frameTypes.video && frame.payload[1] === 1);
const sounds = (frames: readonly Frame[]) => frames.filter((frame) => frame.type === frameTypes.audio && frame.payload[1] === 1);

async function expectNobodyOf(pids: readonly number[]): Promise<void> {
  await eventually(
    () => pids.every((pid) => !isAlive(pid)),
    LIMIT_MS,
    () => `left behind: ${pids.filter(isAlive).join(', ')}`,
  );
}

describe('npm start', () => {
  it('serves a test stream until Ctrl-C, and leaves nothing behind', async () => {
    await using npm = await ChildProgram.start('npm', ['start', '--', '--config', configFile], { cwd: repositoryRoot });
    await npm.waitForLine('Ctrl-C ends both', { limitMs: LIMIT_MS });
    // Colours are on where continuous integration runs.
    const guide = stripVTControlCharacters(npm.lines().join('\n'));
    expect(guide).toContain(`ffplay rtmp://localhost:${ports.first}/live/livestream`);
    expect(/\b\w+:\/\/\S+/.exec(guide.slice(guide.indexOf('Watch')))?.[0]).toBe(pageUrl());
    const frames = await playUntil((all) => pictures(all).length >= 25 && sounds(all).length >= 40);
    expect(frames.slice(0, 3).map((frame) => frame.type)).toEqual([frameTypes.data, frameTypes.video, frameTypes.audio]);
    expect(pictures(frames)[0]?.payload[0]).toBe(0x17);

    // Ctrl-C reaches every process of the terminal.
    const pids = npm.pids();
    expect(pids.length).toBeGreaterThanOrEqual(5);
    process.kill(-npm.pid, 'SIGINT');
    await npm.waitForExit(LIMIT_MS);
    await expectNobodyOf(pids);
  });

  it('shows a page that lists the test stream, with addresses at which it is served', async () => {
    // The file that is delivered, on other ports.
    const delivered = readFileSync(startConfigFile, 'utf8')
      .replace('listen 1935;', `listen ${ports.first}; private_api { listen 127.0.0.1:${ports.first + 8}; }`)
      .replace('listen 8080;', `listen ${ports.first + 1};`);
    writeFileSync(configFile, delivered);
    await using running = await ChildProgram.start(node, [program, '--config', configFile], { cwd: directory });
    await running.waitForLine('Ctrl-C ends both', { limitMs: LIMIT_MS });
    const page = await fetch(pageUrl());
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(await page.text()).toContain('src="/srs/page.js"');
    const list = await eventually(
      async () => {
        const document = (await (await fetch(`${pageUrl()}srs/streams`)).json()) as StreamList;
        return document.total > 0 && document;
      },
      LIMIT_MS,
      () => 'no stream is listed',
    );
    const urls = {
      rtmp: `rtmp://localhost:${ports.first}/live/livestream`,
      flv: '/live/livestream.flv',
      hls: '/live/livestream.m3u8',
    };
    expect(list).toMatchObject({ total: 1, streams: [{ app: 'live', stream: 'livestream', isPublished: true, urls }] });

    const flv = await fetch(new URL(urls.flv, pageUrl()));
    const reader: ReadableStreamDefaultReader<Uint8Array> = flv.body!.getReader();
    const { value } = await within(reader.read(), LIMIT_MS, () => 'nothing comes over HTTP-FLV');
    expect(Buffer.from(value!).toString('latin1', 0, 3)).toBe('FLV');
    await reader.cancel();
    const playlist = await eventually(
      async () => {
        const response = await fetch(new URL(urls.hls, pageUrl()));
        return response.ok && (await response.text());
      },
      LIMIT_MS,
      () => 'there is no playlist',
    );
    expect(playlist).toMatch(/^#EXTM3U\n.*\n#EXTINF:/s);
  });

  it('plays its clip over and over without a seam', async () => {
    await using running = await start();
    await running.waitForLine('Ctrl-C ends both', { limitMs: LIMIT_MS });
    const rounds = 5;
    const frames = await playUntil((all) => pictures(all).length > rounds * PICTURES);

    const marks = pictures(frames).map((frame) => frame.payload[MARK_AT]!);
    expect(marks[0]).toBe(0);
    expect(marks).toEqual(marks.map((_, index) => index % PICTURES));
    const times = pictures(frames).map((frame) => frame.timestampMs);
    expect(times).toEqual(times.map((_, index) => times[0]! + index * PICTURE_MS));
    const soundTimes = sounds(frames).map((frame) => frame.timestampMs);
    expect(soundTimes).toEqual(soundTimes.map((_, index) => soundTimes[0]! + (index * PICTURE_MS) / 2));
    const isHeader = (frame: Frame) => frame.type === frameTypes.data || frame.payload[1] === 0;
    const begin = frames.findIndex((frame) => !isHeader(frame));
    expect(frames.slice(0, begin).map((frame) => frame.type)).toEqual(
      expect.arrayContaining([frameTypes.data, frameTypes.video, frameTypes.audio]),
    );
    expect(frames.slice(begin).filter(isHeader)).toEqual([]);

    const pids = running.pids();
    expect(await running.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    await expectNobodyOf(pids);
    const log = running.lines().join('\n');
    expect(log).not.toMatch(/\[error\]/);
    expect(log).not.toContain('trying again');
  });

  it('publishes again when the worker with the test stream dies', async () => {
    await using running = await start();
    await running.waitForLine('Ctrl-C ends both', { limitMs: LIMIT_MS });
    const identified = await running.waitForLine(/client identified, type=publish/);
    const workerPid = Number(/\]\[(\d+)\]\[\d+\]/.exec(identified)?.[1]);
    process.kill(workerPid, 'SIGKILL');
    await running.waitForLine('The test stream is back.', { limitMs: LIMIT_MS });
    expect(pictures(await playUntil((all) => pictures(all).length >= 5)).length).toBeGreaterThanOrEqual(5);
    expect(await running.stop('SIGINT')).toEqual({ code: 0, signal: null });
  });

  it('ends with an error when its server dies', async () => {
    await using running = await start();
    await running.waitForLine('Ctrl-C ends both', { limitMs: LIMIT_MS });
    const started = await running.waitForLine(/server started, .*pid=\d+/);
    const pids = running.pids();
    process.kill(Number(/pid=(\d+)/.exec(started)?.[1]), 'SIGKILL');
    expect(await running.waitForExit(LIMIT_MS)).toEqual({ code: 1, signal: null });
    expect(running.lines()).toContain('npm start: the server has ended: SIGKILL');
    await expectNobodyOf(pids);
  });

  it('ends in good order when it is stopped while the server starts', async () => {
    await using running = await start();
    await eventually(
      () => processTree(running.pid).length >= 2,
      LIMIT_MS,
      () => 'no server was started',
    );
    const pids = running.pids();
    await running.stop('SIGTERM');
    await expectNobodyOf(pids);
  });

  it.each([
    ['RTMP', 0],
    ['HTTP', 1],
  ])('says that the port for %s is in use, and how to go on', async (_, offset) => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(ports.first + offset, '0.0.0.0', resolve));
    try {
      const end = await ChildProgram.run(node, [program, '--config', configFile], { cwd: directory });
      expect(end.code).not.toBe(0);
      expect(end.stderr).toContain(`bind 0.0.0.0:${ports.first + offset}: EADDRINUSE`);
      expect(end.stderr).toContain('Another program listens there');
      expect(end.stdout).not.toContain('Ctrl-C ends both');
    } finally {
      await new Promise((resolve) => other.close(resolve));
    }
  });

  it('says what is wrong with a configuration or clip, and starts nothing', async () => {
    const badConfig = join(directory, 'bad.conf');
    writeFileSync(badConfig, 'listen none; vhost __defaultVhost__ {}');
    const wrong = await ChildProgram.run(node, [program, '--config', badConfig], { cwd: directory });
    expect(wrong).toMatchObject({ code: 1, stdout: '' });
    expect(wrong.stderr).toContain(`${badConfig}:1`);
    const noClip = await ChildProgram.run(node, [program, '--config', configFile, '--clip', configFile], { cwd: directory });
    expect(noClip).toMatchObject({ code: 1, stdout: '' });
    expect(noClip.stderr).toBe('npm start: flv signature "lis" must be "FLV"');
  });
});
