import { SrsError } from '@srs/kernel';
import { expect, it } from 'vitest';
import { chunk, control, hex, pattern, recordingReader, seededRandom, summary } from './chunk-test-support.ts';
import { encodeMessage } from './chunk-writer.ts';
import type { RtmpCrypto } from './crypto.ts';
import { ClientHandshake, ServerHandshake } from './handshake.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 20_260_314);
const TIME_BOX_MS = 8000;
const random = seededRandom(SEED);

/** Short sessions, so that a mutation hits a header more often than a payload. */
const corpus: readonly Buffer[] = [
  Buffer.concat([
    encodeMessage(3, 20, 0, 0, pattern(140), 128),
    control(1, 60),
    encodeMessage(4, 8, 0x1000000, 1, pattern(150), 60),
    chunk({ fmt: 2, id: 4, time: 20, payload: pattern(60) }),
    hex('c4'),
    pattern(60),
    hex('c4'),
    pattern(30),
  ]),
  Buffer.concat([
    chunk({ fmt: 0, id: 6, time: 40, type: 9, length: 200, payload: pattern(128) }),
    chunk({ fmt: 0, id: 64, time: 0xffffff, extended: 0xffffff, length: 130, payload: pattern(128) }),
    chunk({ fmt: 3, id: 6, payload: pattern(72) }),
    chunk({ fmt: 3, id: 64, extended: 0xffffff, payload: pattern(2) }),
    chunk({ fmt: 3, id: 64, extended: 0xffffff, length: 130, payload: pattern(128) }),
    control(2, 64),
    chunk({ fmt: 1, id: 64, time: 0xffffff, extended: 0xfffffff6, length: 4, payload: pattern(4) }),
  ]),
  Buffer.concat([
    hex('42 000000 000006 04 000600000001'),
    control(1, 1),
    encodeMessage(400, 9, 5, 1, pattern(9), 1),
    control(5, 2_500_000).subarray(0, 12),
  ]),
  Buffer.concat([
    control(1, 65_536),
    encodeMessage(6, 9, 0, 1, pattern(400), 65_536),
    encodeMessage(7, 8, 5, 1, pattern(40), 65_536),
  ]),
];
const interesting = [0, 1, 2, 3, 0x7f, 0x80, 0xc4, 0xfe, 0xff];

function pick<T>(list: readonly T[]): T {
  return list[random(list.length)] as T;
}

function mutated(): Buffer {
  let bytes = Buffer.from(pick(corpus));
  for (let count = 1 + random(4); count > 0; count--) {
    const at = random(bytes.length);
    switch (random(6)) {
      case 0:
        bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << random(8)), at);
        break;
      case 1:
        bytes.writeUInt8(pick(interesting), at);
        break;
      case 2:
        bytes.fill(0xff, at, Math.min(bytes.length, at + 1 + random(4)));
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + 1 + random(8)))]);
        break;
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, at), pick(corpus).subarray(random(30)), bytes.subarray(at)]).subarray(0, 3000);
        break;
      default:
        bytes = Buffer.concat([bytes, pick(corpus)]).subarray(0, 3000);
    }
    if (bytes.length === 0) return Buffer.alloc(1);
  }
  return bytes;
}

const limits = { maxMessageBytes: 100_000, maxPendingBytes: 8192, maxChunkStreams: 6, maxHeldBytes: 4096 };

/** Feeds the pieces between `cuts`, pausing at each message if told so, and tells what came of it. */
function outcomeOf(bytes: Buffer, cuts: readonly number[], isPausing = false): string {
  const recorded = recordingReader(limits, () => {
    if (isPausing) recorded.reader.pause();
  });
  const { reader, messages } = recorded;
  let end = 'ok';
  let at = 0;
  try {
    for (const cut of [...cuts, bytes.length]) {
      reader.receive(bytes.subarray(at, cut));
      at = cut;
      while (reader.isPaused) reader.resume();
    }
  } catch (thrown) {
    if (!(thrown instanceof SrsError)) throw thrown;
    end = thrown.errorName;
  }
  expect(reader.pendingBytes).toBeLessThanOrEqual(limits.maxPendingBytes);
  let delivered = 0;
  for (const { payload, timestampMs } of messages) {
    delivered += payload.length;
    if (timestampMs !== (timestampMs & 0x7fffffff)) throw new Error(`timestamp ${timestampMs}`);
  }
  expect(delivered).toBeLessThanOrEqual(bytes.length);
  return `${messages.map((message) => `${summary(message)}=${message.payload.toString('latin1')}`).join(' ')} ${end}`;
}

