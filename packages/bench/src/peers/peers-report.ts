/** `peers.md` and `peers.svg`, written from what was measured and nothing else. */
import { environmentLines } from './bench-environment.ts';
import { figureTable } from './figure.ts';
import { markdownTable } from './markdown.ts';
import { cellOf, type PeerRun, type PeersDocument, type RunFigures, ratioCell } from './peers-document.ts';
import { roundedText, spreadText } from './statistics.ts';
import { type Curve, type Panel, plotSvg } from './svg-plot.ts';

type Pick = (figures: RunFigures) => number | undefined;

interface Table {
  readonly head: string;
  readonly pick: Pick;
}

const cpu: Pick = (figures) => figures.cpuPercent;
const memory: Pick = (figures) => figures.pssPerPlayerKb;

const tables: readonly Table[] = [
  { head: 'CPU of the processes that serve media, % of one core', pick: cpu },
  { head: 'CPU of all processes of the server, % of one core', pick: (figures) => figures.totalCpuPercent },
  { head: 'Memory per player, KB (Pss, all processes)', pick: memory },
  { head: 'Latency p50, ms', pick: (figures) => figures.latencyMs?.p50 },
  { head: 'Latency p99, ms', pick: (figures) => figures.latencyMs?.p99 },
  { head: 'Longest silence, ms', pick: (figures) => figures.silenceMaxMs },
  { head: 'Time from play to the first picture, p99, ms', pick: (figures) => figures.firstFrameMs?.p99 },
  { head: 'Bitrate per player, kbps', pick: (figures) => figures.kbpsAverage },
  { head: 'Interval between batches, ms', pick: (figures) => figures.batch?.intervalMs },
];

/** Characters in a line of the plot's head. */
const MAX_LINE = 150;

interface Ratio {
  readonly head: string;
  readonly servers: readonly [of: string, to: string];
  readonly pick: Pick;
}

const ratios: readonly Ratio[] = [
  { head: 'CPU srs / nginx', servers: ['srs', 'nginx'], pick: cpu },
  { head: 'CPU srs-low-latency / nginx', servers: ['srs-low-latency', 'nginx'], pick: cpu },
  { head: 'CPU srs / floor', servers: ['srs', 'floor'], pick: cpu },
  { head: 'CPU srs / node-media-server', servers: ['srs', 'node-media-server'], pick: cpu },
  { head: 'Memory srs / nginx', servers: ['srs', 'nginx'], pick: memory },
];

export function peersMarkdown(document: PeersDocument): string {
  const { environment, settings, servers, skipped, runs, figures } = document;
  return [
    '# RTMP players: this server beside others',
    'Written by `npm run bench:peers`; do not edit. How it is measured: [README](README.md).',
    [
      environmentLines(environment),
      `- Load: one publisher of ${settings.kbps} kbps, ${settings.seconds} s per run, ${settings.rounds} rounds in turn; players read ${settings.readEveryMs === 0 ? 'whenever something comes' : `every ${settings.readEveryMs} ms`}`,
      ...servers.map(({ name, title, version }) => `- ${name}: ${title}, ${version}`),
      ...skipped.map(({ name, reason }) => `- ${name}: **skipped**, ${reason}`),
    ].join('\n'),
    '![CPU, memory and latency over players](peers.svg)',
    ...(figures.length === 0 ? [] : ['## Goals', figureTable(figures)]),
    '## Ratios',
    'Medians over the rounds, in brackets least and most.',
    ratioTable(document),
    '## Figures',
    'Medians over the rounds, in brackets least and most. `†` the tester was saturated in every round, `‡` in some: those are left out.',
    ...tables.flatMap((table) => tableOf(document, table)),
    '## Runs with complaints',
    complaintList(runs),
    '',
  ].join('\n\n');
}

function ratioTable({ settings, servers, runs }: PeersDocument): string {
  const names = new Set(servers.map(({ name }) => name));
  const known = ratios.filter(({ servers: [of, to] }) => names.has(of) && names.has(to));
  return markdownTable(
    ['Players', ...known.map(({ head }) => head)],
    settings.players.map((players) => [
      String(players),
      ...known.map(({ servers: pair, pick }) => spreadText(ratioCell(runs, pair, players, pick))),
    ]),
  );
}

/** Nothing when no server has such figures. */
function tableOf({ settings, servers, runs }: PeersDocument, { head, pick }: Table): string[] {
  if (!runs.some(({ figures }) => figures !== undefined && pick(figures) !== undefined)) return [];
  const rows = settings.players.map((players) => [
    String(players),
    ...servers.map(({ name }) => {
      const { spread, bad, rounds } = cellOf(runs, name, players, pick);
      if (rounds > 0 && spread === undefined && isFailed(runs, name, players)) return 'failed';
      const mark = bad === 0 || spread === undefined ? '' : bad === rounds ? ' †' : ' ‡';
      return `${spreadText(spread)}${mark}`;
    }),
  ]);
  return [`### ${head}`, markdownTable(['Players', ...servers.map(({ name }) => name)], rows)];
}

function isFailed(runs: readonly PeerRun[], server: string, players: number): boolean {
  return runs.filter((run) => run.server === server && run.players === players).every(({ figures }) => figures === undefined);
}

function complaintList(runs: readonly PeerRun[]): string {
  const lines = runs
    .filter(({ complaints }) => complaints.length > 0)
    .map(({ server, players, round, figures, complaints }) => {
      const state = figures === undefined ? 'failed: ' : '';
      return `- ${server}, ${players} players, round ${round}: ${state}${complaints.join('; ').replaceAll(/\s*\n\s*/g, ' ')}`;
    });
  return lines.length === 0 ? 'None.' : lines.join('\n');
}

export function peersPlot(document: PeersDocument): string {
  const { environment, settings, servers, runs } = document;
  const panel = (title: string, yLabel: string, pick: Pick, isLogarithmic = false): Panel => ({
    title,
    xLabel: 'players',
    yLabel,
    isLogarithmic,
    curves: servers.map(({ name, title: series }) => curveOf(runs, settings.players, name, series, pick)),
  });
  return plotSvg({
    title: `RTMP players of ${roundedText(settings.kbps)} kbps: processor, memory, latency`,
    lines: [
      `${environment.date.slice(0, 10)}, commit ${environment.commit}, ${environment.cores} cores of ${environment.cpu}, ${environment.kernel}`,
      ...wrapped(servers.map(({ title, version }) => `${title}: ${version}`)),
    ],
    series: servers.map(({ title }) => title),
    panels: [
      panel('Processor', '% of one core', cpu),
      panel('Memory per player', 'KB', memory),
      panel('Latency, median', 'ms', (figures) => figures.latencyMs?.p50, true),
    ],
  });
}

/** Texts side by side, on as many lines as they need. */
function wrapped(texts: readonly string[]): string[] {
  const lines: string[] = [];
  for (const text of texts) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + text.length < MAX_LINE) lines[lines.length - 1] = `${last} · ${text}`;
    else lines.push(text);
  }
  return lines;
}

function curveOf(runs: readonly PeerRun[], counts: readonly number[], server: string, series: string, pick: Pick): Curve {
  const points = counts.flatMap((players) => {
    const { spread, bad, rounds } = cellOf(runs, server, players, pick);
    if (spread === undefined) return [];
    return [{ x: players, y: spread.median, min: spread.min, max: spread.max, isValid: bad < rounds }];
  });
  return { series, points };
}
