import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PlayerState } from './player-state.ts';
import { StepArray } from './step-array.ts';

let lastDescriptor = 100;
/** Each with a descriptor of its own. */
const makeState = (): PlayerState => {
  lastDescriptor += 1;
  return new PlayerState(
    { descriptor: lastDescriptor, write: () => true, pendingBytes: 0, onFinished: () => {} },
    { encodedBytes: () => 0, encode: () => {} },
    {},
  );
};

describe('StepArray', () => {
  it('serves everybody once in a pass', () => {
    const array = new StepArray();
    const states = Array.from({ length: 5 }, makeState);
    for (const state of states) array.add(state);
    array.beginPass();
    const served = new Set<PlayerState>();
    while (array.next()) served.add(array.current);
    expect(served).toEqual(new Set(states));
  });

  it('however players come and go during a pass, serves who was there at its beginning and has stayed, once, and nobody else', () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.constant({ kind: 'next' } as const) },
      fc.constant({ kind: 'add' } as const),
      fc.record({ kind: fc.constant('remove' as const), pick: fc.nat(1000) }),
    );
    fc.assert(
      fc.property(fc.nat(12), fc.array(step, { maxLength: 60 }), (count, steps) => {
        const array = new StepArray();
        const present: PlayerState[] = [];
        const add = (): void => {
          const state = makeState();
          array.add(state);
          present.push(state);
        };
        for (let index = 0; index < count; index += 1) add();
        array.beginPass();
        const unserved = new Set(present);
        const serve = (): boolean => {
          if (!array.next()) return false;
          expect(unserved.delete(array.current)).toBe(true);
          expect(array.descriptor).toBe(array.current.player.descriptor);
          return true;
        };
        for (const each of steps) {
          if (each.kind === 'next') serve();
          else if (each.kind === 'add') add();
          else if (present.length > 0) {
            const [state] = present.splice(each.pick % present.length, 1);
            expect(array.isUnserved(state!)).toBe(unserved.has(state!));
            array.remove(state!);
            unserved.delete(state!);
            expect(state!.stepIndex).toBe(-1);
          }
        }
        while (serve());
        expect(unserved.size).toBe(0);
        expect(new Set(array.values())).toEqual(new Set(present));
        expect(array.length).toBe(present.length);
      }),
      { numRuns: 2000 },
    );
  });
});
