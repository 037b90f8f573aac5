import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseRange } from './file-range.ts';

const rows: readonly (readonly [header: string, sizeBytes: number, range: ReturnType<typeof parseRange>])[] = [
  ['bytes=0-0', 10, { first: 0, end: 1 }],
  ['bytes=0-', 10, { first: 0, end: 10 }],
  ['bytes=2-5', 10, { first: 2, end: 6 }],
  ['bytes=9-9', 10, { first: 9, end: 10 }],
  ['bytes=9-10', 10, { first: 9, end: 10 }],
  ['bytes=0-99999999999999999999', 10, { first: 0, end: 10 }],
  ['bytes=-1', 10, { first: 9, end: 10 }],
  ['bytes=-10', 10, { first: 0, end: 10 }],
  ['bytes=-11', 10, { first: 0, end: 10 }],
  ['Bytes= 2-5 ', 10, { first: 2, end: 6 }],
  ['bytes=10-', 10, 'unsatisfiable'],
  ['bytes=10-10', 10, 'unsatisfiable'],
  ['bytes=99999999999999999999-', 10, 'unsatisfiable'],
  ['bytes=-0', 10, 'unsatisfiable'],
  ['bytes=0-', 0, 'unsatisfiable'],
  ['bytes=0-0', 0, 'unsatisfiable'],
  ['bytes=-5', 0, undefined],
  ['bytes=5-2', 10, undefined],
  ['bytes=-', 10, undefined],
  ['bytes=', 10, undefined],
  ['bytes', 10, undefined],
  ['', 10, undefined],
  ['bytes=a-b', 10, undefined],
  ['bytes=1.5-2', 10, undefined],
  ['bytes=+1-2', 10, undefined],
  ['bytes=-1-2', 10, undefined],
  ['bytes=0x1-2', 10, undefined],
  ['items=0-1', 10, undefined],
  // Several ranges are answered with the whole.
  ['bytes=0-0,2-3', 10, undefined],
  ['bytes=0-0,', 10, undefined],
  [`bytes=${'0-0,'.repeat(10_000)}0-0`, 10, undefined],
];
const cases = rows.map(([header, sizeBytes, range]) => ({ name: header.slice(0, 40), header, sizeBytes, range }));

it.each(cases)('$name of $sizeBytes bytes is $range', ({ header, sizeBytes, range }) => {
  expect(parseRange(header, sizeBytes)).toEqual(range);
});

it('a range is what a slice of the bytes is', () => {
  const number = fc.nat({ max: 30 });
  fc.assert(
    fc.property(number, number, number, (first, last, size) => {
      const bytes = Buffer.from(Array.from({ length: size }, (_, index) => index));
      const expected = last < first ? undefined : bytes.subarray(first, last + 1);
      const range = parseRange(`bytes=${first}-${last}`, size);
      if (expected === undefined) expect(range).toBeUndefined();
      else if (expected.length === 0) expect(range).toBe('unsatisfiable');
      else expect(range).toSatisfy((got: { first: number; end: number }) => bytes.subarray(got.first, got.end).equals(expected));
    }),
  );
});
