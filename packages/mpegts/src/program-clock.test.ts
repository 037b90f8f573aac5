import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DECODING_DELAY, MAX_PCR_DISTANCE, ProgramClock, type TrackKind } from './program-clock.ts';

const MS = 90;

/** The references before a unit, then its own in brackets; `!` marks a jump. All in milliseconds. */
function planned(clock: ProgramClock, track: TrackKind, ms: number, isDue = false): string {
  clock.advance(track, ms * MS, track === 'video', isDue);
  const before = Array.from({ length: clock.packets }, (_, i) => String(clock.packetPcr(i) / MS));
  const own = clock.isInUnit ? [`[${clock.unitPcr / MS}]`] : [];
  return `${clock.isDiscontinuity ? '!' : ''}${[...before, ...own].join(' ')}`;
}

function plans(units: readonly (readonly [track: TrackKind, ms: number, isDue?: boolean])[]): string[] {
  const clock = new ProgramClock();
  return units.map(([track, ms, isDue]) => planned(clock, track, ms, isDue));
}

describe('the program clock', () => {
  it('is in each unit of the track that carries it', () => {
    expect(
      plans([
        ['video', 1000],
        ['video', 1040],
        ['video', 1080],
      ]),
    ).toEqual(['[1000]', '[1040]', '[1080]']);
  });

  it('ticks in packets of its own where units are more than 100 ms apart', () => {
    expect(
      plans([
        ['video', 0],
        ['video', 100],
        ['video', 201],
        ['video', 501],
      ]),
    ).toEqual(['[0]', '[100]', '200 [201]', '301 401 [501]']);
  });

  it('ticks before units of the other track', () => {
    expect(
      plans([
        ['video', 0],
        ['audio', 99],
        ['audio', 100],
        ['audio', 350],
        ['video', 360],
      ]),
    ).toEqual(['[0]', '', '100', '200 300', '[360]']);
  });

  it('is told where it is due, with the first unit too', () => {
    expect(
      plans([
        ['audio', 0],
        ['audio', 10, true],
        ['video', 10, true],
        ['video', 10],
        ['video', 10, true],
      ]),
    ).toEqual(['0', '10', '[10]', '', '[10]']);
  });

  it('does not go back for timestamps that step back a little', () => {
    expect(
      plans([
        ['video', 1000],
        ['video', 960],
        ['video', 1040],
      ]),
    ).toEqual(['[1000]', '', '[1040]']);
  });

  it('jumps back where the time of a unit has passed', () => {
    expect(
      plans([
        ['video', 1000],
        ['video', 200],
        ['video', 199],
      ]),
    ).toEqual(['[1000]', '', '![199]']);
    expect(
      plans([
        ['video', 9000],
        ['audio', 100],
        ['video', 40],
      ]),
    ).toEqual(['[9000]', '!100', '']);
  });

  it('jumps over holes of more than 10 s', () => {
    const [, filled] = plans([
      ['video', 0],
      ['video', 10_000],
    ]);
    expect(filled!.split(' ')).toHaveLength(100);
    expect(
      plans([
        ['video', 0],
        ['video', 10_001],
      ]),
    ).toEqual(['[0]', '![10001]']);
  });

  it('does not run away from a track that comes late, until that has stopped for 2 s', () => {
    expect(
      plans([
        ['audio', 0],
        ['video', 0],
        ['video', 600],
        ['video', 700],
        ['video', 2000],
        ['audio', 50],
        ['video', 2001],
      ]),
    ).toEqual(['0', '', '100 200 300 400 500 [600]', '', '', '', '[650]']);
    const [, , , resumed] = plans([
      ['audio', 0],
      ['video', 0],
      ['video', 1900],
      ['video', 2001],
    ]);
    expect(resumed).toBe(`${Array.from({ length: 14 }, (_, i) => 700 + i * 100).join(' ')} [2001]`);
  });

  it('never passes a decoding time, and never rests for more than 100 ms without a mark', () => {
    const unit = fc.record({
      track: fc.constantFrom<TrackKind>('video', 'audio'),
      stepMs: fc.oneof(fc.integer({ min: -50, max: 200 }), fc.integer({ min: -20_000, max: 20_000 })),
      isDue: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 100 }), fc.boolean(), (units, isVideoCarrier) => {
        const clock = new ProgramClock();
        const time = { video: 0, audio: 0 };
        let last: number | undefined;
        for (const { track, stepMs, isDue } of units) {
          time[track] += stepMs * MS;
          clock.advance(track, time[track], (track === 'video') === isVideoCarrier, isDue);
          let mayJump = clock.isDiscontinuity || last === undefined;
          const references = Array.from({ length: clock.packets }, (_, i) => clock.packetPcr(i));
          if (clock.isInUnit) references.push(clock.unitPcr);
          for (const reference of references) {
            if (!mayJump) expect(reference - last!).toSatisfy((step: number) => step >= 0 && step <= MAX_PCR_DISTANCE);
            mayJump = false;
            last = reference;
          }
          expect(last).toBeLessThanOrEqual(time[track] + DECODING_DELAY);
          if (isDue) expect(references.length).toBeGreaterThan(0);
        }
      }),
    );
  });
});
