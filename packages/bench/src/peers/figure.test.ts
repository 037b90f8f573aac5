import { describe, expect, it } from 'vitest';
import { figureTable, judge } from './figure.ts';

describe('a goal', () => {
  it.each([
    [0.35, true],
    [0.351, false],
    [undefined, false],
  ])('of at most 0.35 with %s is met: %s', (value, isMet) => {
    expect(judge({ what: 'CPU', unit: 'x', value, atMost: 0.35 }).isMet).toBe(isMet);
  });

  it.each([
    [1.8, true],
    [1.79, false],
    [undefined, false],
  ])('of at least 1.8 with %s is met: %s', (value, isMet) => {
    expect(judge({ what: 'Scale', unit: 'x', value, atLeast: 1.8 }).isMet).toBe(isMet);
  });

  it('shows its unit, and the sides of a ratio', () => {
    expect(judge({ what: 'CPU', unit: "x nginx's", value: 0.25, atMost: 0.35, detail: '10 to 40' })).toEqual({
      what: 'CPU',
      goal: "<= 0.35 x nginx's",
      figure: "0.250 x nginx's (10 to 40)",
      isMet: true,
    });
  });

  it('that could not be measured is missed and says so', () => {
    const figure = judge({ what: 'CPU', unit: 'ms', value: undefined, atMost: 5, detail: 'never shown' });
    expect(figure.figure).toBe('not measured');
    expect(figureTable([figure])).toContain('| CPU | <= 5 ms | not measured | **missed** |');
  });
});
