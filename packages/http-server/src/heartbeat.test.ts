import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { type LogLine, memoryLog } from '@srs/kernel';
import { deviceAddress, localAddresses } from '@srs/native';
import { afterEach, describe, expect, it } from 'vitest';
import { type HeartbeatSettings, startHeartbeat } from './heartbeat.ts';
import { postJson } from './heartbeat-post.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

interface Received {
  readonly request: IncomingMessage;
  readonly body: string;
}

type Answer = (response: ServerResponse) => void;

/** A server that keeps what it is sent and answers as it is told. */
class Receiver {
  readonly received: Received[] = [];
  answer: Answer = (response) => response.end('0');
  url = '';
  #waiting: (() => void)[] = [];

  static async start(): Promise<Receiver> {
    const receiver = new Receiver();
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        receiver.received.push({ request, body: Buffer.concat(chunks).toString() });
        for (const told of receiver.#waiting.splice(0)) told();
        receiver.answer(response);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closers.push(() => {
      server.close();
      server.closeAllConnections();
    });
    receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/servers`;
    return receiver;
  }

  async count(count: number): Promise<void> {
    while (this.received.length < count) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
  }
}

function beat(settings: Partial<HeartbeatSettings> & { readonly url: string }, isOurs = async () => true) {
  const lines: LogLine[] = [];
  const current = { enabled: true, intervalMs: 100, deviceId: 'device-1', summaries: false, ports: false, ...settings };
  const heartbeat = startHeartbeat({
    settings: () => current,
    network: () => 0,
    summaries: async () => ({ code: 0, data: { ok: true } }),
    ports: () => ({ rtmp: ['1935', '19350'], api: ['1985'] }),
    isOurs,
    version: '2.0.0',
    log: memoryLog(lines),
  });
  closers.push(() => heartbeat.stop());
  return {
    heartbeat,
    settings: current,
    warnings: () => lines.filter(({ level }) => level === 'warn').map(({ text }) => text),
    lines,
  };
}

describe('heartbeat', () => {
  it('posts who it is, with the headers of SRS, and the path without its query', async () => {
    const receiver = await Receiver.start();
    beat({ url: `${receiver.url}?token=secret` });
    await receiver.count(1);
    const [{ request, body }] = receiver.received as [Received];
    expect([request.method, request.url]).toEqual(['POST', '/api/v1/servers']);
    expect(request.rawHeaders.filter((_, index) => index % 2 === 0)).toEqual([
      'Host',
      'Connection',
      'Content-Length',
      'User-Agent',
      'Content-Type',
    ]);
    expect(request.headers).toMatchObject({
      host: '127.0.0.1',
      'user-agent': 'SRS(Simple RTMP Server)2.0.0',
      'content-type': 'application/json',
    });
    expect(body).toBe(JSON.stringify({ device_id: 'device-1', ip: deviceAddress(0) }));
  });

  it('sends summaries and ports along when it is told to, from the next beat on', async () => {
    const receiver = await Receiver.start();
    const { settings } = beat({ url: receiver.url });
    await receiver.count(1);
    settings.summaries = true;
    settings.ports = true;
    settings.deviceId = 'other';
    // The one under way may have been made before.
    await receiver.count(3);
    expect(JSON.parse(receiver.received.at(-1)!.body)).toEqual({
      device_id: 'other',
      ip: deviceAddress(0),
      rtmp: ['1935', '19350'],
      api: ['1985'],
      summaries: { code: 0, data: { ok: true } },
    });
  });

  it('keeps to its interval, counted from beat to beat', async () => {
    const receiver = await Receiver.start();
    const startMs = performance.now();
    beat({ url: receiver.url, intervalMs: 150 });
    await receiver.count(5);
    // The first comes at once.
    expect(performance.now() - startMs).toBeGreaterThan(4 * 150 - 20);
  });

  it('beats as soon as it has been switched on, and not before', async () => {
    const receiver = await Receiver.start();
    let looks = 0;
    let enabled = false;
    const settings = { intervalMs: 100, url: receiver.url, deviceId: '', summaries: false, ports: false };
    const heartbeat = startHeartbeat({
      settings: () => {
        looks += 1;
        return { ...settings, enabled };
      },
      network: () => 0,
      summaries: async () => ({}),
      ports: () => ({}),
      isOurs: async () => true,
      version: '2.0.0',
      log: memoryLog(),
    });
    closers.push(() => heartbeat.stop());
    await expect.poll(() => looks, { timeout: 5000 }).toBeGreaterThan(1);
    expect(receiver.received).toHaveLength(0);
    enabled = true;
    await receiver.count(1);
  });

  it('leaves it to another process as long as that one beats', async () => {
    const receiver = await Receiver.start();
    let asked = 0;
    let isOurs = false;
    beat({ url: receiver.url }, async () => {
      asked += 1;
      return isOurs;
    });
    await expect.poll(() => asked, { timeout: 5000 }).toBeGreaterThan(3);
    expect(receiver.received).toHaveLength(0);
    isOurs = true;
    await receiver.count(1);
  });

  it('a receiver that answers 500 is named once, and so is that it answers again', async () => {
    const receiver = await Receiver.start();
    receiver.answer = (response) => response.writeHead(500).end('0');
    const { lines, warnings } = beat({ url: receiver.url });
    await receiver.count(4);
    expect(warnings()).toEqual([`heartbeat to ${receiver.url} failed, 1 in a row: it answered with status 500`]);
    receiver.answer = (response) => response.end();
    await expect
      .poll(() => lines.map(({ text }) => text).at(-1), { timeout: 5000 })
      .toMatch(/is taken again, after \d+ failures$/);
    expect(warnings()).toHaveLength(1);
  });

  it('a redirect is not followed', async () => {
    const receiver = await Receiver.start();
    const other = await Receiver.start();
    receiver.answer = (response) => response.writeHead(307, { location: other.url }).end();
    const { warnings } = beat({ url: receiver.url });
    await receiver.count(3);
    expect(other.received).toHaveLength(0);
    expect(warnings()[0]).toContain('it answered with status 307');
  });

  it('a receiver that closes without an answer, and nobody there at all, are failures like others', async () => {
    const sockets: Socket[] = [];
    const server = createTcpServer((socket) => {
      sockets.push(socket);
      socket.destroy();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { warnings } = beat({ url: `http://127.0.0.1:${port}/` });
    await expect.poll(() => sockets.length, { timeout: 5000 }).toBeGreaterThan(2);
    await expect.poll(warnings).toEqual([`heartbeat to http://127.0.0.1:${port}/ failed, 1 in a row: socket hang up`]);
    server.close();
    await expect.poll(() => warnings().at(-1), { timeout: 5000 }).toMatch(/ECONNREFUSED/);
  });

