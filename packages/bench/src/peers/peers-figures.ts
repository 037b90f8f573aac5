/** What the comparison says about the project's goals. */
import { type Figure, judge } from './figure.ts';
import { cellOf, type PeerRun, type RunFigures, ratioCell } from './peers-document.ts';
import { roundedText, type Spread } from './statistics.ts';

/** The number of players that the goals speak of. */
const GOAL_PLAYERS = 2_700;

const cpu = (figures: RunFigures): number => figures.cpuPercent;
const latency = (figures: RunFigures): number | undefined => figures.latencyMs?.p50;

/** Empty when nobody was measured with that many players. */
export function peersFigures(runs: readonly PeerRun[], players: number = GOAL_PLAYERS): Figure[] {
  if (!runs.some((run) => run.players === players)) return [];
  const median = (server: string, pick: (figures: RunFigures) => number | undefined): number | undefined =>
    cellOf(runs, server, players, pick).spread?.median;
  const sides = (of: string, to: string): string => `${percent(median(of, cpu))} to ${percent(median(to, cpu))} of a core`;
  const lowLatency = median('srs-low-latency', latency);
  const lowLatencyCpu = ratioCell(runs, ['srs-low-latency', 'nginx'], players, cpu);
  return [
    judge({
      what: `CPU of the stream worker, ${players} players, default latency`,
      unit: "x nginx-rtmp's",
      ...measured(ratioCell(runs, ['srs', 'nginx'], players, cpu), sides('srs', 'nginx')),
      atMost: 0.35,
    }),
    judge({
      what: `CPU of the stream worker, ${players} players, default latency`,
      unit: 'x the bare send loop at the same batch',
      ...measured(ratioCell(runs, ['srs', 'floor'], players, cpu), sides('srs', 'floor')),
      atMost: 1.5,
    }),
    judge({
      what: `CPU of the stream worker, ${players} players, min_latency on`,
      unit: "x nginx-rtmp's",
      ...measured(lowLatencyCpu, sides('srs-low-latency', 'nginx')),
      atMost: 0.8,
    }),
    judge({ what: `Median latency of the same`, unit: 'ms', value: lowLatency, atMost: 10 }),
  ];
}

export function measured(
  spread: Spread | undefined,
  detail: string,
): { readonly value: number | undefined; readonly detail: string } {
  const range = spread === undefined || spread.count < 2 ? '' : `, rounds ${roundedText(spread.min)}-${roundedText(spread.max)}`;
  return { value: spread?.median, detail: `${detail}${range}` };
}

export function percent(value: number | undefined): string {
  return value === undefined ? '-' : `${roundedText(value)} %`;
}
