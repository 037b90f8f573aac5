import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeFlvTagHeader, encodeFlvHeader, encodeFlvTag, FLV_TAG_HEADER_BYTES, flvTagBytes } from '@srs/flv';
import { describe, expect, it } from 'vitest';
import { ffprobe } from '../../../test/support/foreign.ts';
import { clip } from '../../../test/support/media.ts';
import { requires } from '../../../test/support/requires.ts';
import { TestMedia } from './media-test-support.ts';

const AUDIO = 8;
const VIDEO = 9;
const fileHeader = encodeFlvHeader({ hasAudio: true, hasVideo: true });
const metadata = encodeFlvTag(18, 0, Buffer.alloc(100_000, 'm'));
const videoHeader = encodeFlvTag(VIDEO, 0, Buffer.from([0x17, 0, 0, 0, 0, 1, 2, 3]));
const audioHeader = encodeFlvTag(AUDIO, 0, Buffer.from([0xaf, 0, 0x12, 0x10]));
const keyFrame = encodeFlvTag(VIDEO, 0, Buffer.concat([Buffer.from([0x17, 1, 0, 0, 0]), Buffer.alloc(5000, 'k')]));
const sound = encodeFlvTag(AUDIO, 10, Buffer.concat([Buffer.from([0xaf, 1]), Buffer.alloc(200, 's')]));
const secondKey = encodeFlvTag(VIDEO, 1000, Buffer.concat([Buffer.from([0x17, 1, 0, 0, 0]), Buffer.alloc(3000, 'l')]));
const mp3 = encodeFlvTag(AUDIO, 0, Buffer.from([0x2f, 1, 2, 3]));

interface Case {
  readonly name: string;
  readonly before: readonly Buffer[];
  /** What is repeated. */
  readonly headers: readonly Buffer[];
}

const cases: readonly Case[] = [
  { name: 'video and audio', before: [metadata, videoHeader, audioHeader, keyFrame, sound], headers: [videoHeader, audioHeader] },
  { name: 'audio first', before: [audioHeader, metadata, videoHeader, keyFrame], headers: [audioHeader, videoHeader] },
  {
    name: 'headers that are not adjacent',
    before: [videoHeader, keyFrame, sound, audioHeader],
    headers: [videoHeader, audioHeader],
  },
  { name: 'video only', before: [metadata, videoHeader, keyFrame], headers: [videoHeader] },
  { name: 'audio only', before: [audioHeader, sound], headers: [audioHeader] },
  { name: 'audio that needs no header', before: [mp3, mp3], headers: [] },
  {
    name: 'headers that come twice',
    before: [videoHeader, audioHeader, videoHeader, audioHeader],
    headers: [videoHeader, audioHeader],
  },
  { name: 'a header too late to be looked for', before: [...Array.from({ length: 100 }, () => sound), videoHeader], headers: [] },
];

async function serving(file: Buffer): Promise<TestMedia> {
  const media = await TestMedia.start();
  media.write('www/a.flv', file);
  return media;
}

