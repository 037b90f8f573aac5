/** What happens when there is much to do, or clients are slow. */
import { describe, expect, it, vi } from 'vitest';
import { flvOf, headers, picturesOf } from '../../../test/support/flv-files.ts';
import { TestVod } from './vod-test-support.ts';

const recording = flvOf([...headers, ...picturesOf({ groups: 10, groupMs: 2000, bytes: 1000 })]).bytes;
/** Segments larger than what a connection holds. */
const large = flvOf([...headers, ...picturesOf({ groups: 6, groupMs: 2000, bytes: 100_000 })]).bytes;

describe('many viewers', () => {
  it('of one recording who come at the same time share the work', async () => {
    await using vod = await TestVod.start({ limits: { threads: 1, queue: 1 } });
    vod.write('www/film.flv', recording);
    const viewers = await Promise.all(Array.from({ length: 50 }, () => vod.segments('/film.m3u8')));
    expect(new Set(viewers.map((bytes) => bytes.toString('latin1'))).size).toBe(1);
    expect(vod.log.lines.map(({ text }) => text)).toEqual([
      expect.stringMatching(/^VOD "film.flv": 4 segments, 20 s, found out in \d+ ms$/),
    ]);
  });

  it('of more recordings than can wait are asked to come again', async () => {
    await using vod = await TestVod.start({ limits: { threads: 1, queue: 2 } });
    const names = Array.from({ length: 10 }, (_, index) => `film-${index}`);
    for (const name of names) vod.write(`www/${name}.flv`, recording);
    const answers = await Promise.all(names.map((name) => vod.ask(`/${name}.m3u8`)));
    const refused = answers.filter(({ status }) => status !== 200);
    // Three are being looked at when the others come.
    expect(refused.length).toBeGreaterThan(0);
    for (const answer of refused) {
      expect(answer).toMatchObject({
        status: 503,
        headers: { 'retry-after': '1' },
        body: { data: { error: 'too many recordings are asked for at once' } },
      });
    }
    for (const name of names) expect((await vod.ask(`/${name}.m3u8`)).status).toBe(200);
  });

  it('are not kept waiting for ever', async () => {
    await using vod = await TestVod.start({ limits: { threads: 1, jobMs: 1 } });
    vod.write('www/film.flv', recording);
    expect(await vod.ask('/film.m3u8')).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
      body: { data: { error: 'recordings are read too slowly: no answer within 1 ms' } },
    });
  });

  it('on one connection have one job at a time, and their answers in order', async () => {
    await using vod = await TestVod.start({ limits: { threads: 1, queue: 0 } });
    const names = Array.from({ length: 5 }, (_, index) => `film-${index}`);
    for (const name of names) vod.write(`www/${name}.flv`, recording);
    const requests = names.map((name) => `GET /${name}.m3u8 HTTP/1.1\r\nHost: a\r\n\r\n`).join('');
    const answers = await vod.media.talk(`${requests}GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    expect([...answers.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual([
      '200',
      '200',
      '200',
      '200',
      '200',
      '404',
    ]);
  });
});

describe('a client that takes nothing', () => {
  it('holds memory, of which there is an end, until it goes', async () => {
    await using vod = await TestVod.start({ limits: { heldBytes: 1, keptBytes: 1 } });
    vod.write('www/film.flv', large);
    const { urls } = await vod.playlist('/film.m3u8');
    const slow = await vod.media.connect(`GET ${urls[0]} HTTP/1.1\r\nHost: a\r\n\r\n`);
    const answer = (): Promise<number> => vod.ask(urls[1]!).then(({ status }) => status);
    await vi.waitFor(async () => expect(await answer()).toBe(503), { timeout: 5000 });
    // Who has it already is told so all the same.
    const etag = `"${/[0-9a-f]{16}-1/.exec(urls[1]!)![0]}"`;
    expect((await vod.ask(urls[1]!, { headers: { 'if-none-match': etag } })).status).toBe(304);
    slow.destroy();
    await vi.waitFor(async () => expect(await answer()).toBe(200), { timeout: 5000 });
    // Who has gone before his answer is there holds nothing.
    for (let count = 0; count < 5; count++) (await vod.media.connect(`GET ${urls[0]} HTTP/1.1\r\nHost: a\r\n\r\n`)).destroy();
    await vi.waitFor(() => expect(vod.media.connections).toBe(0));
    await vi.waitFor(async () => expect(await answer()).toBe(200), { timeout: 5000 });
  });

  it('is let go', async () => {
    await using vod = await TestVod.start({ times: { stallMs: 100 } });
    vod.write('www/film.flv', large);
    const { urls } = await vod.playlist('/film.m3u8');
    const slow = await vod.media.connect(`GET ${urls[0]} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await vi.waitFor(() => expect(vod.media.connections).toBe(0), { timeout: 10_000 });
    slow.destroy();
  });
});
