import { once } from 'node:events';
import { connect, createServer, type Server, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { SrsError } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { closeFd, closeListener, listenTcp, SystemCallError } from './index.ts';

function caught(action: () => unknown): SrsError {
  try {
    action();
  } catch (thrown) {
    if (thrown instanceof SrsError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was thrown');
}

async function serve(fd: number): Promise<Server> {
  const server = createServer((socket) => socket.end('hello'));
  server.listen({ fd });
  await once(server, 'listening');
  return server;
}

async function fetchFrom(host: string, port: number): Promise<string> {
  const socket = connect({ host, port });
  let text = '';
  socket.on('data', (bytes) => {
    text += bytes.toString();
  });
  await once(socket, 'close');
  return text;
}

const options = { backlog: 128, reusePort: false };

describe('listenTcp', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['0.0.0.0', '127.0.0.1'],
    ['::1', '::1'],
    ['::', '::1'],
    ['::', '127.0.0.1'],
  ])('a socket on %s is served by a server that is given its descriptor, to %s', async (host, clientHost) => {
    const { fd, port } = listenTcp({ ...options, host, port: 0 });
    const server = await serve(fd);
    expect(await fetchFrom(clientHost, port)).toBe('hello');
    server.close();
    await once(server, 'close');
  });

  it('a connection waits in the socket until somebody accepts', async () => {
    const { fd, port } = listenTcp({ ...options, host: '127.0.0.1', port: 0 });
    const socket = connect({ host: '127.0.0.1', port });
    await once(socket, 'connect');
    const server = await serve(fd);
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    expect(bytes.toString()).toBe('hello');
    socket.destroy();
    server.close();
    await once(server, 'close');
  });

  it('several sockets share a port when all of them ask for it', () => {
    const first = listenTcp({ ...options, host: '127.0.0.1', port: 0, reusePort: true });
    const second = listenTcp({ ...options, host: '127.0.0.1', port: first.port, reusePort: true });
    expect(second.port).toBe(first.port);
    const refused = caught(() => listenTcp({ ...options, host: '127.0.0.1', port: first.port }));
    expect(refused.message).toBe(`bind 127.0.0.1:${first.port}: EADDRINUSE, address already in use`);
    expect(refused.code).toBe(1002);
    expect(refused instanceof SystemCallError && refused.errorWord).toBe('EADDRINUSE');
    closeFd(first.fd);
    closeFd(second.fd);
  });

  it.each([
    ['example.org', 1935, 'bind example.org:1935: host example.org must be an IPv4 or IPv6 address'],
    ['', 1935, 'bind :1935: host  must be an IPv4 or IPv6 address'],
    ['127.0.0.1', 65_536, 'bind 127.0.0.1:65536: port 65536 must be 0..65535'],
    ['127.0.0.1', -1, 'bind 127.0.0.1:-1: port -1 must be 0..65535'],
    ['127.0.0.1', Number.NaN, 'bind 127.0.0.1:NaN: port NaN must be 0..65535'],
    ['192.0.2.1', 0, 'bind 192.0.2.1:0: EADDRNOTAVAIL, address not available'],
    ['2001:db8::1', 0, 'bind [2001:db8::1]:0: EADDRNOTAVAIL, address not available'],
    ['fe80::1%no-such-zone', 0, 'bind [fe80::1%no-such-zone]:0: host fe80::1%no-such-zone must be an IPv4 or IPv6 address'],
  ])('refuses %s port %d', (host, port, message) => {
    const error = caught(() => listenTcp({ ...options, host, port }));
    expect([error.errorName, error.message]).toEqual(['SocketBind', message]);
  });

  it('leaves no descriptor open when it fails', () => {
    const free = listenTcp({ ...options, host: '127.0.0.1', port: 0 });
    caught(() => listenTcp({ ...options, host: '127.0.0.1', port: free.port }));
    const next = listenTcp({ ...options, host: '127.0.0.1', port: 0 });
    expect(next.fd).toBe(free.fd + 1);
    closeFd(free.fd);
    closeFd(next.fd);
  });
});

describe('closeListener', () => {
  it('gives whoever has got through, and nobody can connect any more', async () => {
    const { fd, port } = listenTcp({ ...options, host: '127.0.0.1', port: 0 });
    const clients = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const client = connect(port, '127.0.0.1');
        await once(client, 'connect');
        return client;
      }),
    );
    const accepted = closeListener(fd);
    expect(accepted).toHaveLength(5);
    for (const connection of accepted) new Socket({ fd: connection }).end('still here');
    expect(await Promise.all(clients.map((client) => text(client)))).toEqual(Array(5).fill('still here'));
    await expect(once(connect(port, '127.0.0.1'), 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
