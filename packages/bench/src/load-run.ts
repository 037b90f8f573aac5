/** One load test from its first connection to its report. */
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { addCounts, type ConnectionCounts } from './connection-counts.ts';
import { LatencyHistogram, type Percentiles } from './latency-histogram.ts';
import type { GroupName, LoadResult, LoadSecond, TesterFigures } from './load-figures.ts';
import { type LoadPlan, sharesOf } from './load-plan.ts';
import { LoadProcess } from './load-process.ts';
import { type Mode, type SecondReport, type SummaryReport, secondReport, summaryReport } from './report.ts';
import { ServerWatch } from './server-watch.ts';
import { TesterLoad } from './tester-load.ts';
import { invalidReasons } from './verdict.ts';

/** What a test tells while it runs. */
export interface RunObserver {
  /** Several times a second while connections are opened. */
  onProgress(counts: ConnectionCounts): void;
  onSecond(report: SecondReport): void;
}

const PROGRESS_MS = 250;
const SECOND_MS = 1000;

export class LoadRun {
  readonly #plan: LoadPlan;
  readonly #observer: RunObserver;
  readonly #command: string;
  readonly #startedAt = new Date().toISOString();
  readonly #processes: LoadProcess[] = [];
  readonly #stop = new AbortController();
  readonly #watch: ServerWatch;
  readonly #load = new TesterLoad();
  readonly #secondLoad = new TesterLoad();
  readonly #secondWatch: ServerWatch;
  #second = 0;

  constructor(plan: LoadPlan, command: string, observer: RunObserver) {
    this.#plan = plan;
    this.#command = command;
    this.#observer = observer;
    this.#watch = new ServerWatch(plan.watched, plan.watchedTrees);
    this.#secondWatch = new ServerWatch(plan.watched, plan.watchedTrees);
  }

  /** Ends the test early: what has been measured is reported. */
  stop(): void {
    this.#stop.abort();
  }

  /** @throws LoadProcessError when a process of the tester cannot do its part */
  async run(): Promise<SummaryReport> {
    try {
      const plan = this.#plan;
      const publish = plan.kind === 'play' ? plan.publish : undefined;
      if (publish !== undefined) await this.#startAll(publish);
      await this.#startAll(plan);
      if (plan.kind !== 'publish') await this.#watchSeconds(plan.warmupSeconds, 'warming up');
      await this.#askAll('begin');
      this.#load.begin();
      this.#watch.begin();
      await this.#watchSeconds(plan.durationSeconds, 'measuring');
      return this.#summarize(await this.#askAll('finish'));
    } finally {
      await this.#close();
    }
  }

  async #startAll(plan: LoadPlan): Promise<void> {
    if (this.#stop.signal.aborted) return;
    const started = await Promise.allSettled(sharesOf(plan).map((share) => LoadProcess.start(share)));
    const processes: LoadProcess[] = [];
    for (const one of started) if (one.status === 'fulfilled') processes.push(one.value);
    this.#processes.push(...processes);
    for (const one of started) if (one.status === 'rejected') throw one.reason;

    let isThrough = false;
    const through = Promise.all(processes.map((one) => one.ask('start'))).finally(() => {
      isThrough = true;
    });
    // What went wrong is thrown below, by the same promise.
    through.catch(() => {});
    for (let tick = 1; !isThrough && !this.#stop.signal.aborted; tick++) {
      await Promise.race([through.catch(() => {}), this.#pause(PROGRESS_MS)]);
      this.#observer.onProgress(addCounts(await Promise.all(processes.map((one) => one.ask('counts')))));
      if (tick % (SECOND_MS / PROGRESS_MS) === 0) await this.#reportSecond('connecting');
    }
    if (isThrough) await through;
  }

  async #watchSeconds(seconds: number, phase: SecondReport['phase']): Promise<void> {
    const startMs = performance.now();
    // The first second of a phase is a whole one.
    await this.#askAll('second');
    this.#secondLoad.begin();
    this.#secondWatch.begin();
    for (let elapsedMs = 0; elapsedMs < seconds * SECOND_MS; elapsedMs = performance.now() - startMs) {
      const nextMs = Math.min((Math.floor(elapsedMs / SECOND_MS) + 1) * SECOND_MS, seconds * SECOND_MS);
      await this.#pause(nextMs - elapsedMs);
      if (this.#stop.signal.aborted) return;
      // When all have failed or gone, there is nothing to wait for.
      if ((await this.#reportSecond(phase)) === 0) this.stop();
    }
  }

  /** @returns how many connections there are */
  async #reportSecond(phase: SecondReport['phase']): Promise<number> {
    const parts: readonly LoadSecond[] = await this.#askAll('second');
    this.#second += 1;
    const report = secondReport({
      mode: this.#plan.kind,
      second: this.#second,
      phase,
      parts,
      serverCpuPercent: this.#secondWatch.cpuPercent(),
      ownCpuPercent: this.#secondLoad.figures().cpuPercent,
    });
    this.#observer.onSecond(report);
    this.#secondWatch.begin();
    this.#secondLoad.begin();
    return livingConnections(parts, this.#plan.kind);
  }

  #summarize(results: readonly LoadResult[]): SummaryReport {
    const tester: TesterFigures[] = [this.#load.figures(), ...results.map((result) => result.tester)];
    return summaryReport({
      mode: this.#plan.kind,
      results,
      tester,
      server: this.#watch.figures(),
      addedDataKb: this.#watch.addedDataKb,
      invalidReasons: invalidReasons({
        tester,
        late: latencyOf(results, 'publishers'),
        latency: latencyOf(results, 'ordinary'),
        cores: availableParallelism(),
      }),
      startedAt: this.#startedAt,
      command: this.#command,
    });
  }

  async #askAll<Question extends 'begin' | 'second' | 'finish'>(question: Question) {
    return await Promise.all(this.#processes.map((one) => one.ask(question)));
  }

  /** Players first: what they see of the publishers' end is no fault of the server. */
  async #close(): Promise<void> {
    this.#load.stop();
    this.#secondLoad.stop();
    for (const one of this.#processes.toReversed()) {
      await one.ask('close').catch(() => {});
    }
    await Promise.all(this.#processes.map((one) => one.end()));
  }

  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#stop.signal }).catch(() => {});
  }
}

function livingConnections(parts: readonly LoadSecond[], mode: Mode): number {
  const names: readonly GroupName[] = mode === 'publish' ? ['publishers'] : ['ordinary', 'slow', 'stalled'];
  const { connected, lost } = addCounts(parts.flatMap(({ groups }) => names.flatMap((name) => groups[name]?.counts ?? [])));
  return connected - lost;
}

function latencyOf(results: readonly LoadResult[], group: GroupName): Percentiles | undefined {
  const histogram = new LatencyHistogram();
  for (const { groups } of results) if (groups[group] !== undefined) histogram.add(groups[group].latency);
  return histogram.percentiles();
}
