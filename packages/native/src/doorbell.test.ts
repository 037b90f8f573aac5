import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';
import { addressOf, closeFd, createDoorbell, listenDoorbell, ringDoorbell, sendFrom } from './index.ts';

const oneByte = Buffer.allocUnsafeSlow(1);

/** Resolves at the n-th call of `ring`. */
function counter(): { readonly ring: () => void; readonly reached: (count: number) => Promise<void>; count: number } {
  const waiting: { count: number; resolve: () => void }[] = [];
  const self = {
    count: 0,
    ring: () => {
      self.count++;
      for (const each of waiting) if (self.count >= each.count) each.resolve();
    },
    reached: (count: number) => new Promise<void>((resolve) => waiting.push({ count, resolve })),
  };
  return self;
}

describe('doorbell', () => {
  it('wakes its listener, again and again', async () => {
    const { readFd, writeFd } = createDoorbell();
    const rings = counter();
    const stop = listenDoorbell(readFd, rings.ring);
    for (let expected = 1; expected <= 3; expected++) {
      const reached = rings.reached(expected);
      ringDoorbell(writeFd);
      await reached;
    }
    expect(rings.count).toBe(3);
    stop();
    closeFd(writeFd);
  });

  it('rings that nobody answers fill up without an exception and come as few calls', async () => {
    const { readFd, writeFd } = createDoorbell();
    for (let i = 0; i < 100_000; i++) ringDoorbell(writeFd);
    expect(sendFrom(writeFd, addressOf(oneByte), 1)).toBe(-constants.errno.EAGAIN);
    const rings = counter();
    const reached = rings.reached(1);
    const stop = listenDoorbell(readFd, rings.ring);
    await reached;
    expect(rings.count).toBeLessThan(100);
    stop();
    closeFd(writeFd);
  });

  it('a ring for a listener that is gone, or on no descriptor, does nothing', () => {
    const { readFd, writeFd } = createDoorbell();
    closeFd(readFd);
    ringDoorbell(writeFd);
    expect(sendFrom(writeFd, addressOf(oneByte), 1)).toBe(-constants.errno.EPIPE);
    closeFd(writeFd);
    ringDoorbell(4_000_000);
    ringDoorbell(-1);
  });

  it('tells when the last writer is gone', async () => {
    const { readFd, writeFd } = createDoorbell();
    const closed = new Promise<void>((resolve) => listenDoorbell(readFd, () => {}, resolve));
    closeFd(writeFd);
    await closed;
  });
});
