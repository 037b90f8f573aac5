import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sendUnixDatagram } from './datagram.ts';
import { closeFd } from './descriptor.ts';
import { libc } from './libc.ts';
import { AF_UNIX, isDarwin, platform, SOCK_DGRAM } from './platform.ts';
import { addressOf } from './socket-send.ts';
import { SystemCallError } from './system-call-error.ts';

let directory: string;
const opened: number[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'srs-test-'));
});

afterEach(() => {
  for (const fd of opened.splice(0)) closeFd(fd);
  rmSync(directory, { recursive: true, force: true });
});

/** A socket bound to `name`, laid out by hand: family, then the name. */
function receiver(name: Buffer): number {
  const family = Buffer.alloc(2);
  if (isDarwin) family.writeUInt8(AF_UNIX, 1);
  else family.writeUInt16LE(AF_UNIX);
  const address = Buffer.concat([family, name]);
  const fd = libc('socket')(AF_UNIX, SOCK_DGRAM, 0);
  opened.push(fd);
  expect(libc('bind')(fd, address, address.length)).toBe(0);
  return fd;
}

/** The datagram that is there now; undefined when there is none. */
function receive(fd: number): string | undefined {
  const bytes = Buffer.alloc(1024);
  const length = libc('receiveTo')(fd, addressOf(bytes), bytes.length, platform.MSG_DONTWAIT);
  return length < 0 ? undefined : bytes.toString('utf8', 0, length);
}

it('each text arrives as one datagram, in order', () => {
  const path = join(directory, 'notify');
  const fd = receiver(Buffer.from(`${path}\0`));
  sendUnixDatagram(path, 'READY=1\nSTATUS=all there');
  sendUnixDatagram(path, 'STOPPING=1');
  expect(receive(fd)).toBe('READY=1\nSTATUS=all there');
  expect(receive(fd)).toBe('STOPPING=1');
  expect(receive(fd)).toBeUndefined();
});

it('a path that begins with @ is a name in the abstract space', ({ skip }) => {
  skip(isDarwin, 'only Linux has an abstract space of names');
  const name = `srs-test-${process.pid}`;
  const fd = receiver(Buffer.from(`\0${name}`));
  sendUnixDatagram(`@${name}`, 'READY=1');
  expect(receive(fd)).toBe('READY=1');
});

it('nobody there is an error that names the path', () => {
  const path = join(directory, 'nobody');
  expect(() => sendUnixDatagram(path, 'READY=1')).toThrow(SystemCallError);
  expect(() => sendUnixDatagram(path, 'READY=1')).toThrow(`sendto ${path}: ENOENT`);
});

it('a path that does not fit into an address is refused with the limit', () => {
  const path = `/${'x'.repeat(200)}`;
  expect(() => sendUnixDatagram(path, 'READY=1')).toThrow(/of 202 bytes must be at most 10[37]/);
});

it('a receiver that does not read makes nobody wait', () => {
  const path = join(directory, 'full');
  receiver(Buffer.from(`${path}\0`));
  const fill = () => {
    for (let count = 0; count < 100_000; count++) sendUnixDatagram(path, 'x'.repeat(1000));
  };
  expect(fill).toThrow(/EAGAIN|ENOBUFS/);
});