  it('a receiver that hangs holds up nothing but the next beat, and stop lets go of it at once', async () => {
    const receiver = await Receiver.start();
    const closed = Promise.withResolvers<void>();
    receiver.answer = (response) => response.once('close', () => closed.resolve());
    const { heartbeat, warnings } = beat({ url: receiver.url });
    await receiver.count(1);
    heartbeat.stop();
    await closed.promise;
    expect(receiver.received).toHaveLength(1);
    expect(warnings()).toEqual([]);
  });

  it('no secret of the URL is in the log', async () => {
    const { warnings } = beat({ url: 'http://user:hidden@127.0.0.1:9/x?token=hidden' });
    await expect.poll(() => warnings().length, { timeout: 5000 }).toBe(1);
    expect(warnings()[0]).not.toContain('hidden');
  });
});

describe('postJson', () => {
  const post = (url: string, limitMs?: number) =>
    postJson({
      url,
      body: {},
      userAgent: 'test',
      signal: new AbortController().signal,
      ...(limitMs === undefined ? {} : { limitMs }),
    });

  it('an answer without end is an error after 64 KiB', async () => {
    const receiver = await Receiver.start();
    const closed = Promise.withResolvers<void>();
    let writtenBytes = 0;
    receiver.answer = (response) => {
      const chunk = Buffer.alloc(16 * 1024, 'x');
      const write = (): void => {
        do writtenBytes += chunk.length;
        while (response.write(chunk) && writtenBytes < 100e6);
      };
      response.on('drain', write);
      response.on('close', () => closed.resolve());
      write();
    };
    await expect(post(receiver.url)).rejects.toThrow('its answer is larger than 65536 bytes');
    await closed.promise;
    expect(writtenBytes).toBeLessThan(50e6);
  });

  it.each([
    ['says nothing', () => {}],
    ['begins and does not end', (response: ServerResponse) => response.writeHead(200).write('x')],
    ['sends a byte now and then', (response: ServerResponse) => drip(response)],
  ])('a receiver that %s is an error when the time is over', async (_what, answer) => {
    const receiver = await Receiver.start();
    receiver.answer = answer;
    const startMs = performance.now();
    await expect(post(receiver.url, 300)).rejects.toThrow('no whole answer within 300 ms');
    expect(performance.now() - startMs).toBeLessThan(2000);
  });

  it('a name that does not exist is named', async () => {
    await expect(post('http://name.invalid/')).rejects.toThrow(/name\.invalid/);
  });

  function drip(response: ServerResponse): void {
    response.writeHead(200);
    const timer = setInterval(() => response.write('x'), 20);
    response.on('close', () => clearInterval(timer));
  }
});

describe('the address of the machine', () => {
  const card = (address: string, family: 'IPv4' | 'IPv6', internal = false) =>
    ({ address, family, internal, netmask: '', mac: '', cidr: null, scopeid: 0 }) as never;

  it('is one of the IPv4 addresses in the order of the interfaces, without the loopback', () => {
    const interfaces = {
      lo: [card('127.0.0.1', 'IPv4', true), card('::1', 'IPv6', true)],
      eth0: [card('fe80::1', 'IPv6'), card('10.0.0.5', 'IPv4')],
      eth1: [card('192.0.2.7', 'IPv4')],
      gone: undefined,
    };
    expect(localAddresses(interfaces)).toEqual(['10.0.0.5', '192.0.2.7']);
  });

  it('an index beyond the last one means the first, and a machine without any has the loopback', () => {
    expect([0, 1, 2].map((index) => deviceAddress(index, ['10.0.0.5', '192.0.2.7']))).toEqual([
      '10.0.0.5',
      '192.0.2.7',
      '10.0.0.5',
    ]);
    expect(deviceAddress(0, [])).toBe('127.0.0.1');
  });
});
