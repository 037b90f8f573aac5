import { SrsError } from '@srs/kernel';
import { ChunkReader, encodeMessage } from '@srs/rtmp';
import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../test/support/failure.ts';
import { fuzz, Random } from '../../../test/support/fuzz.ts';
import { ChunkSkimmer } from './chunk-skimmer.ts';
import { hex, piecesOf } from './pieces-test-support.ts';
import { SKIMMED_HEAD_BYTES } from './skimmed-message.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 20_261_123);
const AUDIO = 8;
const VIDEO = 9;

/** What skimming gives: `type@time:bytes=head`, then the name of the error if there is one. Sound has no head here. */
function skim(bytes: Buffer, cuts: readonly number[] = []): string[] {
  const seen: string[] = [];
  const skimmer = new ChunkSkimmer({
    onMessage(type, timestampMs, messageBytes, head, headAt, headBytes) {
      const start = Buffer.from(head.subarray(headAt, headAt + headBytes)).toString('hex');
      if (type !== AUDIO) expect(headBytes).toBe(Math.min(messageBytes, SKIMMED_HEAD_BYTES));
      seen.push(`${type}@${timestampMs}:${messageBytes}=${type === AUDIO ? '' : start}`);
    },
  });
  try {
    for (const piece of piecesOf(bytes, cuts)) skimmer.receive(piece, piece.length);
  } catch (thrown) {
    if (!(thrown instanceof SrsError)) throw thrown;
    seen.push(thrown.errorName);
  }
  return seen;
}

/** The same from the reader that keeps everything. */
function read(bytes: Buffer): string[] {
  const seen: string[] = [];
  const reader = new ChunkReader({
    onMessage(type, timestampMs, _messageStreamId, _chunkStreamId, payload) {
      const start = payload.subarray(0, SKIMMED_HEAD_BYTES).toString('hex');
      seen.push(`${type}@${timestampMs}:${payload.length}=${type === AUDIO ? '' : start}`);
    },
  });
  try {
    reader.receive(bytes);
  } catch (thrown) {
    if (!(thrown instanceof SrsError)) throw thrown;
    seen.push(thrown.errorName);
  }
  return seen;
}

const setChunkSize = (size: string): Buffer => hex(`02 000000 000004 01 00000000 ${size}`);

/** Name and bytes; what they mean, the reader says. */
const sessions: readonly (readonly [string, Buffer])[] = [
  ['one message in one chunk', hex('06 000028 000003 09 01000000 1701aa')],
  ['a message in three chunks', encodeMessage(6, VIDEO, 40, 1, Buffer.alloc(300, 7), 128)],
  ['fmt 0, 1, 2 and 3', hex('06 000028 000002 09 01000000 1701  46 000014 000003 09 270102  86 000028 270103  c6 270104')],
  ['ids of two and three bytes', hex('00 05 000001 000001 08 01000000 aa  01 0501 000002 000001 09 01000000 bb')],
  [
    'two messages whose chunks alternate',
    hex('06 000000 000082 09 01000000 17*128  07 000001 000081 08 01000000 af*128  c6 0102  c7 03'),
  ],
  ['an extended timestamp, repeated', encodeMessage(6, VIDEO, 0x1234567, 1, Buffer.alloc(200, 9), 128)],
  ['an extended timestamp, not repeated', hex('06 ffffff 000082 09 01000000 01234567 17*128 c6 0102')],
  ['a fmt 3 message with the field again', hex('06 ffffff 000002 09 01000000 01234567 1701 c6 01234567 2701')],
  ['a fmt 3 message with a new time', hex('06 ffffff 000002 09 01000000 01234567 1701 c6 01234590 2701')],
  ['a fmt 3 message without the field', hex('06 ffffff 000006 09 01000000 01234567 170100000000 c6 270100000000')],
  ['a short fmt 3 message without the field', hex('06 ffffff 000002 09 01000000 01234567 1701 c6 2701 c6 2701 c6 2701')],
  ['a fmt 1 step with an extended field', hex('06 000028 000002 09 01000000 1701 46 ffffff 000002 09 fffffff6 2701')],
  [
    'a chunk size that grows',
    Buffer.concat([setChunkSize('00001000'), encodeMessage(6, VIDEO, 1, 1, Buffer.alloc(5000, 3), 4096)]),
  ],
  ['a chunk size of one', Buffer.concat([setChunkSize('00000001'), encodeMessage(6, VIDEO, 1, 1, Buffer.alloc(90, 3), 1)])],
  [
    'an aborted message',
    hex('06 000000 000082 09 01000000 17*128 02 000000 000004 02 00000000 00000006 06 000001 000001 09 01000000 27'),
  ],
  ['an abort of an unknown chunk stream', hex('02 000000 000004 02 00000000 00000009')],
  ['an empty message', hex('06 000000 000000 09 01000000 07 000001 000001 08 01000000 af')],
  ['a ping that begins with fmt 1', hex('42 000000 000006 04 000600000001')],
  ['a header repeated inside a message', hex('06 000010 000082 09 01000000 17*128 46 000020 000082 09 0102')],
  ['fmt 3 first', hex('c6 00')],
  ['fmt 0 inside a message', hex('06 000000 000082 09 01000000 17*128 06 000000 000001 09 01000000 17')],
  ['another length inside a message', hex('06 000000 000082 09 01000000 17*128 46 000020 000083 09 0102')],
  ['a chunk size of zero', setChunkSize('00000000')],
  ['a chunk size of three bytes', hex('02 000000 000003 01 00000000 000080')],
];

