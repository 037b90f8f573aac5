import { stripVTControlCharacters } from 'node:util';
import picocolors from 'picocolors';
import { describe, expect, it } from 'vitest';
import { type Column, tableText } from './cli-table.ts';

const colorless = picocolors.createColors(false);
const colorful = picocolors.createColors(true);

const columns: readonly Column<number>[] = [
  { head: 'Name', value: (row) => `row ${row}` },
  { head: 'Figure', isRight: true, value: (row) => row * 1000 },
  { head: 'State', value: (row) => (row === 2 ? undefined : { text: 'well', emphasis: 'good' }) },
];

describe('tableText', () => {
  it('lines up words left and figures right, without lines, and has a dash for what there is not', () => {
    expect(tableText(columns, [1, 2, 10], colorless)).toBe(
      ['Name    Figure  State', 'row 1     1000  well', 'row 2     2000  -', 'row 10   10000  well', ''].join('\n'),
    );
  });

  it('is only the heading when there are no rows', () => {
    expect(tableText(columns, [], colorless)).toBe('Name  Figure  State\n');
  });

  it('takes colours for nothing when it lines up', () => {
    const text = tableText(columns, [1, 2], colorful);
    expect(text).toContain('\x1b[32mwell\x1b[39m');
    expect(stripVTControlCharacters(text).replace(/ +$/gm, '')).toBe(tableText(columns, [1, 2], colorless));
  });

  it('counts wide characters twice', () => {
    const wide: readonly Column<string>[] = [
      { head: 'Stream', value: (row) => row },
      { head: 'N', value: () => 1 },
    ];
    expect(tableText(wide, ['日本語', 'a'], colorless)).toBe('Stream  N\n日本語  1\na       1\n');
  });

  it('repeats the heading after every 100 rows', () => {
    const rows = Array.from({ length: 250 }, (_, index) => index);
    const lines = tableText(columns, rows, colorless).split('\n');
    expect(lines.filter((line) => line.startsWith('Name'))).toHaveLength(3);
    expect(lines.filter((line) => line.startsWith('row'))).toHaveLength(250);
  });
});
