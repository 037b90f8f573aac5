/** What can be said to a server on the sockets that are not for clients, its processes' own and the private API, and where TLS is spoken. */
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SocketLink } from '@srs/control';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificate, Files, halfClientHello } from '../support/certificates.ts';
import { eventually } from '../support/deadline.ts';
import { processMemory } from '../support/proc.ts';
import { BesiegedServer, uint32 } from './bad-input-test-support.ts';
import { LivePlayer, LivePublisher } from './live-client-test-support.ts';

const CLOSE_LIMIT_MS = 10_000;
const MIB = 1024 * 1024;

let siege: BesiegedServer;
/** The directory for temporary files that this server is given: its runtime directory is the only thing in it. */
let temporary = '';
let files: Files;

beforeAll(async () => {
  temporary = mkdtempSync(join(tmpdir(), 'srs-test-run-'));
  files = new Files();
  const tls = `key ${files.write('key.pem', certificate.key)}; cert ${files.write('cert.pem', certificate.cert)};`;
  siege = await BesiegedServer.start({
    env: { TMPDIR: temporary },
    top: ({ host, sparePort, httpApiPort, httpServerPort }) => `
      rtmps { enabled on; listen ${sparePort}; ${tls} }
      http_api { enabled on; listen ${host}:${httpApiPort}; https { enabled on; listen ${host}:${httpServerPort}; ${tls} } }`,
  });
});

afterAll(async () => {
  await siege.stop();
  files[Symbol.dispose]();
  rmSync(temporary, { recursive: true, force: true });
});

function runtimeDirectory(): string {
  const names = readdirSync(temporary).filter((name) => name.startsWith('srs-run-'));
  expect(names).toHaveLength(1);
  return join(temporary, names[0]!);
}

async function connectTo(address: NetConnectOpts): Promise<Socket> {
  const socket = connect(address);
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

const isClosed = (socket: Socket): boolean => socket.destroyed || socket.readableEnded;

async function waitForClose(socket: Socket): Promise<void> {
  socket.resume();
  await eventually(
    () => isClosed(socket),
    CLOSE_LIMIT_MS,
    () => 'the server did not close the connection',
  );
  socket.destroy();
}

const frame = (body: Uint8Array): Buffer => Buffer.concat([uint32(body.length), body]);

describe('the control socket of the back-source', () => {
  const socketPath = (): string => join(runtimeDirectory(), 'back-source-0.sock');

  it('is for this user only', () => {
    expect(statSync(runtimeDirectory()).mode & 0o777).toBe(0o700);
    expect(readdirSync(runtimeDirectory()).sort()).toEqual(['back-source-0.sock', 'outputs-0.sock']);
  });

  it.each<[string, Buffer | { readonly message: unknown }, RegExp]>([
    [
      'a frame of 4 GB',
      Buffer.concat([uint32(0xffffffff), Buffer.alloc(100)]),
      /control message of 4294967295 bytes must be at most 16777216/,
    ],
    ['a frame just above the limit', uint32(16 * MIB + 1), /control message of 16777217 bytes must be at most 16777216/],
    ['a frame that is no msgpack', frame(Buffer.from([0xc1, 0xff])), /control message of 2 bytes is not valid msgpack/],
    ['an empty frame', uint32(0), /control message of 0 bytes is not valid msgpack/],
    [
      'text of another protocol',
      Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
      /control message of \d+ bytes must be at most/,
    ],
    [
      'an array that says it has 2^32-1 values',
      frame(Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff])),
      /control message of 5 bytes is not valid msgpack/,
    ],
    [
      'a text that says it has 2^32-1 bytes',
      frame(Buffer.from([0xdb, 0xff, 0xff, 0xff, 0xff, 0x61])),
      /control message of 6 bytes is not valid msgpack/,
    ],
    ['arrays 100,000 deep', frame(Buffer.alloc(100_000, 0x91)), /control message of 100000 bytes is not valid msgpack/],
    ['a message of another form', { message: { hello: 'there' } }, /control message must be \[kind, id, name, body\]/],
    ['a notification without a body', { message: [3, 0, 'moved', null] }, /control link/],
    ['a notification with a body of another kind', { message: [3, 0, 'release', { ring: 5 }] }, /control link/],
  ])('%s: the link ends, with one line in the log', async (_name, sent, why) => {
    const from = siege.server.log().length;
    const socket = await connectTo({ path: socketPath() });
    if (Buffer.isBuffer(sent)) socket.write(sent);
    else new SocketLink(socket).send(sent.message);
    await waitForClose(socket);
    await siege.server.waitForLog(why, { from });
    const loud = siege.server
      .log()
      .slice(from)
      .filter((line) => /^\[[^\]]*\]\[(?:warn|error)\]/.test(line));
    expect(loud).toEqual([expect.stringMatching(why)]);
  });

  it.each<[string, readonly [name: string, body: unknown], unknown]>([
    ['a request nobody knows', ['format-disk', null], [2, 7, 'format-disk', 'no such request: format-disk']],
    [
      'a request named like a property of every object',
      ['constructor', {}],
      [2, 7, 'constructor', 'no such request: constructor'],
    ],
    ['a request before hello', ['publish', { streamId: 'a/b/c' }], [2, 7, 'publish', 'hello must come first']],
    ['a hello of nobody', ['hello', null], [2, 7, 'hello', expect.any(String)]],
    ['a hello that holds nonsense', ['hello', { slot: 60, pid: 0, leases: 5 }], [2, 7, 'hello', expect.any(String)]],
    ['more memory for a lease there is not', ['grow', { leaseId: 'x', capacityBytes: 1e308 }], [1, 7, 'grow', { ring: null }]],
  ])('%s gets an answer, and does nothing', async (_name, [name, body], answer) => {
    const socket = await connectTo({ path: socketPath() });
    const link = new SocketLink(socket);
    const answered = new Promise<unknown>((resolve) => link.attach({ onMessage: resolve, onClose: resolve }));
    link.send([0, 7, name, body]);
    expect(await answered).toEqual(answer);
    socket.destroy();
  });

  it('200 links that announce 16 MB and send little hold little', async () => {
    const backSource = (await siege.server.workers()).find(({ role }) => role === 'back-source');
    const memory = (): number => {
      const { rssBytes, sharedBytes } = processMemory(backSource?.pid ?? 0);
      return rssBytes - sharedBytes;
    };
    const before = memory();
    const sockets = await Promise.all(Array.from({ length: 200 }, () => connectTo({ path: socketPath() })));
    for (const socket of sockets) {
      await new Promise<void>(
        (resolve) => void socket.write(Buffer.concat([uint32(16 * MIB), Buffer.alloc(50_000)]), () => resolve()),
      );
    }
    expect(memory() - before).toBeLessThan(100 * MIB);
    for (const socket of sockets) socket.destroy();
  });

  it('publish and play go on as before', async () => {
    const publisher = await LivePublisher.start(siege.server, 'live/after');
    const player = await LivePlayer.start(siege.server, 'live/after');
    await player.waitForFrames(50);
    expect(player.checker.complaint).toBe('');
    publisher.close();
    player.close();
    await siege.expectPeace();
  });
});

