import { describe, expect, it } from 'vitest';
import { BitWriter } from '../../../test/support/bit-writer.ts';
import { failureOf } from '../../../test/support/failure.ts';
import { parseAv1DecoderConfiguration } from './av1.ts';

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
}

/** What libaom wrote for 642x358. */
const libaom = '81010c00 0a0b 0000000cc5036536be4010';

function record(obus: Buffer): Buffer {
  return Buffer.concat([hex('81 05 0c 00'), obus]);
}

/** A sequence header OBU with all that may stand before the picture size. */
function sequenceHeader(width: number, height: number): Buffer {
  const bits = new BitWriter().bits(3, 0).bits(1, 0).bits(1, 0);
  bits.flag(true).bits(32, 1).bits(32, 50).flag(true).ue(1);
  bits.flag(true).bits(5, 9).bits(32, 7).bits(5, 3).bits(5, 4);
  bits.flag(true).bits(5, 1);
  bits.bits(12, 0x101).bits(5, 8).flag(true).flag(true).bits(10, 5).bits(10, 6).flag(false).flag(true).bits(4, 9);
  bits.bits(12, 0x100).bits(5, 5).flag(false).flag(false);
  bits
    .bits(4, 15)
    .bits(4, 15)
    .bits(16, width - 1)
    .bits(16, height - 1)
    .bits(8, 0);
  const payload = bits.toBuffer();
  return Buffer.concat([hex('0a'), Buffer.from([payload.length]), payload]);
}

describe('parseAv1DecoderConfiguration', () => {
  it('reads a record of libaom', () => {
    expect(parseAv1DecoderConfiguration(hex(libaom))).toEqual({
      profile: 0,
      profileName: 'Main',
      level: 1,
      levelName: '2.1',
      width: 642,
      height: 358,
    });
  });

  it('reads timing, decoder model and several operating points', () => {
    expect(parseAv1DecoderConfiguration(record(sequenceHeader(1920, 1080)))).toMatchObject({
      levelName: '3.1',
      width: 1920,
      height: 1080,
      frameRate: 25,
    });
  });

  it('reads a reduced still picture header', () => {
    const payload = new BitWriter().bits(5, 0b00011).bits(5, 0).bits(4, 9).bits(4, 9).bits(10, 99).bits(10, 49).toBuffer();
    const obu = Buffer.concat([hex('0a'), Buffer.from([payload.length]), payload]);
    expect(parseAv1DecoderConfiguration(record(obu))).toMatchObject({ width: 100, height: 50 });
  });

  it('finds the sequence header behind other OBUs, with extension or without size', () => {
    const [head, , ...payload] = sequenceHeader(640, 360);
    const other = hex('2a 02 ffff');
    const extended = Buffer.concat([other, Buffer.from([head! | 4, 0, payload.length, ...payload])]);
    const unsized = Buffer.from([head! & ~2, ...payload]);
    for (const obus of [extended, unsized])
      expect(parseAv1DecoderConfiguration(record(obus))).toMatchObject({ width: 640, height: 360 });
  });

  it('accepts a record without sequence header', () => {
    expect(parseAv1DecoderConfiguration(record(Buffer.alloc(0)))).toMatchObject({ profileName: 'Main', width: 0, height: 0 });
  });

  it.each([
    ['', 'av1 configuration version needs 1 bytes at 0, 0 are left'],
    ['01050c00', 'av1 configuration marker and version 1 must be 129'],
    ['8105', 'av1 configuration depth and delay needs 2 bytes at 2, 0 are left'],
    ['81050c00 0a', 'av1 configuration obu size needs 1 bytes at 5, 0 are left'],
    ['81050c00 0a ffffffffffffffff7f', 'av1 obu size must end within 8 bytes'],
    ['81050c00 0a ffffffff7f', 'av1 configuration obu needs 34359738367 bytes at 10, 0 are left'],
    ['81050c00 0a 00', 'av1 sequence header of 0 bytes ends within a field of 4 bits'],
  ])('%j is refused', (text, message) => {
    const error = failureOf(() => parseAv1DecoderConfiguration(hex(text)));
    expect([error.message, error.code]).toEqual([message, 3006]);
  });

  it('a huge picture is refused', () => {
    expect(failureOf(() => parseAv1DecoderConfiguration(record(sequenceHeader(65_536, 16)))).message).toBe(
      'av1 sequence header picture size 65536x16 must be 1..16896 a side',
    );
  });
});
