import { describe, expect, it } from 'vitest';
import { type ClusterPlan, clusterFigures, clusterMarkdown } from './cluster-program.ts';
import { failedRun, figures, peersDocument, run } from './peers-test-support.ts';

const plan: ClusterPlan = { viewers: 100, players: 1_000, rounds: 2, seconds: 10, kbps: 500, port: 21_100 };

const late = (server: string, round: number, p50: number) =>
  run(server, plan.viewers, round, { figures: figures({ latencyMs: { p50, p95: 20, p99: 30, max: 40 } }) });
const busy = (server: string, round: number, totalCpuPercent: number) =>
  run(server, plan.players, round, { figures: figures({ totalCpuPercent }) });

const runs = [
  late('origin', 1, 1),
  late('edge', 1, 3),
  late('edge of an edge', 1, 9),
  busy('origin', 1, 10),
  busy('edge', 1, 10.2),
  late('origin', 2, 11),
  late('edge', 2, 13),
  failedRun('edge of an edge', plan.viewers, 2, 'no\nway'),
  busy('origin', 2, 20),
  busy('edge', 2, 20.8),
];

describe('figures of a cluster', () => {
  it('compare what was measured in the same round', () => {
    expect(clusterFigures(plan, runs).map(({ figure, isMet }) => [figure.split(' ')[0], isMet])).toEqual([
      ['2.00', true],
      ['6.00', false],
      ['1.03', true],
    ]);
  });

  it('that are missing are told', () => {
    expect(clusterFigures(plan, []).map(({ figure, isMet }) => [figure, isMet])).toEqual(
      Array.from({ length: 3 }, () => ['not measured', false]),
    );
    const { environment } = peersDocument(runs);
    const text = clusterMarkdown({ kind: 'cluster', environment, settings: plan, runs, figures: clusterFigures(plan, runs) });
    expect(text).toContain('- edge of an edge, 100 players, round 2: no way');
    expect(text).toContain('| edge of an edge | 100 | 9.00 |');
  });
});
