import { fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  closeFd,
  createDescriptorPipe,
  type DescriptorPipe,
  listenTcp,
  MAX_PASSED_DESCRIPTORS,
  receiveDescriptors,
  sendDescriptors,
} from './index.ts';

function withPipe(use: (pipe: DescriptorPipe) => void): void {
  const pipe = createDescriptorPipe();
  try {
    use(pipe);
  } finally {
    closeFd(pipe.sendFd);
    closeFd(pipe.receiveFd);
  }
}

const openCount = (): number => readdirSync('/proc/self/fd').length;

describe('passing descriptors', () => {
  it('another process accepts on a listening socket that it was given after its start', async () => {
    const pipe = createDescriptorPipe();
    const child = fork(fileURLToPath(new URL('./test-child.ts', import.meta.url)), ['accept-passed', '7'], {
      execArgv: [],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', pipe.receiveFd],
    });
    closeFd(pipe.receiveFd);
    const listener = listenTcp({ host: '127.0.0.1', port: 0, backlog: 8, reusePort: false });
    sendDescriptors(pipe.sendFd, 7, [listener.fd]);
    // The parcel holds the socket; the sender needs its own no more.
    closeFd(listener.fd);
    child.send('sent');
    await once(child, 'message');
    expect(await text(connect(listener.port, '127.0.0.1'))).toBe(String(child.pid));
    child.send('end');
    await once(child, 'exit');
    closeFd(pipe.sendFd);
  });

  it('what arrives is the same open file under another number, closed in programs started later', () => {
    withPipe(({ sendFd, receiveFd }) => {
      const file = openSync(tmpdir(), 'r');
      const pair = createDescriptorPipe();
      sendDescriptors(sendFd, -1, [file, pair.sendFd, pair.receiveFd]);
      const [fileCopy = -1, sendCopy = -1, receiveCopy = -1] = receiveDescriptors(receiveFd, -1);
      expect(fileCopy).not.toBe(file);
      expect(fstatSync(fileCopy).ino).toBe(fstatSync(file).ino);
      expect(readFileSync(`/proc/self/fdinfo/${fileCopy}`, 'utf8')).toMatch(/^flags:\s*02/m);
      sendDescriptors(sendCopy, 1, [file]);
      const [through = -1] = receiveDescriptors(pair.receiveFd, 1);
      for (const fd of [fileCopy, sendCopy, receiveCopy, through, pair.sendFd, pair.receiveFd]) closeFd(fd);
      closeSync(file);
    });
  });

  it('parcels that nobody has asked for are closed', () => {
    withPipe(({ sendFd, receiveFd }) => {
      const before = openCount();
      const file = openSync(tmpdir(), 'r');
      sendDescriptors(sendFd, 1, [file, file]);
      sendDescriptors(sendFd, 2, [file]);
      closeSync(file);
      const received = receiveDescriptors(receiveFd, 2);
      expect(received).toHaveLength(1);
      closeFd(received[0]!);
      expect(openCount()).toBe(before);
    });
  });

  it('as many as one message takes arrive together, one more is refused', () => {
    withPipe(({ sendFd, receiveFd }) => {
      const file = openSync(tmpdir(), 'r');
      const many = Array.from({ length: MAX_PASSED_DESCRIPTORS }, () => file);
      sendDescriptors(sendFd, 3, many);
      const received = receiveDescriptors(receiveFd, 3);
      expect(received).toHaveLength(MAX_PASSED_DESCRIPTORS);
      for (const fd of received) closeFd(fd);
      expect(() => sendDescriptors(sendFd, 4, [...many, file])).toThrow('descriptors to pass: 254 must be 1..253');
      expect(() => sendDescriptors(sendFd, 4, [])).toThrow('descriptors to pass: 0 must be 1..253');
      closeSync(file);
    });
  });

  it('a parcel that never comes, a receiver that is gone and a closed descriptor are errors', () => {
    withPipe(({ sendFd, receiveFd }) => {
      expect(() => receiveDescriptors(receiveFd, 9)).toThrow(/^recvmsg descriptors of parcel 9: EAGAIN/);
      expect(() => sendDescriptors(sendFd, 9, [4_000_000])).toThrow(/^sendmsg 1 descriptors: EBADF/);
    });
    const { sendFd, receiveFd } = createDescriptorPipe();
    closeFd(receiveFd);
    expect(() => sendDescriptors(sendFd, 9, [sendFd])).toThrow(/^sendmsg 1 descriptors: ECONNREFUSED/);
    closeFd(sendFd);
  });

  it('a receiver that takes nothing makes the sender fail instead of wait', () => {
    withPipe(({ sendFd, receiveFd }) => {
      const before = openCount();
      let sent = 0;
      expect(() => {
        for (; sent < 10_000; sent += 1) sendDescriptors(sendFd, sent, [sendFd]);
      }).toThrow(/^sendmsg 1 descriptors: (EAGAIN|ETOOMANYREFS)/);
      closeFd(receiveDescriptors(receiveFd, sent - 1)[0]!);
      expect(openCount()).toBe(before);
    });
  });

  it('bytes that are no parcel are passed over', () => {
    withPipe(({ sendFd, receiveFd }) => {
      writeSync(sendFd, Buffer.from([1, 2]));
      sendDescriptors(sendFd, 5, [sendFd]);
      closeFd(receiveDescriptors(receiveFd, 5)[0]!);
    });
  });
});
