import { renameSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type KeptConnection, TestMedia } from './media-test-support.ts';

const get = (path: string, more = '', method = 'GET'): string => `${method} ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;
const withoutDate = ({ head, body }: Awaited<ReturnType<KeptConnection['ask']>>) => ({
  lines: head
    .toLowerCase()
    .split('\r\n')
    .filter((line) => !line.startsWith('date: '))
    .sort(),
  body: body.toString(),
});

/** Written long ago. */
function writeOld(media: TestMedia, path: string, contents: string): string {
  const full = media.write(path, contents);
  utimesSync(full, 1_700_000_000, 1_700_000_000);
  return full;
}

describe('a quick answer', () => {
  const modified = new Date(1_700_000_000_000).toUTCString();
  it.each([
    ['a playlist', get('/live/a.m3u8')],
    ['its head', get('/live/a.m3u8', '', 'HEAD')],
    ['a segment', get('/live/a.ts')],
    ['a segment of fragmented MP4', get('/live/a.m4s?x=1')],
    ['what is known', get('/live/a.ts', `If-Modified-Since: ${modified}\r\n`)],
    ['what is known by its tag', get('/live/a.ts', 'If-None-Match: *\r\n')],
    ['a part', get('/live/a.ts', 'Range: bytes=2-3\r\n')],
    ['all, asked for as a part', get('/live/a.ts', 'Range: bytes=0-\r\n')],
    ['the end', get('/live/a.ts', 'Range: bytes=-2\r\n')],
    ['a part of another version', get('/live/a.ts', 'Range: bytes=2-3\r\nIf-Range: "x"\r\n')],
  ])('to the question for %s is the one that all others get', async (_, question) => {
    await using media = await TestMedia.start();
    for (const name of ['a.m3u8', 'a.ts', 'a.m4s']) writeOld(media, `www/live/${name}`, `this is ${name}`);
    const connection = await media.keepAlive();
    const ordinary = withoutDate(await connection.ask(question));
    await connection.ask(question);
    const servedBefore = media.served;
    expect(withoutDate(await connection.ask(question))).toEqual(ordinary);
    expect(media.served).toBe(servedBefore);
  });

  it.each([
    ['a file that is not there', '/live/none.m3u8', '', 404],
    ['a part behind the end', '/live/a.m3u8', 'Range: bytes=99-\r\n', 416],
    ['another version', '/live/a.m3u8', 'If-Match: "x"\r\n', 412],
    ['a way out of the directory', '/live/../../a.m3u8', '', 400],
    ['a link that leads out of the directory', '/live/linked.m3u8', '', 404],
    ['a hidden file', '/live/.a.m3u8', '', 404],
    ['a playlist that is being written', '/live/a.m3u8.tmp', '', 404],
    ['a directory', '/live/directory.ts', '', 301],
  ])('is not given to the question for %s', async (_, path, headers, status) => {
    await using media = await TestMedia.start();
    for (const name of ['a.m3u8', '.a.m3u8', 'a.m3u8.tmp']) writeOld(media, `www/live/${name}`, 'text');
    media.write('secret.m3u8', 'secret');
    media.write('www/live/directory.ts/a', 'text');
    symlinkSync(join(media.directory, 'secret.m3u8'), join(media.directory, 'www/live/linked.m3u8'));
    const connection = await media.keepAlive();
    for (let times = 1; times <= 3; times += 1) {
      expect((await connection.ask(get(path, headers))).head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(media.served).toBe(times);
    }
  });

  it('has what the file was when it was asked for, however it came to be', async () => {
    await using media = await TestMedia.start();
    const path = writeOld(media, 'www/a.m3u8', 'first');
    const connection = await media.keepAlive();
    const ask = async (): Promise<string> => (await connection.ask(get('/a.m3u8'))).body.toString();
    for (let times = 0; times < 3; times += 1) expect(await ask()).toBe('first');
    // As a server of segments writes it.
    writeOld(media, 'www/b.tmp', 'other');
    renameSync(join(media.directory, 'www/b.tmp'), path);
    expect(await ask()).toBe('other');
    // In the same moment, with the same length, under the same name.
    for (let index = 100; index < 150; index += 1) {
      writeFileSync(path, String(index));
      expect(await ask()).toBe(String(index));
    }
    expect(media.served).toBe(1);
  });

  it('has what a reload says of other sites', async () => {
    await using media = await TestMedia.start();
    writeOld(media, 'www/a.m3u8', 'text');
    const connection = await media.keepAlive();
    const isOpen = async (): Promise<boolean> => /access-control/i.test((await connection.ask(get('/a.m3u8'))).head);
    expect([await isOpen(), await isOpen(), await isOpen()]).toEqual([true, true, true]);
    media.reload({ httpStream: 'crossdomain off;' });
    expect(await isOpen()).toBe(false);
    expect(media.served).toBe(1);
  });

  it('is one look at the disk for many who ask at the same time', async () => {
    await using media = await TestMedia.start();
    writeOld(media, 'www/a.ts', 'x'.repeat(400_000));
    const connections = await Promise.all(Array.from({ length: 50 }, () => media.keepAlive()));
    await Promise.all(connections.map((connection) => connection.ask(get('/a.ts'))));
    const answers = await Promise.all(connections.map((connection) => connection.ask(get('/a.ts'))));
    expect(new Set(answers.map(({ body }) => body.length))).toEqual(new Set([400_000]));
    // The first request of each connection, and the first quick one of all: who is alone has no use for a copy.
    expect(media.served).toBe(51);
  });
});
