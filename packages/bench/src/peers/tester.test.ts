import { expect, it } from 'vitest';
import { summary } from './peers-test-support.ts';
import { parseReport } from './tester.ts';

it('the report of a tester is found among its lines', () => {
  const report = summary();
  expect(parseReport(JSON.stringify(report))).toEqual(report);
  expect(parseReport('{"type":"second","phase":"measuring"}')).toMatchObject({ phase: 'measuring' });
});

it.each(['', 'connecting', '{}', '{"type":"other"}'])('%j is no report', (line) => {
  expect(parseReport(line)).toBeUndefined();
});
