/** Whether a load test is to be believed, and whether the server has passed it. */
import type { Percentiles } from './latency-histogram.ts';
import type { TesterFigures } from './load-figures.ts';
import type { SummaryReport } from './report.ts';

export const exitStatuses = { fine: 0, failed: 1, badArguments: 2, invalid: 3 } as const;

const MAX_CPU_PERCENT = 85;
const MAX_LOOP_DELAY_MS = 50;
/** A server that sends in bursts makes every reader late; one that is later than this share of what it measures measures itself. */
const MAX_LOOP_DELAY_SHARE = 0.5;
const MAX_LATE_MS = 50;

export interface TesterFacts {
  readonly tester: readonly TesterFigures[];
  /** How late publishers of the test itself sent. */
  readonly late: Percentiles | undefined;
  /** What was measured; undefined without players. */
  readonly latency: Percentiles | undefined;
  /** That the tester may use. */
  readonly cores: number;
}

/** Why the tester, and not the server, may have been the limit; empty when it was not. */
export function invalidReasons({ tester, late, latency, cores }: TesterFacts): string[] {
  const reasons: string[] = [];
  const cpuPercent = tester.reduce((sum, one) => sum + one.cpuPercent, 0);
  const maxDelayMs = Math.max(MAX_LOOP_DELAY_MS, (latency?.p99 ?? 0) * MAX_LOOP_DELAY_SHARE);
  for (const { pid, cpuPercent: percent, loopDelayP99Ms } of tester) {
    const who = `process ${pid} of the tester`;
    if (percent > MAX_CPU_PERCENT) {
      reasons.push(`${who} used ${shown(percent)} % of a core, must be at most ${MAX_CPU_PERCENT} %`);
    }
    if (loopDelayP99Ms > maxDelayMs) {
      reasons.push(`${who} was late by ${shown(loopDelayP99Ms)} ms (p99), must be at most ${shown(maxDelayMs)} ms`);
    }
  }
  if (cpuPercent > MAX_CPU_PERCENT * cores) {
    const limit = `must be at most ${MAX_CPU_PERCENT} % of each of its ${cores}`;
    reasons.push(`the tester used ${shown(cpuPercent)} % of a core, ${limit}`);
  }
  if (late !== undefined && late.p99 > MAX_LATE_MS) {
    reasons.push(`publishers sent frames ${shown(late.p99)} ms late (p99), must be at most ${MAX_LATE_MS} ms`);
  }
  return reasons;
}

/** What the server, or the way to it, did wrong; a failed test is a failed test, also when the tester was busy. */
export function exitStatusOf(summary: SummaryReport): number {
  const { players, publishers, gaps, wrong, slow, stalled, requests } = summary;
  const failed = [players, publishers, slow, stalled].reduce(
    (sum, counts) => sum + (counts?.failed ?? 0) + (counts?.lost ?? 0),
    0,
  );
  const isShort = players.connected < players.wanted || slow.connected < slow.wanted || stalled.connected < stalled.wanted;
  const { failed: refused = 0, stalls } = requests ?? {};
  const isHeldUp = refused > 0 || (stalls?.players ?? 0) > 0;
  if (failed > 0 || isHeldUp || isShort || gaps.frames > 0 || wrong.messages > 0 || slow.wrong.messages > 0)
    return exitStatuses.failed;
  return summary.valid ? exitStatuses.fine : exitStatuses.invalid;
}

function shown(value: number): string {
  return value.toFixed(0);
}
