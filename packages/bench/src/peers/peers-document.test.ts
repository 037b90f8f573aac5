import { describe, expect, it } from 'vitest';
import { cellOf, complaintsOf, figuresOf, type RunFigures, ratioCell } from './peers-document.ts';
import { counts, failedRun, figures, run, summary } from './peers-test-support.ts';

const cpu = (one: RunFigures): number => one.cpuPercent;

describe('a cell', () => {
  const cpuOf = (cpuPercent: number) => ({ figures: figures({ cpuPercent }) });

  it('is of its server and number of players only', () => {
    const runs = [run('srs', 300, 1, cpuOf(1)), run('srs', 900, 1, cpuOf(2)), run('nginx', 300, 1, cpuOf(3))];
    expect(cellOf(runs, 'srs', 300, cpu)).toEqual({ spread: { median: 1, min: 1, max: 1, count: 1 }, bad: 0, rounds: 1 });
  });

  it('leaves out rounds with a saturated tester and counts them', () => {
    const runs = [run('srs', 300, 1, cpuOf(10)), run('srs', 300, 2, { ...cpuOf(99), isValid: false })];
    expect(cellOf(runs, 'srs', 300, cpu)).toMatchObject({ spread: { median: 10, count: 1 }, bad: 1, rounds: 2 });
  });

  it('takes saturated rounds when there are no others', () => {
    const runs = [run('srs', 300, 1, { ...cpuOf(99), isValid: false })];
    expect(cellOf(runs, 'srs', 300, cpu)).toMatchObject({ spread: { median: 99 }, bad: 1, rounds: 1 });
  });

  it('has no figure when every run failed', () => {
    expect(cellOf([failedRun('srs', 300, 1, 'why')], 'srs', 300, cpu)).toEqual({ spread: undefined, bad: 1, rounds: 1 });
  });
});

describe('a ratio', () => {
  it('is of the same round', () => {
    const runs = [1, 2].flatMap((round) => [
      run('srs', 300, round, { figures: figures({ cpuPercent: 10 * round }) }),
      run('nginx', 300, round, { figures: figures({ cpuPercent: 40 }) }),
    ]);
    expect(ratioCell(runs, ['srs', 'nginx'], 300, cpu)).toEqual({ median: 0.375, min: 0.25, max: 0.5, count: 2 });
  });

  it('leaves out a round in which one side is missing or not valid', () => {
    const runs = [
      run('srs', 300, 1),
      run('nginx', 300, 1, { isValid: false }),
      run('srs', 300, 2),
      failedRun('nginx', 300, 2, 'why'),
    ];
    expect(ratioCell(runs, ['srs', 'nginx'], 300, cpu)).toBeUndefined();
  });
});

describe('figuresOf', () => {
  it('tells the processes that serve media from the others', () => {
    const processes = [
      { pid: 1, label: 'master', isServing: false },
      { pid: 2, label: 'stream-1', isServing: true },
    ];
    expect(figuresOf(summary(), processes, undefined)).toMatchObject({ cpuPercent: 10, totalCpuPercent: 12, pssPerPlayerKb: 9 });
  });

  it('a run without a stamped frame has no latency', () => {
    const found = figuresOf(summary({ latencyMs: null, firstFrameMs: null }), [], undefined);
    expect(found).not.toHaveProperty('latencyMs');
    expect(found).not.toHaveProperty('firstFrameMs');
  });
});

describe('complaintsOf', () => {
  it('a run in which all went well has none', () => {
    expect(complaintsOf(summary())).toEqual([]);
  });

  it('names everything that did not', () => {
    const report = summary({
      valid: false,
      invalidReasons: ['the tester was late'],
      players: counts({ failed: 3, lost: 2, failures: { ECONNREFUSED: 3 } }),
      gaps: { players: 4, frames: 50 },
      wrong: { players: 1, messages: 6 },
    });
    expect(complaintsOf(report)).toEqual([
      'the tester was late',
      '3 players: ECONNREFUSED',
      '2 players lost their connection',
      '4 players missed 50 frames',
      '1 players got 6 wrong messages',
    ]);
  });

  it('speaks of publishers in a run that publishes', () => {
    const publishers = { ...counts({ lost: 1 }), kbps: { min: 0, p1: 0, avg: 0, total: 0 }, lateMs: null };
    const report = summary({ mode: 'publish', players: counts({ wanted: 0, connected: 0 }), publishers });
    expect(complaintsOf(report)).toEqual(['1 publishers lost their connection']);
  });
});
