/** Handshakes, chunks and control messages that no client should send, against the running server. */
import { chunkStreamIds, encodeCommand, messageTypes } from '@srs/rtmp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Attacker, BesiegedServer, chunk, fullHeader, lengthHeader, ping, uint32 } from './bad-input-test-support.ts';

const SETUP_LIMIT_MS = 30_000;
const HANDSHAKE_BYTES = 1536;
const control = { chunkStreamId: chunkStreamIds.control };

let siege: BesiegedServer;
/** Clients that waste the time which the server gives them. They run beside everything else in this file. */
const dawdlers: { readonly attacker: Attacker; readonly why: RegExp; readonly closedAfterMs: Promise<number> }[] = [];

beforeAll(async () => {
  siege = await BesiegedServer.start();
  const handshake = Buffer.concat([Buffer.of(3), Buffer.alloc(HANDSHAKE_BYTES)]);
  const dawdle = (attacker: Attacker, why: RegExp) => {
    const startedMs = performance.now();
    const closedAfterMs = attacker.rtmp.waitForClose(2 * SETUP_LIMIT_MS).then(() => performance.now() - startedMs);
    dawdlers.push({ attacker, why, closedAfterMs });
  };
  const noConnect = /ret=1011: no connect command within 30 s/;

  dawdle(await siege.connect(), noConnect);

  const half = await siege.connect();
  half.rtmp.send(handshake.subarray(0, 700));
  dawdle(half, noConnect);

  const drop = await siege.connect();
  void drop.rtmp.sendSlowly(handshake, 1, 1000);
  dawdle(drop, noConnect);

  const noC2 = await siege.connect();
  noC2.rtmp.send(handshake);
  dawdle(noC2, noConnect);

  dawdle(await siege.connectWithHandshake(), noConnect);

  const chatty = await siege.connectWithHandshake();
  const chat = setInterval(() => chatty.rtmp.sendCommand('hello'), 1000);
  dawdle(chatty, noConnect);

  const creating = await siege.connectToApp();
  const creation = setInterval(() => creating.rtmp.sendCommand('createStream'), 1000);
  dawdle(creating, /ret=1011: neither publish nor play within 30 s/);

  void Promise.all(dawdlers.map(({ closedAfterMs }) => closedAfterMs)).finally(() => {
    clearInterval(chat);
    clearInterval(creation);
  });
});

afterAll(async () => {
  await siege.stop();
});

describe('a first byte that is not the version of RTMP', () => {
  it.each([
    ['0', Buffer.of(0), /ret=2000: RTMP version 0 in C0 must be 3 \(plain\)/],
    ['6, encrypted RTMP', Buffer.of(6), /version 6 \(RTMPE, encrypted\) in C0 must be 3/],
    ['of a TLS client', Buffer.of(0x16, 3, 1, 2, 0), /version 22 \(TLS, as of rtmps or https\) in C0 must be 3/],
    ['of an HTTP client', Buffer.from('GET / HTTP/1.1\r\n\r\n'), /version 71 \(text, such as HTTP\) in C0 must be 3/],
    ['255', Buffer.alloc(100_000, 0xff), /version 255 in C0 must be 3/],
  ])('%s', async (_name, bytes, why) => {
    using attacker = await siege.connect();
    attacker.rtmp.send(bytes);
    await attacker.expectRefused(why);
    expect(attacker.rtmp.received).toHaveLength(0);
  });
});

