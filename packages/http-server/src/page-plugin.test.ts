import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, loadConfig } from '@srs/config';
import { ManualClock, memoryLog } from '@srs/kernel';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMediaServer } from './media-server.ts';
import type { PageStream } from './page-documents.ts';
import { startPage } from './page-plugin.ts';

const stream: PageStream = {
  streamId: '__defaultVhost__/live/<script>alert(1)<',
  publisher: { slot: 1, pid: 1001, cid: 207, ip: '192.0.2.9' },
  publishSeconds: 3,
  players: 2,
  video: null,
  audio: null,
};

let directory: string;
let root: string;
let close: () => Promise<void>;
let base: string;
let asked: number;
let answer: () => Promise<readonly PageStream[]>;
const clock = new ManualClock();

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'srs-test-'));
  root = join(directory, 'html');
  asked = 0;
  answer = async () => [stream];
  const config: Config = loadConfig(
    `listen 1935; http_server { enabled on; start_page on; dir ${root}; }
     vhost __defaultVhost__ { }
     vhost tv.test { http { enabled on; mount [vhost]/; dir ${join(directory, 'tv')}; } }`,
    { fileName: 'test.conf', env: {} },
  ).config;
  const services = { config: () => config, identity: { version: '1.2.3' }, clock, log: memoryLog() };
  const page = startPage({
    ...services,
    streams: () => {
      asked += 1;
      return answer();
    },
  });
  const media = await createMediaServer(services, [page]);
  const server = createServer((request, response) => media.serve(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await media.close();
  };
});

afterEach(async () => {
  await close();
  rmSync(directory, { recursive: true, force: true });
});

function putIndex(into = root): void {
  mkdirSync(into, { recursive: true });
  writeFileSync(join(into, 'index.html'), 'mine');
}

describe('the start page', () => {
  it('is served where there is no other, also without the directory', async () => {
    const response = await fetch(`${base}/?vhost=a`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/html;charset=utf-8');
    expect(await response.text()).toContain('<video');
    mkdirSync(root);
    expect(await (await fetch(`${base}/`)).text()).toContain('<video');
  });

  it('gives way to the page of the operator, with all that belongs to it', async () => {
    putIndex();
    expect(await (await fetch(`${base}/`)).text()).toBe('mine');
    for (const path of ['/srs/page.js', '/srs/streams', '/srs/hls.js']) expect((await fetch(base + path)).status).toBe(404);
    expect(asked).toBe(0);
  });

  it('gives way for the hosts that the other page is for', async () => {
    putIndex(join(directory, 'tv'));
    // fetch lets nobody set that header.
    const lengthFor = (host: string) =>
      new Promise((resolve) => get(base, { headers: { host } }, (response) => resolve(response.headers['content-length'])));
    expect(await lengthFor('tv.test')).toBe('4');
    expect(await lengthFor('other.test')).not.toBe('4');
  });

  it('is told from the files beside it', async () => {
    mkdirSync(join(root, 'srs'), { recursive: true });
    writeFileSync(join(root, 'srs/mine.txt'), 'mine');
    expect(await (await fetch(`${base}/srs/mine.txt`)).text()).toBe('mine');
    expect((await fetch(`${base}/srs/other.js`)).status).toBe(404);
    expect((await fetch(`${base}/srs/`)).status).toBe(404);
    expect((await fetch(`${base}/`, { method: 'POST' })).status).toBe(405);
  });

  it('links to nothing that is not served with it', async () => {
    const seen = new Set<string>();
    const visit = async (path: string): Promise<void> => {
      if (seen.has(path)) return;
      seen.add(path);
      const response = await fetch(base + path);
      expect(response.status, path).toBe(200);
      const text = await response.text();
      // The players are what their packages make of them.
      if (/(?:mpegts|hls)\.js$/.test(path)) return;
      const links = [
        ...text
          .replaceAll(/\/\*.*?\*\//gs, '')
          .matchAll(/(?:src|href)="(\/[^"]*)"|(?:from|import\() ?'(\.\/[^']+)'|src = '([^']+)'/g),
      ];
      for (const [, absolute, relative, assigned] of links)
        await visit(absolute ?? assigned ?? new URL(relative!, base + path).pathname);
      expect(text.match(/https?:\/\/(?!www\.w3\.org)[\w.]+/g), path).toBeNull();
    };
    await visit('/');
    expect([...seen]).toEqual(expect.arrayContaining(['/srs/page.js', '/srs/page.css', '/srs/mpegts.js', '/srs/hls.js']));
    expect(seen.size).toBeGreaterThanOrEqual(13);
  });

  it('runs no script but its own, and is no part of pages of others', async () => {
    for (const path of ['/', '/srs/page.js', '/srs/streams']) {
      const { headers } = await fetch(base + path);
      const policy = headers.get('content-security-policy')?.split('; ');
      expect(policy).toEqual(expect.arrayContaining(["default-src 'self'", "object-src 'none'", "frame-ancestors 'self'"]));
      expect(policy?.join()).not.toMatch(/unsafe|\*|https?:/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('access-control-allow-origin')).toBeNull();
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
    }
    const html = await (await fetch(`${base}/`)).text();
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|<style/);
  });

  it('is sent once, and again only when it is another one', async () => {
    for (const path of ['/', '/srs/page.css', '/srs/mpegts.js']) {
      const first = await fetch(base + path);
      const etag = first.headers.get('etag')!;
      expect(first.headers.get('cache-control')).toBe('no-cache');
      const again = await fetch(base + path, { headers: { 'if-none-match': `"other", W/${etag}` } });
      expect([again.status, again.headers.get('etag'), await again.text()]).toEqual([304, etag, '']);
      const other = await fetch(base + path, { headers: { 'if-none-match': '"other"' } });
      expect(other.status).toBe(200);
      expect(await other.text()).toBe(await first.text());
      const head = await fetch(base + path, { method: 'HEAD' });
      expect([head.status, head.headers.get('etag'), await head.text()]).toEqual([200, etag, '']);
    }
  });
});

describe('the list of streams', () => {
  it('is JSON that nothing else can be made of', async () => {
    const response = await fetch(`${base}/srs/streams?stream=live/x`);
    expect(response.headers.get('content-type')).toBe('application/json;charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toMatchObject({ total: 1, streams: [{ app: 'live', stream: '<script>alert(1)<' }] });
  });

  it('is made once a second, however many ask', async () => {
    await Promise.all(Array.from({ length: 20 }, () => fetch(`${base}/srs/streams`)));
    expect(asked).toBe(1);
    clock.advance(999);
    await fetch(`${base}/srs/streams`);
    expect(asked).toBe(1);
    clock.advance(1);
    await fetch(`${base}/srs/streams`);
    expect(asked).toBe(2);
  });

  it('that cannot be made is said so, and tried again for the next', async () => {
    answer = () => Promise.reject(new Error('the master process does not answer'));
    const response = await fetch(`${base}/srs/streams`);
    expect(response.status).toBe(503);
    expect(await response.text()).toContain('the master process does not answer');
    answer = async () => [];
    expect(await (await fetch(`${base}/srs/streams`)).json()).toMatchObject({ total: 0 });
  });
});
