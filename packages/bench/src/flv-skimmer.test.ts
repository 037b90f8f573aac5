import { encodeFlvHeader, encodeFlvTag, FlvReader } from '@srs/flv';
import { SrsError } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { fuzz, Random } from '../../../test/support/fuzz.ts';
import { FlvSkimmer } from './flv-skimmer.ts';
import { everyCut, feed, hex } from './pieces-test-support.ts';
import { SKIMMED_HEAD_BYTES } from './skimmed-message.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 20_261_128);
const AUDIO = 8;
const VIDEO = 9;
const DATA = 18;

function nameOf(thrown: unknown): string {
  if (!(thrown instanceof SrsError)) throw thrown;
  return thrown.errorName;
}

/** What skimming gives: `type@time:bytes=head`, then the name of the error if there is one. */
function skim(bytes: Buffer, cuts: readonly number[]): string[] {
  const seen: string[] = [];
  const skimmer = new FlvSkimmer({
    onMessage(type, timestampMs, messageBytes, head, headAt, headBytes) {
      const start = Buffer.from(head.subarray(headAt, headAt + headBytes)).toString('hex');
      seen.push(`${type}@${timestampMs}:${messageBytes}=${start}`);
    },
  });
  try {
    feed((piece, start, end) => skimmer.receive(piece, start, end), bytes, cuts);
  } catch (thrown) {
    seen.push(nameOf(thrown));
  }
  return seen;
}

/** The same from the reader that keeps everything. */
function read(bytes: Buffer): string[] {
  const seen: string[] = [];
  const reader = new FlvReader({
    onTag(type, timestampMs, payload) {
      const start = payload.subarray(0, SKIMMED_HEAD_BYTES).toString('hex');
      seen.push(`${type}@${timestampMs}:${payload.length}=${start}`);
    },
  });
  try {
    reader.receive(bytes);
  } catch (thrown) {
    seen.push(nameOf(thrown));
  }
  return seen;
}

const header = encodeFlvHeader({ hasAudio: true, hasVideo: true });
const picture = encodeFlvTag(VIDEO, 40, Buffer.alloc(300, 0x17));

/** Name, bytes behind the header, and how many tags they give; what these are, the reader says. */
const streams: readonly (readonly [string, Buffer, number])[] = [
  ['a short tag', encodeFlvTag(AUDIO, 7, hex('af01')), 1],
  ['a tag that is longer than what is kept of it', picture, 1],
  ['a tag as long as what is kept', encodeFlvTag(VIDEO, 1, Buffer.alloc(SKIMMED_HEAD_BYTES, 0x27)), 1],
  ['all 32 bits of a time', encodeFlvTag(VIDEO, 0xfedcba98, hex('1701')), 1],
  ['metadata between media', Buffer.concat([encodeFlvTag(DATA, 0, hex('02000a')), picture]), 2],
  ['an empty tag', Buffer.concat([encodeFlvTag(AUDIO, 3, Buffer.alloc(0)), picture]), 2],
  ['a tag of a reserved type', Buffer.concat([encodeFlvTag(10, 0, hex('010203')), picture]), 1],
  ['an empty tag of a reserved type', Buffer.concat([encodeFlvTag(10, 0, Buffer.alloc(0)), picture]), 1],
  ['an encrypted tag', Buffer.concat([encodeFlvTag(VIDEO | 0x20, 0, hex('010203')), picture]), 1],
  [
    'a previous tag size that is wrong',
    hex('09 000002 000001 00 000000 1701 ffffffff 08 000001 000002 00 000000 af 00000000'),
    2,
  ],
  ['a tag above the limit', hex('09 800001 000000 00 000000'), 1],
];

describe('the skimmer gives what the reader gives, whatever the pieces', () => {
  it.each(streams)('%s', (_name, tags, count) => {
    const bytes = Buffer.concat([header, tags]);
    const expected = read(bytes);
    expect(expected).toHaveLength(count);
    for (const cuts of everyCut(bytes)) expect([cuts, skim(bytes, cuts)]).toEqual([cuts, expected]);
  });

  it.each([
    ['a longer file header', Buffer.concat([hex('464c5601 05 0000000c aabbcc 00000000'), picture]), 1],
    ['a file header that is too short', hex('464c5601 05 00000008 00000000'), 1],
    ['something else', Buffer.from('HTTP/1.1 200 OK\r\n'), 1],
  ])('%s', (_name, bytes, count) => {
    const expected = read(bytes);
    expect(expected).toHaveLength(count);
    for (const cuts of everyCut(bytes)) expect([cuts, skim(bytes, cuts)]).toEqual([cuts, expected]);
  });

  it(`random streams in random pieces (seed ${SEED})`, () => {
    const random = new Random(SEED);
    for (let stream = 0; stream < 200; stream++) {
      const tags = Array.from({ length: 20 }, (_, tag) =>
        encodeFlvTag([AUDIO, VIDEO, DATA, 10][random.below(4)]!, tag * 40, Buffer.alloc(random.below(400), random.below(256))),
      );
      const bytes = Buffer.concat([header, ...tags]);
      const cuts = Array.from({ length: random.below(12) }, () => random.below(bytes.length + 1)).sort((a, b) => a - b);
      expect(skim(bytes, cuts)).toEqual(read(bytes));
    }
  });

  it('any bytes', () => {
    const samples = streams.map(([, tags]) => Buffer.concat([header, tags, picture]));
    let refused = 0;
    fuzz({ samples, count: 30_000, timeBoxMs: 15_000, maxGrowthBytes: 8 * 1024 * 1024 }, (input, random) => {
      const expected = read(input);
      if (expected.at(-1)?.startsWith('Flv') === true) refused += 1;
      expect(skim(input, [])).toEqual(expected);
      const cuts = [random.below(input.length + 1), random.below(input.length + 1)].sort((a, b) => a - b);
      expect(skim(input, cuts)).toEqual(expected);
    });
    expect(refused).toBeGreaterThan(1000);
  });
});