describe('chunks that break the protocol end the connection', () => {
  const rest = Buffer.alloc(128);
  it.each<[string, (attacker: Attacker) => void, RegExp]>([
    ['chunk size 0', ({ rtmp }) => rtmp.setChunkSize(0), /ret=2002: chunk size 0 must be 1\.\.2147483647/],
    ['chunk size 2^32-1', ({ rtmp }) => rtmp.setChunkSize(0xffffffff), /chunk size 4294967295 must be 1\.\.2147483647/],
    [
      'chunk size without its number',
      ({ rtmp }) => rtmp.sendMessage(messageTypes.setChunkSize, Buffer.of(1, 2, 3), control),
      /ret=2007: Set Chunk Size of 3 bytes must have 4/,
    ],
    [
      'a message of 16 MiB',
      ({ rtmp }) => rtmp.send(chunk(0, 6, fullHeader(messageTypes.video, 0xffffff))),
      /ret=2013: chunk stream 6: message length 16777215 must be at most 1048576/,
    ],
    [
      'another length between the chunks of a message',
      ({ rtmp }) => rtmp.send(Buffer.concat([chunk(0, 6, fullHeader(9, 300), rest), chunk(1, 6, lengthHeader(9, 301))])),
      /ret=2013: chunk stream 6: message length 301 inside a message must stay 300/,
    ],
    [
      'fmt 0 inside a message',
      ({ rtmp }) => rtmp.send(Buffer.concat([chunk(0, 6, fullHeader(9, 300), rest), chunk(0, 6, fullHeader(9, 300))])),
      /ret=2001: chunk stream 6: fmt 0 inside a message, after 128 of 300 bytes/,
    ],
    [
      'fmt 1 first',
      ({ rtmp }) => rtmp.send(chunk(1, 6, lengthHeader(9, 10))),
      /chunk stream 6: fmt 1 of its first chunk must be 0/,
    ],
    ['fmt 2 first', ({ rtmp }) => rtmp.send(chunk(2, 6, Buffer.alloc(3))), /chunk stream 6: fmt 2 of its first chunk must be 0/],
    ['fmt 3 first', ({ rtmp }) => rtmp.send(chunk(3, 6)), /chunk stream 6: fmt 3 of its first chunk must be 0/],
    [
      'abort without its number',
      ({ rtmp }) => rtmp.sendMessage(messageTypes.abort, Buffer.of(0), control),
      /ret=2007: Abort of 1 bytes must have 4/,
    ],
    [
      'a window without its number',
      ({ rtmp }) => rtmp.sendMessage(messageTypes.windowAckSize, Buffer.of(0, 0), control),
      /ret=2007: window acknowledgement size of 2 bytes must have 4/,
    ],
    [
      'a user control event of one byte',
      ({ rtmp }) => rtmp.sendMessage(messageTypes.userControl, Buffer.of(0), control),
      /ret=2007: user control event of 1 bytes must have 2/,
    ],
    [
      'a ping without its number',
      ({ rtmp }) => rtmp.sendMessage(messageTypes.userControl, Buffer.of(0, 6, 1), control),
      /ret=2007: user control event 6 of 3 bytes must have 6/,
    ],
    [
      'every chunk stream id there is',
      ({ rtmp }) => {
        for (let id = 2; id <= 65_599; id++) rtmp.sendMessage(messageTypes.acknowledgement, uint32(0), { chunkStreamId: id });
      },
      /ret=2040: chunk stream \d+: 1025 chunk streams must be at most 1024/,
    ],
  ])('%s', async (_name, attack, why) => {
    using attacker = await siege.connectToApp();
    attack(attacker);
    await attacker.expectRefused(why);
  });
});

