import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { ChildProgram } from './child-program.ts';
import { eventually } from './deadline.ts';
import { requiresNetwork, TestNetwork } from './network.ts';

const LIMIT_MS = 10_000;

requiresNetwork();

const ROUNDS = 5;

/** The shortest of some: the machine may be busy. */
async function roundTripMs(host: string, localAddress: string, port: number): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const startMs = performance.now();
    const socket = connect({ host, port, localAddress });
    await once(socket, 'connect');
    socket.destroy();
    times.push(performance.now() - startMs);
  }
  return Math.min(...times);
}

/** Of this process; others may have networks at the same time. */
const ownDevices = (): string[] => readdirSync('/sys/class/net').filter((name) => name.startsWith(`srs${process.pid}`));

describe('a test network', () => {
  it('has hosts that reach each other over cables that can be cut and slowed down, and leaves nothing behind', async () => {
    {
      await using network = await TestNetwork.start();
      const [far, own] = [await network.host(), await network.ownAddress()];
      const [command, ...args] = [...far.prefix, process.execPath, '-e', echo];
      await using program = await ChildProgram.start(command!, args);
      await program.waitForLine('listening');
      expect(ownDevices()).toHaveLength(1);
      const shortMs = await roundTripMs(far.address, own, 7000);
      const cable = network.cable(own, far.address);
      await cable.shape({ delayMs: 100, loss: 0 });
      const longMs = await roundTripMs(far.address, own, 7000);
      expect(longMs).toBeGreaterThanOrEqual(200);
      expect(shortMs).toBeLessThan(longMs / 2);
      await cable.shape({ delayMs: 0, loss: 0 });

      const socket = connect({ host: far.address, port: 7000, localAddress: own });
      await once(socket, 'connect');
      await cable.cut();
      let received = 0;
      socket.on('data', (bytes) => (received += bytes.length));
      socket.write('held up');
      await expect(
        eventually(
          () => received > 0,
          500,
          () => 'nothing came',
        ),
      ).rejects.toThrow('nothing came');
      expect(socket.destroyed).toBe(false);
      await cable.mend();
      await eventually(
        () => received === 'held up'.length,
        LIMIT_MS,
        () => `${received} bytes came back`,
      );
      socket.destroy();
    }
    expect(ownDevices()).toEqual([]);
  });
});

const echo = `require('net').createServer((s) => s.pipe(s).on('error', () => {})).listen(7000, () => console.log('listening'))`;
