import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { encodeFlvHeader, encodeFlvTag } from '@srs/flv';
import { frameTypes } from '@srs/kernel';
import type { HeaderIdentity } from '@srs/rtmp';
import { describe, expect, it } from 'vitest';
import { certificate } from '../../../test/support/certificates.ts';
import { eventually } from '../../../test/support/deadline.ts';
import { describeCloseReason } from './client-options.ts';
import { HttpFlvPlayer } from './http-flv-player.ts';
import { httpFlvUrl } from './upstream-target.ts';

const LIMIT_MS = 10_000;

/** A server that is closed with all its connections. */
class Origin {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(server: Server): Promise<Origin> {
    const origin = new Origin(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return origin;
  }

  static http(serve: (request: IncomingMessage, response: ServerResponse) => void): Promise<Origin> {
    return Origin.start(createServer(serve));
  }

  /** What it says to whatever is asked. */
  static raw(text: string | Buffer): Promise<Origin> {
    return Origin.start(createTcpServer((socket) => socket.once('data', () => socket.write(text))));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get connectionCount(): number {
    return this.#sockets.size;
  }

  url(path = '/live/s.flv', scheme = 'http'): URL {
    return new URL(`${scheme}://127.0.0.1:${this.port}${path}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

class Received {
  readonly frames: string[] = [];
  readonly peers: (HeaderIdentity | undefined)[] = [];

  async have(count: number): Promise<void> {
    await eventually(
      () => this.frames.length >= count,
      LIMIT_MS,
      () => `${this.frames.length} frames of ${count}`,
    );
  }
}

function play(url: URL, received: Received, more: { readonly ca?: string; readonly signal?: AbortSignal } = {}) {
  return HttpFlvPlayer.open(url, {
    connectTimeoutMs: 2_000,
    signal: new AbortController().signal,
    headers: { 'x-srs-identity': 'version=2; ip=10.0.0.1; pid=5; id=6' },
    onAnswered: (peer) => void received.peers.push(peer),
    onFrame: (type, timestampMs, payload) => void received.frames.push(`${type} ${timestampMs} ${payload.length}`),
    ...more,
  });
}

/** Why the connection to `url` ends. */
async function endOf(url: URL): Promise<string> {
  const player = await play(url, new Received());
  return describeCloseReason(await player.closed);
}

const head = encodeFlvHeader({ hasAudio: true, hasVideo: true });
const tagAt = (timestampMs: number, size = 5): Buffer => encodeFlvTag(frameTypes.video, timestampMs, Buffer.alloc(size, 1));

describe('a play over HTTP-FLV', () => {
  it('gives every frame of a body that ends with the connection, whatever pieces it comes in', async () => {
    const bytes = Buffer.concat([head, tagAt(0), tagAt(40, 70_000), tagAt(0x8000_0050)]);
    await using origin = await Origin.start(
      createTcpServer((socket) => {
        socket.once('data', () => {
          socket.write(
            'HTTP/1.1 200 OK\r\nContent-Type: video/x-flv\r\nX-Srs-Identity: version=2; ip=10.0.0.9; pid=7; id=9\r\n\r\n',
          );
          for (let at = 0; at < 100; at += 1) socket.write(bytes.subarray(at, at + 1));
          socket.end(bytes.subarray(100));
        });
      }),
    );
    const received = new Received();
    const player = await play(origin.url(), received);
    expect(describeCloseReason(await player.closed)).toBe('the server closed the connection');
    expect(received.frames).toEqual(['9 0 5', '9 40 70000', '9 80 5']);
    expect(received.peers).toEqual([expect.objectContaining({ serverIp: '10.0.0.9', pid: 7, id: 9 })]);
  });

  it('reads chunked bodies, tells who it is, and can be closed', async () => {
    const asked: IncomingMessage[] = [];
    await using origin = await Origin.http((request, response) => {
      asked.push(request);
      response.write(head);
      response.write(tagAt(40));
    });
    const received = new Received();
    const player = await play(
      httpFlvUrl(
        'http',
        { vhost: 'cdn.test', app: 'live/a b', name: 'ü', param: '?token=x' },
        { host: '127.0.0.1', port: origin.port },
      ),
      received,
    );
    await received.have(1);
    expect(asked[0]?.url).toBe('/live/a%20b/%C3%BC.flv?token=x&vhost=cdn.test');
    expect(asked[0]?.headers).toMatchObject({
      host: `127.0.0.1:${origin.port}`,
      'x-srs-identity': 'version=2; ip=10.0.0.1; pid=5; id=6',
    });
    expect(received.peers).toEqual([undefined]);
    expect(await player.close()).toEqual({ kind: 'closed' });
    await eventually(
      () => origin.connectionCount === 0,
      LIMIT_MS,
      () => 'a connection is left',
    );
  });

  it('follows redirects, relative ones too', async () => {
    await using other = await Origin.http((_request, response) => response.write(Buffer.concat([head, tagAt(40)])));
    await using origin = await Origin.http(({ url }, response) => {
      response.writeHead(302, { location: url === '/live/s.flv' ? '/there.flv' : other.url('/x.flv').href }).end();
    });
    const received = new Received();
    const player = await play(origin.url(), received);
    await received.have(1);
    await player.close();
  });

  it('plays over https from a server whose certificate is trusted', async () => {
    const { key, cert } = certificate;
    await using origin = await Origin.start(
      createTlsServer({ key, cert }, (_request, response) => response.write(Buffer.concat([head, tagAt(40)]))),
    );
    const received = new Received();
    const player = await play(origin.url('/live/s.flv', 'https'), received, { ca: cert });
    await received.have(1);
    await player.close();
    await expect(play(origin.url('/live/s.flv', 'https'), received)).rejects.toThrow(/^cannot connect to https:/);
  });

  it.each([
    ['a refusal', 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n', /\/live\/s\.flv answered 404 "Not Found"$/],
    [
      'a redirect to nowhere',
      'HTTP/1.1 302 Found\r\nLocation: rtmp://h/live\r\n\r\n',
      /redirects to what is no http or https address$/,
    ],
    ['a redirect to itself', 'HTTP/1.1 302 Found\r\nLocation: s.flv\r\n\r\n', /redirects after 4 redirects$/],
    ['what is no HTTP', 'SSH-2.0-x\r\n', /gave no valid answer: /],
    ['a head without end', `HTTP/1.1 200 OK\r\nA: ${'x'.repeat(20_000)}\r\n\r\n`, /gave no valid answer: .*overflow/i],
    ['what is no FLV', 'HTTP/1.1 200 OK\r\n\r\n<html>never mind</html>', /flv/],
    [
      'a tag that is too large',
      Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), head, Buffer.of(9, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0)]),
      /flv tag of 16777215 bytes/,
    ],
  ])('ends with a reason at %s', async (_what, answer, reason) => {
    await using origin = await Origin.raw(answer);
    expect(await endOf(origin.url('/live/s.flv?token=secret'))).toMatch(reason);
    expect(await endOf(origin.url('/live/s.flv?token=secret'))).not.toContain('secret');
  });

  it('is not opened when nobody listens, or when it is given up', async () => {
    await expect(play(new URL('http://127.0.0.1:1/s.flv'), new Received())).rejects.toThrow(/^cannot connect to http:.*s\.flv$/);
    const giving = new AbortController();
    giving.abort();
    await using origin = await Origin.raw('');
    await expect(play(origin.url(), new Received(), { signal: giving.signal })).rejects.toThrow(/was given up/);
  });

  it('ends when the owner of the frames throws', async () => {
    await using origin = await Origin.http((_request, response) => response.write(Buffer.concat([head, tagAt(40)])));
    const player = await HttpFlvPlayer.open(origin.url(), {
      connectTimeoutMs: 2_000,
      signal: new AbortController().signal,
      onAnswered: () => {},
      onFrame: () => {
        throw new Error('no place');
      },
    });
    expect(describeCloseReason(await player.closed)).toBe('no place');
  });
});
