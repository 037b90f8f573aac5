/** `npm run bench:cluster`: what a hop from server to server costs. */
import { describeError } from '@srs/kernel';
import { type BenchEnvironment, describeEnvironment, environmentLines } from './bench-environment.ts';
import { type BenchProgram, commonOptions, maxPort, readNumber } from './bench-program.ts';
import { ClusterPeer } from './cluster-peer.ts';
import { type Figure, figureTable, judge } from './figure.ts';
import { markdownTable } from './markdown.ts';
import { MAX_CLIENTS } from './peer.ts';
import { cellOf, type PeerRun, type RunFigures, ratioCell } from './peers-document.ts';
import { measured, percent } from './peers-figures.ts';
import { READ_EVERY_MS } from './peers-program.ts';
import { measurePlayers } from './peers-run.ts';
import { type Spread, spreadOf, spreadText } from './statistics.ts';
import type { Workbench } from './workbench.ts';

export interface ClusterPlan {
  /** Of the latency: all of them read at once. */
  readonly viewers: number;
  /** Of the CPU. */
  readonly players: number;
  readonly rounds: number;
  readonly seconds: number;
  readonly kbps: number;
  readonly port: number;
}

export interface ClusterDocument {
  readonly kind: 'cluster';
  readonly environment: BenchEnvironment;
  readonly settings: ClusterPlan;
  readonly runs: readonly PeerRun[];
  readonly figures: readonly Figure[];
}

const places = ['origin', 'edge', 'edge of an edge'] as const;
type Place = (typeof places)[number];

/** What a hop may add to the median latency. */
const MAX_HOP_MS = 5;
const MAX_CPU_RATIO = 1.05;

export const clusterProgram: BenchProgram<ClusterPlan, ClusterDocument> = {
  name: 'cluster',
  purpose: 'Latency that a hop from server to server adds, and CPU of an edge beside an origin.',
  options: {
    viewers: { type: 'number', default: 100, requiresArg: true, describe: 'Players whose latency is measured' },
    players: {
      type: 'number',
      default: 1_000,
      requiresArg: true,
      describe: 'Players of an edge and an origin whose CPU is compared',
    },
    rounds: { type: 'number', default: 5, requiresArg: true, describe: 'How often everything is measured' },
    ...commonOptions,
    port: { ...commonOptions.port, describe: 'The servers listen here; those after it are used too, up to 60' },
  },
  read: (parsed) => ({
    viewers: readNumber(parsed, 'viewers', 1, 1_000),
    players: readNumber(parsed, 'players', 1, MAX_CLIENTS - 1),
    rounds: readNumber(parsed, 'rounds', 1, 100),
    seconds: readNumber(parsed, 'seconds', 1, 120),
    kbps: readNumber(parsed, 'kbps', 1, 100_000),
    port: readNumber(parsed, 'port', 1, maxPort),
  }),
  run: measureCluster,
  write: (document) => ({ md: clusterMarkdown(document) }),
  isComplete: ({ runs }) => runs.every(({ figures }) => figures !== undefined),
};

interface Turn {
  readonly place: Place;
  readonly players: number;
  readonly readEveryMs: number;
}

async function measureCluster(bench: Workbench, plan: ClusterPlan, command: string): Promise<ClusterDocument> {
  const environment = await describeEnvironment(bench, command);
  const turns: readonly Turn[] = [
    ...places.map((place) => ({ place, players: plan.viewers, readEveryMs: 0 })),
    ...places.slice(0, 2).map((place) => ({ place, players: plan.players, readEveryMs: READ_EVERY_MS })),
  ];
  const runs: PeerRun[] = [];
  for (let round = 1; round <= plan.rounds; round++) {
    // Who comes first in one round comes last in the next: a machine that becomes slower favours nobody.
    for (const turn of round % 2 === 1 ? turns : turns.toReversed()) runs.push(await measureTurn(bench, plan, turn, round));
  }
  return { kind: 'cluster', environment, settings: plan, runs, figures: clusterFigures(plan, runs) };
}

