import { describe, expect, it } from 'vitest';
import { isColorful, layOutTable, textWidth } from './text-table.ts';

const cells = (...texts: string[]): { text: string }[] => texts.map((text) => ({ text }));

describe('layOutTable', () => {
  it('lines up words left and figures right, without blanks at the ends', () => {
    const rows = [cells('Name', 'N', 'State'), cells('a', '10', ''), cells('longer', '7', 'well')];
    expect(layOutTable(rows, [false, true, false])).toBe('Name     N  State\na       10\nlonger   7  well\n');
  });

  it('is nothing without rows', () => {
    expect(layOutTable([], [false])).toBe('');
  });

  it('paints words, not the blanks around them, and paint takes no room', () => {
    const paint = (text: string): string => `<${text}>`;
    expect(layOutTable([[{ text: 'a', paint }, { text: 'b' }], cells('ccc', 'd')], [true, false])).toBe('  <a>  b\nccc  d\n');
  });

  it('keeps an empty cell in the middle empty', () => {
    expect(layOutTable([cells('a', '', 'b'), cells('a', 'xx', 'b')], [false, false, false])).toBe('a      b\na  xx  b\n');
  });

  it('lays out 10,000 rows of 14 columns in far less than a second', () => {
    const rows = Array.from({ length: 10_000 }, (_, row) =>
      cells(...Array.from({ length: 14 }, (__, column) => `${row}.${column}`)),
    );
    const startMs = performance.now();
    layOutTable(
      rows,
      Array.from({ length: 14 }, () => true),
    );
    expect(performance.now() - startMs).toBeLessThan(1000);
  });
});

describe('textWidth', () => {
  it.each([
    ['', 0],
    ['plain', 5],
    ['é', 1],
    ['e\u0301', 1],
    ['日本語', 6],
    ['한국', 4],
    ['Ａ', 2],
    ['🎥', 2],
    ['👩‍👩‍👧', 2],
    ['live/прямой', 11],
    ['𠀀', 2],
  ])('%j takes %i columns', (text, width) => {
    expect(textWidth(text)).toBe(width);
  });
});

describe('isColorful', () => {
  it.each([
    [{ isTTY: true }, {}, true],
    [{ isTTY: true }, { NO_COLOR: '' }, true],
    [{ isTTY: true }, { NO_COLOR: '0' }, false],
    [{ isTTY: true }, { TERM: 'dumb' }, false],
    [{ isTTY: false }, {}, false],
    [{}, {}, false],
  ])('%j with %j: %s', (output, env, expected) => {
    expect(isColorful(output, env)).toBe(expected);
  });
});
