/** Where a benchmark works: its folders, its cores, its voice, and how it is interrupted. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { findProgram } from './find-program.ts';

/** Of the repository. */
const rootDirectory = resolve(import.meta.dirname, '../../../..');

const endSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export class Workbench {
  readonly root: string = rootDirectory;
  /** Of what is fetched or compiled on demand; stays. */
  readonly cache: string = join(rootDirectory, 'node_modules/.cache/peers');
  /** The pinned Node that runs this process, the servers in Node, and the testers. */
  readonly node: string = process.execPath;
  /** The servers under test have one core, testers and publishers the other; undefined where that cannot be. */
  readonly serverCores: string | undefined;
  readonly testerCores: string | undefined;
  readonly #interruption = new AbortController();
  readonly #directory: string;
  #places = 0;

  constructor() {
    const isPinned = availableParallelism() >= 2 && findProgram('taskset') !== undefined;
    this.serverCores = isPinned ? '0' : undefined;
    this.testerCores = isPinned ? '1' : undefined;
    this.#directory = mkdtempSync(join(tmpdir(), 'srs-bench-'));
    mkdirSync(this.cache, { recursive: true });
    for (const signal of endSignals) process.on(signal, this.#onSignal);
  }

  /** Aborted when the user interrupts the benchmark: everything that runs is then stopped. */
  get signal(): AbortSignal {
    return this.#interruption.signal;
  }

  /** An empty folder for one start of one server. */
  newPlace(name: string): string {
    this.#places += 1;
    const place = join(this.#directory, `${this.#places}-${name}`);
    mkdirSync(place);
    return place;
  }

  /** A line about the progress, for whoever watches. */
  say(text: string): void {
    process.stderr.write(`${text}\n`);
  }

  [Symbol.dispose](): void {
    for (const signal of endSignals) process.off(signal, this.#onSignal);
    rmSync(this.#directory, { recursive: true, force: true });
  }

  readonly #onSignal = (): void => {
    this.#interruption.abort(new Interrupted());
  };
}

/** The user has stopped the benchmark. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';

  constructor() {
    super('interrupted');
  }
}
