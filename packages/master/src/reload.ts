/** Reads the configuration anew and puts it in force everywhere, or nowhere. */
import { type Config, type ConfigChange, ConfigError, carryOver, diffConfig, formatProblem, type LoadResult } from '@srs/config';
import { describeError, type Log } from '@srs/kernel';
import type { ConfigDocument, ReloadedWorker, ReloadReport } from '@srs/survey';

/** A part of the master that follows the configuration. */
export interface ReloadPart {
  /**
   * Opens whatever `next` needs, and changes nothing yet.
   * @throws what cannot be had; nothing stays open then
   */
  prepare(previous: Config, next: Config): PreparedPart;
}

export interface PreparedPart {
  /** Must not fail: what could fail has been done. @returns who was told */
  apply(): Promise<readonly ReloadedWorker[]> | undefined;
  /** Closes what was opened. */
  undo(): void;
}

export interface ReloaderOptions {
  /** What the server was started with. */
  readonly loaded: LoadResult;
  /** @throws ConfigError or SrsError when it cannot be used */
  load(): LoadResult;
  /** What is read, for people. */
  readonly source: string;
  /** In the order in which they change. */
  readonly parts: readonly ReloadPart[];
  readonly log: Log;
  /** A reload that may change something begins, and has ended. */
  onBegin(): void;
  onEnd(): void;
  /** The configuration was read, and counts. */
  onLoaded(loaded: LoadResult): void;
}

export class Reloader {
  readonly #options: ReloaderOptions;
  #config: Config;
  #loaded: LoadResult;
  /** Directives whose new value counts from the next start on, with what they are until then. */
  #pending: ReadonlyMap<string, { readonly value: string; readonly origin: string }> = new Map();
  #version = 1;
  /** One reload at a time. */
  #last: Promise<unknown> = Promise.resolve();
  /** Those that have not begun: whoever asks meanwhile shares them. */
  readonly #waiting = new Map<boolean, Promise<ReloadReport>>();

  constructor(options: ReloaderOptions) {
    this.#options = options;
    this.#loaded = options.loaded;
    this.#config = options.loaded.config;
  }

  /** In force at the moment. */
  get config(): Config {
    return this.#config;
  }

  /** Never rejects: what is wrong stands in the report. */
  reload(isDryRun: boolean): Promise<ReloadReport> {
    let waiting = this.#waiting.get(isDryRun);
    if (waiting === undefined) {
      waiting = this.#last.then(() => {
        this.#waiting.delete(isDryRun);
        return this.#reload(isDryRun);
      });
      this.#waiting.set(isDryRun, waiting);
      this.#last = waiting;
    }
    return waiting;
  }

  /** Every directive in force, and where its value comes from. */
  document(): ConfigDocument {
    const directives = this.#loaded.effective().map((row) => ({ ...row, ...this.#pending.get(row.directive) }));
    return { version: this.#version, file: this.#options.source, directives };
  }

  async #reload(isDryRun: boolean): Promise<ReloadReport> {
    const { log, source } = this.#options;
    const report = { isDryRun, file: source };
    if (!isDryRun) this.#options.onBegin();
    try {
      const loaded = this.#options.load();
      const changes = diffConfig(this.#config, loaded.config);
      const next = carryOver(this.#config, loaded.config);
      const isSame = changes.every((change) => change.live === 'restart');
      const prepared = isSame ? [] : this.#prepare(next);
      if (isDryRun) {
        for (const part of prepared.reverse()) part.undo();
        return { ...report, isApplied: false, version: this.#version, changes, problems: [], workers: [] };
      }
      this.#commit(loaded, next, changes);
      const workers = await this.#apply(prepared);
      this.#tell(changes, workers);
      return { ...report, isApplied: true, version: this.#version, changes, problems: [], workers };
    } catch (error) {
      const problems = problemsOf(error);
      if (!isDryRun) {
        for (const problem of problems) log.error(`reload: ${problem}`);
        log.error(`reload config failed, nothing has changed. file=${source}`);
      }
      return { ...report, isApplied: false, version: this.#version, changes: [], problems, workers: [] };
    } finally {
      if (!isDryRun) this.#options.onEnd();
    }
  }

  #prepare(next: Config): PreparedPart[] {
    const prepared: PreparedPart[] = [];
    try {
      for (const part of this.#options.parts) prepared.push(part.prepare(this.#config, next));
    } catch (error) {
      for (const part of prepared.reverse()) part.undo();
      throw error;
    }
    return prepared;
  }

  #commit(loaded: LoadResult, next: Config, changes: readonly ConfigChange[]): void {
    const kept = new Set(changes.filter((change) => change.live === 'restart').map((change) => change.directive));
    // Only what is still to come needs the values of before, and looking them up takes a moment.
    const before = kept.size === 0 ? [] : this.document().directives;
    this.#pending = new Map(before.filter((row) => kept.has(row.directive)).map((row) => [row.directive, row]));
    if (changes.length > kept.size) this.#version += 1;
    this.#loaded = loaded;
    this.#config = next;
    this.#options.onLoaded(loaded);
  }

  async #apply(prepared: readonly PreparedPart[]): Promise<readonly ReloadedWorker[]> {
    const workers: ReloadedWorker[] = [];
    for (const part of prepared) workers.push(...((await part.apply()) ?? []));
    return workers;
  }

  #tell(changes: readonly ConfigChange[], workers: readonly ReloadedWorker[]): void {
    const { log } = this.#options;
    const live = changes.filter((change) => change.live !== 'restart');
    const later = changes.filter((change) => change.live === 'restart');
    for (const { slot, role, pid, isApplied, detail } of workers) {
      if (!isApplied) log.warn(`reload: ${role} worker in slot ${slot} (pid=${pid}): ${detail}`);
    }
    const applied = workers.filter((worker) => worker.isApplied).length;
    const who = workers.length === 0 ? '' : `, workers=${applied}/${workers.length}`;
    log.trace(`reload config success. version=${this.#version}${who}, ${live.length === 0 ? 'nothing changed' : list(live)}`);
    if (later.length > 0) log.warn(`reload: restart the server for ${list(later)}`);
  }
}

/** A file of thousands of changes must not make a line of megabytes. */
const MAX_LISTED = 20;

function list(changes: readonly ConfigChange[]): string {
  const shown = changes.slice(0, MAX_LISTED).map(({ kind, directive }) => `${kind} ${directive}`);
  const more = changes.length - shown.length;
  return shown.join(', ') + (more > 0 ? `, and ${more} more` : '');
}

function problemsOf(error: unknown): readonly string[] {
  return error instanceof ConfigError ? error.problems.map(formatProblem) : [describeError(error)];
}