it(`any bytes give messages or an SrsError, within the limits, whatever the pieces (seed ${SEED})`, () => {
  const startMs = performance.now();
  const errors = new Map<string, number>();
  let inputs = 0;
  const memoryBefore = process.memoryUsage().rss;
  while (performance.now() - startMs < TIME_BOX_MS && inputs < 200_000) {
    inputs++;
    const bytes = mutated();
    const whole = outcomeOf(bytes, []);
    const end = whole.slice(whole.lastIndexOf(' ') + 1);
    errors.set(end, (errors.get(end) ?? 0) + 1);
    if (inputs % 4 !== 0) continue;
    const cuts = [random(bytes.length + 1), random(bytes.length + 1), random(bytes.length + 1)].sort((x, y) => x - y);
    // Memory limits depend on the pieces: a message whole in one input needs no buffer.
    const inPieces = outcomeOf(bytes, cuts, inputs % 8 === 0);
    if (!whole.endsWith('RtmpMemory') && !inPieces.endsWith('RtmpMemory')) expect(inPieces).toBe(whole);
  }
  console.log(
    `chunk fuzz: seed ${SEED}, ${inputs} inputs, ${Math.round(performance.now() - startMs)} ms`,
    Object.fromEntries(errors),
  );
  expect(process.memoryUsage().rss - memoryBefore).toBeLessThan(256 * 1024 * 1024);
  // The mutations must reach all of it: a fuzz test whose inputs all fail at once finds nothing.
  for (const name of ['ok', 'RtmpChunkStart', 'RtmpPacketSize', 'RtmpChunkSize', 'RtmpMemory']) {
    expect([name, (errors.get(name) ?? 0) > 0]).toEqual([name, true]);
  }
});

/** Cheap and predictable; it agrees with any digest that begins with zero, so that both forms are reached. */
const cheapCrypto: RtmpCrypto = {
  hmacSha256: () => Buffer.alloc(32),
  randomBytes: (count) => Buffer.alloc(count, random(256)),
  diffieHellmanPublicKey: () => Buffer.alloc(128, 1),
};

it(`any bytes give a handshake or an SrsError (seed ${SEED})`, () => {
  const startMs = performance.now();
  const results = new Map<string, number>();
  let inputs = 0;
  const base = pattern(3073);
  while (performance.now() - startMs < TIME_BOX_MS && inputs < 200_000) {
    inputs++;
    base[0] = random(20) === 0 ? random(256) : 3;
    base.writeUInt32BE(random(0x1_0000_0000), pick([1, 5, 9, 769, 773]));
    if (random(3) === 0) base.fill(0, 9 + random(700), 9 + random(1500));
    if (random(3) === 0) base.fill(random(256), 9, 1537);
    const bytes = base.subarray(0, pick([1, 1536, 1537, 1538, 3072, 3073, random(3073)]));
    let sent = 0;
    const options = {
      crypto: cheapCrypto,
      unixSeconds: () => random(0x1_0000_0000),
      send: (piece: Buffer) => (sent += piece.length),
    };
    const server = new ServerHandshake(options);
    const handshake =
      random(2) === 0 ? server : new ClientHandshake({ ...options, kind: random(2) === 0 ? 'simple' : 'complex' });
    let result = 'more';
    try {
      const cut = random(bytes.length + 1);
      const first = handshake.receive(bytes.subarray(0, cut));
      const rest = first ?? handshake.receive(bytes.subarray(cut));
      if (rest !== undefined) result = handshake === server ? `done ${server.kind}` : 'done client';
      expect(sent).toBeLessThanOrEqual(3073);
    } catch (thrown) {
      if (!(thrown instanceof SrsError)) throw thrown;
      result = thrown.errorName;
    }
    results.set(result, (results.get(result) ?? 0) + 1);
  }
  console.log(
    `handshake fuzz: seed ${SEED}, ${inputs} inputs, ${Math.round(performance.now() - startMs)} ms`,
    Object.fromEntries(results),
  );
  expect([...results.keys()].sort()).toEqual([
    'RtmpPlainRequired',
    'done client',
    'done complex-schema0',
    'done complex-schema1',
    'done simple',
    'more',
  ]);
});
