/** Everything that one run of `bench:http` has found: what `http.json` holds. */
import type { Percentiles } from '../latency-histogram.ts';
import type { SummaryReport } from '../report.ts';
import type { BenchEnvironment } from './bench-environment.ts';
import type { Figure } from './figure.ts';
import type { PeerProcess } from './peer.ts';
import type { PeerRun, SkippedServer } from './peers-document.ts';
import type { PlayedOver } from './srs-peer.ts';
import { ratioOf, type Spread, spreadOf } from './statistics.ts';

export interface HttpPlan {
  readonly measure: readonly HttpPart[];
  readonly over: readonly PlayedOver[];
  readonly players: number;
  readonly readEveryMs: number;
  readonly kbps: number;
  /** Keep-alive connections that ask for files. */
  readonly connections: number;
  readonly segmentKb: number;
  readonly rounds: number;
  readonly seconds: number;
  readonly port: number;
}

export const httpParts = ['players', 'files'] as const;
type HttpPart = (typeof httpParts)[number];

/** What is asked for: playlists only, segments only, or one after the other as viewers do. */
export const fileLoads = ['playlists', 'segments', 'both'] as const;
export type FileLoad = (typeof fileLoads)[number];

export interface HttpDocument {
  readonly kind: 'http';
  readonly environment: BenchEnvironment;
  readonly settings: HttpPlan;
  readonly versions: Readonly<Record<string, string>>;
  readonly skipped: readonly SkippedServer[];
  /** Their `server` is what they are played over. */
  readonly playerRuns: readonly PeerRun[];
  readonly fileRuns: readonly FileRun[];
  readonly figures: readonly Figure[];
}

export interface FileRun {
  readonly server: string;
  readonly load: FileLoad;
  readonly round: number;
  /** Undefined when the run failed. */
  readonly figures?: FileFigures;
  readonly complaints: readonly string[];
}

export interface FileFigures {
  readonly requestsPerSecond: number;
  readonly megabytesPerSecond: number;
  /** Of one core, of the process that sends the files. */
  readonly cpuPercent: number;
  /** For each second of processor time of that process. */
  readonly requestsPerCpuSecond: number;
  readonly latencyMs: Percentiles | null;
  readonly testerCpuPercent: number;
}

export function fileFiguresOf(summary: SummaryReport, processes: readonly PeerProcess[]): FileFigures {
  const serving = new Set(processes.filter(({ isServing }) => isServing).map(({ pid }) => pid));
  const usages = summary.server.processes.filter(({ pid }) => serving.has(pid));
  const cpuPercent = usages.reduce((sum, usage) => sum + usage.cpuPercent, 0);
  const requestsPerSecond = summary.requests?.perSecond ?? 0;
  return {
    requestsPerSecond,
    megabytesPerSecond: summary.bytes / 1e6 / summary.seconds,
    cpuPercent,
    requestsPerCpuSecond: ratioOf(requestsPerSecond * 100, cpuPercent) ?? 0,
    latencyMs: summary.latencyMs,
    testerCpuPercent: summary.tester.cpuPercent,
  };
}

type Pick = (figures: FileFigures) => number;

/** One figure of one server, over the rounds. */
export function fileSpread(runs: readonly FileRun[], server: string, load: FileLoad, pick: Pick): Spread | undefined {
  const own = runs.filter((run) => run.server === server && run.load === load);
  return spreadOf(own.flatMap(({ figures }) => (figures === undefined ? [] : [pick(figures)])));
}

/** The ratio of two servers in the same round, over the rounds. */
export function fileRatio(
  runs: readonly FileRun[],
  servers: readonly [of: string, to: string],
  load: FileLoad,
  pick: Pick,
): Spread | undefined {
  const figureIn = (server: string, round: number): number | undefined => {
    const run = runs.find((one) => one.server === server && one.load === load && one.round === round);
    return run?.figures === undefined ? undefined : pick(run.figures);
  };
  const rounds = [...new Set(runs.map(({ round }) => round))];
  return spreadOf(
    rounds
      .map((round) => ratioOf(figureIn(servers[0], round), figureIn(servers[1], round)))
      .filter((ratio) => ratio !== undefined),
  );
}
