/** Runs the load tester against a server and takes its figures. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { SecondReport, SummaryReport } from '../report.ts';
import { ChildRun } from './child-run.ts';
import type { PeerProcess } from './peer.ts';
import type { Workbench } from './workbench.ts';

/** What a run may take beside its own duration: connecting, warming up, counting. */
const SPARE_MS = 120_000;
/** Until the files have been read once, and the server's code is compiled. */
const FILES_WARM_UP_SECONDS = 2;
/** Until all connections are there. */
const BEGIN_LIMIT_MS = 60_000;
/** Status of a tester that was saturated: it has figures, and says that they do not hold. */
const STATUS_FAULTS = 1;
const STATUS_SATURATED = 3;

export interface PlayLoad {
  readonly url: string;
  readonly players: number;
  readonly seconds: number;
  readonly warmUpSeconds?: number;
  readonly rampPerSecond?: number;
  readonly streams?: number;
  /** Players look for bytes so often, instead of whenever some come; undefined or 0 for the latter. */
  readonly readEveryMs?: number | undefined;
  /** How many check every byte, and read at once whatever `readEveryMs` says; the tester's default when undefined. */
  readonly checked?: number | undefined;
  /** Measured with it. */
  readonly processes?: readonly PeerProcess[];
  /** Called whenever the tester reports a second. */
  readonly onSecond?: (second: SecondReport) => void;
}

/** Files of one server that are asked for in turn, as fast as the answers come. */
export interface FilesLoad {
  readonly urls: readonly string[];
  readonly connections: number;
  readonly seconds: number;
  readonly processes: readonly PeerProcess[];
}

export interface PublishLoad {
  readonly url: string;
  readonly publishers?: number;
  readonly kbps?: number;
  /** Times real time; `max` is as fast as the server takes it. */
  readonly speed?: number | 'max';
  readonly seconds: number;
  readonly rampPerSecond?: number;
  readonly isStamped?: boolean;
  readonly processes?: readonly PeerProcess[];
}

/** Plays and waits for the figures. @throws Error when there are none */
export async function play(bench: Workbench, load: PlayLoad): Promise<SummaryReport> {
  const tester = await Tester.start(bench, 'srs-bench play', playArguments(load), load);
  return await tester.summary();
}

/** Plays until it is stopped, or the time of the load is up; returns when all players are there. */
export function startPlaying(bench: Workbench, load: PlayLoad): Promise<Tester> {
  return startMeasuring(bench, 'srs-bench play', playArguments(load), load);
}

/** Publishes and waits for the figures. @throws Error when there are none */
export async function publish(bench: Workbench, load: PublishLoad): Promise<SummaryReport> {
  const tester = await Tester.start(bench, 'srs-bench publish', publishArguments(load), load);
  return await tester.summary();
}

/** Publishes until it is stopped, or the time of the load is up; returns when all publishers have sent for a second. */
export function startPublishing(bench: Workbench, load: PublishLoad): Promise<Tester> {
  return startMeasuring(bench, 'srs-bench publish', publishArguments(load), load);
}

/** Asks for files and waits for the figures. @throws Error when there are none */
export async function requestFiles(
  bench: Workbench,
  { urls, connections, seconds, processes }: FilesLoad,
): Promise<SummaryReport> {
  const args = [
    'hls',
    ...urls,
    ...option('rate', 'max'),
    ...option('players', connections),
    ...option('warmup', FILES_WARM_UP_SECONDS),
    ...option('duration', seconds),
    ...pidOptions(processes),
  ];
  const tester = await Tester.start(bench, 'srs-bench hls', args, { seconds });
  return await tester.summary();
}

function playArguments(load: PlayLoad): string[] {
  return [
    'play',
    load.url,
    ...option('players', load.players),
    ...option('streams', load.streams),
    ...option('read-every', load.readEveryMs),
    ...option('check', load.checked),
    ...option('ramp', load.rampPerSecond),
    ...option('warmup', load.warmUpSeconds),
    ...option('duration', load.seconds),
    ...pidOptions(load.processes),
  ];
}

function publishArguments(load: PublishLoad): string[] {
  return [
    'publish',
    load.url,
    ...option('publishers', load.publishers),
    ...option('kbps', load.kbps),
    ...option('speed', load.speed),
    ...option('ramp', load.rampPerSecond),
    ...option('duration', load.seconds),
    ...(load.isStamped === false ? ['--no-stamp'] : []),
    ...pidOptions(load.processes),
  ];
}

type TimedLoad = Pick<PlayLoad, 'seconds' | 'onSecond'>;

async function startMeasuring(bench: Workbench, name: string, args: readonly string[], load: TimedLoad): Promise<Tester> {
  const measuring = Promise.withResolvers<void>();
  const tester = await Tester.start(bench, name, args, {
    seconds: load.seconds,
    onSecond: (second) => {
      if (second.phase === 'measuring') measuring.resolve();
      load.onSecond?.(second);
    },
  });
  const limit = delay(BEGIN_LIMIT_MS, 'late' as const, { ref: false });
  const outcome = await Promise.race([measuring.promise, tester.run.ended.then(() => 'ended' as const), limit]);
  if (outcome === undefined) return tester;
  await tester.run.stop();
  throw outcome === 'late' ? new Error(`${name} ${args[1]} did not begin within ${BEGIN_LIMIT_MS} ms`) : tester.run.failure();
}

/** A load tester at work. */
export class Tester implements AsyncDisposable {
  readonly run: ChildRun;
  readonly #signal: AbortSignal;
  readonly #summary: () => SummaryReport | undefined;

  private constructor(run: ChildRun, signal: AbortSignal, summary: () => SummaryReport | undefined) {
    this.run = run;
    this.#signal = signal;
    this.#summary = summary;
  }

  static async start(bench: Workbench, name: string, args: readonly string[], load: TimedLoad): Promise<Tester> {
    let summary: SummaryReport | undefined;
    const run = await ChildRun.start({
      name,
      command: [join(bench.root, 'bin/srs-bench'), ...args, '--json'],
      cores: bench.testerCores,
      signal: bench.signal,
      limitMs: load.seconds * 1_000 + SPARE_MS,
      onLine: (line) => {
        const report = parseReport(line);
        if (report?.type === 'summary') summary = report;
        else if (report?.type === 'second') load.onSecond?.(report);
      },
    });
    return new Tester(run, bench.signal, () => summary);
  }

  /** The figures, when it has ended. @throws Error when it ended without them */
  async summary(): Promise<SummaryReport> {
    const { code } = await this.run.ended;
    // A tester that was told to end reports what it has so far: those are not the figures that were asked for.
    this.#signal.throwIfAborted();
    const summary = this.#summary();
    if (summary === undefined || (code !== 0 && code !== STATUS_FAULTS && code !== STATUS_SATURATED)) throw this.run.failure();
    return summary;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run.stop('SIGINT');
  }
}

/** What a line of the tester reports; undefined for any other text. */
export function parseReport(line: string): SummaryReport | SecondReport | undefined {
  if (!line.startsWith('{')) return undefined;
  const document = JSON.parse(line) as SummaryReport | SecondReport | { readonly type: undefined };
  return document.type === 'summary' || document.type === 'second' ? document : undefined;
}

function option(name: string, value: number | string | undefined): string[] {
  return value === undefined ? [] : [`--${name}`, String(value)];
}

function pidOptions(processes: readonly PeerProcess[] = []): string[] {
  return processes.flatMap(({ pid, label }) => ['--pid', `${pid}:${label}`]);
}
