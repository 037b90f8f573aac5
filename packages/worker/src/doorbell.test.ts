import { readSync } from 'node:fs';
import { setImmediate as nextTick } from 'node:timers/promises';
import { closeFd, createDoorbell } from '@srs/native';
import { describe, expect, it } from 'vitest';
import { SocketDoorbell } from './doorbell.ts';

/** How often the bell was rung since the last time. */
function takeRings(readFd: number): number {
  try {
    return readSync(readFd, Buffer.alloc(4096));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0;
    throw error;
  }
}

describe('SocketDoorbell', () => {
  it('rings at once, and twice in a tick however often it is asked to, but never once less than needed', async () => {
    const bells = [createDoorbell(), createDoorbell()];
    const doorbell = new SocketDoorbell(
      -1,
      bells.map(({ writeFd }) => writeFd),
    );
    const rings = (): number[] => bells.map(({ readFd }) => takeRings(readFd));
    for (let round = 0; round < 3; round += 1) {
      doorbell.ring(0);
      expect(rings()).toEqual([1, 0]);
      for (let index = 0; index < 50; index += 1) doorbell.ring(0);
      doorbell.ring(1);
      // A slot that nobody has.
      doorbell.ring(7);
      expect(rings()).toEqual([0, 1]);
      await nextTick();
      await nextTick();
      expect(rings()).toEqual([1, 0]);
      await nextTick();
      expect(rings()).toEqual([0, 0]);
    }
    for (const { readFd, writeFd } of bells) {
      closeFd(readFd);
      closeFd(writeFd);
    }
  });
});
