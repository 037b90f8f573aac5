import { EventEmitter, once } from 'node:events';
import { connect, Server as NetServer, type Server, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { TlsMaterial } from '@srs/clients';
import { silentLog } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { certificate } from '../../../test/support/certificates.ts';
import { HttpFront } from './http-front.ts';
import { KeptConnection } from './media-test-support.ts';
import { QuickConnections, type QuickService } from './quick-connection.ts';

const quickHead = (length: number): string => `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`;
const quickAnswer = (text: string) => ({ bytes: Buffer.from(quickHead(text.length) + text) });
const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;

/** Answers `/quick/...` past the server, at once or later; the server says that it was asked. */
async function start(answer: QuickService['answer'], tls?: TlsMaterial, stallMs = 60_000) {
  const held = Promise.withResolvers<() => void>();
  const front = new HttpFront({
    log: silentLog,
    serve: (request, response) => {
      const finish = (): void => void response.end(`served ${request.url ?? ''}`);
      if (request.url === '/held') held.resolve(finish);
      else finish();
    },
    quick: { answer },
    times: { headMs: 10_000, wholeMs: 20_000, checkMs: 2_000, stallMs },
    claimConnection: () => true,
    releaseConnection: () => {},
    closeListener: (server: Server) => {
      NetServer.prototype.close.call(server);
      return [];
    },
  });
  await front.listen('x', { host: '127.0.0.1', port: 0 }, tls);
  const open = async (): Promise<KeptConnection> => {
    const options = { host: '127.0.0.1', port: front.portOf('x') };
    const socket = tls === undefined ? connect(options) : connectTls({ ...options, rejectUnauthorized: false });
    await once(socket, tls === undefined ? 'connect' : 'secureConnect');
    // What is written leaves, also behind something that has not been answered.
    socket.setNoDelay();
    return new KeptConnection(socket);
  };
  return { front, open, held: held.promise, [Symbol.asyncDispose]: () => front.close(0) };
}

describe('a connection', () => {
  it.each([
    ['plain', undefined],
    ['with TLS', certificate],
  ])('%s has its first request served, and each later one by whoever has the answer', async (_, tls) => {
    await using server = await start(({ url }) => (url.startsWith('/quick') ? quickAnswer(`quick ${url}`) : undefined), tls);
    const connection = await server.open();
    const bodies: string[] = [];
    for (const path of ['/quick/1', '/quick/2', '/other', '/quick/3'])
      bodies.push((await connection.ask(get(path))).body.toString());
    expect(bodies).toEqual(['served /quick/1', 'quick /quick/2', 'served /other', 'quick /quick/3']);
    connection.socket.destroy();
  });

  it('waits for an answer that is being looked for, and is served when there is none', async () => {
    await using server = await start(async ({ url }) => (url === '/quick/none' ? undefined : quickAnswer(url)));
    const connection = await server.open();
    await connection.ask(get('/'));
    expect((await connection.ask(get('/quick/none'))).body.toString()).toBe('served /quick/none');
    expect((await connection.ask(get('/quick/one'))).body.toString()).toBe('/quick/one');
    connection.socket.write(get('/quick/none') + get('/quick/behind'));
    expect((await connection.ask('')).body.toString()).toBe('served /quick/none');
    expect((await connection.ask('')).body.toString()).toBe('served /quick/behind');
    connection.socket.destroy();
  });

  it.each([
    [
      'at once',
      () => {
        throw new Error('broken');
      },
    ],
    ['later', async () => Promise.reject(new Error('broken'))],
  ])('is served when looking for an answer fails %s', async (_, answer) => {
    await using server = await start(answer);
    const connection = await server.open();
    for (const path of ['/1', '/2', '/3']) expect((await connection.ask(get(path))).body.toString()).toBe(`served ${path}`);
    connection.socket.destroy();
  });

  it('that brings a request while an answer is being looked for gets both in order', async () => {
    const looking = Promise.withResolvers<void>();
    const found = Promise.withResolvers<ReturnType<typeof quickAnswer>>();
    await using server = await start(({ url }) => {
      if (url !== '/quick/1') return quickAnswer(url);
      looking.resolve();
      return found.promise;
    });
    const connection = await server.open();
    await connection.ask(get('/'));
    connection.socket.write(get('/quick/1'));
    await looking.promise;
    connection.socket.write(get('/quick/2'));
    found.resolve(quickAnswer('/quick/1'));
    expect((await connection.ask('')).body.toString()).toBe('/quick/1');
    expect((await connection.ask('')).body.toString()).toMatch('/quick/2');
    connection.socket.destroy();
  });

  it('that brings a request while the server has not answered the one before gets both from the server', async () => {
    await using server = await start(({ url }) => (url === '/held' ? undefined : quickAnswer(url)));
    const connection = await server.open();
    await connection.ask(get('/'));
    connection.socket.write(get('/held'));
    const finish = await server.held;
    connection.socket.write(get('/quick/1'));
    // On a connection of its own, so that what was written before has been read.
    const other = await server.open();
    await other.ask(get('/'));
    await other.ask(get('/quick/2'));
    finish();
    expect((await connection.ask('')).body.toString()).toBe('served /held');
    expect((await connection.ask('')).body.toString()).toBe('served /quick/1');
    for (const { socket } of [connection, other]) socket.destroy();
  });

  it('is closed, with an answer that is on its way and what was idle, when the listener is', async () => {
    const found = Promise.withResolvers<ReturnType<typeof quickAnswer>>();
    const looking = Promise.withResolvers<void>();
    await using server = await start(() => {
      looking.resolve();
      return found.promise;
    });
    const [idle, busy] = [await server.open(), await server.open()];
    await idle.ask(get('/'));
    await busy.ask(get('/'));
    busy.socket.write(get('/quick'));
    await looking.promise;
    const large = 'x'.repeat(3_000_000);
    const closed = server.front.close(10_000);
    found.resolve(quickAnswer(large));
    expect((await busy.ask('')).body.toString()).toBe(large);
    await Promise.all([closed, idle.socket.destroyed || once(idle.socket, 'close')]);
  });

  it('whose client has gone meanwhile is not written to', async () => {
    const found = Promise.withResolvers<ReturnType<typeof quickAnswer>>();
    const socketOf = Promise.withResolvers<Socket>();
    await using server = await start((_, socket) => {
      socketOf.resolve(socket);
      return found.promise;
    });
    const connection = await server.open();
    await connection.ask(get('/'));
    connection.socket.write(get('/quick'));
    const socket = await socketOf.promise;
    connection.socket.destroy();
    await once(socket, 'close');
    const written = socket.bytesWritten;
    found.resolve(quickAnswer('x'));
    await found.promise;
    expect(socket.bytesWritten).toBe(written);
  });
});

describe('what is not exactly one request', () => {
  /** A connection after its first request, whose bytes go where it has been decided. */
  function opened() {
    const passed: Buffer[] = [];
    const answered: string[] = [];
    const socket = Object.assign(new EventEmitter(), {
      writable: true,
      writableLength: 0,
      destroyed: false,
      write: (_: Buffer, done: () => void) => done(),
      setTimeout: () => {},
    });
    const response = new EventEmitter();
    const connections = new QuickConnections({
      answer: ({ url }) => {
        answered.push(url);
        return quickAnswer(url);
      },
    });
    socket.on('data', (bytes: Buffer) => {
      passed.push(bytes);
      connections.onRequest(socket as unknown as Socket, response as never);
    });
    connections.take(socket as unknown as Socket);
    /** Whatever the server has been given is answered before the next comes. */
    const send = (text: string): void => {
      socket.emit('data', Buffer.from(text));
      response.emit('close');
    };
    send(get('/first'));
    passed.length = 0;
    return { send, passed, answered };
  }

  it('goes to the server, wherever it is cut, and so does all that follows', () => {
    const text = get('/one', 'X: y\r\n');
    for (let split = 1; split < text.length; split += 1) {
      const { send, passed, answered } = opened();
      for (const part of [text.slice(0, split), text.slice(split), get('/two')]) send(part);
      expect(Buffer.concat(passed).toString()).toBe(text + get('/two'));
      expect(answered).toEqual([]);
    }
  });

  it.each([
    ['a body', `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n\r\n${get('/smuggled')}`],
    ['two requests', get('/a') + get('/b')],
    ['another protocol', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ])('such as %s, too', (_, text) => {
    const { send, passed, answered } = opened();
    for (const part of [text, get('/two')]) send(part);
    expect(Buffer.concat(passed).toString()).toBe(text + get('/two'));
    expect(answered).toEqual([]);
  });

  it('a whole request is answered', () => {
    const { send, passed, answered } = opened();
    send(get('/one'));
    expect([passed, answered]).toEqual([[], ['/one']]);
  });
});

it('a client that takes nothing holds its own answer only', async () => {
  const body = 'x'.repeat(4_000_000);
  await using server = await start(() => quickAnswer(body));
  const slow = await server.open();
  await slow.ask(get('/'));
  slow.socket.pause();
  for (let index = 0; index < 4; index += 1) slow.socket.write(get(`/quick/${index}`));
  const other = await server.open();
  await other.ask(get('/'));
  expect((await other.ask(get('/quick'))).body.length).toBe(body.length);
  slow.socket.resume();
  for (let index = 0; index < 4; index += 1) expect((await slow.ask('')).head).toMatch(/^HTTP\/1\.1 200 /);
  other.socket.destroy();
  slow.socket.destroy();
});

it('a client that takes nothing is let go, and one that does stays for its next request', async () => {
  const body = 'x'.repeat(8_000_000);
  const letGo = Promise.withResolvers<void>();
  const answer: QuickService['answer'] = ({ url }, socket) => {
    if (url === '/quick/slow') socket.once('close', () => letGo.resolve());
    return quickAnswer(body);
  };
  await using server = await start(answer, undefined, 200);
  const [slow, reading] = [await server.open(), await server.open()];
  for (const connection of [slow, reading]) await connection.ask(get('/'));
  slow.socket.pause();
  slow.socket.write(get('/quick/slow'));
  await reading.ask(get('/quick'));
  await letGo.promise;
  expect((await reading.ask(get('/quick'))).body.length).toBe(body.length);
  for (const { socket } of [slow, reading]) socket.destroy();
});
