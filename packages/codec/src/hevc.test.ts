import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BitWriter, withEmulationPrevention } from '../../../test/support/bit-writer.ts';
import { failureOf } from '../../../test/support/failure.ts';
import { looksLikeHevcConfiguration, parseHevcDecoderConfiguration, parseHevcPictureSize } from './hevc.ts';

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
}

/** Records that x265 wrote for 642x358, without its SEI. */
const main =
  '0101600000009000000000003ff000fcfdf8f800000f03200001001840010c01ffff01600000030090000003000003003f959809210001' +
  '002c42010101600000030090000003000003003fa005120169c9596566924caf016808000003000800000300c84022000100074401c172b46240';
const main10 =
  '0102200000009000000000003ff000fcfdfafa00000f03200001001840010c01ffff02200000030090000003000003003f959809210001' +
  '002b42010102200000030090000003000003003fa005120169c94d96566924caf0168080000003008000000c8422000100074401c172b46240';

describe('parseHevcDecoderConfiguration', () => {
  it('reads a record of x265', () => {
    const configuration = parseHevcDecoderConfiguration(hex(main));
    expect(configuration).toMatchObject({
      profile: 1,
      profileName: 'Main',
      isHighTier: false,
      level: 63,
      levelName: '2.1',
      nalLengthBytes: 4,
      width: 642,
      height: 358,
    });
    expect(configuration.frameRate).toBeUndefined();
    expect([configuration.vps, configuration.sps, configuration.pps].map((sets) => sets.map((set) => set.length))).toEqual([
      [24],
      [44],
      [7],
    ]);
  });

  it('reads a record of ten bits a sample', () => {
    expect(parseHevcDecoderConfiguration(hex(main10))).toMatchObject({
      profileName: 'Main10',
      levelName: '2.1',
      width: 642,
      height: 358,
    });
  });

  it('reads profile, tier and average rate', () => {
    const record = hex(main);
    record[1] = 0x22;
    record.writeUInt16BE(25 * 256, 19);
    expect(parseHevcDecoderConfiguration(record)).toMatchObject({ profileName: 'Main10', isHighTier: true, frameRate: 25 });
  });

  it('accepts a record without parameter sets', () => {
    const record = hex(main).subarray(0, 23);
    record[22] = 0;
    expect(parseHevcDecoderConfiguration(record)).toMatchObject({ width: 0, height: 0, vps: [], sps: [], pps: [] });
  });

  it.each([
    ['no bytes', Buffer.alloc(0), 'hevc configuration version needs 1 bytes at 0, 0 are left'],
    [
      'a length size of 3',
      Buffer.concat([hex(main).subarray(0, 21), hex('fe00')]),
      'hevc configuration length size 3 must be 1, 2 or 4',
    ],
    [
      '257 NAL units',
      Buffer.concat([hex(main).subarray(0, 22), hex('01a00101')]),
      'hevc configuration nal units 257 exceed the limit 256',
    ],
    [
      'a NAL unit past the end',
      Buffer.concat([hex(main).subarray(0, 22), hex('01a10001ffff42')]),
      'hevc configuration nal unit needs 65535 bytes at 28, 1 are left',
    ],
    [
      'a picture set in the place of a sequence set',
      Buffer.concat([hex(main).subarray(0, 22), hex('01a1000100024401')]),
      'hevc sps has nal unit type 34, must be 33',
    ],
  ])('%s is refused', (_, record, message) => {
    const error = failureOf(() => parseHevcDecoderConfiguration(record));
    expect([error.message, error.code]).toEqual([message, 3006]);
  });

  it('a record that is cut anywhere is refused', () => {
    const record = hex(main);
    for (let length = 0; length < record.length; length++)
      failureOf(() => parseHevcDecoderConfiguration(record.subarray(0, length)));
  });
});

it('H.265 that is labelled H.264 is recognised', () => {
  expect(looksLikeHevcConfiguration(hex(main))).toBe(true);
  expect(looksLikeHevcConfiguration(hex('0164001effe1001a6764001eacd940a02ff97011000003000100000300320f162d9601'))).toBe(false);
  expect(looksLikeHevcConfiguration(hex('01010000'))).toBe(false);
  expect(looksLikeHevcConfiguration(Buffer.alloc(0))).toBe(false);
});

interface SpsFields {
  readonly subLayers: readonly (readonly [hasProfile: boolean, hasLevel: boolean])[];
  readonly chromaFormat: number;
  readonly isSeparate: boolean;
  readonly width: number;
  readonly height: number;
  readonly window: readonly [number, number, number, number] | undefined;
}

function buildSps(sps: SpsFields): Buffer {
  const bits = new BitWriter().bits(4, 0).bits(3, sps.subLayers.length).flag(true);
  bits.bits(32, 0x01600000).bits(32, 0x90000000).bits(24, 0).bits(8, 93);
  for (const [hasProfile, hasLevel] of sps.subLayers) bits.flag(hasProfile).flag(hasLevel);
  if (sps.subLayers.length > 0) bits.bits(2 * (8 - sps.subLayers.length), 0);
  for (const [hasProfile, hasLevel] of sps.subLayers) {
    if (hasProfile) bits.bits(32, 1).bits(32, 2).bits(24, 3);
    if (hasLevel) bits.bits(8, 60);
  }
  bits.ue(0).ue(sps.chromaFormat);
  if (sps.chromaFormat === 3) bits.flag(sps.isSeparate);
  bits
    .ue(sps.width)
    .ue(sps.height)
    .flag(sps.window !== undefined);
  for (const side of sps.window ?? []) bits.ue(side);
  return Buffer.concat([hex('4201'), withEmulationPrevention(bits.ue(0).ue(0).bits(1, 1).toBuffer())]);
}

it('the size that was written into a sequence parameter set is read', () => {
  const fields = fc.record({
    subLayers: fc.array(fc.tuple(fc.boolean(), fc.boolean()), { maxLength: 6 }),
    chromaFormat: fc.constantFrom(0, 1, 2, 3),
    isSeparate: fc.boolean(),
    width: fc.integer({ min: 64, max: 8192 }),
    height: fc.integer({ min: 64, max: 8192 }),
    window: fc.option(fc.tuple(fc.nat(7), fc.nat(7), fc.nat(7), fc.nat(7)), { nil: undefined }),
  });
  fc.assert(
    fc.property(fields, (sps) => {
      const [left, right, top, bottom] = sps.window ?? [0, 0, 0, 0];
      const unitWidth = sps.chromaFormat === 1 || sps.chromaFormat === 2 ? 2 : 1;
      const unitHeight = sps.chromaFormat === 1 ? 2 : 1;
      expect(parseHevcPictureSize(buildSps(sps))).toEqual({
        width: sps.width - (left + right) * unitWidth,
        height: sps.height - (top + bottom) * unitHeight,
      });
    }),
    { numRuns: 500 },
  );
});

it('huge and empty pictures are refused', () => {
  const plain = { subLayers: [], chromaFormat: 1, isSeparate: false, width: 640, height: 360, window: undefined };
  expect(failureOf(() => parseHevcPictureSize(buildSps({ ...plain, width: 2_000_000_000 }))).message).toBe(
    'hevc sps picture size 2000000000x360 must be 1..16896 a side',
  );
  expect(failureOf(() => parseHevcPictureSize(buildSps({ ...plain, window: [320, 0, 0, 0] }))).message).toBe(
    'hevc sps picture size 0x360 must be 1..16896 a side',
  );
});
