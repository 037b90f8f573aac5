import { SrsError } from '@srs/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../test/support/failure.ts';
import { fuzz } from '../../../test/support/fuzz.ts';
import { encodeFlvHeader, encodeFlvTag, type FlvHandler, type FlvLimits, FlvReader } from './index.ts';

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
}

type Event = readonly unknown[];

/** Keeps what the reader says, payloads as copies. */
class Recorder implements FlvHandler {
  readonly events: Event[] = [];
  readonly warnings: string[] = [];

  onHeader(header: object): void {
    this.events.push(['header', header]);
  }

  onTag(type: number, timestampMs: number, payload: Buffer): void {
    this.events.push(['tag', type, timestampMs, payload.toString('hex')]);
  }

  onWarning(message: string): void {
    this.warnings.push(message);
  }
}

function readAll(
  bytes: Buffer,
  pieceSizes: readonly number[] = [],
  limits: Partial<FlvLimits> = {},
): Recorder & { reader: FlvReader } {
  const recorder = new Recorder();
  const reader = new FlvReader(recorder, limits);
  let offset = 0;
  for (const size of pieceSizes) {
    // Each piece is overwritten once it was given, so that a reader that keeps a view of it is found out.
    const piece = Buffer.from(bytes.subarray(offset, offset + size));
    reader.receive(piece);
    piece.fill(0xee);
    offset += size;
  }
  reader.receive(bytes.subarray(offset));
  reader.end();
  return Object.assign(recorder, { reader });
}

const file = Buffer.concat([
  encodeFlvHeader({ hasAudio: true, hasVideo: true }),
  encodeFlvTag(18, 0, hex('02000a')),
  encodeFlvTag(9, 0, hex('1700000000')),
  encodeFlvTag(8, 0xffffff, Buffer.alloc(0)),
  encodeFlvTag(9, 0x1000000, hex('2701000000aabbcc')),
  encodeFlvTag(8, 0xffffffff, hex('af0121')),
]);

const fileEvents: readonly Event[] = [
  ['header', { hasAudio: true, hasVideo: true }],
  ['tag', 18, 0, '02000a'],
  ['tag', 9, 0, '1700000000'],
  ['tag', 8, 0xffffff, ''],
  ['tag', 9, 0x1000000, '2701000000aabbcc'],
  ['tag', 8, 0xffffffff, 'af0121'],
];

