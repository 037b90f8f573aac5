import { existsSync, renameSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { ManualClock } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { TestMedia } from './media-test-support.ts';

const modified = new Date('2026-01-02T03:04:05Z');

/** With a file of ten bytes that was written long ago. */
async function serving(): Promise<TestMedia> {
  const media = await TestMedia.start();
  utimesSync(media.write('www/a.ts', '0123456789'), modified, modified);
  return media;
}

describe('a file', () => {
  it('comes with what a cache and a player want to know', async () => {
    await using media = await serving();
    const { status, headers, bytes } = await media.ask('/a.ts');
    expect([status, bytes.toString()]).toEqual([200, '0123456789']);
    expect(headers).toEqual({
      server: 'SRS/2.1.3',
      date: expect.any(String) as string,
      connection: 'close',
      'content-type': 'video/mp2t',
      'content-length': '10',
      'accept-ranges': 'bytes',
      'cache-control': 'max-age=60',
      etag: `"a-${(modified.getTime() * 1000).toString(16)}"`,
      'last-modified': 'Fri, 02 Jan 2026 03:04:05 GMT',
      'x-content-type-options': 'nosniff',
      'access-control-allow-origin': '*',
      'access-control-expose-headers': 'Server,Content-Length,Content-Range,Accept-Ranges,ETag',
    });
  });

  it('has the same headers for HEAD, and no body', async () => {
    await using media = await serving();
    const { date: _, ...got } = (await media.ask('/a.ts')).headers;
    const head = await media.ask('/a.ts', { method: 'HEAD', headers: { range: 'bytes=0-1' } });
    expect([head.status, head.bytes.length]).toEqual([200, 0]);
    expect(head.headers).toMatchObject(got);
    expect((await media.ask('/nothing', { method: 'HEAD' })).status).toBe(404);
  });

  it.each([
    ['live.m3u8', 'application/vnd.apple.mpegurl', 'no-cache'],
    ['live.M3U8', 'application/vnd.apple.mpegurl', 'no-cache'],
    ['live-1.ts', 'video/mp2t', 'max-age=60'],
    ['live-1.m4s', 'video/iso.segment', 'max-age=60'],
    ['init.mp4', 'video/mp4', undefined],
    ['a.flv', 'video/x-flv', undefined],
    ['a.js', 'text/javascript;charset=utf-8', undefined],
    ['a.html', 'text/html;charset=utf-8', undefined],
    ['a.css', 'text/css;charset=utf-8', undefined],
    ['a.json', 'application/json;charset=utf-8', undefined],
    ['a.xml', 'text/xml;charset=utf-8', undefined],
    ['a.ico', 'image/x-icon', undefined],
    ['a.swf', 'application/x-shockwave-flash', undefined],
    ['a.png', 'image/png', undefined],
    ['a.wasm', 'application/wasm', undefined],
    ['a.webm', 'video/webm', undefined],
    ['a.b.unknown', 'application/octet-stream', undefined],
    ['noending', 'application/octet-stream', undefined],
    ['a.constructor', 'application/octet-stream', undefined],
  ])('%s is %s', async (name, type, cache) => {
    await using media = await TestMedia.start();
    media.write(`www/${name}`, 'x');
    const { headers } = await media.ask(`/${name}`);
    expect([headers['content-type'], headers['cache-control']]).toEqual([type, cache]);
  });

  it('of no bytes is a file too', async () => {
    await using media = await TestMedia.start();
    media.write('www/empty.ts', '');
    expect(await media.ask('/empty.ts')).toMatchObject({ status: 200, headers: { 'content-length': '0' } });
    const part = await media.ask('/empty.ts', { headers: { range: 'bytes=0-' } });
    expect([part.status, part.headers['content-range']]).toEqual([416, 'bytes */0']);
  });

  it('is not sent to who has it', async () => {
    await using media = await serving();
    const { headers } = await media.ask('/a.ts');
    const known = await media.ask('/a.ts', { headers: { 'if-none-match': headers.etag! } });
    expect([known.status, known.bytes.length, known.headers.etag]).toEqual([304, 0, headers.etag]);
    expect(known.headers['cache-control']).toBe('max-age=60');
    const since = { 'if-modified-since': headers['last-modified']! };
    expect((await media.ask('/a.ts', { method: 'HEAD', headers: since })).status).toBe(304);
    media.write('www/a.ts', '0123456789');
    expect((await media.ask('/a.ts', { headers: { 'if-none-match': headers.etag! } })).status).toBe(200);
    expect(await media.ask('/a.ts', { headers: { 'if-match': headers.etag! } })).toMatchObject({
      status: 412,
      body: { code: 3011, data: { status_code: 412 } },
    });
  });

  it.each([
    ['bytes=0-3', 206, '0123', 'bytes 0-3/10'],
    ['bytes=4-', 206, '456789', 'bytes 4-9/10'],
    ['bytes=-3', 206, '789', 'bytes 7-9/10'],
    ['bytes=0-0,2-3', 200, '0123456789', undefined],
    ['lines=1-2', 200, '0123456789', undefined],
  ])('is sent in part for %s', async (range, status, text, contentRange) => {
    await using media = await serving();
    const answer = await media.ask('/a.ts', { headers: { range } });
    expect([answer.status, answer.bytes.toString(), answer.headers['content-range']]).toEqual([status, text, contentRange]);
    expect(answer.headers['content-length']).toBe(String(text.length));
  });

  it('has nothing behind its end', async () => {
    await using media = await serving();
    const answer = await media.ask('/a.ts', { headers: { range: 'bytes=10-' } });
    expect(answer).toMatchObject({
      status: 416,
      headers: { 'content-range': 'bytes */10', 'access-control-allow-origin': '*' },
      body: { code: 3011, data: { status_code: 416, url: '/a.ts', error: 'range "bytes=10-" must begin below 10' } },
    });
  });

  it('larger than what is read at once is the same, whole and in part', async () => {
    await using media = await TestMedia.start();
    const contents = Buffer.from(Uint32Array.from({ length: 800_000 }, (_, index) => index).buffer);
    media.write('www/big.mp4', contents);
    expect((await media.ask('/big.mp4')).bytes.equals(contents)).toBe(true);
    const part = await media.ask('/big.mp4', { headers: { range: 'bytes=131071-2000000' } });
    expect(part.bytes.equals(contents.subarray(131_071, 2_000_001))).toBe(true);
  });

  it('never comes from the future', async () => {
    const clock = new ManualClock({ wallMs: modified.getTime() - 5000 });
    await using media = await TestMedia.start({ clock });
    utimesSync(media.write('www/a.ts', 'x'), modified, modified);
    expect((await media.ask('/a.ts')).headers['last-modified']).toBe('Fri, 02 Jan 2026 03:04:00 GMT');
  });

  it('that is replaced is seen at the next request', async () => {
    await using media = await TestMedia.start();
    for (let version = 0; version < 50; version += 1) {
      renameSync(media.write('next', `version ${version}`), join(media.directory, 'www/live.m3u8'));
      const { bytes } = await media.ask('/live.m3u8');
      expect(bytes.toString()).toBe(`version ${version}`);
    }
  });

  it('that is not there is answered as SRS does', async () => {
    await using media = await TestMedia.start();
    const answer = await media.ask('/live/nothing.ts?token=secret');
    expect([answer.status, answer.headers['content-type']]).toEqual([404, 'application/json;charset=utf-8']);
    expect(answer.body).toEqual({ code: 3011, data: { status_code: 404, reason_phrase: 'Not Found', url: '/live/nothing.ts' } });
    expect(media.log.lines).toEqual([]);
  });

  it.runIf(existsSync('/sys/devices/virtual/net/lo/mtu'))('that is shorter than the system says is not promised', async () => {
    await using media = await TestMedia.start({
      vhosts: 'vhost v { http { enabled on; mount /lo; dir /sys/devices/virtual/net/lo; } }',
    });
    expect(await media.ask('/lo/mtu')).toMatchObject({
      status: 503,
      body: { data: { error: 'the file was cut while it was read' } },
    });
    expect((await media.ask('/lo/mtu', { method: 'HEAD' })).status).toBe(200);
  });
});

describe('a directory', () => {
  it('is its index page', async () => {
    await using media = await TestMedia.start();
    media.write('www/index.html', 'root');
    media.write('www/sub/index.html', 'sub');
    media.write('www/empty/a', '');
    const root = await media.ask('/');
    expect([root.bytes.toString(), root.headers['content-type']]).toEqual(['root', 'text/html;charset=utf-8']);
    expect((await media.ask('/sub/')).bytes.toString()).toBe('sub');
    expect((await media.ask('/sub/', { headers: { range: 'bytes=1-1' } })).bytes.toString()).toBe('u');
    expect((await media.ask('/empty/')).status).toBe(404);
    const moved = await media.ask('/sub');
    expect([moved.status, moved.headers.location, moved.bytes.length]).toEqual([301, './sub/', 0]);
  });

  it('named like an index page is none', async () => {
    await using media = await TestMedia.start();
    media.write('www/index.html/a', '');
    expect((await media.ask('/')).status).toBe(404);
  });
});

describe('mounts', () => {
  it('are those of the configuration in force', async () => {
    await using media = await TestMedia.start();
    media.write('hls/a', 'of hls');
    media.write('www/a', 'of www');
    media.write('www/hls/a', 'below www');
    expect((await media.ask('/hls/a')).bytes.toString()).toBe('below www');
    media.reload({ vhosts: 'vhost v.com { http { enabled on; mount /hls; dir DIR/hls; } }' });
    expect((await media.ask('/hls/a')).bytes.toString()).toBe('of hls');
    expect((await media.ask('/a')).bytes.toString()).toBe('of www');
    media.reload({ vhosts: 'vhost v.com { http { enabled on; mount [vhost]/; dir DIR/hls; } }' });
    expect((await media.ask('/a')).bytes.toString()).toBe('of www');
    expect((await media.ask('/a', { headers: { host: 'v.com:8080' } })).bytes.toString()).toBe('of hls');
    expect(await media.talk('GET http://v.com/a HTTP/1.0\r\n\r\n')).toMatch(/of hls$/);
  });

  it('of a directory that is not there serve nothing', async () => {
    await using media = await TestMedia.start({ vhosts: 'vhost v { http { enabled on; mount /x; dir DIR/nothing; } }' });
    expect((await media.ask('/x/a')).status).toBe(404);
    expect((await media.ask('/x')).status).toBe(404);
  });
});

describe('pages of other sites', () => {
  it('may read while crossdomain is on', async () => {
    await using media = await serving();
    const preflight = await media.ask('/a.ts', { method: 'OPTIONS' });
    expect([preflight.status, preflight.bytes.length]).toEqual([200, 0]);
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET, POST, HEAD, PUT, DELETE',
      'access-control-allow-headers': expect.stringMatching(/X-Requested-With.*Range/) as string,
      allow: 'GET, HEAD, OPTIONS',
    });
    expect((await media.ask('/nothing')).headers['access-control-allow-origin']).toBe('*');
    media.reload({ httpStream: 'crossdomain off;' });
    for (const method of ['GET', 'OPTIONS']) {
      const { status, headers } = await media.ask('/a.ts', { method });
      expect([status, Object.keys(headers).filter((name) => name.startsWith('access-control'))]).toEqual([200, []]);
    }
  });

  it('in Flash get the policy file, unless the root has its own', async () => {
    await using media = await TestMedia.start();
    const policy = await media.ask('/crossdomain.xml');
    expect([policy.status, policy.headers['content-type']]).toEqual([200, 'text/xml;charset=utf-8']);
    expect(policy.bytes.toString()).toContain('<allow-access-from domain="*" />');
    expect(await media.ask('/crossdomain.xml', { method: 'HEAD' })).toMatchObject({ status: 200, bytes: Buffer.alloc(0) });
    expect((await media.ask('/sub/crossdomain.xml')).status).toBe(404);
    expect((await media.ask('/crossdomain.xml/')).status).toBe(404);
    media.write('www/crossdomain.xml', 'own');
    expect((await media.ask('/crossdomain.xml')).bytes.toString()).toBe('own');
    media.reload({ httpStream: 'crossdomain off;' });
    expect((await media.ask('/crossdomain.xml')).bytes.toString()).toBe('own');
    renameSync(join(media.directory, 'www/crossdomain.xml'), join(media.directory, 'gone'));
    expect((await media.ask('/crossdomain.xml')).status).toBe(404);
  });
});
