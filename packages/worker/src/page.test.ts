import { SrsError } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { Page, parsePage } from './page.ts';

const letters = new Set(['a', 'b', 'c', 'd', 'e']);

function pageOf(start: number, count: number): { page: Page<string>; described: string[] } {
  const described: string[] = [];
  const page = Page.of(letters, { start, count }, (letter) => {
    described.push(letter);
    return letter.toUpperCase();
  });
  return { page, described };
}

describe('Page', () => {
  it.each([
    [0, 2, ['A', 'B']],
    [2, 2, ['C', 'D']],
    [4, 2, ['E']],
    [5, 2, []],
    [99, 1, []],
    [0, 10_000, ['A', 'B', 'C', 'D', 'E']],
  ])('from %i on, %i at most, has %j of 5', (start, count, rows) => {
    expect(pageOf(start, count).page).toEqual(new Page(5, start, rows));
  });

  it('describes its own elements only', () => {
    expect(pageOf(1, 2).described).toEqual(['b', 'c']);
  });
});

describe('parsePage', () => {
  it.each([
    [{}, { start: 0, count: 1000 }],
    [{ start: '7' }, { start: 7, count: 1000 }],
    [
      { start: '0', count: '10000' },
      { start: 0, count: 10_000 },
    ],
    [{ unknown: 'x' }, { start: 0, count: 1000 }],
  ])('%j is %j', (query, page) => {
    expect(parsePage(query)).toEqual(page);
  });

  it.each([
    [{ count: '0' }, 'count "0" must be one number in 1..10000'],
    [{ count: '10001' }, 'count "10001" must be one number in 1..10000'],
    [{ count: '' }, 'count "" must be one number in 1..10000'],
    [{ count: ['1', '2'] }, 'count ["1","2"] must be one number in 1..10000'],
    [{ start: '-1' }, 'start "-1" must be one number in 0..9007199254740991'],
    [{ start: '1e3' }, 'start "1e3" must be one number in 0..9007199254740991'],
    [{ start: '9999999999999999' }, 'start "9999999999999999" must be one number in 0..9007199254740991'],
  ])('%j is refused: %s', (query, message) => {
    expect(() => parsePage(query)).toThrow(new SrsError('RequestUri', message));
  });
});
