import { expect, it } from 'vitest';
import { peersFigures } from './peers-figures.ts';
import { figures, run } from './peers-test-support.ts';

function runsWith(cpu: Readonly<Record<string, number>>) {
  return Object.entries(cpu).map(([server, cpuPercent]) => run(server, 2_700, 1, { figures: figures({ cpuPercent }) }));
}

it('each goal is a ratio to a server of the same run', () => {
  const found = peersFigures(runsWith({ srs: 14, 'srs-low-latency': 30, nginx: 41, floor: 10 }));
  expect(found.map(({ figure, isMet }) => [figure.split(' ')[0], isMet])).toEqual([
    ['0.341', true],
    ['1.40', true],
    ['0.732', true],
    ['5.00', true],
  ]);
});

it('a goal without its peer is not measured, and missed', () => {
  const [nginxRatio, floorRatio] = peersFigures(runsWith({ srs: 14, floor: 10 }));
  expect(nginxRatio).toMatchObject({ figure: 'not measured', isMet: false });
  expect(floorRatio).toMatchObject({ isMet: true });
});

it('other numbers of players say nothing about the goals', () => {
  expect(peersFigures([run('srs', 300, 1)])).toEqual([]);
});