describe('what is odd and does no harm is borne', () => {
  it.each<[string, (attacker: Attacker) => void, RegExp[]]>([
    ['chunk size 1', ({ rtmp }) => rtmp.setChunkSize(1), [/chunk size 1 should be 128\.\.65536/]],
    ['chunk size 2^31-1', ({ rtmp }) => rtmp.setChunkSize(0x7fffffff), [/chunk size 2147483647 should be 128\.\.65536/]],
    ['abort of an unknown chunk stream', ({ rtmp }) => rtmp.sendMessage(messageTypes.abort, uint32(65_000), control), []],
    [
      'abort of a message, and another one in its place',
      ({ rtmp }) => {
        rtmp.send(chunk(0, 6, fullHeader(messageTypes.amf0Command, 300), Buffer.alloc(128)));
        rtmp.sendMessage(messageTypes.abort, uint32(6), control);
        rtmp.sendMessage(messageTypes.amf0Command, encodeCommand('hello', 0, null), { chunkStreamId: 6 });
      },
      [],
    ],
    [
      'empty messages',
      ({ rtmp }) => {
        for (let index = 0; index < 1000; index++) rtmp.send(chunk(0, 6, fullHeader(messageTypes.video, 0)));
      },
      [/chunk stream 6: empty message of type 9 ignored/],
    ],
    [
      'a thousand windows of 0',
      ({ rtmp }) => {
        for (let index = 0; index < 1000; index++) rtmp.sendMessage(messageTypes.windowAckSize, uint32(0), control);
      },
      [/window acknowledgement size 0 ignored/],
    ],
    ['a window of one byte', ({ rtmp }) => rtmp.sendMessage(messageTypes.windowAckSize, uint32(1), control), []],
    ['a window of 2^32-1', ({ rtmp }) => rtmp.sendMessage(messageTypes.windowAckSize, uint32(0xffffffff), control), []],
    [
      'user control events that nobody has defined',
      ({ rtmp }) => {
        for (const event of [5, 8, 28, 31, 32, 255, 65_535]) {
          rtmp.sendMessage(messageTypes.userControl, Buffer.concat([Buffer.of(event >> 8, event & 0xff), uint32(1)]), control);
        }
      },
      [],
    ],
    [
      'message types that nobody has defined',
      ({ rtmp }) => {
        for (const type of [0, 7, 10, 14, 21, 23, 255]) rtmp.sendMessage(type, Buffer.alloc(200, 0xee), { chunkStreamId: 8 });
      },
      [],
    ],
    [
      'media that nobody has asked for',
      ({ rtmp }) => {
        for (const type of [8, 9, 15, 16, 17 + 1, 19, 22]) rtmp.sendMessage(type, Buffer.alloc(50_000, 1), { chunkStreamId: 8 });
      },
      [],
    ],
  ])('%s', async (_name, attack, warnings) => {
    using attacker = await siege.connectToApp();
    attack(attacker);
    await attacker.expectBorne(warnings);
  });

  it('another chunk size in the middle of a message, and a message inside a message', async () => {
    using attacker = await siege.connectToApp();
    const payload = encodeCommand('createStream', 9, null, 'x'.repeat(300));
    const header = chunk(0, 6, fullHeader(messageTypes.amf0Command, payload.length));
    attacker.rtmp.send(Buffer.concat([header, payload.subarray(0, 128)]));
    attacker.rtmp.setChunkSize(150);
    attacker.rtmp.send(Buffer.concat([chunk(3, 6), payload.subarray(128, 278)]));
    attacker.rtmp.sendCommand('createStream');
    attacker.rtmp.send(Buffer.concat([chunk(3, 6), payload.subarray(278)]));
    await attacker.rtmp.waitForAnswer(9);
    await attacker.expectBorne();
  });

  it('100,000 acknowledgements', async () => {
    using attacker = await siege.connectToApp();
    const one = Buffer.concat([chunk(0, 2, fullHeader(messageTypes.acknowledgement, 4)), uint32(1)]);
    attacker.rtmp.send(Buffer.alloc(100_000 * one.length, one));
    await attacker.expectBorne();
  });
});