describe('the skimmer gives what the reader gives, whatever the pieces', () => {
  it.each(sessions)('%s', (_name, bytes) => {
    const expected = read(bytes);
    expect(expected.length).toBeGreaterThan(_name === 'an abort of an unknown chunk stream' ? -1 : 0);
    expect(skim(bytes)).toEqual(expected);
    for (let cut = 0; cut <= bytes.length; cut++) expect([cut, skim(bytes, [cut])]).toEqual([cut, expected]);
    const everyByte = Array.from({ length: bytes.length }, (_, at) => at);
    expect(skim(bytes, everyByte)).toEqual(expected);
  });

  it(`random sessions in random pieces (seed ${SEED})`, () => {
    const random = new Random(SEED);
    for (let session = 0; session < 300; session++) {
      const bytes = randomSession(random);
      const expected = read(bytes);
      const cuts = Array.from({ length: random.below(12) }, () => random.below(bytes.length + 1)).sort((a, b) => a - b);
      expect(skim(bytes, cuts)).toEqual(expected);
    }
  });

  it('any bytes', () => {
    const samples = sessions.map(([, bytes]) =>
      Buffer.concat([bytes, encodeMessage(4, VIDEO, 90, 1, Buffer.alloc(140, 1), 128)]),
    );
    let refused = 0;
    fuzz({ samples, count: 60_000, timeBoxMs: 15_000, maxGrowthBytes: 8 * 1024 * 1024 }, (input, random) => {
      const expected = read(input);
      // The reader holds what it may have to keep to limits that the skimmer does not need.
      if (expected.some((line) => line === 'RtmpMemory' || isTooLong(input))) return;
      if (expected.at(-1)?.startsWith('Rtmp') === true) refused += 1;
      expect(skim(input)).toEqual(expected);
      const cuts = [random.below(input.length + 1), random.below(input.length + 1)].sort((a, b) => a - b);
      expect(skim(input, cuts)).toEqual(expected);
    });
    expect(refused).toBeGreaterThan(1000);
  });
});

/** The reader refuses a message above 10 MiB, of which the skimmer would keep nothing. */
function isTooLong(input: Buffer): boolean {
  return read(input).at(-1) === 'RtmpPacketSize' && skim(input).at(-1) !== 'RtmpPacketSize';
}

function randomSession(random: Random): Buffer {
  let chunkSize = 128;
  let timestampMs = random.below(2) === 0 ? 0 : 0xfffff0;
  const parts: Buffer[] = [];
  for (let message = 0; message < 20; message++) {
    timestampMs += random.below(60);
    if (random.below(8) === 0) {
      const size = [1, 100, 128, 4096, 60_000][random.below(5)]!;
      const payload = Buffer.alloc(4);
      payload.writeUInt32BE(size);
      parts.push(encodeMessage(2, 1, 0, 0, payload, chunkSize));
      chunkSize = size;
    }
    const isVideo = random.below(2) === 0;
    const id = [4, 6, 7, 64, 320][random.below(5)]!;
    const payload = Buffer.from(
      Array.from({ length: 1 + random.below(random.below(4) === 0 ? 2000 : 200) }, () => random.below(256)),
    );
    parts.push(encodeMessage(id, isVideo ? VIDEO : AUDIO, timestampMs, 1, payload, chunkSize));
  }
  return Buffer.concat(parts);
}

it('a peer may not open chunk streams without end', () => {
  const skimmer = new ChunkSkimmer({ onMessage: () => {} });
  const chunk = hex('01 0000 000000 000001 08 01000000 aa');
  const open = (): void => {
    for (let id = 0; id < 2000; id++) {
      chunk.writeUInt16LE(id + 300, 1);
      skimmer.receive(chunk, chunk.length);
    }
  };
  expect(failureOf(open).message).toMatch(/^chunk stream \d+: 1025 must be at most 1024$/);
});
