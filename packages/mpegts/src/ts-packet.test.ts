import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../test/support/failure.ts';
import { hex, noise } from './mpegts-test-support.ts';
import { fieldFlags, packetsOfUnit, spreadUnit, writeClockPacket } from './ts-packet.ts';
import { readTsPacket } from './ts-packet-reader.ts';

const PCR = 2 ** 33 - 2;
const all = fieldFlags.discontinuity | fieldFlags.randomAccess | fieldFlags.pcr;

function spread(unit: Buffer, flags: number, counter = 0, pcr = PCR): Buffer {
  const run = Buffer.alloc(packetsOfUnit(unit.length, flags) * 188, 0xee);
  unit.copy(run, run.length - unit.length);
  const next = spreadUnit(run, 0, unit.length, 0x1abc, counter, flags, pcr);
  expect(next).toBe((counter + run.length / 188) % 16);
  return run;
}

describe('a unit in packets', () => {
  it.each([
    ['of 184 bytes fills one', 184, 0, '47 5abc 15', 1],
    ['of 183 bytes has a field that is only its length', 183, 0, '47 5abc 35 00', 1],
    ['of 182 bytes has a field without stuffing', 182, 0, '47 5abc 35 01 00', 1],
    ['of 181 bytes has a byte of stuffing', 181, 0, '47 5abc 35 02 00 ff', 1],
    ['at a random access has a field', 182, fieldFlags.randomAccess, '47 5abc 35 01 40', 1],
    ['with a clock reference has one', 176, 0x50, '47 5abc 35 07 50 ffffffff 7e 00', 1],
    ['with all that and stuffing', 174, all, '47 5abc 35 09 d0 ffffffff 7e 00 ffff', 1],
    ['of a byte too many fills two', 177, 0x50, '47 5abc 35 07 50 ffffffff 7e 00', 2],
  ])('%s', (_, bytes, flags, head, packets) => {
    const unit = noise(bytes, 7);
    const run = spread(unit, flags, 5);
    expect(run.length / 188).toBe(packets);
    expect(run.toString('hex', 0, hex(head).length)).toBe(hex(head).toString('hex'));
    if (packets === 1) expect(run.subarray(hex(head).length)).toEqual(unit);
  });

  it('of every size comes back whole', () => {
    for (const flags of [0, fieldFlags.randomAccess, fieldFlags.pcr, all]) {
      for (let bytes = 1; bytes < 800; bytes++) {
        const unit = noise(bytes, bytes);
        const run = spread(unit, flags, bytes % 16);
        const packets = Array.from({ length: run.length / 188 }, (_, i) => readTsPacket(run, i * 188));
        expect(Buffer.concat(packets.map((packet) => packet.payload!))).toEqual(unit);
        expect(packets.map((packet) => packet.counter)).toEqual(packets.map((_, i) => (bytes + i) % 16));
        expect(packets.map((packet) => packet.isUnitStart)).toEqual(packets.map((_, i) => i === 0));
        expect(packets[0]).toMatchObject({
          pid: 0x1abc,
          isDiscontinuity: flags === all,
          isRandomAccess: (flags & fieldFlags.randomAccess) !== 0,
          pcr: (flags & fieldFlags.pcr) === 0 ? undefined : PCR,
        });
        expect(packets.slice(1).every((packet) => packet.pcr === undefined && !packet.isRandomAccess)).toBe(true);
      }
    }
  });

  it('touches nothing outside its run', () => {
    const target = Buffer.alloc(4 * 188, 0xee);
    noise(300, 1).copy(target, 3 * 188 - 300);
    spreadUnit(target, 188, 300, 0x100, 0, 0, 0);
    expect(target.subarray(0, 188)).toEqual(Buffer.alloc(188, 0xee));
    expect(target.subarray(3 * 188)).toEqual(Buffer.alloc(188, 0xee));
  });
});

it('a packet with a clock reference alone has no payload', () => {
  const packet = Buffer.alloc(188, 0xee);
  writeClockPacket(packet, 0, 0x100, 9, 0, 1_000_001);
  expect(packet).toEqual(Buffer.concat([hex('47 0100 29 b7 10 0007a120 fe 00'), Buffer.alloc(176, 0xff)]));
  expect(readTsPacket(packet, 0)).toEqual({
    pid: 0x100,
    counter: 9,
    isUnitStart: false,
    isDiscontinuity: false,
    isRandomAccess: false,
    pcr: 1_000_001,
    payload: undefined,
  });
});

describe('a packet', () => {
  it.each([
    ['without sync byte', '48 0100 10', 'sync byte 72 must be 71'],
    ['with a transport error', '47 8100 10', 'transport error indicator must be 0'],
    ['that is scrambled', '47 0100 90', 'scrambling control must be 0'],
    ['of nothing', '47 0100 00', 'adaptation field control must be 1..3'],
    ['with a field that takes all', '47 0100 30 b7', 'adaptation field of 184 bytes leaves no payload'],
    ['with a field that is too long', '47 0100 30 ff', 'adaptation field of 256 bytes leaves no payload'],
    ['with a field that is all and too short', '47 0100 20 b6', 'adaptation field of 183 bytes must be 184'],
    ['with a cut clock reference', '47 0100 30 06 10 00', 'adaptation field of 6 bytes ends within its clock reference'],
    ['with other stuffing', '47 0100 30 03 00 ff fe', 'adaptation field must be stuffed with ff'],
  ])('%s is refused', (_, head, message) => {
    const packet = Buffer.alloc(188, 0xff);
    hex(head).copy(packet);
    expect(failureOf(() => readTsPacket(packet, 0)).message).toBe(`ts ${message}`);
  });

  it('with fields that are not read is taken', () => {
    const packet = Buffer.alloc(188, 0xab);
    hex('47 0100 30 05 02 03 112233').copy(packet);
    expect(readTsPacket(packet, 0).payload).toHaveLength(178);
  });
});
