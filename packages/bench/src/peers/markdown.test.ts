import { expect, it } from 'vitest';
import { markdownTable } from './markdown.ts';

it('columns of figures are aligned to the right, those of texts to the left', () => {
  const rows = [
    ['all', '1 (0-2)', 'no'],
    ['none', '-', '7'],
  ];
  expect(markdownTable(['What', 'How much', 'Why'], rows)).toBe(
    '| What | How much | Why |\n| --- | --: | --- |\n| all | 1 (0-2) | no |\n| none | - | 7 |',
  );
});

it('bars and line ends in a cell do not break the table', () => {
  expect(markdownTable(['a'], [['one | two\n  three']])).toBe('| a |\n| --- |\n| one \\| two three |');
});
