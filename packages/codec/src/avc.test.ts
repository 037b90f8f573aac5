import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BitWriter, withEmulationPrevention } from '../../../test/support/bit-writer.ts';
import { failureOf } from '../../../test/support/failure.ts';
import { parseAvcDecoderConfiguration, parseAvcSequenceParameterSet } from './avc.ts';

function hex(text: string): Buffer {
  return Buffer.from(text, 'hex');
}

/** Records that x264 wrote. */
const records = {
  high: '0164001effe1001a6764001eacd940a02ff97011000003000100000300320f162d9601000668ebe3cb22c0fdf8f800',
  main: '014d4028ffe10018674d4028eca03c0113f2e022000007d20001d4c01e30632c01000568ebe3cb20',
  constrainedBaseline: '0142c020ffe100186742c020d9005005bb0110000003001000000640f183248001000568cb83cb20',
  high444: '01f4001effe1001c67f4001e90d9b281485fc7c5e022000003000200000300641e2c5b2c01000668ebe3c44844fffafa00',
  interlaced: '01640028ffe1001a67640028acd94078044fde0220000003002000000643e2c5b2c001000668fba3cb22c0fdf8f800',
} as const;

describe('parseAvcDecoderConfiguration', () => {
  it.each([
    ['high', { profileName: 'High', levelName: '3', width: 640, height: 360, frameRate: 25, codecString: 'avc1.64001e' }],
    ['main', { profileName: 'Main', levelName: '4', width: 1920, height: 1080, frameRate: 29.97, codecString: 'avc1.4d4028' }],
    [
      'constrainedBaseline',
      {
        profileName: 'Baseline(Constrained)',
        levelName: '3.2',
        width: 1280,
        height: 720,
        frameRate: 50,
        codecString: 'avc1.42c020',
      },
    ],
    [
      'high444',
      { profileName: 'High(444+Predictive)', levelName: '3', width: 642, height: 358, frameRate: 25, codecString: 'avc1.f4001e' },
    ],
    ['interlaced', { profileName: 'High', levelName: '4', width: 1920, height: 1080, frameRate: 25, codecString: 'avc1.640028' }],
  ] as const)('%s', (name, expected) => {
    const configuration = parseAvcDecoderConfiguration(hex(records[name]));
    expect(configuration).toMatchObject({ ...expected, nalLengthBytes: 4 });
    expect(configuration.sps).toHaveLength(1);
    expect(configuration.pps).toHaveLength(1);
    expect(configuration.pps[0]!.toString('hex')).toMatch(/^68/);
  });

  it('gives every parameter set as a view', () => {
    const sps = hex(records.high).subarray(8, 8 + 26);
    const record = Buffer.concat([
      hex('0164001effff'),
      ...Array<Buffer>(31).fill(Buffer.concat([hex('001a'), sps])),
      hex('02000168000268ff'),
    ]);
    const configuration = parseAvcDecoderConfiguration(record);
    expect(configuration.sps).toHaveLength(31);
    expect(configuration.sps[30]).toEqual(sps);
    expect(configuration.sps[30]!.buffer).toBe(record.buffer);
    expect(configuration.pps).toEqual([hex('68'), hex('68ff')]);
  });

  it('accepts a record without parameter sets: they come with the pictures', () => {
    expect(parseAvcDecoderConfiguration(hex('0164001fffe000'))).toMatchObject({ width: 0, height: 0, sps: [], pps: [] });
  });

  it.each([
    ['00', '42', '0a', '1'],
    ['10', '42', '0b', '1b'],
    ['00', '42', '0b', '1.1'],
    ['00', '64', '09', '1b'],
    ['10', '64', '0b', '1.1'],
  ])('constraints %s, profile %s, level %s is level %s', (constraints, profile, level, name) => {
    expect(parseAvcDecoderConfiguration(hex(`01${profile}${constraints}${level}ffe000`)).levelName).toBe(name);
  });

  it.each([
    ['4200', 'Baseline'],
    ['6e00', 'High(10)'],
    ['6e10', 'High(10+Intra)'],
    ['7a10', 'High(422+Intra)'],
    ['0100', 'Other(1)'],
  ])('profile %s is named %s', (bytes, name) => {
    expect(parseAvcDecoderConfiguration(hex(`01${bytes}1effe000`)).profileName).toBe(name);
  });

  it.each([
    ['', 'avc configuration version needs 1 bytes at 0, 0 are left'],
    ['0164', 'avc configuration constraint flags needs 1 bytes at 2, 0 are left'],
    ['0164001efe', 'avc configuration length size 3 must be 1, 2 or 4'],
    ['0164001effe1', 'avc configuration sps length needs 2 bytes at 6, 0 are left'],
    ['0164001effe1ffff67', 'avc configuration sps needs 65535 bytes at 8, 1 are left'],
    ['0164001effe0', 'avc configuration pps count needs 1 bytes at 6, 0 are left'],
    ['0164001effe1000000', 'avc sps has nal unit type 0, must be 7'],
    ['0164001effe100016800', 'avc sps has nal unit type 8, must be 7'],
    ['0164001effe100016700', 'avc sps of 0 bytes ends within a field of 8 bits'],
  ])('%j is refused', (record, message) => {
    const error = failureOf(() => parseAvcDecoderConfiguration(hex(record)));
    expect([error.message, error.code]).toEqual([message, 3006]);
  });

  it.each(Object.entries(records))('%s, cut anywhere before its end, is refused', (_, text) => {
    // The last four bytes of the High records are chroma and depths, which nobody needs.
    const record = hex(text);
    const end = record.lastIndexOf(0x68) + 4;
    for (let length = 0; length < end; length++) failureOf(() => parseAvcDecoderConfiguration(record.subarray(0, length)));
  });
});

