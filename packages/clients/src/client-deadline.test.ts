import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { SrsError } from '@srs/kernel';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClientDeadline } from './client-deadline.ts';

const TIMEOUT_MS = 20;

/** As a process that is stopped, or busy, for longer than the deadline. */
function standStill(): void {
  const untilMs = performance.now() + 3 * TIMEOUT_MS;
  while (performance.now() < untilMs);
}

describe('the deadline of a client, in a process that stood still beyond it', () => {
  let listener: Server;
  let client: Socket;
  let accepted: Socket;
  let failures: SrsError[];
  let deadline: ClientDeadline;

  beforeEach(async () => {
    listener = createServer();
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const connection = once(listener, 'connection');
    client = connect((listener.address() as AddressInfo).port, '127.0.0.1');
    [accepted] = (await connection) as [Socket];
    await once(client, 'connect');
    failures = [];
    deadline = new ClientDeadline({ fail: (error) => void failures.push(error) });
  });

  afterEach(() => {
    deadline.clear();
    client.destroy();
    accepted.destroy();
    listener.close();
  });

  it('is kept by what has come meanwhile', async () => {
    const read = once(accepted, 'data').then(() => deadline.clear());
    deadline.set(TIMEOUT_MS, 'no greeting');
    client.write('hello');
    standStill();
    await read;
    await new Promise(setImmediate);
    expect(failures).toEqual([]);
  });

  it('gives nobody up who has sent something meanwhile', async () => {
    let heardMs = performance.now();
    accepted.on('data', () => {
      heardMs = performance.now();
    });
    const read = once(accepted, 'data');
    const silence = () => new SrsError('SocketTimeout', 'silent');
    deadline.watch(() => heardMs + TIMEOUT_MS - performance.now(), silence);
    client.write('hello');
    standStill();
    await read;
    await new Promise(setImmediate);
    expect(failures).toEqual([]);
  });

  it('is missed when nothing has come', async () => {
    const { promise, resolve } = Promise.withResolvers<SrsError>();
    deadline = new ClientDeadline({ fail: resolve });
    deadline.set(TIMEOUT_MS, 'no greeting');
    standStill();
    expect((await promise).message).toContain(`no greeting within ${TIMEOUT_MS / 1000} s`);
  });
});