describe('start=N', () => {
  it.each(cases)('repeats the headers: $name', async ({ before, headers }) => {
    const begin = Buffer.concat([fileHeader, ...before]);
    await using media = await serving(Buffer.concat([begin, secondKey]));
    const answer = await media.ask(`/a.flv?start=${begin.length}`);
    const expected = Buffer.concat([fileHeader, ...headers, secondKey]);
    expect([answer.status, answer.headers['content-length']]).toEqual([200, String(expected.length)]);
    expect(answer.headers['content-type']).toBe('video/x-flv');
    expect(answer.bytes.equals(expected)).toBe(true);
    expect(media.log.lines).toEqual([]);
    const head = await media.ask(`/a.flv?start=${begin.length}`, { method: 'HEAD' });
    expect([head.headers['content-length'], head.bytes.length]).toEqual([String(expected.length), 0]);
  });

  const tags = [metadata, videoHeader, audioHeader, keyFrame, sound];
  const file = Buffer.concat([fileHeader, ...tags, secondKey]);
  const second = file.length - secondKey.length;

  it('before the headers does not repeat them', async () => {
    await using media = await serving(file);
    const first = fileHeader.length;
    expect((await media.ask(`/a.flv?start=${first}`)).bytes.equals(file)).toBe(true);
  });

  it('0, or nothing, is the whole file', async () => {
    await using media = await serving(file);
    for (const query of ['', '?', '?start=0', '?start=', '?other=5', '?start=0&end=', '?restart=5']) {
      expect([query, (await media.ask(`/a.flv${query}`)).bytes.equals(file)]).toEqual([query, true]);
    }
  });

  it('with end=M goes to that byte', async () => {
    await using media = await serving(file);
    const headers = Buffer.concat([fileHeader, videoHeader, audioHeader]);
    const part = await media.ask(`/a.flv?start=${second}&end=${second + 9}`);
    expect(part.bytes.equals(Buffer.concat([headers, secondKey.subarray(0, 10)]))).toBe(true);
    expect((await media.ask('/a.flv?end=99')).bytes.equals(file.subarray(0, 100))).toBe(true);
    const beyond = await media.ask(`/a.flv?start=${second}&end=999999999999`);
    expect(beyond.bytes.equals(Buffer.concat([headers, secondKey]))).toBe(true);
  });

  it('where no tag begins is served as asked, and noted', async () => {
    await using media = await serving(file);
    const headers = Buffer.concat([fileHeader, videoHeader, audioHeader]);
    for (const start of [second + 1, second - 1, file.length - 1]) {
      const { bytes } = await media.ask(`/a.flv?start=${start}`);
      expect(bytes.equals(Buffer.concat([headers, file.subarray(start)]))).toBe(true);
      expect(media.log.lines.at(-1)).toMatchObject({ level: 'info', text: `HTTP "/a.flv": no tag begins at ${start}` });
    }
    expect((await media.ask('/a.flv?start=5')).bytes.equals(Buffer.concat([fileHeader, file.subarray(5)]))).toBe(true);
  });

  it.each([
    [`start=${file.length}`, 416, 3014, `start ${file.length} must be below the size of the file, ${file.length}`],
    ['start=999999999999999', 416, 3014, `start 999999999999999 must be below the size of the file, ${file.length}`],
    ['start=-1', 400, 3011, 'start "-1" must be an offset in bytes'],
    ['start=1.5', 400, 3011, 'start "1.5" must be an offset in bytes'],
    ['start=undefined', 400, 3011, 'start "undefined" must be an offset in bytes'],
    ['start=9999999999999999', 400, 3011, 'start "9999999999999999" must be an offset in bytes'],
    ['start=10&end=9', 400, 3011, 'end 9 must be at least start, 10'],
    ['start=10&end=x', 400, 3011, 'end "x" must be an offset in bytes'],
  ])('%s is refused with %i', async (query, status, code, error) => {
    await using media = await serving(file);
    expect(await media.ask(`/a.flv?${query}`)).toMatchObject({
      status,
      body: { code, data: { status_code: status, url: '/a.flv', error } },
    });
  });

  it('of something that is no FLV is refused, or means nothing', async () => {
    await using media = await serving(Buffer.from('this is no FLV at all'));
    expect(await media.ask('/a.flv?start=5')).toMatchObject({
      status: 400,
      body: { code: 3037, data: { error: 'flv signature "thi" must be "FLV"' } },
    });
    media.write('www/short.flv', 'FLV');
    expect((await media.ask('/short.flv?start=1')).status).toBe(400);
    media.write('www/a.mp4', 'not seekable so');
    expect((await media.ask('/a.mp4?start=5')).bytes.toString()).toBe('not seekable so');
    expect((await media.ask('/nothing.flv?start=5')).status).toBe(404);
  });

  it('of a file with broken tags still has an end', async () => {
    const broken = Buffer.concat([fileHeader, Buffer.alloc(5000, 0xff)]);
    await using media = await serving(broken);
    const { bytes } = await media.ask('/a.flv?start=4000');
    expect(bytes.equals(Buffer.concat([fileHeader, broken.subarray(4000)]))).toBe(true);
    // Tags of no bytes, as many as one likes.
    media.write('www/a.flv', Buffer.concat([fileHeader, Buffer.alloc(200_000)]));
    expect((await media.ask('/a.flv?start=100000')).bytes.length).toBe(13 + 100_013);
  });

  it('has ranges and conditions of its own', async () => {
    await using media = await serving(file);
    const url = `/a.flv?start=${second}`;
    const all = Buffer.concat([fileHeader, videoHeader, audioHeader, secondKey]);
    const whole = await media.ask('/a.flv');
    const { headers } = await media.ask(url);
    expect(headers.etag).not.toBe(whole.headers.etag);
    expect((await media.ask(url, { headers: { 'if-none-match': headers.etag! } })).status).toBe(304);
    for (const [first, last] of [
      [0, 4],
      [5, 20],
      [10, 100],
      [60, all.length - 1],
      [all.length - 1, all.length - 1],
    ] as const) {
      const part = await media.ask(url, { headers: { range: `bytes=${first}-${last}` } });
      expect([part.status, part.headers['content-range']]).toEqual([206, `bytes ${first}-${last}/${all.length}`]);
      expect(part.bytes.equals(all.subarray(first, last + 1))).toBe(true);
    }
    expect((await media.ask(url, { headers: { range: `bytes=${all.length}-` } })).status).toBe(416);
  });
});

describe('a real recording', () => {
  requires('ffmpeg', 'ffprobe');

  it('plays from the key frame asked for', async () => {
    const recording = await readFile(await clip('h264-aac'));
    const keys: { readonly position: number; readonly timestampMs: number }[] = [];
    for (let position = fileHeader.length; position < recording.length; ) {
      const { type, timestampMs, payloadBytes } = decodeFlvTagHeader(recording, position);
      const payload = recording.subarray(position + FLV_TAG_HEADER_BYTES);
      if (type === VIDEO && payload[0] === 0x17 && payload[1] === 1) keys.push({ position, timestampMs });
      position += flvTagBytes(payloadBytes);
    }
    const { position, timestampMs } = keys[4]!;
    await using media = await serving(recording);
    const { bytes } = await media.ask(`/a.flv?start=${position}`);
    const path = join(media.directory, 'got.flv');
    writeFileSync(path, bytes);
    const { packets } = (await ffprobe(['-select_streams', 'v', '-show_packets', path])) as {
      packets: readonly { pts_time: string; flags: string }[];
    };
    expect(packets[0]).toMatchObject({
      pts_time: (timestampMs / 1000).toFixed(6),
      flags: expect.stringContaining('K') as string,
    });
    const { streams } = (await ffprobe(['-show_streams', path])) as { streams: readonly { codec_name: string }[] };
    expect(streams.map(({ codec_name: name }) => name).sort()).toEqual(['aac', 'h264']);
  });
});
