import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { constants } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { addressOf, closeFd, createDoorbell, descriptorOf, limitUnsent, sendFrom } from './index.ts';

const opened: { destroy(): void }[] = [];
afterEach(() => {
  for (const each of opened.splice(0)) each.destroy();
});

/** An accepted socket and its peer. */
async function socketPair(): Promise<{ readonly server: Socket; readonly client: Socket }> {
  const listener = createServer({ pauseOnConnect: true });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  const client = connect({ host: '127.0.0.1', port: typeof address === 'object' && address !== null ? address.port : 0 });
  const [server] = (await once(listener, 'connection')) as [Socket];
  listener.close();
  opened.push(server, client);
  return { server, client };
}

describe('sendFrom', () => {
  it('sends the bytes at an address and says how many were taken', () => {
    const { readFd, writeFd } = createDoorbell();
    const bytes = Buffer.allocUnsafeSlow(4_000_000);
    const taken = sendFrom(writeFd, addressOf(bytes) + 1000, 3_999_000);
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThan(3_999_000);
    expect(sendFrom(writeFd, addressOf(bytes), 10)).toBe(-constants.errno.EAGAIN);
    closeFd(readFd);
    expect(sendFrom(writeFd, addressOf(bytes), 10)).toBe(-constants.errno.EPIPE);
    closeFd(writeFd);
  });

  it('goes to the peer of the socket whose descriptor it is, in order with what the socket sends', async () => {
    const { server, client } = await socketPair();
    const received: string[] = [];
    client.on('data', (bytes: Buffer) => received.push(bytes.toString()));
    const parts = Buffer.from('1-direct 3-direct ');
    server.write('0-socket ');
    expect(sendFrom(descriptorOf(server), addressOf(parts), 9)).toBe(9);
    server.write('2-socket ');
    expect(sendFrom(descriptorOf(server), addressOf(parts) + 9, 9)).toBe(9);
    server.end();
    await once(client, 'end');
    expect(received.join('')).toBe('0-socket 1-direct 2-socket 3-direct ');
  });
});

describe('descriptorOf', () => {
  it('is -1 once the socket is destroyed', async () => {
    const { server } = await socketPair();
    expect(descriptorOf(server)).toBeGreaterThan(2);
    server.destroy();
    expect(descriptorOf(server)).toBe(-1);
  });
});

describe('limitUnsent', () => {
  it('makes the kernel take less for a peer that does not read', async () => {
    const bytes = Buffer.allocUnsafeSlow(65_536);
    const address = addressOf(bytes);
    const takenBytes = async (limitBytes: number | undefined): Promise<number> => {
      const { server, client } = await socketPair();
      client.pause();
      const fd = descriptorOf(server);
      if (limitBytes !== undefined) limitUnsent(fd, limitBytes);
      let total = 0;
      let sent = 0;
      do {
        sent = sendFrom(fd, address, bytes.length);
        total += Math.max(0, sent);
      } while (sent > 0);
      return total;
    };
    const [limited, unlimited] = [await takenBytes(65_536), await takenBytes(undefined)];
    expect(limited).toBeGreaterThan(65_536);
    expect(limited).toBeLessThan(unlimited / 2);
  });

  it('does nothing to a descriptor that is no TCP socket', () => {
    limitUnsent(-1, 65_536);
  });
});