describe('what a client may make the server hold', () => {
  /** Adds to what all attackers together hold, waits until the server has it, and lets go of everything. */
  async function expectBounded(
    attackers: number,
    attack: (attacker: Attacker) => Promise<void>,
    limitBytes: number,
  ): Promise<void> {
    const before = siege.holdings();
    const all: Attacker[] = [];
    for (let index = 0; index < attackers; index++) all.push(await siege.connectToApp());
    for (const attacker of all) await attack(attacker);
    expect(siege.holdings().memoryBytes - before.memoryBytes).toBeLessThan(limitBytes);
    for (const attacker of all) await attacker.leave();
    expect(siege.holdings().descriptors).toBe(before.descriptors);
  }

  it('1 MiB declared on 400 chunk streams: only what has arrived is held', async () => {
    await expectBounded(
      10,
      async (attacker) => {
        for (let index = 0; index < 400; index++) {
          const id = Buffer.of(1, index & 0xff, index >> 8);
          attacker.rtmp.send(Buffer.concat([id, fullHeader(9, 1024 * 1024), Buffer.alloc(128)]));
        }
        await attacker.rtmp.waitForAnswer(attacker.rtmp.sendCommand('createStream'));
      },
      100 * 1024 * 1024,
    );
  });

  it.each([
    ['2 MiB of unfinished messages from a client that publishes nothing', false, 2_097_152],
    ['16 MiB of unfinished messages from a publisher', true, 16_777_216],
  ])('more than %s end the connection', async (_name, isPublisher, limitBytes) => {
    using attacker = await (isPublisher ? siege.publish('unfinished') : siege.connectToApp());
    attacker.rtmp.setChunkSize(65_536);
    for (let id = 6; id < 60; id++) {
      attacker.rtmp.send(chunk(0, id, fullHeader(9, 1024 * 1024), Buffer.alloc(65_536)));
      for (let part = 0; part < 7; part++) attacker.rtmp.send(chunk(3, id, Buffer.alloc(65_536)));
    }
    await attacker.expectRefused(
      new RegExp(`ret=2040: incomplete messages of \\d+ bytes in all must have at most ${limitBytes}`),
    );
  });

  it('100,000 pings are answered', async () => {
    using attacker = await siege.connectToApp();
    const known = attacker.rtmp.messages.length;
    for (let from = 0; from < 100_000; from += 10_000) {
      attacker.rtmp.send(Buffer.concat(Array.from({ length: 10_000 }, (_, index) => ping(from + index))));
    }
    const isLast = (payload: Buffer) => payload.readUInt16BE(0) === 7 && payload.readUInt32BE(2) === 99_999;
    await attacker.rtmp.waitForMessage(({ type, payload }) => type === messageTypes.userControl && isLast(payload), {
      from: known,
      limitMs: 30_000,
    });
    expect(attacker.rtmp.messages.length - known).toBeGreaterThanOrEqual(100_000);
    await attacker.expectBorne();
  });

  it('answers that a client never reads end its connection before they fill the memory', async () => {
    const before = siege.holdings();
    using attacker = await siege.connectToApp();
    attacker.rtmp.socket.pause();
    const pings = Buffer.concat(Array.from({ length: 10_000 }, (_, index) => ping(index)));
    let mostBytes = 0;
    const isRefused = () => attacker.loudLines.length > 0;
    for (let round = 0; round < 500 && !isRefused(); round++) {
      await new Promise<void>((resolve) => {
        attacker.rtmp.socket.write(pings, () => resolve());
      });
      mostBytes = Math.max(mostBytes, siege.holdings().memoryBytes);
    }
    attacker.rtmp.socket.resume();
    await attacker.expectRefused(/ret=2040: client leaves more than \d+ bytes unread/);
    expect(mostBytes - before.memoryBytes).toBeLessThan(64 * 1024 * 1024);
  });
});

it('whoever has not connected or chosen a stream within 30 s is closed, whatever it sends meanwhile', async () => {
  expect(dawdlers).toHaveLength(7);
  for (const { attacker, why, closedAfterMs } of dawdlers) {
    expect(await closedAfterMs).toBeGreaterThan(SETUP_LIMIT_MS - 1000);
    expect(await closedAfterMs).toBeLessThan(SETUP_LIMIT_MS + 10_000);
    await attacker.expectRefused(why);
  }
});

it('nobody else has noticed', async () => {
  await siege.expectPeace();
});