describe('FlvReader', () => {
  it('reads a file in one piece', () => {
    const { events, warnings } = readAll(file);
    expect(events).toEqual(fileEvents);
    expect(warnings).toEqual([]);
  });

  it('reads a file that is split at any one point', () => {
    for (let at = 0; at <= file.length; at++) expect(readAll(file, [at]).events, `split at ${at}`).toEqual(fileEvents);
  });

  it('reads a file byte by byte', () => {
    expect(readAll(file, Array<number>(file.length).fill(1)).events).toEqual(fileEvents);
  });

  it('gives a tag with the last byte of its payload, not with the size that follows', () => {
    const recorder = new Recorder();
    const reader = new FlvReader(recorder);
    const tag = encodeFlvTag(8, 5, hex('aa'));
    reader.receive(encodeFlvHeader({ hasAudio: true, hasVideo: false }));
    reader.receive(tag.subarray(0, 12));
    expect(recorder.events.at(-1)).toEqual(['tag', 8, 5, 'aa']);
  });

  it('gives an empty tag with the last byte of its head', () => {
    const recorder = new Recorder();
    const reader = new FlvReader(recorder);
    reader.receive(
      Buffer.concat([encodeFlvHeader({ hasAudio: true, hasVideo: false }), encodeFlvTag(8, 7, Buffer.alloc(0)).subarray(0, 11)]),
    );
    expect(recorder.events.at(-1)).toEqual(['tag', 8, 7, '']);
  });

  it('does not copy a payload that lies in one piece', () => {
    let payloadBuffer: unknown;
    const reader = new FlvReader({
      onTag: (_type, _timestampMs, payload) => {
        payloadBuffer = payload.buffer;
      },
    });
    const bytes = Buffer.from(file);
    reader.receive(bytes);
    expect(payloadBuffer).toBe(bytes.buffer);
  });

  it('reads tags written and split at random', () => {
    const tags = fc.array(
      fc.record({
        type: fc.constantFrom(8, 9, 18),
        timestampMs: fc.nat({ max: 0xffffffff }),
        payload: fc.uint8Array({ maxLength: 5000, size: 'max' }),
      }),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(tags, fc.array(fc.nat({ max: 3000 }), { maxLength: 12 }), (written, pieces) => {
        const bytes = Buffer.concat([
          encodeFlvHeader({ hasAudio: false, hasVideo: true }),
          ...written.map(({ type, timestampMs, payload }) => encodeFlvTag(type, timestampMs, payload)),
        ]);
        const { events } = readAll(bytes, pieces);
        expect(events.slice(1)).toEqual(
          written.map(({ type, timestampMs, payload }) => ['tag', type, timestampMs, Buffer.from(payload).toString('hex')]),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('skips what a longer header adds', () => {
    const bytes = Buffer.concat([hex('464c5601 01 0000000c 616263 00000000'), encodeFlvTag(9, 1, hex('aa'))]);
    for (let at = 0; at <= bytes.length; at++) {
      expect(readAll(bytes, [at]).events).toEqual([
        ['header', { hasAudio: false, hasVideo: true }],
        ['tag', 9, 1, 'aa'],
      ]);
    }
  });

  it('counts wrong previous tag sizes and warns of the first', () => {
    const tag = encodeFlvTag(9, 1, hex('aa'));
    tag.writeUInt32BE(0, tag.length - 4);
    const { events, warnings, reader } = readAll(
      Buffer.concat([encodeFlvHeader({ hasAudio: false, hasVideo: true }), tag, tag, tag]),
    );
    expect(events).toHaveLength(4);
    expect(warnings).toEqual(['flv previous tag size 0 must be 12']);
    expect(reader.wrongTagSizes).toBe(3);
  });

  it('leaves out encrypted tags and those of reserved types, counts them and warns of the first', () => {
    const encrypted = encodeFlvTag(9 | 0x20, 1, hex('aa'));
    const reserved = encodeFlvTag(15, 1, hex('aa'));
    const { events, warnings, reader } = readAll(
      Buffer.concat([encodeFlvHeader({ hasAudio: false, hasVideo: true }), encrypted, reserved, encodeFlvTag(9, 2, hex('bb'))]),
    );
    expect(events.slice(1)).toEqual([['tag', 9, 2, 'bb']]);
    expect(warnings).toEqual(['flv encrypted tag of type 9 is left out']);
    expect(reader.skippedTags).toBe(2);
  });

  it('accepts an end before or within the last previous tag size', () => {
    for (let missing = 0; missing <= 4; missing++)
      expect(readAll(file.subarray(0, file.length - missing)).events).toEqual(fileEvents);
    expect(readAll(file.subarray(0, 9)).events).toHaveLength(1);
  });

  it.each([
    [0, 'FlvHeader', 'flv ends after 0 of the 9 bytes of its header'],
    [8, 'FlvHeader', 'flv ends after 8 of the 9 bytes of its header'],
    [14, 'FlvTag', "flv ends after 1 of the 11 bytes of a tag's tag-header"],
    [24, 'FlvTag', "flv ends after 0 of the 3 bytes of a tag's payload"],
    [26, 'FlvTag', "flv ends after 2 of the 3 bytes of a tag's payload"],
  ])('an end after %i bytes is refused', (length, name, message) => {
    const error = failureOf(() => readAll(file.subarray(0, length)));
    expect([error.errorName, error.message]).toEqual([name, message]);
  });

  it.each([
    ['474c5601 05 00000009', 'flv signature "GLV" must be "FLV"'],
    ['464c5602 05 00000009', 'flv version 2 must be 1'],
    ['464c5601 05 00000008', 'flv header size 8 must be 9..1024'],
    ['464c5601 05 ffffffff', 'flv header size 4294967295 must be 9..1024'],
  ])('the header %s is refused', (bytes, message) => {
    const error = failureOf(() => readAll(hex(bytes)));
    expect([error.errorName, error.message]).toEqual(['FlvHeader', message]);
  });

  it('refuses a tag above the limit at its head', () => {
    const head = hex('464c5601 05 00000009 00000000 09 800001 000000 00 000000');
    expect(failureOf(() => readAll(head)).message).toBe('flv tag of 8388609 bytes must be at most 8388608');
    expect(failureOf(() => readAll(file, [], { maxPayloadBytes: 7 })).message).toBe('flv tag of 8 bytes must be at most 7');
    expect(readAll(file, [], { maxPayloadBytes: 8 }).events).toEqual(fileEvents);
  });

  it('reserves no memory for a payload that is declared and never sent', () => {
    const head = hex('464c5601 05 00000009 00000000 09 7fffff 000000 00 000000 aabb');
    const readers: FlvReader[] = [];
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 200; i++) {
      const reader = new FlvReader(new Recorder());
      reader.receive(head);
      readers.push(reader);
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * 1024 * 1024);
    expect(readers).toHaveLength(200);
  });
});

/** What a reader gives for pieces of the sizes that `nextSize` tells: a text of all tags, and of the error that ended it. */
function digest(input: Buffer, nextSize: () => number): string {
  const seen: string[] = [];
  const reader = new FlvReader({
    onTag: (type, timestampMs, payload) => seen.push(`${type} ${timestampMs} ${payload.toString('latin1')}`),
    onWarning: (message) => seen.push(message),
  });
  try {
    for (let offset = 0; offset < input.length; ) {
      const size = nextSize();
      reader.receive(input.subarray(offset, offset + size));
      offset += size;
    }
    reader.end();
  } catch (error) {
    if (!(error instanceof SrsError)) throw error;
    seen.push(error.message);
  }
  return seen.join('\n');
}

it('mutated files give tags or an SrsError, the same however they are split', () => {
  const samples = [file, file.subarray(0, 40), encodeFlvHeader({ hasAudio: true, hasVideo: true })];
  let withTags = 0;
  fuzz({ samples, count: 200_000, timeBoxMs: 20_000, maxGrowthBytes: 16 * 1024 * 1024 }, (input, random) => {
    const whole = digest(input, () => input.length);
    if (digest(input, () => 1 + random.below(40)) !== whole) throw new Error('pieces give something else than the whole');
    if (whole.startsWith('18 0 ')) withTags += 1;
  });
  expect(withTags).toBeGreaterThan(10_000);
}, 30_000);
