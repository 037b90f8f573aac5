import { once } from 'node:events';
import type { FastifyPluginAsync } from 'fastify';
import { describe, expect, it } from 'vitest';
import { openDescriptors } from '../../../test/support/proc.ts';
import { readAll, TestMedia } from './media-test-support.ts';

describe('methods', () => {
  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND', 'PURGE', 'MKCOL'])('%s is not allowed', async (method) => {
    await using media = await TestMedia.start();
    media.write('www/a', 'kept');
    for (const url of ['/a', '/nothing']) {
      expect(await media.ask(url, { method })).toMatchObject({
        status: 405,
        headers: { allow: 'GET, HEAD, OPTIONS', server: 'SRS/2.1.3', 'access-control-allow-origin': '*' },
        body: { code: 3011, data: { status_code: 405, url, error: `method ${method} must be GET or HEAD` } },
      });
    }
    expect((await media.ask('/a')).bytes.toString()).toBe('kept');
  });

  it('a body is not listened to', async () => {
    await using media = await TestMedia.start();
    media.write('www/a', 'file');
    const post = (type: string, body: string): string =>
      `POST /a HTTP/1.1\r\nHost: a\r\n${type}Content-Length: ${body.length}\r\n\r\n${body}`;
    const get = 'GET /a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody';
    const json = 'Content-Type: application/json\r\n';
    const answers = await media.talk(post(json, '{{{') + post('', 'x') + post('Content-Type: text/x\r\n', 'x') + get);
    expect([...answers.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(['405', '405', '405', '200']);
    expect(await media.talk(post(json, 'x'.repeat(70_000)))).toMatch(/^HTTP\/1\.1 413 .*\r\nconnection: close\r\n/is);
  });

  it('OPTIONS is answered for the server as such', async () => {
    await using media = await TestMedia.start();
    expect(await media.talk('OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('one connection', () => {
  it('is kept for the next request', async () => {
    await using media = await TestMedia.start();
    media.write('www/a', 'file');
    const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;
    const socket = await media.connect(get('/a'));
    const answers = readAll(socket);
    await once(socket, 'data');
    socket.write(get('/nothing'));
    await once(socket, 'data');
    socket.write(get('/a', 'Range: bytes=9-\r\n'));
    await once(socket, 'data');
    socket.write(get('/a', 'Connection: close\r\n'));
    const statuses = [...(await answers).toString().matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
    expect(statuses).toEqual(['200', '404', '416', '200']);
  });

  it('may bring many requests at once, which are answered in order', async () => {
    await using media = await TestMedia.start();
    const names = Array.from({ length: 50 }, (_, index) => `file-${index}`);
    for (const name of names) media.write(`www/${name}`, name);
    const requests = names.map((name) => `GET /${name} HTTP/1.1\r\nHost: a\r\n\r\n`).join('');
    const answers = await media.talk(`${requests}GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    expect([...answers.matchAll(/file-\d+(?=HTTP)/g)].map(([name]) => name)).toEqual(names);
  });

  it('of HTTP/1.0 is served and closed', async () => {
    await using media = await TestMedia.start();
    media.write('www/a', 'file');
    expect(await media.talk('GET /a HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 .*\r\n\r\nfile$/s);
  });
});

it('a client that has gone before its file was opened leaves nothing open', async () => {
  const leaving: FastifyPluginAsync = async (app) => {
    app.addHook('onRequest', async (request, reply) => {
      if (request.headers['x-leave'] === undefined) return;
      request.raw.socket.destroy();
      await once(reply.raw, 'close');
    });
  };
  await using media = await TestMedia.start({ plugins: [leaving] });
  const path = media.write('www/a', 'file');
  expect(await media.talk('GET /a HTTP/1.1\r\nHost: a\r\nX-Leave: 1\r\n\r\n')).toBe('');
  expect((await media.ask('/a')).bytes.toString()).toBe('file');
  await expect.poll(() => openDescriptors(process.pid).filter(({ target }) => target === path)).toEqual([]);
});

describe('plugins', () => {
  const live: FastifyPluginAsync = async (app) => {
    app.addHook('onRequest', async (request, reply) => {
      if (!request.url.startsWith('/live/')) return;
      if (request.url.startsWith('/live/broken')) throw new Error('it broke');
      await reply.type('video/x-flv').send('live');
    });
    app.get('/players', async () => 'page');
  };

  it('come before the files', async () => {
    await using media = await TestMedia.start({ plugins: [live] });
    media.write('www/live/a.flv', 'file');
    media.write('www/other/a.flv', 'file');
    media.write('www/players', 'file');
    const answer = await media.ask('/live/a.flv');
    expect(answer.bytes.toString()).toBe('live');
    expect(answer.headers).toMatchObject({
      server: 'SRS/2.1.3',
      'content-type': 'video/x-flv',
      'access-control-allow-origin': '*',
      'x-content-type-options': 'nosniff',
    });
    expect((await media.ask('/other/a.flv')).bytes.toString()).toBe('file');
    expect((await media.ask('/players')).bytes.toString()).toBe('page');
  });

  it('that break are an error of that request', async () => {
    await using media = await TestMedia.start({ plugins: [live] });
    expect(await media.ask('/live/broken?token=secret')).toMatchObject({
      status: 500,
      body: { code: 3011, data: { status_code: 500, url: '/live/broken', error: 'it broke' } },
    });
    expect(media.log.lines).toMatchObject([{ level: 'error', text: 'HTTP GET /live/broken: it broke' }]);
    expect((await media.ask('/live/a')).status).toBe(200);
  });
});
