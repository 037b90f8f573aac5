import { describe, expect, it } from 'vitest';
import { peersMarkdown, peersPlot } from './peers-report.ts';
import { failedRun, figures, peersDocument, run } from './peers-test-support.ts';

const cpu = (cpuPercent: number) => ({ figures: figures({ cpuPercent, totalCpuPercent: cpuPercent }) });

describe('the tables', () => {
  it('have a row for each number of players and a column for each server', () => {
    const text = peersMarkdown(peersDocument([run('srs', 300, 1, cpu(10)), run('nginx', 300, 1, cpu(40))]));
    expect(text).toContain('| Players | srs | nginx |');
    expect(text).toContain('| 300 | 10.0 | 40.0 |');
    expect(text).toContain('| Players | CPU srs / nginx | Memory srs / nginx |');
    expect(text).toContain('| 300 | 0.250 | 1.00 |');
  });

  it('mark what was measured by a saturated tester', () => {
    const runs = [
      run('srs', 300, 1, { ...cpu(10), isValid: false, complaints: ['tester was late'] }),
      run('srs', 300, 2, { ...cpu(12), isValid: false }),
      run('nginx', 300, 1, cpu(40)),
      run('nginx', 300, 2, { ...cpu(99), isValid: false }),
    ];
    expect(peersMarkdown(peersDocument(runs))).toContain('| 300 | 11.0 (10.0-12.0) † | 40.0 ‡ |');
  });

  it('a run that failed is told with its reason', () => {
    const text = peersMarkdown(peersDocument([run('srs', 300, 1, cpu(10)), failedRun('nginx', 300, 1, 'it\ndied')]));
    expect(text).toContain('| 300 | 10.0 | failed |');
    expect(text).toContain('- nginx, 300 players, round 1: failed: it died');
  });

  it('a server that is not there is told with its reason', () => {
    const skipped = [{ name: 'nginx', reason: 'there is no nginx' }];
    expect(peersMarkdown(peersDocument([run('srs', 300, 1)], { skipped }))).toContain('- nginx: **skipped**, there is no nginx');
  });

  it('figures that no server has are left out', () => {
    const text = peersMarkdown(peersDocument([run('srs', 300, 1)]));
    expect(text).toContain('### Latency p50');
    expect(text).not.toContain('### Interval between batches');
  });
});

it('the plot has a curve for each server, and shows texts of the machine as texts', () => {
  const svg = peersPlot(peersDocument([run('srs', 300, 1), run('srs', 900, 1), run('nginx', 300, 1), run('nginx', 900, 1)]));
  // Processor, memory, latency.
  expect(svg.match(/<polyline/g)).toHaveLength(6);
  expect(svg).toContain('Some &lt;CPU&gt; &amp; more');
});