interface SpsFields {
  readonly profile: number;
  readonly chromaFormat: number;
  readonly isSeparate: boolean;
  readonly scalingLists: readonly (readonly number[] | undefined)[];
  readonly pocType: number;
  readonly pocCycle: readonly number[];
  readonly width: number;
  readonly height: number;
  readonly isFrameOnly: boolean;
  readonly crop: readonly [number, number, number, number];
  readonly timing: readonly [number, number] | undefined;
}

function buildSps(fields: SpsFields): Buffer {
  const bits = new BitWriter().bits(8, fields.profile).bits(8, 0).bits(8, 40).ue(0);
  if (fields.profile === 100) {
    bits.ue(fields.chromaFormat);
    if (fields.chromaFormat === 3) bits.flag(fields.isSeparate);
    bits.ue(0).ue(0).flag(false).flag(true);
    const count = fields.chromaFormat === 3 ? 12 : 8;
    for (let i = 0; i < count; i++) {
      const deltas = fields.scalingLists[i];
      bits.flag(deltas !== undefined);
      if (deltas === undefined) continue;
      const size = i < 6 ? 16 : 64;
      let last = 8;
      for (let j = 0; j < size; j++) {
        const delta = deltas[j] ?? 0;
        bits.se(delta);
        last = (last + delta) & 0xff;
        if (last === 0) break;
      }
    }
  }
  bits.ue(4).ue(fields.pocType);
  if (fields.pocType === 0) bits.ue(2);
  if (fields.pocType === 1) {
    bits.flag(false).se(-3).se(5).ue(fields.pocCycle.length);
    for (const offset of fields.pocCycle) bits.se(offset);
  }
  bits
    .ue(3)
    .flag(false)
    .ue(fields.width - 1)
    .ue(fields.height - 1)
    .flag(fields.isFrameOnly);
  if (!fields.isFrameOnly) bits.flag(true);
  bits.flag(true).flag(true);
  for (const side of fields.crop) bits.ue(side);
  bits.flag(fields.timing !== undefined);
  if (fields.timing !== undefined) {
    bits.flag(true).bits(8, 255).bits(32, 0x00010001).flag(true).flag(false);
    bits.flag(true).bits(4, 5).flag(true).bits(24, 0x010101).flag(true).ue(0).ue(1);
    bits.flag(true).bits(32, fields.timing[0]).bits(32, fields.timing[1]).flag(true);
  }
  return Buffer.concat([hex('67'), withEmulationPrevention(bits.bits(1, 1).toBuffer())]);
}

