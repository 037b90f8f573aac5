import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../test/support/failure.ts';
import { hex } from './mp4-test-support.ts';
import { lengthPrefixed } from './nal-units.ts';

const long = '41'.repeat(256);

describe('an access unit', () => {
  it.each([
    ['lengths of 4 bytes', 4, '00000001 65 00000002 4142', undefined],
    ['lengths of 2 bytes', 2, '0001 65 0002 4142', undefined],
    ['lengths of 1 byte', 1, '01 65 02 4142', undefined],
    ['a first length of 256, which looks like a start code', 4, `00000100 ${long}`, undefined],
    ['nothing', 4, '', undefined],
    ['an empty NAL unit among others', 4, '00000001 65 00000000 00000001 41', '00000001 65 00000001 41'],
    ['empty NAL units only', 4, '00000000 00000000', ''],
    ['start codes of 4 bytes', 4, '00000001 6588 00000001 41', '00000002 6588 00000001 41'],
    ['start codes of 3 bytes', 4, '000001 6588 000001 41', '00000002 6588 00000001 41'],
    ['start codes of 3 bytes for lengths of 2', 2, '000001 6588 000001 41', '0002 6588 0001 41'],
    ['start codes of 4 bytes for lengths of 1', 1, '00000001 6588 000001 41', '02 6588 01 41'],
    ['start codes that could be lengths of 1', 1, '000001 65 01 41', '03 650141'],
    ['zeros around start codes', 4, '0000000001 6588 000000000001 41 0000', '00000002 6588 00000001 41'],
    ['a start code without NAL unit', 4, '00000001', ''],
  ] as const)('with %s', (_, lengthBytes, from, to) => {
    expect(lengthPrefixed(hex(from), lengthBytes).toString('hex')).toBe(hex(to ?? from).toString('hex'));
  });

  it('that needs no change is not copied', () => {
    const accessUnit = hex('00000001 65 00000002 4142');
    expect(lengthPrefixed(accessUnit, 4)).toBe(accessUnit);
  });

  it.each([
    ['a length beyond the end', 4, '00000002 6588 00000003 4142', 'nal unit of 3 bytes at 6 must be at most 2'],
    ['a cut length', 4, '00000002 6588 0000', 'nal unit length needs 4 bytes, 2 are left'],
    ['a length of 2 bytes beyond the end', 2, '0004 656565', 'nal unit of 4 bytes at 0 must be at most 3'],
    [
      'a NAL unit that the lengths cannot say',
      1,
      `000001 ${long}`,
      'nal unit of 256 bytes must be at most 255, as lengths have 1 bytes',
    ],
  ] as const)('with %s is refused', (_, lengthBytes, bytes, message) => {
    const failure = failureOf(() => lengthPrefixed(hex(bytes), lengthBytes));
    expect([failure.errorName, failure.message]).toEqual(['HlsDecode', message]);
  });
});
