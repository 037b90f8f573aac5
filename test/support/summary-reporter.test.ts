import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect, it } from 'vitest';
import { findProgram, missingNote } from './programs.ts';
import { formatSummary } from './summary-reporter.ts';

it('the counts stand alone on the last line', () => {
  expect(formatSummary({ passed: 12, failed: 3, skipped: [] })).toBe('\n12 passed, 3 failed\n');
});

it('what was skipped is named, with the way to get it, before the counts', () => {
  const note = missingNote(['ffmpeg', 'ffprobe', 'rtmpdump']);
  const skipped = [
    { name: 'a.test.ts > one', note },
    { name: 'b.test.ts > two', note: 'in the source' },
    { name: 'b.test.ts > three', note },
  ];
  expect(formatSummary({ passed: 1, failed: 0, skipped })).toBe(`
skipped 2, each needs ffmpeg, ffprobe, rtmpdump: apt-get install ffmpeg rtmpdump
  a.test.ts > one
  b.test.ts > three
skipped 1, in the source
  b.test.ts > two
1 passed, 0 failed
`);
});

it('a program is looked for on the PATH', () => {
  const { PATH } = process.env;
  const directory = mkdtempSync(join(tmpdir(), 'srs-test-path-'));
  try {
    process.env.PATH = `/nonexistent${delimiter}${directory}`;
    expect(findProgram('rtmpdump')).toBeUndefined();
    writeFileSync(join(directory, 'rtmpdump'), '', { mode: 0o755 });
    expect(findProgram('rtmpdump')).toBe(join(directory, 'rtmpdump'));
  } finally {
    process.env.PATH = PATH;
    rmSync(directory, { recursive: true });
  }
});