async function measureTurn(bench: Workbench, plan: ClusterPlan, turn: Turn, round: number): Promise<PeerRun> {
  const { place, players, readEveryMs } = turn;
  const run = { server: place, players, round };
  try {
    await using running = await new ClusterPeer(place.replaceAll(' ', '-'), places.indexOf(place)).start(bench, plan.port);
    const outcome = await measurePlayers(bench, { ...plan, readEveryMs }, running, players);
    const p50 = outcome.figures?.latencyMs?.p50.toFixed(2) ?? '-';
    const cpu = percent(outcome.figures?.totalCpuPercent);
    bench.say([`round ${round}, ${players} players, ${place}: p50 ${p50} ms, CPU ${cpu}`, ...outcome.complaints].join('; '));
    return { ...run, ...outcome };
  } catch (thrown) {
    bench.signal.throwIfAborted();
    return { ...run, isValid: false, complaints: [describeError(thrown)] };
  }
}

const latency = (figures: RunFigures): number | undefined => figures.latencyMs?.p50;
const cpu = (figures: RunFigures): number => figures.totalCpuPercent;

/** How much later media comes there, in the rounds that have both. */
function addedMs(runs: readonly PeerRun[], place: Place, before: Place, players: number): Spread | undefined {
  const inRound = (server: Place, round: number): number | undefined => {
    const run = runs.find((one) => one.server === server && one.players === players && one.round === round);
    return run?.isValid === true && run.figures !== undefined ? latency(run.figures) : undefined;
  };
  const rounds = Array.from(new Set(runs.map(({ round }) => round)));
  return spreadOf(
    rounds.flatMap((round) => {
      const [there, nearer] = [inRound(place, round), inRound(before, round)];
      return there === undefined || nearer === undefined ? [] : [there - nearer];
    }),
  );
}

export function clusterFigures({ viewers, players }: ClusterPlan, runs: readonly PeerRun[]): Figure[] {
  const hop = (what: string, place: Place, before: Place): Figure =>
    judge({ what, unit: 'ms', ...measured(addedMs(runs, place, before, viewers), 'difference of medians'), atMost: MAX_HOP_MS });
  const median = (place: Place): number | undefined => cellOf(runs, place, players, cpu).spread?.median;
  return [
    hop(`Latency that an edge adds, ${viewers} players, p50`, 'edge', 'origin'),
    hop(`Latency that an edge of an edge adds to it, ${viewers} players, p50`, 'edge of an edge', 'edge'),
    judge({
      what: `CPU of an edge, all processes, ${players} players`,
      unit: "x an origin's",
      ...measured(
        ratioCell(runs, ['edge', 'origin'], players, cpu),
        `${percent(median('edge'))} to ${percent(median('origin'))} of a core`,
      ),
      atMost: MAX_CPU_RATIO,
    }),
  ];
}

export function clusterMarkdown({ environment, settings, runs, figures }: ClusterDocument): string {
  const { viewers, players } = settings;
  const row = (place: Place, count: number): string[] => {
    const text = (pick: (figures: RunFigures) => number | undefined): string =>
      spreadText(cellOf(runs, place, count, pick).spread);
    return [
      place,
      String(count),
      text(latency),
      text(({ latencyMs }) => latencyMs?.p99),
      text(cpu),
      text(({ cpuPercent }) => cpuPercent),
      text(({ batch }) => batch?.intervalMs),
      String(cellOf(runs, place, count, cpu).bad),
    ];
  };
  const complaints = runs.filter(({ complaints }) => complaints.length > 0);
  return [
    '# Clusters',
    'Written by `npm run bench:cluster`; do not edit. How it is measured: [README](README.md).',
    [
      environmentLines(environment),
      `- Load: one publisher of ${settings.kbps} kbps at the origin, ${settings.seconds} s per run, ${settings.rounds} rounds`,
    ].join('\n'),
    '## Goals',
    figureTable(figures),
    '## Figures',
    'Median over the rounds, least and most in brackets.',
    markdownTable(
      [
        'Played from',
        'Players',
        'Latency p50, ms',
        'p99, ms',
        'CPU of all processes, %',
        'Of the stream worker, %',
        'Between batches, ms',
        'Runs that do not count',
      ],
      [...places.map((place) => row(place, viewers)), ...places.slice(0, 2).map((place) => row(place, players))],
    ),
    '## Runs with complaints',
    complaints.length === 0
      ? 'None.'
      : complaints
          .map(
            (run) =>
              `- ${run.server}, ${run.players} players, round ${run.round}: ${run.complaints.join('; ').replaceAll('\n', ' ')}`,
          )
          .join('\n'),
    '',
  ].join('\n\n');
}
