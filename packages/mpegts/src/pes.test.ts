import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../test/support/failure.ts';
import { ticksBetween, UnwrappedClock, wrap33 } from './clock-90k.ts';
import { hex } from './mpegts-test-support.ts';
import { pesHeadBytes, writePesHead } from './pes.ts';
import { PesGatherer } from './pes-reader.ts';

const LAST_TICK = 2 ** 33 - 1;

/** Head and facts, the same in both directions; three bytes of payload follow. */
const heads = [
  ['a PTS', '000001c0 000b 80 80 05 2100010001', 0xc0, 0, 0],
  ['a PTS of one', '000001c0 000b 80 80 05 2100010003', 0xc0, 1, 1],
  ['the PTS of SRS at zero', '000001e0 000b 80 80 05 2100053281', 0xe0, 72_000, 72_000],
  ['the last PTS', '000001e0 000b 80 80 05 2fffffffff', 0xe0, LAST_TICK, LAST_TICK],
  ['the highest bit', '000001e0 000b 80 80 05 2900010001', 0xe0, 2 ** 32, 2 ** 32],
  [
    'the bits around the markers',
    '000001e0 000b 80 80 05 230003ffff',
    0xe0,
    2 ** 30 + 2 ** 15 + 2 ** 15 - 1,
    2 ** 30 + 2 ** 16 - 1,
  ],
  ['PTS and DTS', '000001e0 0010 80 c0 0a 3100053281 1100050a91', 0xe0, 72_000, 66_888],
  ['a PTS before the DTS', '000001e0 0010 80 c0 0a 3100010001 1100010003', 0xe0, 0, 1],
] as const;

const facts = { pid: 0x100, streamType: 0x1b, isRandomAccess: false, clock: undefined };

function gathered(bytes: Buffer): PesGatherer {
  const gatherer = new PesGatherer(facts, 1_000_000);
  gatherer.add(bytes);
  return gatherer;
}

describe('the head of a PES packet', () => {
  it.each(heads)('with %s is written', (_, bytes, streamId, pts, dts) => {
    const target = Buffer.alloc(24, 0xee);
    expect(writePesHead(target, 2, streamId, pts, dts, 3)).toBe(2 + pesHeadBytes(pts, dts));
    expect(target.toString('hex', 2, 2 + pesHeadBytes(pts, dts))).toBe(hex(bytes).toString('hex'));
    expect(target[1]).toBe(0xee);
    expect(target[2 + pesHeadBytes(pts, dts)]).toBe(0xee);
  });

  it.each(heads)('with %s is read', (_, bytes, streamId, pts, dts) => {
    const payload = hex('abcdef');
    expect(gathered(Buffer.concat([hex(bytes), payload])).finish()).toEqual({ ...facts, streamId, pts, dts, payload });
  });

  it('tells lengths up to 65,535 and no longer ones', () => {
    const target = Buffer.alloc(19);
    writePesHead(target, 0, 0xe0, 1, 1, 65_527);
    expect(target.readUInt16BE(4)).toBe(65_535);
    writePesHead(target, 0, 0xe0, 1, 1, 65_528);
    expect(target.readUInt16BE(4)).toBe(0);
    writePesHead(target, 0, 0xe0, 2, 1, 65_523);
    expect(target.readUInt16BE(4)).toBe(0);
  });

  it('any two times come back', () => {
    const ticks = fc.double({ min: -(2 ** 34), max: 2 ** 40, noNaN: true }).map(Math.round);
    fc.assert(
      fc.property(ticks, ticks, (pts, dts) => {
        const bytes = Buffer.alloc(pesHeadBytes(pts, dts));
        writePesHead(bytes, 0, 0xe0, pts, dts, 0);
        expect(gathered(bytes).finish()).toMatchObject({ pts: wrap33(pts), dts: wrap33(dts) });
      }),
    );
  });

  const head = heads[6][1];
  it.each([
    ['without its start code', head.replace('000001', '000002'), 'must begin with 00 00 01 and a head'],
    ['of nothing', '', 'must begin with 00 00 01 and a head'],
    ['with a length that is not its own', head.replace('0010', '0011'), 'length 17 must be the 13 that came'],
    ['with other marker bits', head.replace('0010 80', '0000 00'), 'must have the marker bits 10'],
    ['without a time', '000001e0 0000 80 00 00', 'must have a pts'],
    ['with a DTS alone', '000001e0 0000 80 40 05 1100010001', 'must have a pts'],
    ['without room for its times', '000001e0 0000 80 c0 05 3100053281 1100050a91', 'ends within its head'],
    ['cut', '000001e0 0000 80 80 05 2100', 'ends within its head'],
    ['with an unmarked time', '000001e0 0000 80 80 05 2100053280', 'time must have its marker bits'],
    ['with a time of another kind', '000001e0 0000 80 80 05 3100053281', 'time must have its marker bits'],
  ])('%s is refused', (_, bytes, message) => {
    expect(failureOf(() => gathered(hex(bytes)).finish()).message).toBe(`ts pes packet of pid 256 ${message}`);
  });
});

describe('RTMP timestamps', () => {
  it('become ticks, with their nanoseconds', () => {
    expect(new UnwrappedClock().ticksAt(1000, 0)).toBe(90_000);
    expect(new UnwrappedClock().ticksAt(1000, 500_000)).toBe(90_045);
  });

  it('count on where they wrap, many times', () => {
    const clock = new UnwrappedClock();
    let last = clock.ticksAt(0x7fffff00, 0);
    for (let ms = 0x7fffff00 + 0x10000000; ms < 2 ** 36; ms += 0x10000000) {
      const ticks = clock.ticksAt(ms % 2 ** 31, 0);
      expect(ticks - last).toBe(0x10000000 * 90);
      last = ticks;
    }
  });

  it('may step back over the wrap', () => {
    const clock = new UnwrappedClock();
    expect(clock.ticksAt(10, 0)).toBe(900);
    expect(clock.ticksAt(0x7ffffff0, 0)).toBe(-16 * 90);
    expect(wrap33(-16 * 90)).toBe(2 ** 33 - 16 * 90);
    expect(clock.ticksAt(20, 0)).toBe(1800);
  });

  it('are compared over the wrap of 33 bits', () => {
    expect(ticksBetween(LAST_TICK, 0)).toBe(1);
    expect(ticksBetween(0, LAST_TICK)).toBe(-1);
    expect(ticksBetween(5, 5)).toBe(0);
  });
});
