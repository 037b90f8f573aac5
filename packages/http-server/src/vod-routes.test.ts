import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { ManualClock } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { flvOf, headers, picturesOf, type TestTag, TestVod } from './vod-test-support.ts';

const recording = flvOf([...headers, ...picturesOf({ groups: 10, groupMs: 2000, bytes: 1000 })]).bytes;
const another = flvOf([...headers, ...picturesOf({ groups: 4, groupMs: 2000, bytes: 1000 })]).bytes;

describe('a recording beside which there is no playlist', () => {
  it('is played by one', async () => {
    await using vod = await TestVod.start();
    vod.write('www/live/film.flv', recording);
    const answer = await vod.ask('/live/film.m3u8');
    expect(answer).toMatchObject({
      status: 200,
      headers: {
        'content-type': 'application/vnd.apple.mpegurl',
        'cache-control': 'no-cache',
        'access-control-allow-origin': '*',
        'content-length': String(answer.bytes.length),
      },
    });
    const { durations, urls } = await vod.playlist('/live/film.m3u8');
    expect(durations).toEqual([6, 6, 6, 2]);
    expect(urls[3]).toMatch(/^\/live\/film\.flv\.vod\/[0-9a-f]{16}-3\.ts$/);
    const segment = await vod.ask(urls[3]!);
    expect(segment).toMatchObject({
      status: 200,
      headers: { 'content-type': 'video/mp2t', 'cache-control': 'public, max-age=31536000, immutable' },
    });
    expect(segment.bytes.length % 188).toBe(0);
  });

  it('may have any name', async () => {
    await using vod = await TestVod.start();
    vod.write('www/größe: 100% [a] #1?.flv', recording);
    const path = `/${encodeURIComponent('größe: 100% [a] #1?.m3u8')}`;
    const { urls } = await vod.playlist(path);
    expect((await vod.ask(urls[0]!)).status).toBe(200);
  });

  it('is asked about with HEAD as well', async () => {
    await using vod = await TestVod.start();
    vod.write('www/film.flv', recording);
    const { urls } = await vod.playlist('/film.m3u8');
    for (const url of ['/film.m3u8', urls[1]!]) {
      const head = await vod.ask(url, { method: 'HEAD' });
      const { bytes, headers: told } = await vod.ask(url);
      expect(head.bytes).toHaveLength(0);
      expect(head).toMatchObject({ status: 200, headers: { etag: told.etag, 'content-length': String(bytes.length) } });
    }
  });

  it('is not sent again to who has it, and in parts to who wants parts', async () => {
    await using vod = await TestVod.start();
    vod.write('www/film.flv', recording);
    const { urls } = await vod.playlist('/film.m3u8');
    for (const url of ['/film.m3u8', urls[0]!]) {
      const { headers: told, bytes } = await vod.ask(url);
      const known = await vod.ask(url, { headers: { 'if-none-match': told.etag! } });
      expect([known.status, known.bytes.length]).toEqual([304, 0]);
      expect((await vod.ask(url, { headers: { 'if-match': '"other"' } })).status).toBe(412);
      const part = await vod.ask(url, { headers: { range: 'bytes=10-19' } });
      expect(part).toMatchObject({ status: 206, headers: { 'content-range': `bytes 10-19/${bytes.length}` } });
      expect(part.bytes).toEqual(bytes.subarray(10, 20));
      expect((await vod.ask(url, { headers: { range: 'bytes=99999999-' } })).status).toBe(416);
    }
  });

  it('has other URLs when it has changed, and the old ones are gone', async () => {
    await using vod = await TestVod.start();
    const path = vod.write('www/film.flv', recording);
    const before = await vod.playlist('/film.m3u8');
    expect((await vod.ask(before.urls[0]!)).status).toBe(200);
    vod.write('www/film.flv', another);
    const after = await vod.playlist('/film.m3u8');
    expect(after.urls[0]).not.toBe(before.urls[0]);
    expect((await vod.ask(after.urls[0]!)).status).toBe(200);
    expect((await vod.ask(before.urls[0]!)).status).toBe(404);
    utimesSync(path, 1, 1);
    expect((await vod.ask(after.urls[0]!)).status).toBe(404);
    rmSync(path);
    expect((await vod.ask('/film.m3u8')).status).toBe(404);
  });

  it('is found under its new name', async () => {
    await using vod = await TestVod.start();
    const path = vod.write('www/a.flv', recording);
    await vod.segments('/a.m3u8');
    renameSync(path, vod.path('www/b.flv'));
    expect((await vod.segments('/b.m3u8')).length).toBeGreaterThan(0);
    expect((await vod.ask('/a.m3u8')).status).toBe(404);
  });

  it('has no segments behind its last', async () => {
    await using vod = await TestVod.start();
    vod.write('www/film.flv', recording);
    const { urls } = await vod.playlist('/film.m3u8');
    expect((await vod.ask(urls[0]!.replace('-0.ts', '-4.ts'))).status).toBe(404);
    expect((await vod.ask(urls[0]!.replace('-0.ts', '-999999.ts'))).status).toBe(404);
    expect((await vod.ask(urls[0]!.replace('-0.ts', '-00.ts'))).status).toBe(404);
  });
});

