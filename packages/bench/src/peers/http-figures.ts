/** What `bench:http` says about the project's goals. */
import { type Figure, judge } from './figure.ts';
import { type FileRun, fileRatio, fileSpread, type HttpPlan } from './http-document.ts';
import { cellOf, type PeerRun, type RunFigures, ratioCell } from './peers-document.ts';
import { measured, percent } from './peers-figures.ts';
import { roundedText, type Spread } from './statistics.ts';

/** A tester that used more than this of its core was the limit. */
const BUSY_PERCENT = 85;
const MAX_CPU_RATIO = 1;
const LEAST_FILE_RATIO = 0.5;

const cpu = (figures: RunFigures): number => figures.cpuPercent;

export function httpFigures(plan: HttpPlan, playerRuns: readonly PeerRun[], fileRuns: readonly FileRun[]): Figure[] {
  return [...playerFigures(plan, playerRuns), ...fileFigures(plan, fileRuns)];
}

function playerFigures({ players, over }: HttpPlan, runs: readonly PeerRun[]): Figure[] {
  if (runs.length === 0 || !over.includes('rtmp')) return [];
  const spread = (name: string): Spread | undefined => cellOf(runs, name, players, cpu).spread;
  return over
    .filter((name) => name !== 'rtmp')
    .map((name) => {
      const ratio = ratioCell(runs, [name, 'rtmp'], players, cpu);
      const sides = `${percent(spread(name)?.median)} to ${percent(spread('rtmp')?.median)} of a core`;
      const noise = noiseOf([spread(name), spread('rtmp')]);
      return judge({
        what: `CPU of the worker that sends, ${players} players over ${name}`,
        unit: "x RTMP's",
        ...measured(ratio, sides),
        atMost: MAX_CPU_RATIO,
        note: noiseText(ratio, noise),
      });
    });
}

/** How far the same measurement lies apart from one round to another, as a share of it: the larger one. */
function noiseOf(spreads: readonly (Spread | undefined)[]): number | undefined {
  const shares = spreads.flatMap((one) => (one === undefined || one.count < 2 ? [] : [(one.max - one.min) / one.median]));
  return shares.length === 0 ? undefined : Math.max(...shares);
}

function noiseText(ratio: Spread | undefined, noise: number | undefined): string {
  if (noise === undefined) return 'one round says nothing about the noise';
  const text = `noise: the same measurement differs by ${roundedText(noise * 100)} % between rounds`;
  const isWithin = ratio !== undefined && ratio.median > MAX_CPU_RATIO && ratio.median <= MAX_CPU_RATIO + noise;
  return isWithin ? `${text}, more than the goal is missed by` : text;
}

function fileFigures({ segmentKb }: HttpPlan, runs: readonly FileRun[]): Figure[] {
  if (!runs.some(({ server }) => server === 'srs')) return [];
  const what = `HLS playlists and segments of ${segmentKb} KB in turn, one worker`;
  const row = (unit: string, pick: Parameters<typeof fileSpread>[3], more: { readonly note?: string }): Figure => {
    const side = (server: string): string => {
      const spread = fileSpread(runs, server, 'both', pick);
      return spread === undefined ? '-' : roundedText(spread.median);
    };
    const ratio = fileRatio(runs, ['srs', 'nginx'], 'both', pick);
    return judge({ what, unit, ...measured(ratio, `${side('srs')} to ${side('nginx')}`), atLeast: LEAST_FILE_RATIO, ...more });
  };
  const busy = busyText(runs);
  return [
    row("x nginx's requests per second", (figures) => figures.requestsPerSecond, busy === undefined ? {} : { note: busy }),
    row("x nginx's requests per second of processor time", (figures) => figures.requestsPerCpuSecond, {}),
  ];
}

function busyText(runs: readonly FileRun[]): string | undefined {
  const isBusy = (server: string): boolean =>
    (fileSpread(runs, server, 'both', (figures) => figures.testerCpuPercent)?.median ?? 0) > BUSY_PERCENT;
  const busy = ['srs', 'nginx'].filter(isBusy);
  return busy.length === 0 ? undefined : `the tester was the limit of ${busy.join(' and ')}: the next line does not depend on it`;
}
