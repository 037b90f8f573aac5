import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { memoryLog } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { certificate, expired, halfClientHello } from '../../../test/support/certificates.ts';
import { within } from '../../../test/support/deadline.ts';
import { TestApi } from './api-test-support.ts';
import { HttpFront } from './http-front.ts';

/** All that comes back until the server closes; the peer goes on reading. */
async function talk(port: number, text: string | Uint8Array, isTls = false): Promise<string> {
  const socket = isTls ? connectTls({ port, ca: certificate.cert }) : connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(text);
  let answer = '';
  socket.on('data', (bytes: Buffer) => {
    answer += bytes.toString();
  });
  await once(socket, 'close');
  return answer;
}

const close = (server: { close(): unknown }): readonly number[] => {
  server.close();
  return [];
};

describe('a request that never becomes one', () => {
  const length = 'Content-Length: 5\r\n';
  it.each([
    ['is no HTTP', 'hello\r\n\r\n', 400],
    ['has two lengths', `POST / HTTP/1.1\r\nHost: a\r\n${length}Content-Length: 6\r\n\r\nhello!`, 400],
    ['has a length and chunks', `POST / HTTP/1.1\r\nHost: a\r\n${length}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
    ['has a length that is none', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n', 400],
    ['has a line feed in a header', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\nb\r\n\r\n', 400],
    ['has a head of 32 KiB', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(32_768)}\r\n\r\n`, 431],
    ['has a path of 32 KiB', `GET /${'x'.repeat(32_768)} HTTP/1.1\r\nHost: a\r\n\r\n`, 431],
  ])('is refused when it %s', async (_, text, status) => {
    await using api = await TestApi.start();
    const answer = await talk(api.port, text);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(JSON.parse(answer.slice(answer.indexOf('{')))).toMatchObject({ code: 3011, data: { status_code: status } });
    expect((await api.ask('/api/v1/versions')).status).toBe(200);
  });

  it('a request behind one that was refused is not served', async () => {
    await using api = await TestApi.start();
    const answer = await talk(
      api.port,
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\nGET /api/v1/versions HTTP/1.1\r\nHost: a\r\n\r\n',
    );
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  it('has a time for its head, and one for all of it', async () => {
    await using api = await TestApi.start({ front: { times: { headMs: 200, wholeMs: 400, checkMs: 50 } } });
    const [slowHead, slowBody] = await Promise.all([
      talk(api.port, 'GET / HTTP/1.1\r\nHost: a\r\nX: '),
      talk(api.port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nx'),
    ]);
    for (const answer of [slowHead, slowBody]) expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  });
});

describe('a front for bodies without end', () => {
  it('has a time for heads only, and leaves it to the service to ask for a body', async () => {
    const wanted = Promise.withResolvers<string>();
    await using api = await TestApi.start({
      front: {
        times: { headMs: 100, wholeMs: 200, checkMs: 20 },
        isEndless: true,
        serve: (request, response) => {
          if (request.url === '/refused') response.writeHead(403).end();
          else {
            response.writeContinue();
            void text(request).then(wanted.resolve);
          }
        },
      },
    });
    const head = 'HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 5\r\n\r\n';
    expect(await talk(api.port, `POST /refused ${head}`)).toMatch(/^HTTP\/1\.1 403 /);
    const socket = connect(api.port, '127.0.0.1');
    socket.write(`POST /wanted ${head}`);
    expect(String(await once(socket, 'data'))).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    // A head that is late is refused; by then a whole request would be, too.
    for (let slow = 0; slow < 2; slow += 1) {
      expect(await talk(api.port, 'POST / HTTP/1.1\r\nHost: a\r\nX: ')).toMatch(/^HTTP\/1\.1 408 /);
    }
    socket.end('hello');
    expect(await wanted.promise).toBe('hello');
  });
});

describe('connections', () => {
  it('are counted, and turned away when there are too many', async () => {
    let open = 0;
    await using api = await TestApi.start({
      front: {
        claimConnection: () => {
          if (open === 2) return false;
          open += 1;
          return true;
        },
        releaseConnection: () => {
          open -= 1;
        },
      },
    });
    const connected: Socket[] = [];
    for (let index = 0; index < 2; index += 1) {
      const socket = connect(api.port, '127.0.0.1');
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await once(socket, 'data');
      connected.push(socket);
    }
    expect(open).toBe(2);
    expect(await talk(api.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')).toBe('');
    expect(api.log.lines.map(({ level, text }) => [level, text])).toContainEqual([
      'error',
      expect.stringMatching(/^HTTP client 127\.0\.0\.1 refused/),
    ]);
    for (const socket of connected) socket.destroy();
    await expect.poll(() => open).toBe(0);
  });

  it.each([
    ['HTTP', undefined],
    ['HTTPS', certificate],
  ])('of %s may finish when the server ends, and are cut when they do not', async (_, tls) => {
    const paths = ['/slow', '/never'];
    const waiting = new Set(paths);
    const asked = Promise.withResolvers<void>();
    const front = new HttpFront({
      log: memoryLog(),
      serve: (request, response) => {
        if (request.url === '/slow') setTimeout(() => response.end('done'), 200);
        waiting.delete(request.url ?? '');
        if (waiting.size === 0) asked.resolve();
      },
      claimConnection: () => true,
      releaseConnection: () => {},
      closeListener: close,
    });
    await front.listen('x', { host: '127.0.0.1', port: 0 }, tls);
    const port = front.portOf('x');
    const answers = Promise.all(paths.map((path) => talk(port, `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`, tls !== undefined)));
    await asked.promise;
    await front.close(500);
    const [slow, never] = await answers;
    expect(slow).toMatch(/^HTTP\/1\.1 200 /);
    expect(never).toBe('');
  });

  it.each([
    ['says nothing', undefined, (port: number) => connect(port, '127.0.0.1')],
    ['does not finish its TLS handshake', certificate, (port: number) => connect(port, '127.0.0.1')],
    ['says nothing within TLS', certificate, (port: number) => connectTls({ port, ca: certificate.cert })],
  ])('hold up no end when the peer %s', async (_, tls, open) => {
    const accepted = Promise.withResolvers<void>();
    const front = new HttpFront({
      log: memoryLog(),
      serve: () => {},
      claimConnection: () => {
        accepted.resolve();
        return true;
      },
      releaseConnection: () => {},
      closeListener: close,
    });
    await front.listen('x', { host: '127.0.0.1', port: 0 }, tls);
    const peer = open(front.portOf('x'));
    peer.on('error', () => {}).resume();
    await accepted.promise;
    // The server sends it when the handshake is over on its side, too.
    if (peer instanceof TLSSocket) await once(peer, 'session');
    const gone = new Promise((resolve) => void peer.once('close', resolve));
    await within(Promise.all([front.close(60_000), gone]), 5_000, () => 'it does not end');
  });

  it('go nowhere any more once the listener is closed, and its neighbours stay', async () => {
    await using api = await TestApi.start();
    await api.front.listen('second', { host: '127.0.0.1', port: 0 });
    const port = api.front.portOf('second');
    api.front.unlisten('second');
    const socket = connect(port, '127.0.0.1');
    const [error] = (await once(socket, 'error').catch((thrown: unknown) => [thrown])) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
    expect((await api.ask('/api/v1/versions')).status).toBe(200);
  });

  it('a port in use is told with its name', async () => {
    await using api = await TestApi.start();
    await expect(api.front.listen('second', { host: '127.0.0.1', port: api.port })).rejects.toMatchObject({
      errorName: 'SocketListen',
      message: 'HTTP listener second',
    });
  });
});

describe('TLS', () => {
  it('serves the same, and gives new connections a renewed certificate', async () => {
    await using api = await TestApi.start({ tls: certificate });
    expect(await api.ask('/api/v1/versions')).toMatchObject({ status: 200, body: { code: 0 } });
    api.front.useTls(expired);
    expect((await api.ask('/api/v1/versions')).status).toBe(200);
  });

  it.each([
    ['says nothing', Buffer.alloc(0)],
    ['says half of a ClientHello', halfClientHello],
    ['says something else', Buffer.alloc(600, 'x')],
  ])('a peer that %s in the handshake is let go when its time is over', async (_, bytes) => {
    let open = 0;
    await using api = await TestApi.start({
      tls: certificate,
      front: {
        handshakes: { timeoutMs: 200, maxHandshakes: 10 },
        claimConnection: () => {
          open += 1;
          return true;
        },
        releaseConnection: () => {
          open -= 1;
        },
      },
    });
    const answer = talk(api.port, bytes);
    expect(await within(answer, 5_000, () => 'the connection is not closed')).not.toContain('HTTP');
    await expect.poll(() => open).toBe(0);
    expect((await api.ask('/api/v1/versions')).status).toBe(200);
  });

  it('so many handshakes may be under way, and who is turned away is told of with the limit', async () => {
    await using api = await TestApi.start({ tls: certificate, front: { handshakes: { timeoutMs: 60_000, maxHandshakes: 2 } } });
    const silent = [connect(api.port, '127.0.0.1'), connect(api.port, '127.0.0.1')];
    await Promise.all(silent.map((socket) => once(socket, 'connect')));
    await expect(api.ask('/api/v1/versions')).rejects.toThrow();
    expect(api.log.lines.map(({ level, text }) => [level, text])).toContainEqual([
      'error',
      'HTTP client 127.0.0.1 refused: 2 TLS handshakes are under way, the most there may be (1 refused so far)',
    ]);
    silent[0]?.destroy();
    await expect.poll(async () => await api.ask('/api/v1/versions').then(({ status }) => status, String)).toBe(200);
    silent[1]?.destroy();
  });

  it('a peer without TLS is let go', async () => {
    await using api = await TestApi.start({ tls: certificate });
    expect(await talk(api.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')).not.toContain('200');
    expect((await api.ask('/api/v1/versions')).status).toBe(200);
  });
});
