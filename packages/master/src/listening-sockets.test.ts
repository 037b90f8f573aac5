import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { closeFd, listenTcp } from '@srs/native';
import type { Listener } from '@srs/worker';
import { afterEach, describe, expect, it } from 'vitest';
import { ListeningSockets } from './listening-sockets.ts';

/** A port that nobody has. */
function freePort(): number {
  const { fd, port } = listenTcp({ host: '127.0.0.1', port: 0, backlog: 1, reusePort: false });
  closeFd(fd);
  return port;
}

const at = (port: number, slot = 1, host = '127.0.0.1'): Listener => ({ service: 'rtmp', slot, host, port });
const openCount = (): number => readdirSync('/proc/self/fd').length;

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

describe('ListeningSockets', () => {
  const sockets = new ListeningSockets(true);
  afterEach(() => sockets.close());

  it('opens what is new and closes what is not wanted any more, once it counts', async () => {
    const [old, kept, next] = [freePort(), freePort(), freePort()];
    sockets.prepare([at(old), at(kept)]).commit();
    const keptFd = sockets.of(1).find(({ port }) => port === kept)?.fd;
    const prepared = sockets.prepare([at(kept), at(next), at(next, 2)]);
    expect([await accepts(old), await accepts(next)]).toEqual([true, true]);
    expect(sockets.of(1).map(({ port }) => port)).toEqual([old, kept]);
    prepared.commit();
    expect([await accepts(old), await accepts(next)]).toEqual([false, true]);
    expect(sockets.of(1).map(({ port }) => port)).toEqual([kept, next]);
    expect(sockets.of(1)[0]?.fd).toBe(keptFd);
    expect(sockets.of(2).map(({ port }) => port)).toEqual([next]);
  });

  it('leaves everything as it was when it is undone, or something cannot be had', async () => {
    const [old, next, taken] = [freePort(), freePort(), freePort()];
    sockets.prepare([at(old)]).commit();
    const before = openCount();
    sockets.prepare([at(next), at(next, 2)]).undo();
    expect([openCount(), await accepts(next)]).toEqual([before, false]);
    const other = listenTcp({ host: '127.0.0.1', port: taken, backlog: 1, reusePort: true });
    expect(() => sockets.prepare([at(next), at(taken)])).toThrow(`127.0.0.1:${taken}: EADDRINUSE`);
    closeFd(other.fd);
    expect([openCount(), await accepts(next), await accepts(old)]).toEqual([before, false, true]);
  });

  it('an address takes the place of another one on the same port', async () => {
    const port = freePort();
    sockets.prepare([at(port, 1, '0.0.0.0')]).commit();
    sockets.prepare([at(port)]).commit();
    expect(sockets.of(1).map(({ host }) => host)).toEqual(['127.0.0.1']);
    expect(await accepts(port)).toBe(true);
  });

  it('that are given away are not closed by who gives them', () => {
    const given = new ListeningSockets(false);
    given.prepare([at(freePort())]).commit();
    const [socket] = given.of(1);
    given.close();
    closeFd(socket!.fd);
  });
});