describe('files come first', () => {
  it('a playlist that is there', async () => {
    await using vod = await TestVod.start();
    vod.write('www/film.flv', recording);
    vod.write('www/film.m3u8', 'of the live stream');
    expect((await vod.ask('/film.m3u8')).bytes.toString()).toBe('of the live stream');
  });

  it('a playlist that has come since, and one that has gone', async () => {
    const clock = new ManualClock();
    await using vod = await TestVod.start({ clock });
    vod.write('www/film.flv', recording);
    const playlist = vod.write('www/film.m3u8', 'live');
    expect((await vod.ask('/film.m3u8')).bytes.toString()).toBe('live');
    rmSync(playlist);
    clock.advance(1001);
    expect((await vod.playlist('/film.m3u8')).durations).toHaveLength(4);
    vod.write('www/film.m3u8', 'live again');
    expect((await vod.ask('/film.m3u8')).bytes.toString()).toBe('live again');
  });

  it('that there is no recording is believed for a second, for the viewers of live streams', async () => {
    const clock = new ManualClock();
    await using vod = await TestVod.start({ clock });
    expect((await vod.ask('/film.m3u8')).status).toBe(404);
    vod.write('www/film.flv', recording);
    clock.advance(999);
    expect((await vod.ask('/film.m3u8')).status).toBe(404);
    clock.advance(2);
    expect((await vod.playlist('/film.m3u8')).durations).toHaveLength(4);
  });

  it('that have the name of a segment', async () => {
    await using vod = await TestVod.start();
    vod.write('www/film.flv', recording);
    vod.write('www/film.flv.vod/0123456789abcdef-0.ts', 'file');
    expect((await vod.ask('/film.flv.vod/0123456789abcdef-0.ts')).bytes.toString()).toBe('file');
  });

  it('the others are served as ever', async () => {
    await using vod = await TestVod.start();
    vod.write('www/film.flv', recording);
    vod.write('www/a.ts', 'segment');
    expect((await vod.ask('/film.flv')).bytes.equals(recording)).toBe(true);
    expect((await vod.ask('/a.ts')).bytes.toString()).toBe('segment');
    expect((await vod.ask('/nothing.m3u8')).status).toBe(404);
    expect((await vod.ask('/film.m3u8', { method: 'POST' })).status).toBe(405);
  });
});

