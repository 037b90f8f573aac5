import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { adoptSocket } from './client-socket.ts';

const opened: { destroy(): void }[] = [];
afterEach(() => {
  for (const each of opened.splice(0)) each.destroy();
});

async function socketPair(): Promise<{ readonly accepted: Socket; readonly client: Socket }> {
  const listener = createServer({ pauseOnConnect: true });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  const client = connect({ host: '127.0.0.1', port: typeof address === 'object' && address !== null ? address.port : 0 });
  const [accepted] = (await once(listener, 'connection')) as [Socket];
  listener.close();
  opened.push(accepted, client);
  return { accepted, client };
}

/** What a descriptor stands for, so that it can be told from the next one with its number. */
function socketInode(descriptor: number): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return 'closed';
  }
}

/** Collects what comes, and tells when so much is there. */
class Collector {
  readonly #parts: Buffer[] = [];
  #length = 0;
  #wanted = Number.POSITIVE_INFINITY;
  #resolve: () => void = () => {};

  readonly onBytes = (bytes: Buffer): void => {
    this.#parts.push(Buffer.from(bytes));
    this.#length += bytes.length;
    if (this.#length >= this.#wanted) this.#resolve();
  };

  get length(): number {
    return this.#length;
  }

  async take(length: number): Promise<Buffer> {
    this.#wanted = length;
    if (this.#length < length) await new Promise<void>((resolve) => (this.#resolve = resolve));
    return Buffer.concat(this.#parts);
  }
}

describe('adoptSocket', () => {
  it('gives all bytes in order, those that came before too, and answers on the same connection', async () => {
    const { accepted, client } = await socketPair();
    const sent = Buffer.from(Array.from({ length: 1_000_000 }, (_, index) => (index * 31) >>> 3));
    client.write(sent.subarray(0, 1000));
    const collector = new Collector();
    const { socket } = adoptSocket(accepted, { onBytes: collector.onBytes, onClosing: () => {} });
    opened.push(socket);
    expect(socket).not.toBe(accepted);
    expect([socket.remoteAddress, socket.remotePort]).toEqual(['127.0.0.1', client.localPort]);
    client.write(sent.subarray(1000));
    expect((await collector.take(sent.length)).equals(sent)).toBe(true);
    expect(socket.bytesRead).toBe(sent.length);
    socket.end('answer');
    const [answer] = (await once(client, 'data')) as [Buffer];
    expect(answer.toString()).toBe('answer');
  });

  it('reads nothing while it is paused, and tells of the end', async () => {
    const { accepted, client } = await socketPair();
    const collector = new Collector();
    const { socket } = adoptSocket(accepted, {
      onBytes: (bytes) => {
        collector.onBytes(bytes);
        socket.pause();
      },
      onClosing: () => {},
    });
    opened.push(socket);
    const finished = once(client, 'finish');
    client.end(Buffer.alloc(200_000, 1));
    const first = (await collector.take(1)).length;
    await finished;
    expect(collector.length).toBe(first);
    const ended = once(socket, 'end');
    const timer = setInterval(() => socket.resume(), 1);
    await ended;
    clearInterval(timer);
    expect(collector.length).toBe(200_000);
  });

  it('closes the connection when it is destroyed, and tells before its descriptor is free', async () => {
    const { accepted, client } = await socketPair();
    let told = 0;
    const { socket, descriptor } = adoptSocket(accepted, {
      onBytes: () => {},
      onClosing: () => {
        told += 1;
        expect(socketInode(descriptor)).toBe(inode);
      },
    });
    const inode = socketInode(descriptor);
    client.resume();
    const closed = once(client, 'close');
    socket.destroy();
    expect(told).toBe(1);
    expect(socketInode(descriptor)).not.toBe(inode);
    await closed;
    expect(told).toBe(1);
  });

  it('tells before its descriptor is free when the peer resets the connection', async () => {
    const { accepted, client } = await socketPair();
    const events: string[] = [];
    const { socket } = adoptSocket(accepted, { onBytes: () => {}, onClosing: () => events.push('closing') });
    socket.on('error', () => events.push('error'));
    const closed = once(socket, 'close');
    client.resetAndDestroy();
    await closed.catch(() => {});
    expect(events).toEqual(['closing', 'error']);
  });
});