const privateAddress = (): NetConnectOpts => ({ port: siege.server.place.privatePort, host: siege.server.place.host });

describe.concurrent('a client is let go that does not within 10 s', () => {
  const LIMIT_MS = 10_000;

  /** Says so much and no more on connections of their own, and waits until all are closed. */
  async function expectTimeout(addresses: readonly NetConnectOpts[], beginnings: readonly (string | Buffer)[]): Promise<void> {
    const startedMs = performance.now();
    const sockets = await Promise.all(
      addresses.flatMap((address) =>
        beginnings.map(async (bytes) => {
          const socket = await connectTo(address);
          socket.resume();
          if (bytes.length > 0) socket.write(bytes);
          return socket;
        }),
      ),
    );
    await eventually(
      () => sockets.every(isClosed),
      3 * LIMIT_MS,
      () => `${sockets.filter((socket) => !isClosed(socket)).length} of ${sockets.length} are still connected`,
    );
    expect(performance.now() - startedMs).toBeGreaterThan(LIMIT_MS - 1000);
  }

  it('finish a request to the private API', async () => {
    await expectTimeout(
      [privateAddress()],
      [
        '',
        'GET /api/v1/summ',
        'GET /api/v1/summary HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n',
        'POST /api/v1/summary HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n',
      ],
    );
  });

  it('finish the handshake of RTMPS or HTTPS', async () => {
    const { host, sparePort, httpServerPort } = siege.server.place;
    await expectTimeout(
      [sparePort, httpServerPort].map((port) => ({ host, port })),
      ['', halfClientHello],
    );
  });
});

describe('the private API', () => {
  it.each<[string, string, RegExp]>([
    ['no HTTP', '\x16\x03\x01\x02\x00\x01', /^HTTP\/1\.1 400 /],
    ['headers of 100 KB', `GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ${'b'.repeat(100_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n', /^HTTP\/1\.1 400 /],
    [
      'a length and chunks',
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
      /^HTTP\/1\.1 400 /,
    ],
    ['the name of a web page as host', 'GET /api/v1/summary HTTP/1.1\r\nHost: evil.example:1985\r\n\r\n', /^HTTP\/1\.1 403 /],
    ['a path that leads up', 'GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n', /^HTTP\/1\.1 404 /],
    ['a path that is no text', 'GET /%ff%00 HTTP/1.1\r\nHost: localhost\r\n\r\n', /^HTTP\/1\.1 40[04] /],
  ])('%s is refused with a status', async (_name, request, status) => {
    const socket = await connectTo(privateAddress());
    socket.write(request, 'latin1');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString('latin1')).toMatch(status);
    socket.destroy();
  });

  it('a body of 10 MB is refused before it has been read', async () => {
    const socket = await connectTo(privateAddress());
    const length = 10 * MIB;
    socket.write(
      `POST /api/v1/summary HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`,
    );
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString('latin1')).toMatch(/^HTTP\/1\.1 4(?:05|13) /);
    socket.destroy();
  });
});

it('nobody else has noticed', async () => {
  await siege.expectPeace();
});
