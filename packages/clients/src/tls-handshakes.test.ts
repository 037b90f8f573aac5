import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { connect as connectTls, createServer } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { certificate } from '../../../test/support/certificates.ts';
import { eventually, within } from '../../../test/support/deadline.ts';
import { type HandshakeLimits, limitHandshakes, tlsServerOptions } from './tls-handshakes.ts';

const LIMIT_MS = 10_000;
const closing: (() => void)[] = [];

afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function start(limits: HandshakeLimits) {
  let clients = 0;
  let failures = 0;
  const reasons = new Set<string>();
  let turnedAway = 0;
  const server = createServer(tlsServerOptions(certificate, limits), (socket) => {
    clients += 1;
    closing.push(() => socket.destroy());
  });
  const endHandshakes = limitHandshakes(server, limits, {
    onFailed: () => {
      failures += 1;
    },
    onTurnedAway: (_, reason) => {
      turnedAway += 1;
      reasons.add(reason);
    },
  });
  closing.push(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const place = { port: (server.address() as AddressInfo).port, host: '127.0.0.1' };
  return {
    reasons,
    endHandshakes,
    server,
    /** Waits until so many were let in, so many gave up or were given up, and so many were turned away. */
    expectCounts: async (expected: { readonly clients: number; readonly failures: number; readonly turnedAway: number }) => {
      await eventually(
        () => clients === expected.clients && failures === expected.failures && turnedAway === expected.turnedAway,
        LIMIT_MS,
        () => `${clients} clients, ${failures} failures and ${turnedAway} turned away`,
      );
    },
    /** Connects, and says nothing. */
    openSilent: async (): Promise<Socket> => {
      const socket = connect(place);
      closing.push(() => socket.destroy());
      socket.on('error', () => {});
      // It is told the end although it reads nothing else.
      socket.resume();
      await once(socket, 'connect');
      return socket;
    },
    /** @returns whether it was let in */
    tryTls: async (): Promise<boolean> => {
      const socket = connectTls({ ...place, ca: certificate.cert, servername: 'localhost' });
      closing.push(() => socket.destroy());
      return await new Promise((resolve) => {
        socket.once('secureConnect', () => resolve(true));
        socket.once('error', () => resolve(false));
      });
    },
  };
}

async function closed(socket: Socket): Promise<void> {
  if (!socket.closed) await within(once(socket, 'close'), LIMIT_MS, () => 'the connection stays open');
}

describe('a listener of limited handshakes', () => {
  it('turns away who comes while as many handshakes are under way as may be, and counts each only once', async () => {
    const { expectCounts, openSilent, reasons, tryTls } = await start({ timeoutMs: 60_000, maxHandshakes: 2 });
    const waiting = [await openSilent(), await openSilent()];
    for (let tries = 1; tries <= 5; tries += 1) {
      await closed(await openSilent());
      expect(await tryTls()).toBe(false);
    }
    expect(waiting.map((socket) => socket.closed)).toEqual([false, false]);
    await expectCounts({ clients: 0, failures: 0, turnedAway: 10 });
    expect([...reasons]).toEqual(['2 TLS handshakes are under way, the most there may be']);
    // One place is free, for one after the other: who is let in does not take it for longer than the handshake.
    waiting[0]?.destroy();
    await expectCounts({ clients: 0, failures: 1, turnedAway: 10 });
    for (let clients = 1; clients <= 3; clients += 1) {
      expect(await tryTls()).toBe(true);
      await expectCounts({ clients, failures: 1, turnedAway: 10 });
    }
    await openSilent();
    expect(await tryTls()).toBe(false);
    await expectCounts({ clients: 3, failures: 1, turnedAway: 11 });
  });

  it('lets go of who says nothing when the time for a handshake is over, and has its place again', async () => {
    const { expectCounts, openSilent, tryTls } = await start({ timeoutMs: 100, maxHandshakes: 1 });
    await closed(await openSilent());
    await expectCounts({ clients: 0, failures: 1, turnedAway: 0 });
    expect(await tryTls()).toBe(true);
  });

  it('ends those that are under way, when it is told to, and nobody who was let in', async () => {
    const { endHandshakes, expectCounts, openSilent, server, tryTls } = await start({ timeoutMs: 60_000, maxHandshakes: 9 });
    const heard = once(server, 'secureConnection') as Promise<[Socket]>;
    expect(await tryTls()).toBe(true);
    const [client] = await heard;
    const silent: Socket[] = [];
    for (let count = 0; count < 2; count += 1) {
      const begun = once(server, 'connection');
      silent.push(await openSilent());
      await begun;
    }
    endHandshakes();
    await Promise.all(silent.map(closed));
    await expectCounts({ clients: 1, failures: 0, turnedAway: 0 });
    expect(client.destroyed).toBe(false);
  });
});