describe('what cannot be played', () => {
  const flv = (...tags: TestTag[]): Buffer => flvOf(tags).bytes;
  const video = (...bytes: number[]): TestTag => ({
    kind: 'key',
    payload: Buffer.from([...bytes, ...Array<number>(20).fill(0)]),
  });
  const sound = (...bytes: number[]): TestTag => ({
    kind: 'sound',
    payload: Buffer.from([...bytes, ...Array<number>(20).fill(0)]),
  });

  it.each([
    {
      name: 'AV1',
      bytes: flv(video(0x90, ...Buffer.from('av01'))),
      error: 'video codec av1 must be avc or hevc to be played over hls',
    },
    { name: 'Sorenson H.263', bytes: flv(video(0x12)), error: 'video codec h263 must be avc or hevc to be played over hls' },
    {
      name: 'a codec without a name',
      bytes: flv(video(0x1d)),
      error: 'video codec 13 must be avc or hevc to be played over hls',
    },
    { name: 'Speex', bytes: flv(sound(0xb2)), error: 'audio codec speex must be aac or mp3 to be played over hls' },
    {
      name: 'Opus',
      bytes: flv(sound(0x90, ...Buffer.from('Opus'))),
      error: 'audio codec opus must be aac or mp3 to be played over hls',
    },
    { name: 'no media', bytes: flv(...headers), error: 'flv has neither picture nor sound' },
    { name: 'nothing', bytes: Buffer.alloc(0), error: 'flv header of 0 bytes must have 9' },
    { name: 'something else', bytes: Buffer.from('<html>no film</html>'), error: 'flv signature "<ht" must be "FLV"' },
  ])('$name in an FLV file is said to be', async ({ bytes, error }) => {
    await using vod = await TestVod.start();
    vod.write('www/film.flv', bytes);
    for (let time = 0; time < 2; time++) {
      expect(await vod.ask('/film.m3u8')).toMatchObject({
        status: 415,
        body: { data: { status_code: 415, url: '/film.m3u8', error } },
      });
    }
    expect(vod.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it.each([
    {
      name: 'without its tables',
      bytes: Buffer.from('000000106674797069736f6d00000200', 'hex'),
      error: /^mp4 file of 16 bytes has no moov$/,
    },
    { name: 'that is none', bytes: Buffer.from('RIFF of something'), error: /^mp4 / },
    { name: 'that is empty', bytes: Buffer.alloc(0), error: /^mp4 file of 0 bytes has no moov$/ },
  ])('an MP4 file $name', async ({ bytes, error }) => {
    await using vod = await TestVod.start();
    vod.write('www/film.mp4', bytes);
    const { status, body } = await vod.ask('/film.m3u8');
    expect(status).toBe(415);
    expect(body).toMatchObject({ code: 3076, data: { error: expect.stringMatching(error) as string } });
  });

  it('an FLV file that is cut is played as far as it goes', async () => {
    await using vod = await TestVod.start();
    vod.write('www/film.flv', recording.subarray(0, recording.length / 2));
    const { durations } = await vod.playlist('/film.m3u8');
    expect(durations).toEqual([6, expect.closeTo(3.9, 0)]);
    expect((await vod.segments('/film.m3u8')).length).toBeGreaterThan(100_000);
  });

  it('frames that cannot be carried are left out and told of', async () => {
    await using vod = await TestVod.start();
    const bad: TestTag = { kind: 'inter', ms: 1000, payload: Buffer.from([0x27, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 1]) };
    vod.write('www/film.flv', flvOf([...headers, ...picturesOf({ groups: 1, groupMs: 1000 }), bad]).bytes);
    expect((await vod.segments('/film.m3u8')).length).toBeGreaterThan(0);
    expect(vod.log.lines.slice(1)).toMatchObject([
      { level: 'info', text: 'HTTP segment 0 of "film.flv": 1 frames are left out' },
    ]);
  });
});

describe('paths that lead nowhere', () => {
  it.each([
    ['/../secret.m3u8', 400],
    ['/%2e%2e/secret.m3u8', 400],
    ['/..%2fsecret.m3u8', 400],
    ['/sub\\..\\secret.m3u8', 400],
    ['/secret%00.m3u8', 400],
    ['/%ff.m3u8', 400],
    ['/%252e%252e/secret.m3u8', 404],
    ['/link.m3u8', 404],
    ['/linked/secret.m3u8', 404],
    ['/.hidden.m3u8', 404],
    ['/.git/film.m3u8', 404],
    ['/directory.m3u8', 404],
    ['/device.m3u8', 404],
    ['/circle.m3u8', 404],
    ['/unfinished.flv.tmp.m3u8', 404],
    ['/.m3u8', 404],
    ['/film.flv/x.m3u8', 404],
    ['/__proto__.m3u8', 404],
    ['/../secret.flv.vod/0123456789abcdef-0.ts', 400],
    ['/..%2fsecret.flv.vod/0123456789abcdef-0.ts', 400],
    ['/link.flv.vod/0123456789abcdef-0.ts', 404],
    ['/film.flv.vod/0123456789abcdef-0.ts', 404],
    [`/${'a'.repeat(4096)}.m3u8`, 404],
    [`/${'a/'.repeat(3000)}b.m3u8`, 404],
  ])('%s', async (path, status) => {
    await using vod = await TestVod.start();
    vod.write('secret.flv', recording);
    vod.write('www/film.flv', recording);
    vod.write('www/.hidden.flv', recording);
    vod.write('www/.git/film.flv', recording);
    vod.write('www/unfinished.flv.tmp', recording);
    vod.write('outside/secret.flv', recording);
    mkdirSync(vod.path('www/directory.flv'));
    symlinkSync('../secret.flv', vod.path('www/link.flv'));
    symlinkSync('../outside', vod.path('www/linked'));
    symlinkSync('/dev/zero', vod.path('www/device.flv'));
    symlinkSync('circle.flv', vod.path('www/circle.flv'));
    const answer = await vod.media.talk(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).not.toContain('#EXTM3U');
    expect(vod.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('links inside of the directory are followed', async () => {
    await using vod = await TestVod.start();
    vod.write('www/films/film.flv', recording);
    symlinkSync('films/film.flv', vod.path('www/newest.flv'));
    expect((await vod.segments('/newest.m3u8')).length).toBeGreaterThan(0);
  });
});
