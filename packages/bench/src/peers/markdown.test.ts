import { expect, it } from 'vitest';
import { markdownTable } from './markdown.ts';

it('a table has a rule under its head, figures to the right', () => {
  expect(markdownTable(['What', 'How much'], [['all', '1']])).toBe('| What | How much |\n| --- | --: |\n| all | 1 |');
});

it('bars and line ends in a cell do not break the table', () => {
  expect(markdownTable(['a'], [['one | two\n  three']])).toBe('| a |\n| --- |\n| one \\| two three |');
});
