/** `npm run bench:scaling`: players of one, two and more stream workers. */
import { describeError } from '@srs/kernel';
import { type BenchEnvironment, describeEnvironment, environmentLines } from './bench-environment.ts';
import { type BenchProgram, commonOptions, maxPort, readNumber, readNumbers } from './bench-program.ts';
import { type Figure, figureTable, judge } from './figure.ts';
import { markdownTable } from './markdown.ts';
import { MAX_CLIENTS } from './peer.ts';
import type { PeerRun } from './peers-document.ts';
import { measurePlayers } from './peers-run.ts';
import { SrsPeer } from './srs-peer.ts';
import { roundedText, spreadOf, spreadText } from './statistics.ts';
import type { Workbench } from './workbench.ts';

export interface ScalingPlan {
  readonly workers: readonly number[];
  readonly playersPerWorker: number;
  readonly rounds: number;
  readonly seconds: number;
  readonly kbps: number;
  readonly port: number;
}

export interface ScalingRun extends Omit<PeerRun, 'server'> {
  readonly workers: number;
  /** How the kernel has spread the connections. */
  readonly playersByWorker: readonly number[];
}

export interface ScalingDocument {
  readonly kind: 'scaling';
  readonly environment: BenchEnvironment;
  readonly settings: ScalingPlan;
  readonly runs: readonly ScalingRun[];
  readonly figures: readonly Figure[];
}

export const scalingProgram: BenchProgram<ScalingPlan, ScalingDocument> = {
  name: 'scaling',
  purpose: 'CPU per stream worker with the same number of players for each, and how the kernel spreads them.',
  options: {
    workers: { type: 'string', default: '1,2,4', requiresArg: true, describe: 'Numbers of stream workers' },
    'players-per-worker': { type: 'number', default: 1_350, requiresArg: true, describe: 'Players for each of them' },
    rounds: { type: 'number', default: 2, requiresArg: true, describe: 'How often everything is measured' },
    ...commonOptions,
  },
  read: (parsed) => ({
    workers: readNumbers(parsed, 'workers', 1, 8),
    playersPerWorker: readNumber(parsed, 'players-per-worker', 1, (MAX_CLIENTS - 1) / 8),
    rounds: readNumber(parsed, 'rounds', 1, 100),
    seconds: readNumber(parsed, 'seconds', 1, 120),
    kbps: readNumber(parsed, 'kbps', 1, 100_000),
    port: readNumber(parsed, 'port', 1, maxPort),
  }),
  run: measureScaling,
  write: (document) => ({ md: scalingMarkdown(document) }),
  isComplete: ({ runs }) => runs.every(({ figures }) => figures !== undefined),
};

async function measureScaling(bench: Workbench, plan: ScalingPlan, command: string): Promise<ScalingDocument> {
  const environment = await describeEnvironment(bench, command);
  const runs: ScalingRun[] = [];
  for (let round = 1; round <= plan.rounds; round++) {
    for (const workers of plan.workers) {
      const run = await measureWorkers(bench, plan, workers, round);
      runs.push(run);
      const cpu = run.figures === undefined ? 'failed' : `CPU ${roundedText(run.figures.cpuPercent / workers)} % per worker`;
      const spread = `players ${run.playersByWorker.join(' ')}`;
      bench.say([`round ${round}, ${workers} workers, ${run.players} players: ${cpu}, ${spread}`, ...run.complaints].join('; '));
    }
  }
  return { kind: 'scaling', environment, settings: plan, runs, figures: scalingFigures(runs) };
}

