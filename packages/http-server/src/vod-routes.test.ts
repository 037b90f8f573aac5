import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { ManualClock } from '@srs/kernel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flvOf, headers, picturesOf } from '../../../test/support/flv-files.ts';
import { TestVod } from './vod-test-support.ts';

const recording = flvOf([...headers, ...picturesOf({ groups: 10, groupMs: 2000, bytes: 1000 })]).bytes;
const another = flvOf([...headers, ...picturesOf({ groups: 4, groupMs: 2000, bytes: 1000 })]).bytes;

let vod: TestVod;
beforeAll(async () => {
  vod = await TestVod.start();
});
afterAll(() => vod[Symbol.asyncDispose]());

describe('a recording beside which there is no playlist', () => {
  it('is played by one', async () => {
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
    vod.write('www/größe: 100% [a] #1?.flv', recording);
    const path = `/${encodeURIComponent('größe: 100% [a] #1?.m3u8')}`;
    const { urls } = await vod.playlist(path);
    expect((await vod.ask(urls[0]!)).status).toBe(200);
  });

  it('is asked about with HEAD as well', async () => {
    vod.write('www/head/film.flv', recording);
    const { urls } = await vod.playlist('/head/film.m3u8');
    for (const url of ['/head/film.m3u8', urls[1]!]) {
      const head = await vod.ask(url, { method: 'HEAD' });
      const { bytes, headers: told } = await vod.ask(url);
      expect(head.bytes).toHaveLength(0);
      expect(head).toMatchObject({ status: 200, headers: { etag: told.etag, 'content-length': String(bytes.length) } });
    }
  });

  it('is not sent again to who has it, and in parts to who wants parts', async () => {
    vod.write('www/known/film.flv', recording);
    const { urls } = await vod.playlist('/known/film.m3u8');
    for (const url of ['/known/film.m3u8', urls[0]!]) {
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
    const path = vod.write('www/changed/film.flv', recording);
    const before = await vod.playlist('/changed/film.m3u8');
    expect((await vod.ask(before.urls[0]!)).status).toBe(200);
    vod.write('www/changed/film.flv', another);
    const after = await vod.playlist('/changed/film.m3u8');
    expect(after.urls[0]).not.toBe(before.urls[0]);
    expect((await vod.ask(after.urls[0]!)).status).toBe(200);
    expect((await vod.ask(before.urls[0]!)).status).toBe(404);
    utimesSync(path, 1, 1);
    expect((await vod.ask(after.urls[0]!)).status).toBe(404);
    rmSync(path);
    expect((await vod.ask('/changed/film.m3u8')).status).toBe(404);
  });

  it('is found under its new name', async () => {
    const path = vod.write('www/renamed/a.flv', recording);
    await vod.segments('/renamed/a.m3u8');
    renameSync(path, vod.path('www/renamed/b.flv'));
    expect((await vod.segments('/renamed/b.m3u8')).length).toBeGreaterThan(0);
    expect((await vod.ask('/renamed/a.m3u8')).status).toBe(404);
  });

  it('has no segments behind its last', async () => {
    vod.write('www/short/film.flv', recording);
    const { urls } = await vod.playlist('/short/film.m3u8');
    expect((await vod.ask(urls[0]!.replace('-0.ts', '-4.ts'))).status).toBe(404);
    expect((await vod.ask(urls[0]!.replace('-0.ts', '-999999.ts'))).status).toBe(404);
    expect((await vod.ask(urls[0]!.replace('-0.ts', '-00.ts'))).status).toBe(404);
  });
});

describe('files come first', () => {
  it('a playlist that is there', async () => {
    vod.write('www/live-now/film.flv', recording);
    vod.write('www/live-now/film.m3u8', 'of the live stream');
    expect((await vod.ask('/live-now/film.m3u8')).bytes.toString()).toBe('of the live stream');
  });

  it('a playlist that has come since, and one that has gone', async () => {
    const clock = new ManualClock();
    await using later = await TestVod.start({ clock });
    later.write('www/film.flv', recording);
    const playlist = later.write('www/film.m3u8', 'live');
    expect((await later.ask('/film.m3u8')).bytes.toString()).toBe('live');
    rmSync(playlist);
    clock.advance(1001);
    expect((await later.playlist('/film.m3u8')).durations).toHaveLength(4);
    later.write('www/film.m3u8', 'live again');
    expect((await later.ask('/film.m3u8')).bytes.toString()).toBe('live again');
    // That there is no recording is believed for a second, for the viewers of live streams.
    expect((await later.ask('/other.m3u8')).status).toBe(404);
    later.write('www/other.flv', recording);
    clock.advance(999);
    expect((await later.ask('/other.m3u8')).status).toBe(404);
    clock.advance(2);
    expect((await later.playlist('/other.m3u8')).durations).toHaveLength(4);
  });

  it('that have the name of a segment', async () => {
    vod.write('www/named/film.flv', recording);
    vod.write('www/named/film.flv.vod/0123456789abcdef-0.ts', 'file');
    expect((await vod.ask('/named/film.flv.vod/0123456789abcdef-0.ts')).bytes.toString()).toBe('file');
  });

  it('the others are served as ever', async () => {
    vod.write('www/others/film.flv', recording);
    vod.write('www/others/a.ts', 'segment');
    expect((await vod.ask('/others/film.flv')).bytes.equals(recording)).toBe(true);
    expect((await vod.ask('/others/a.ts')).bytes.toString()).toBe('segment');
    expect((await vod.ask('/others/nothing.m3u8')).status).toBe(404);
    expect((await vod.ask('/others/film.m3u8', { method: 'POST' })).status).toBe(405);
  });
});

describe('what cannot be played', () => {
  it('is said by its name, as often as it is asked for', async () => {
    const { log } = vod;
    vod.write('www/no-film.flv', '<html>no film</html>');
    vod.write('www/no-film-either.mp4', '');
    for (let time = 0; time < 2; time++) {
      expect(await vod.ask('/no-film.m3u8')).toMatchObject({
        status: 415,
        body: { code: 3037, data: { status_code: 415, url: '/no-film.m3u8', error: 'flv signature "<ht" must be "FLV"' } },
      });
      expect(await vod.ask('/no-film-either.m3u8')).toMatchObject({
        status: 415,
        body: { code: 3076, data: { error: 'mp4 file of 0 bytes has no moov' } },
      });
    }
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('paths that lead nowhere', () => {
  beforeAll(() => {
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
  });

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
    const answer = await vod.media.talk(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).not.toContain('#EXTM3U');
    expect(vod.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('links inside of the directory are followed', async () => {
    vod.write('www/films/film.flv', recording);
    symlinkSync('films/film.flv', vod.path('www/newest.flv'));
    expect((await vod.segments('/newest.m3u8')).length).toBeGreaterThan(0);
  });
});
