/** Whether a load test is to be believed, and whether the server has passed it. */
import type { Percentiles } from './latency-histogram.ts';
import type { TesterFigures } from './load-figures.ts';
import type { SummaryReport } from './report.ts';

export const exitStatuses = { fine: 0, failed: 1, badArguments: 2, invalid: 3 } as const;

const MAX_CPU_PERCENT = 85;
const MAX_LOOP_DELAY_MS = 50;
const MAX_LATE_MS = 50;

/** Why the tester, and not the server, may have been the limit; empty when it was not. */
export function invalidReasons(tester: readonly TesterFigures[], late: Percentiles | undefined, cores: number): string[] {
  const reasons: string[] = [];
  const cpuPercent = tester.reduce((sum, one) => sum + one.cpuPercent, 0);
  for (const one of tester) {
    if (one.cpuPercent > MAX_CPU_PERCENT)
      reasons.push(
        `process ${one.pid} of the tester used ${shown(one.cpuPercent)} % of a core, must be at most ${MAX_CPU_PERCENT} %`,
      );
    if (one.loopDelayP99Ms > MAX_LOOP_DELAY_MS)
      reasons.push(
        `process ${one.pid} of the tester was late by ${shown(one.loopDelayP99Ms)} ms (p99), must be at most ${MAX_LOOP_DELAY_MS} ms`,
      );
  }
  if (cpuPercent > MAX_CPU_PERCENT * cores) {
    reasons.push(
      `the tester used ${shown(cpuPercent)} % of a core and has ${cores}, must be at most ${MAX_CPU_PERCENT} % of each`,
    );
  }
  if (late !== undefined && late.p99 > MAX_LATE_MS) {
    reasons.push(`publishers sent frames ${shown(late.p99)} ms late (p99), must be at most ${MAX_LATE_MS} ms`);
  }
  return reasons;
}

/** What the server, or the way to it, did wrong; a failed test is a failed test, also when the tester was busy. */
export function exitStatusOf(summary: SummaryReport): number {
  const { players, publishers, gaps, wrong, slow, stalled } = summary;
  const failed = [players, publishers, slow, stalled].reduce(
    (sum, counts) => sum + (counts?.failed ?? 0) + (counts?.lost ?? 0),
    0,
  );
  const isShort = players.connected < players.wanted || slow.connected < slow.wanted || stalled.connected < stalled.wanted;
  if (failed > 0 || isShort || gaps.frames > 0 || wrong.messages > 0 || slow.wrong.messages > 0) return exitStatuses.failed;
  return summary.valid ? exitStatuses.fine : exitStatuses.invalid;
}

function shown(value: number): string {
  return value.toFixed(0);
}
