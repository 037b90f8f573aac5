import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Channel } from './channel.ts';
import { type Link, linkPair } from './link.ts';
import { MAX_CONTROL_MESSAGE_BYTES, SocketLink } from './socket-link.ts';

interface TestProtocol {
  readonly requests: {
    readonly double: { readonly request: { readonly value: number }; readonly response: { readonly value: number } };
  };
  readonly notifications: { readonly note: { readonly text: string } };
}

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function socketPair(): Promise<{ client: Socket; server: Socket }> {
  const directory = mkdtempSync(join(tmpdir(), 'srs-control-'));
  const path = join(directory, 'socket');
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(path, resolve));
  const accepted = new Promise<Socket>((resolve) => listener.once('connection', resolve));
  const client = connect(path);
  const server = await accepted;
  closers.push(() => {
    client.destroy();
    server.destroy();
    listener.close();
    rmSync(directory, { recursive: true });
  });
  return { client, server };
}

async function socketLinks(): Promise<[Link, Link]> {
  const { client, server } = await socketPair();
  return [new SocketLink(client), new SocketLink(server)];
}

for (const [name, makeLinks] of [
  ['a link inside one process', async () => linkPair()],
  ['a link over a unix socket', socketLinks],
] as const) {
  describe(`Channel over ${name}`, () => {
    it('answers requests and delivers notifications in order', async () => {
      const [near, far] = await makeLinks();
      const notes: string[] = [];
      const done = Promise.withResolvers<void>();
      new Channel<TestProtocol>(far, {
        requests: { double: ({ value }) => ({ value: value * 2 }) },
        notifications: {
          note: ({ text }) => {
            notes.push(text);
            if (text === 'last') done.resolve();
          },
        },
      });
      const channel = new Channel<TestProtocol>(near, {});
      channel.notify('note', { text: 'first' });
      expect(await channel.request('double', { value: 21 })).toEqual({ value: 42 });
      channel.notify('note', { text: 'last' });
      await done.promise;
      expect(notes).toEqual(['first', 'last']);
    });

    it('rejects a request whose handler throws, with its text', async () => {
      const [near, far] = await makeLinks();
      new Channel<TestProtocol>(far, {
        requests: {
          double: () => {
            throw new Error('cannot double that');
          },
        },
      });
      const channel = new Channel<TestProtocol>(near, {});
      await expect(channel.request('double', { value: 1 })).rejects.toThrow('control request double: cannot double that');
    });

    it('rejects open requests when the peer closes', async () => {
      const [near, far] = await makeLinks();
      const peer = new Channel<TestProtocol>(far, { requests: { double: () => new Promise(() => peer.close()) } });
      const channel = new Channel<TestProtocol>(near, {});
      await expect(channel.request('double', { value: 1 })).rejects.toThrow('the link closed before the answer');
      expect(channel.isClosed).toBe(true);
    });
  });
}

describe('Channel', () => {
  it('gives up on an answer that does not come in time', async () => {
    const [near, far] = linkPair();
    new Channel<TestProtocol>(far, { requests: { double: () => new Promise(() => {}) } });
    const channel = new Channel<TestProtocol>(near, {});
    await expect(channel.request('double', { value: 1 }, 20)).rejects.toThrow('control request double: no answer within 20 ms');
  });

  it('knows only the requests and notifications it was given', async () => {
    const [near, far] = linkPair();
    const answers: unknown[] = [];
    const answered = Promise.withResolvers<void>();
    near.attach({
      onMessage: (message) => {
        answers.push(message);
        if (answers.length === 2) answered.resolve();
      },
      onClose: () => {},
    });
    new Channel<TestProtocol>(far, { requests: { double: ({ value }) => ({ value }) }, notifications: {} });
    near.send([3, 0, 'toString', {}]);
    near.send([0, 1, 'triple', { value: 1 }]);
    near.send([0, 2, 'constructor', { value: 1 }]);
    await answered.promise;
    expect(answers).toEqual([
      [2, 1, 'triple', 'no such request: triple'],
      [2, 2, 'constructor', 'no such request: constructor'],
    ]);
  });

  it('hands an answer that came too late to whoever wants to undo it', async () => {
    const [near, far] = linkPair();
    const answer = Promise.withResolvers<{ readonly value: number }>();
    new Channel<TestProtocol>(far, { requests: { double: () => answer.promise } });
    const channel = new Channel<TestProtocol>(near, {});
    const late = Promise.withResolvers<number>();
    await expect(channel.request('double', { value: 1 }, 20, ({ value }) => late.resolve(value))).rejects.toThrow('no answer');
    answer.resolve({ value: 2 });
    expect(await late.promise).toBe(2);
  });

  it('closes on a message that is not an envelope', async () => {
    const [near, far] = linkPair();
    const closed = Promise.withResolvers<Error | undefined>();
    new Channel<TestProtocol>(near, { onClose: closed.resolve });
    far.send('rubbish');
    expect((await closed.promise)?.message).toContain('must be [kind, id, name, body]');
  });
});

describe('SocketLink', () => {
  it('refuses a message above the limit before it reserves memory for it', async () => {
    const { client, server } = await socketPair();
    const closed = Promise.withResolvers<Error | undefined>();
    new SocketLink(server).attach({ onMessage: () => {}, onClose: closed.resolve });
    client.write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
    expect((await closed.promise)?.message).toBe(
      `control message of 4294967295 bytes must be at most ${MAX_CONTROL_MESSAGE_BYTES}`,
    );
  });

  it('closes on a body that is not msgpack', async () => {
    const { client, server } = await socketPair();
    const closed = Promise.withResolvers<Error | undefined>();
    new SocketLink(server).attach({ onMessage: () => {}, onClose: closed.resolve });
    client.write(Buffer.from([0, 0, 0, 2, 0xc1, 0xc1]));
    expect((await closed.promise)?.message).toContain('is not valid msgpack');
  });

  it('puts messages together from any split', async () => {
    const { client, server } = await socketPair();
    const messages: unknown[] = [];
    const done = Promise.withResolvers<void>();
    new SocketLink(server).attach({
      onMessage: (message) => {
        messages.push(message);
        if (messages.length === 3) done.resolve();
      },
      onClose: () => {},
    });
    const captured: Buffer[] = [];
    const fake = { on: () => {}, write: (bytes: Buffer) => captured.push(Buffer.from(bytes)) } as unknown as Socket;
    const sender = new SocketLink(fake);
    for (const value of [1, 2, 3]) sender.send([0, value, 'name', { value }]);
    for (const byte of Buffer.concat(captured)) client.write(Buffer.from([byte]));
    await done.promise;
    expect(messages).toEqual([1, 2, 3].map((value) => [0, value, 'name', { value }]));
  });
});
