import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatClassicLine, MAX_LINE_BYTES } from './classic-line.ts';
import { openProcessLog } from './process-log.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'srs-log-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const open = (format: 'classic' | 'json', level: 'trace' | 'warn' | 'off' = 'trace') => {
  const file = join(directory, 'sub', 'srs.log');
  const log = openProcessLog({ tank: 'file', level, file, format, isUtc: false }, 100);
  return { ...log, file, lines: () => readFileSync(file, 'utf8').split('\n').slice(0, -1) };
};

describe('a process log in classic form', () => {
  it('writes time, level, pid and trackable id, and the errno for warnings and errors only', () => {
    const { log, lines } = open('classic');
    log.trace('hello');
    log.child(104).warn('look out', { errno: -104 });
    log.error('failed');
    const stamp = String.raw`\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\]`;
    expect(lines()[0]).toMatch(new RegExp(`^${stamp}\\[trace\\]\\[${process.pid}\\]\\[100\\] hello$`));
    expect(lines()[1]).toMatch(new RegExp(`^${stamp}\\[warn\\]\\[${process.pid}\\]\\[104\\]\\[104\\] look out$`));
    expect(lines()[2]).toMatch(new RegExp(`^${stamp}\\[error\\]\\[${process.pid}\\]\\[100\\]\\[0\\] failed$`));
  });

  it('drops lines below its level, also for loggers made before the level changed', () => {
    const { log, lines, setLevel } = open('classic');
    const child = log.child(7);
    setLevel('warn');
    child.trace('not this');
    child.warn('this');
    setLevel('off');
    child.error('nor this');
    expect(lines().map((line) => line.replace(/^.* /, ''))).toEqual(['this']);
  });

  it('goes on in a new file after a rename and reopen', () => {
    const { log, file, lines, reopen } = open('classic');
    log.trace('before');
    renameSync(file, `${file}.1`);
    reopen();
    log.trace('after');
    expect(readFileSync(`${file}.1`, 'utf8')).toMatch(/before\n$/);
    expect(lines()).toHaveLength(1);
    expect(lines()[0]).toMatch(/after$/);
  });

  it('keeps text with line breaks on one line', () => {
    const { log, lines } = open('classic');
    log.trace('one\n[2026-01-01 00:00:00.000][trace][1][1] forged');
    expect(lines()).toHaveLength(1);
  });
});

describe('a process log as JSON', () => {
  it('carries level, pid, cid, text and fields', () => {
    const { log, lines } = open('json');
    log.child(9).trace('client', { ip: '10.0.0.1' });
    expect(JSON.parse(lines()[0]!)).toMatchObject({ level: 30, pid: process.pid, cid: 9, msg: 'client', ip: '10.0.0.1' });
  });
});

describe('a process log that follows a reload', () => {
  const optionsIn = (file: string) =>
    ({ tank: 'file', level: 'trace', format: 'classic', isUtc: false, file: join(directory, file) }) as const;

  it('goes on in another file and another form, also for loggers made before', () => {
    const before = optionsIn('one.log');
    const { log, configure } = openProcessLog(before, 100);
    const child = log.child(7);
    child.trace('first');
    const after = { ...optionsIn('deep/two.log'), format: 'json' } as const;
    configure(before, after);
    child.trace('second');
    expect(readFileSync(before.file, 'utf8')).toMatch(/ first\n$/);
    expect(JSON.parse(readFileSync(after.file, 'utf8'))).toMatchObject({ cid: 7, msg: 'second' });
  });

  it('keeps its file when the new one cannot be opened', () => {
    const before = optionsIn('one.log');
    const { log, configure } = openProcessLog(before, 100);
    expect(() => configure(before, optionsIn('one.log/below'))).toThrow(/ENOTDIR|EEXIST/);
    log.trace('still here');
    expect(readFileSync(before.file, 'utf8')).toMatch(/still here\n$/);
  });

  it('keeps a level that was set by hand until the configuration has another one', () => {
    const before = optionsIn('one.log');
    const { log, configure, setLevel } = openProcessLog(before, 100);
    setLevel('error');
    const after = { ...before, isUtc: true };
    configure(before, after);
    log.warn('not this');
    configure(after, { ...after, level: 'warn' });
    log.warn('this');
    expect(readFileSync(before.file, 'utf8').match(/\S*\n/g)).toEqual(['this\n']);
  });
});

describe('formatClassicLine', () => {
  const line = { level: 'trace', wallMs: 0, pid: 1, cid: 2, errno: 0, useColour: false, isUtc: false } as const;

  it('cuts a line at the limit without breaking a character', () => {
    const text = formatClassicLine({ ...line, text: '\u4e2d'.repeat(5000) });
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_LINE_BYTES);
    expect(text.endsWith('\u4e2d\n')).toBe(true);
  });

  it('bears local time, or UTC when asked for', () => {
    const zone = process.env.TZ;
    process.env.TZ = 'Asia/Kolkata';
    try {
      expect(formatClassicLine({ ...line, text: 'x' })).toContain('[1970-01-01 05:30:00.000]');
      expect(formatClassicLine({ ...line, text: 'x', isUtc: true })).toContain('[1970-01-01 00:00:00.000]');
    } finally {
      if (zone === undefined) delete process.env.TZ;
      else process.env.TZ = zone;
    }
  });

  it('colours warnings yellow and errors red, the newline inside the colour', () => {
    for (const [level, colour] of [
      ['warn', '\u001b[33m'],
      ['error', '\u001b[31m'],
    ] as const) {
      const text = formatClassicLine({ ...line, level, text: 'x', useColour: true });
      expect(text.startsWith(colour)).toBe(true);
      expect(text.endsWith('x\n\u001b[0m')).toBe(true);
    }
  });
});