async function measureWorkers(bench: Workbench, plan: ScalingPlan, workers: number, round: number): Promise<ScalingRun> {
  const players = plan.playersPerWorker * workers;
  let playersByWorker: number[] = [];
  try {
    // More workers than cores for the server: the kernel places them, beside the tester.
    const server = new SrsPeer({ name: 'srs', title: 'srs', streamWorkers: workers, runsOn: 'all' });
    await using running = await server.start(bench, plan.port);
    const outcome = await measurePlayers(bench, plan, running, players, () => {
      running.playersPerWorker().then(
        (counts) => {
          if (total(counts) >= total(playersByWorker)) playersByWorker = counts;
        },
        () => {
          // Asked again a second later.
        },
      );
    });
    return { workers, players, round, playersByWorker, ...outcome };
  } catch (thrown) {
    bench.signal.throwIfAborted();
    return { workers, players, round, playersByWorker, isValid: false, complaints: [describeError(thrown)] };
  }
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** How many players one worker serves with one percent of a core. */
function playersPerPercent({ figures, players }: ScalingRun): number[] {
  return figures === undefined || figures.cpuPercent <= 0 ? [] : [players / figures.cpuPercent];
}

/**
 * Players that so many workers serve at the CPU per worker that one worker needs: the number of workers, less what each player
 * costs more than it does with one.
 */
export function scaleOf(runs: readonly ScalingRun[], workers: number): number | undefined {
  const median = (count: number): number | undefined =>
    spreadOf(runs.filter((run) => run.workers === count && run.isValid).flatMap(playersPerPercent))?.median;
  const [one, many] = [median(1), median(workers)];
  return one === undefined || many === undefined ? undefined : (workers * many) / one;
}

function scalingFigures(runs: readonly ScalingRun[]): Figure[] {
  return [
    judge({
      what: 'Scaling from 1 to 2 stream workers',
      unit: 'x players at equal CPU per worker',
      value: scaleOf(runs, 2),
      atLeast: 1.8,
    }),
  ];
}

export function scalingMarkdown({ environment, settings, runs, figures }: ScalingDocument): string {
  const counts = settings.workers;
  const rows = counts.map((workers) => {
    const own = runs.filter((run) => run.workers === workers);
    const perWorker = own.flatMap((run) => (run.figures === undefined ? [] : [run.figures.cpuPercent / workers]));
    const scale = scaleOf(runs, workers);
    return [
      String(workers),
      String(workers * settings.playersPerWorker),
      spreadText(spreadOf(perWorker)),
      scale === undefined ? '-' : roundedText(scale),
      spreadText(spreadOf(own.flatMap(({ figures }) => (figures?.latencyMs === undefined ? [] : [figures.latencyMs.p50])))),
      spreadText(spreadOf(own.flatMap(({ figures }) => (figures?.batch === undefined ? [] : [figures.batch.intervalMs])))),
      own.map(({ playersByWorker }) => playersByWorker.join(' ')).join(', '),
      deviationText(workers, workers * settings.playersPerWorker),
    ];
  });
  const complaints = runs.filter(({ complaints }) => complaints.length > 0);
  return [
    '# Scaling over stream workers',
    'Written by `npm run bench:scaling`; do not edit. How it is measured: [README](README.md).',
    [
      environmentLines(environment),
      `- Load: one publisher of ${settings.kbps} kbps, ${settings.playersPerWorker} players for each worker, ${settings.seconds} s per run, ${settings.rounds} rounds`,
      '- The workers are not pinned: they share the cores with the tester',
    ].join('\n'),
    '## Goals',
    figureTable(figures),
    '## Figures',
    'Scale: players at the CPU per worker that one worker needs. Expected deviation: of a binomial spread, in players.',
    markdownTable(
      [
        'Workers',
        'Players',
        'CPU per worker, %',
        'Scale',
        'Latency p50, ms',
        'Between batches, ms',
        'Players of each worker, by round',
        'Expected deviation',
      ],
      rows,
    ),
    '## Runs with complaints',
    complaints.length === 0
      ? 'None.'
      : complaints
          .map(
            ({ workers, round, complaints }) =>
              `- ${workers} workers, round ${round}: ${complaints.join('; ').replaceAll('\n', ' ')}`,
          )
          .join('\n'),
    '',
  ].join('\n\n');
}

function deviationText(workers: number, players: number): string {
  const share = 1 / workers;
  return workers === 1 ? '0' : `${roundedText(players * share)} ± ${roundedText(Math.sqrt(players * share * (1 - share)))}`;
}
