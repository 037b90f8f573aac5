import { writeSync } from 'node:fs';
import { constants } from 'node:os';
import { expect, it } from 'vitest';
import { addressOf, closeFd, createDoorbell, receiveTo } from './index.ts';

it('receiveTo takes what has come, says when nothing has, and when nothing will', () => {
  const { readFd, writeFd } = createDoorbell();
  const target = Buffer.allocUnsafeSlow(16).fill('.');
  const address = addressOf(target);
  expect(receiveTo(readFd, address, 16)).toBe(-constants.errno.EAGAIN);
  writeSync(writeFd, 'some bytes');
  expect(receiveTo(readFd, address + 2, 4)).toBe(4);
  expect(receiveTo(readFd, address + 6, 10)).toBe(6);
  expect(target.toString()).toBe('..some bytes....');
  closeFd(writeFd);
  expect(receiveTo(readFd, address, 16)).toBe(0);
  closeFd(readFd);
  expect(receiveTo(readFd, address, 16)).toBe(-constants.errno.EBADF);
});
