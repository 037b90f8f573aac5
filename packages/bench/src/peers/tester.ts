/** Runs the load tester against a server and takes its figures. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { SecondReport, SummaryReport } from '../report.ts';
import { ChildRun } from './child-run.ts';
import type { PeerProcess } from './peer.ts';
import type { Workbench } from './workbench.ts';

/** What a run may take beside its own duration: connecting, warming up, counting. */
const SPARE_MS = 120_000;
const PUBLISH_LIMIT_MS = 20_000;
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
  /** Measured with it. */
  readonly processes?: readonly PeerProcess[];
  /** Called whenever the tester reports a second. */
  readonly onSecond?: (second: SecondReport) => void;
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
  const args = [
    'play',
    load.url,
    ...option('players', load.players),
    ...option('streams', load.streams),
    ...option('ramp', load.rampPerSecond),
    ...option('warmup', load.warmUpSeconds),
    ...option('duration', load.seconds),
    ...pidOptions(load.processes),
  ];
  const tester = await Tester.start(bench, 'srs-bench play', args, load.seconds, load.onSecond);
  return await tester.summary();
}

/** Publishes and waits for the figures. @throws Error when there are none */
export async function publish(bench: Workbench, load: PublishLoad): Promise<SummaryReport> {
  const tester = await startPublishing(bench, load);
  return await tester.summary();
}

/** Publishes until it is stopped, or the time of the load is up; returns when all publishers have sent for a second. */
export async function startPublishing(bench: Workbench, load: PublishLoad): Promise<Tester> {
  const args = [
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
  const started = Promise.withResolvers<void>();
  const tester = await Tester.start(bench, 'srs-bench publish', args, load.seconds, ({ phase }) => {
    if (phase === 'measuring') started.resolve();
  });
  const limit = delay(PUBLISH_LIMIT_MS, 'late' as const, { ref: false });
  const outcome = await Promise.race([started.promise, tester.run.ended.then(() => 'ended' as const), limit]);
  if (outcome === undefined) return tester;
  await tester.run.stop();
  throw outcome === 'late'
    ? new Error(`srs-bench publish ${load.url} did not begin within ${PUBLISH_LIMIT_MS} ms`)
    : tester.run.failure();
}

/** A load tester at work. */
export class Tester implements AsyncDisposable {
  readonly run: ChildRun;
  readonly #summary: () => SummaryReport | undefined;

  private constructor(run: ChildRun, summary: () => SummaryReport | undefined) {
    this.run = run;
    this.#summary = summary;
  }

  static async start(
    bench: Workbench,
    name: string,
    args: readonly string[],
    seconds: number,
    onSecond?: (second: SecondReport) => void,
  ): Promise<Tester> {
    let summary: SummaryReport | undefined;
    const run = await ChildRun.start({
      name,
      command: [join(bench.root, 'bin/srs-bench'), ...args, '--json'],
      cores: bench.testerCores,
      signal: bench.signal,
      limitMs: seconds * 1_000 + SPARE_MS,
      onLine: (line) => {
        const report = parseReport(line);
        if (report?.type === 'summary') summary = report;
        else if (report?.type === 'second') onSecond?.(report);
      },
    });
    return new Tester(run, () => summary);
  }

  /** The figures, when it has ended. @throws Error when it ended without them */
  async summary(): Promise<SummaryReport> {
    const { code } = await this.run.ended;
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
