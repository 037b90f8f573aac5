import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fuzz } from '../../../test/support/fuzz.ts';
import { splitAggregate, withoutFormatByte } from './aggregate.ts';

interface Part {
  readonly type: number;
  readonly timestampMs: number;
  readonly payload: Buffer;
}

function pack(parts: readonly Part[]): Buffer {
  return Buffer.concat(
    parts.map(({ type, timestampMs, payload }) => {
      const bytes = Buffer.alloc(11 + payload.length + 4);
      bytes[0] = type;
      bytes.writeUIntBE(payload.length, 1, 3);
      bytes.writeUIntBE(timestampMs & 0xffffff, 4, 3);
      bytes[7] = timestampMs >>> 24;
      payload.copy(bytes, 11);
      bytes.writeUInt32BE(11 + payload.length, 11 + payload.length);
      return bytes;
    }),
  );
}

function split(payload: Buffer, timestampMs = 0): Part[] {
  const parts: Part[] = [];
  splitAggregate(payload, timestampMs, (type, partTimestampMs, part) => {
    parts.push({ type, timestampMs: partTimestampMs, payload: Buffer.from(part) });
  });
  return parts;
}

const audio: Part = { type: 8, timestampMs: 0, payload: Buffer.from('af01', 'hex') };
const video: Part = { type: 9, timestampMs: 0, payload: Buffer.from('270100', 'hex') };

describe('an aggregate', () => {
  it('is parts with an 11-byte header and a back pointer each', () => {
    const bytes = Buffer.from(
      '08 000002 000064 00 000000 af01 0000000d 09 000001 000078 01 000000 27 0000000c'.replaceAll(' ', ''),
      'hex',
    );
    const parts = [
      { ...audio, timestampMs: 100 },
      { type: 9, timestampMs: 0x01000078, payload: Buffer.from('27', 'hex') },
    ];
    expect(pack(parts)).toEqual(bytes);
    expect(split(bytes, 100)).toEqual(parts);
  });

  it('places relative timestamps at its own', () => {
    const parts = split(pack([audio, { ...video, timestampMs: 20 }, { ...audio, timestampMs: 23 }]), 5000);
    expect(parts.map((part) => part.timestampMs)).toEqual([5000, 5020, 5023]);
  });

  it('keeps the distances when its parts count from another start, or fall back', () => {
    const times = [7000, 7040, 6990].map((timestampMs) => ({ ...video, timestampMs }));
    expect(split(pack(times), 100).map((part) => part.timestampMs)).toEqual([100, 140, 90]);
  });

  it('goes on over the end of 31 bits', () => {
    const parts = split(
      pack([
        { ...audio, timestampMs: 0x7ffffff0 },
        { ...audio, timestampMs: 0x10 },
      ]),
      0x7ffffff0,
    );
    expect(parts.map((part) => part.timestampMs)).toEqual([0x7ffffff0, 0x10]);
  });

  it('may leave out the last back pointer, or cut it short', () => {
    const bytes = pack([audio, video]);
    for (let cut = 0; cut <= 4; cut++) expect(split(bytes.subarray(0, bytes.length - cut))).toHaveLength(2);
  });

  it('loses parts that are no media, and empty ones', () => {
    const command = { type: 20, timestampMs: 0, payload: Buffer.from('020000', 'hex') };
    const empty = { ...audio, payload: Buffer.alloc(0) };
    expect(split(pack([command, empty, video]))).toEqual([video]);
  });

  it.each([
    ['a size past the end', '08 00000b 000000 00 000000 af01', 'aggregate part of type 8 needs 11 bytes, 2 are left'],
    [
      'a size that would be negative',
      '09 ffffff 000000 00 000000 27',
      'aggregate part of type 9 needs 16777215 bytes, 1 are left',
    ],
    ['half a header', '08 000002 0000', 'aggregate header needs 11 bytes, 6 are left'],
    ['an aggregate inside', '16 000001 000000 00 000000 00', 'aggregate inside an aggregate is not allowed'],
  ])('is refused for %s', (_name, hex, text) => {
    expect(() => split(Buffer.from(hex.replaceAll(' ', ''), 'hex'))).toThrow(text);
  });

  it('gives back what was packed, cut at any byte it gives a part of it or refuses', () => {
    const part = fc.record({
      type: fc.constantFrom(8, 9, 18),
      timestampMs: fc.integer({ min: 0, max: 0x7fffffff }),
      payload: fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    });
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), fc.nat(), (parts, cut) => {
        const bytes = pack(parts);
        expect(split(bytes, parts[0]!.timestampMs)).toEqual(parts);
        const seen: Buffer[] = [];
        try {
          splitAggregate(bytes.subarray(0, cut % bytes.length), 0, (_type, _timestampMs, payload) => seen.push(payload));
        } catch (error) {
          expect(error).toMatchObject({ errorName: 'RtmpAggregate' });
        }
        expect(seen).toEqual(parts.slice(0, seen.length).map((each) => each.payload));
      }),
    );
  });

  it('bears 200,000 mutated inputs', () => {
    const samples = [pack([audio, video, audio]), pack([{ ...video, timestampMs: 0x7fffffff }, audio])];
    const result = fuzz({ samples, count: 200_000, timeBoxMs: 6000, maxGrowthBytes: 4_000_000 }, (input, random) => {
      let bytes = 0;
      splitAggregate(input, random.below(0x7fffffff), (_type, timestampMs, payload) => {
        if (timestampMs < 0 || timestampMs > 0x7fffffff) throw new RangeError(`timestamp ${timestampMs}`);
        bytes += payload.length;
      });
      if (bytes > input.length) throw new RangeError('parts larger than the whole');
    });
    expect(result.accepted).toBeGreaterThan(1000);
    expect(result.refused).toBeGreaterThan(1000);
  });
});

it('AMF3 data loses the zero in front of it and nothing else', () => {
  expect(withoutFormatByte(Buffer.from('0002', 'hex'))).toEqual(Buffer.from('02', 'hex'));
  expect(withoutFormatByte(Buffer.from('0200', 'hex'))).toEqual(Buffer.from('0200', 'hex'));
  expect(withoutFormatByte(Buffer.alloc(0))).toHaveLength(0);
});