it('the size and rate that were written into a sequence parameter set are read', () => {
  const fields = fc.record({
    profile: fc.constantFrom(66, 77, 100),
    chromaFormat: fc.constantFrom(0, 1, 2, 3),
    isSeparate: fc.boolean(),
    scalingLists: fc.array(fc.option(fc.array(fc.integer({ min: -8, max: 8 }), { maxLength: 64 }), { nil: undefined }), {
      maxLength: 12,
    }),
    pocType: fc.constantFrom(0, 1, 2),
    pocCycle: fc.array(fc.integer({ min: -1000, max: 1000 }), { maxLength: 255 }),
    width: fc.integer({ min: 2, max: 500 }),
    height: fc.integer({ min: 2, max: 500 }),
    isFrameOnly: fc.boolean(),
    crop: fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3), fc.nat(3)),
    timing: fc.option(fc.tuple(fc.integer({ min: 1, max: 0xffffffff }), fc.integer({ min: 1, max: 0xffffffff })), {
      nil: undefined,
    }),
  });
  fc.assert(
    fc.property(fields, (sps) => {
      const format = sps.profile === 100 ? sps.chromaFormat : 1;
      const unitWidth = format === 1 || format === 2 ? 2 : 1;
      const fieldFactor = sps.isFrameOnly ? 1 : 2;
      const unitHeight = (format === 1 ? 2 : 1) * fieldFactor;
      const parsed = parseAvcSequenceParameterSet(buildSps(sps));
      expect(parsed).toMatchObject({
        profile: sps.profile,
        level: 40,
        width: sps.width * 16 - (sps.crop[0] + sps.crop[1]) * unitWidth,
        height: sps.height * 16 * fieldFactor - (sps.crop[2] + sps.crop[3]) * unitHeight,
      });
      const frameRate = sps.timing === undefined ? undefined : Math.round((sps.timing[1] * 1000) / (sps.timing[0] * 2)) / 1000;
      expect(parsed.frameRate).toBe(frameRate);
    }),
    { numRuns: 500 },
  );
});

describe('hostile sequence parameter sets', () => {
  const plain: SpsFields = {
    profile: 66,
    chromaFormat: 1,
    isSeparate: false,
    scalingLists: [],
    pocType: 0,
    pocCycle: [],
    width: 40,
    height: 23,
    isFrameOnly: true,
    crop: [0, 0, 0, 0],
    timing: undefined,
  };

  it.each([
    ['65536 macroblocks wide', { width: 65_537 }, 'avc sps width in macroblocks 65536 must be 0..65535'],
    ['4 billion high', { height: 4_000_000_000 }, 'avc sps height in map units 3999999999 must be 0..65535'],
    ['20000 pixels wide', { width: 1250 }, 'avc sps picture size 20000x368 must be 1..16896 a side'],
    ['cropped to nothing', { crop: [320, 0, 0, 0] as const }, 'avc sps picture size 0x368 must be 1..16896 a side'],
    [
      'cropped by billions',
      { crop: [0, 0, 0, 2_000_000_000] as const },
      'avc sps picture size 640x-3999999632 must be 1..16896 a side',
    ],
    [
      'with an endless cycle',
      { pocType: 1, pocCycle: Array<number>(256).fill(0) },
      'avc sps num_ref_frames_in_pic_order_cnt_cycle 256 must be 0..255',
    ],
  ])('%s are refused', (_, change, message) => {
    expect(failureOf(() => parseAvcSequenceParameterSet(buildSps({ ...plain, ...change }))).message).toBe(message);
  });

  it('a VUI that is cut leaves out the rate only', () => {
    const whole = buildSps({ ...plain, timing: [1, 50] });
    expect(parseAvcSequenceParameterSet(whole).frameRate).toBe(25);
    const cut = parseAvcSequenceParameterSet(whole.subarray(0, whole.length - 3));
    expect(cut).toMatchObject({ width: 640, height: 368 });
    expect(cut.frameRate).toBeUndefined();
  });

  it('a tick of 0 gives no rate', () => {
    expect(parseAvcSequenceParameterSet(buildSps({ ...plain, timing: [0, 50] })).frameRate).toBeUndefined();
  });
});
