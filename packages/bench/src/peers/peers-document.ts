/** Everything that one run of the comparison has found: what `peers.json` holds. */
import type { Percentiles } from '../latency-histogram.ts';
import type { SummaryReport } from '../report.ts';
import type { BenchEnvironment } from './bench-environment.ts';
import type { Figure } from './figure.ts';
import type { PeerProcess } from './peer.ts';
import { ratioOf, type Spread, spreadOf } from './statistics.ts';

export interface PeersDocument {
  readonly kind: 'peers';
  readonly environment: BenchEnvironment;
  readonly settings: PeersSettings;
  readonly servers: readonly MeasuredServer[];
  readonly skipped: readonly SkippedServer[];
  readonly runs: readonly PeerRun[];
  readonly figures: readonly Figure[];
}

export interface PeersSettings {
  readonly players: readonly number[];
  readonly rounds: number;
  readonly seconds: number;
  readonly kbps: number;
  /** 0: players read whenever something comes. */
  readonly readEveryMs: number;
}

export interface MeasuredServer {
  readonly name: string;
  readonly title: string;
  readonly version: string;
}

export interface SkippedServer {
  readonly name: string;
  readonly reason: string;
}

/** One server with so many players, measured once. */
export interface PeerRun {
  readonly server: string;
  readonly players: number;
  readonly round: number;
  /** Undefined when the run failed. */
  readonly figures?: RunFigures;
  /** Whether the tester was up to its work; false also for a run that failed. */
  readonly isValid: boolean;
  /** What went wrong, in words; a run can have figures nevertheless. */
  readonly complaints: readonly string[];
}

export interface RunFigures {
  /** Of one core, of the processes that serve media. */
  readonly cpuPercent: number;
  /** All processes of the server. */
  readonly totalCpuPercent: number;
  /** Undefined for what has no players as the others have. */
  readonly pssPerPlayerKb?: number;
  readonly latencyMs?: Percentiles;
  readonly firstFrameMs?: Percentiles;
  readonly silenceMaxMs?: number;
  readonly kbpsAverage: number;
  /** How often players were given bytes, and how many at a time; of servers that tell. */
  readonly batch?: Batch;
  /** All that the tester said. */
  readonly summary?: SummaryReport;
}

export interface Batch {
  readonly intervalMs: number;
  readonly bytes: number;
}

export function figuresOf(summary: SummaryReport, processes: readonly PeerProcess[], batch: Batch | undefined): RunFigures {
  const serving = new Set(processes.filter(({ isServing }) => isServing).map(({ pid }) => pid));
  let cpuPercent = 0;
  for (const usage of summary.server.processes) if (serving.has(usage.pid)) cpuPercent += usage.cpuPercent;
  return {
    cpuPercent,
    totalCpuPercent: summary.server.cpuPercent,
    pssPerPlayerKb: summary.server.pssPerPlayerKb,
    ...(summary.latencyMs === null ? {} : { latencyMs: summary.latencyMs }),
    ...(summary.firstFrameMs === null ? {} : { firstFrameMs: summary.firstFrameMs }),
    silenceMaxMs: summary.silenceMs.max,
    kbpsAverage: summary.kbps.avg,
    ...(batch === undefined ? {} : { batch }),
    summary,
  };
}

/** What a tester's figures say against themselves or the server. */
export function complaintsOf(summary: SummaryReport): string[] {
  const { mode, players, publishers, gaps, wrong, requests, invalidReasons } = summary;
  const { failures = {}, lost = 0 } = (mode === 'publish' ? publishers : players) ?? {};
  const clients = mode === 'publish' ? 'publishers' : 'players';
  return [
    ...invalidReasons,
    ...Object.entries(failures).map(([reason, count]) => `${count} ${clients}: ${reason}`),
    ...Object.entries(requests?.failures ?? {}).map(([reason, count]) => `${count} requests: ${reason}`),
    ...(lost > 0 ? [`${lost} ${clients} lost their connection`] : []),
    ...(gaps.players > 0 ? [`${gaps.players} players missed ${gaps.frames} frames`] : []),
    ...(wrong.players > 0 ? [`${wrong.players} players got ${wrong.messages} wrong messages`] : []),
  ];
}

/** One figure of one server at one number of players, over the rounds. */
export interface Cell {
  readonly spread: Spread | undefined;
  /** Rounds that did not give a figure, or one that does not hold. */
  readonly bad: number;
  readonly rounds: number;
}

/** Rounds with a saturated tester count only when there are no others. */
export function cellOf(
  runs: readonly PeerRun[],
  server: string,
  players: number,
  pick: (figures: RunFigures) => number | undefined,
): Cell {
  const rounds = runs.filter((run) => run.server === server && run.players === players);
  const valid = rounds.filter(({ isValid }) => isValid);
  const valuesOf = (some: readonly PeerRun[]): number[] =>
    some.flatMap(({ figures }) => {
      const value = figures === undefined ? undefined : pick(figures);
      return value === undefined ? [] : [value];
    });
  const values = valuesOf(valid);
  return {
    spread: spreadOf(values.length > 0 ? values : valuesOf(rounds)),
    bad: rounds.length - valid.length,
    rounds: rounds.length,
  };
}

/** The ratio of two servers in the same round, over the rounds that both have valid figures of. */
export function ratioCell(
  runs: readonly PeerRun[],
  servers: readonly [of: string, to: string],
  players: number,
  pick: (figures: RunFigures) => number | undefined,
): Spread | undefined {
  const figureIn = (server: string, round: number): number | undefined => {
    const run = runs.find((one) => one.server === server && one.players === players && one.round === round);
    return run?.isValid === true && run.figures !== undefined ? pick(run.figures) : undefined;
  };
  const rounds = new Set(runs.map(({ round }) => round));
  return spreadOf(
    Array.from(rounds, (round) => ratioOf(figureIn(servers[0], round), figureIn(servers[1], round))).filter(
      (ratio) => ratio !== undefined,
    ),
  );
}
