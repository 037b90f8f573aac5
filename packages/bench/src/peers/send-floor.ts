/** The bare send loop: what it costs at least to give so many sockets so many bytes so often. */
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ChildRun } from './child-run.ts';
import { findProgram } from './find-program.ts';
import { ensurePortIsFree, PeerMissing } from './peer.ts';
import type { Workbench } from './workbench.ts';

const COMPILE_LIMIT_MS = 60_000;
/** Connecting and counting. */
const SPARE_MS = 90_000;
const WARM_UP_MS = 2_000;
const compilers: readonly string[] = ['cc', 'gcc', 'clang'];

export interface FloorLoad {
  readonly players: number;
  readonly bytes: number;
  readonly intervalMs: number;
  readonly seconds: number;
}

/** What the loop says of itself. */
export interface FloorResult {
  readonly seconds: number;
  readonly userMs: number;
  readonly systemMs: number;
  readonly turns: number;
  readonly sends: number;
  readonly bytes: number;
  /** Sends of which a part had to wait. */
  readonly shortSends: number;
  /** Turns that began when the next one was already due. */
  readonly lateTurns: number;
  readonly closed: number;
}

export class SendFloor {
  readonly name = 'floor';
  readonly title = 'bare send loop';
  #program = '';

  /** Compiles the loop when it is new. @throws PeerMissing */
  async prepare(bench: Workbench): Promise<string> {
    const source = join(bench.root, 'packages/bench/native/send-loop.c');
    const program = join(bench.cache, 'send-loop');
    const compiler = compilers.find((name) => findProgram(name) !== undefined);
    if (compiler === undefined) throw new PeerMissing(`there is no C compiler (${compilers.join(', ')})`);
    if (!existsSync(program) || statSync(program).mtimeMs < statSync(source).mtimeMs) {
      mkdirSync(bench.cache, { recursive: true });
      const fresh = `${program}.${process.pid}`;
      try {
        await ChildRun.run({
          name: compiler,
          command: [compiler, '-O2', '-o', fresh, source],
          limitMs: COMPILE_LIMIT_MS,
          signal: bench.signal,
        });
      } catch (thrown) {
        bench.signal.throwIfAborted();
        throw new PeerMissing(`${source} could not be compiled: ${String(thrown)}`);
      }
      renameSync(fresh, program);
    }
    this.#program = program;
    return `${source.slice(bench.root.length + 1)} by ${compiler} -O2`;
  }

  /** Sends to as many sockets of a sink that does nothing but read. */
  async measure(bench: Workbench, port: number, load: FloorLoad): Promise<FloorResult> {
    await ensurePortIsFree(port);
    const ready = Promise.withResolvers<void>();
    let last = '';
    const limitMs = load.seconds * 1_000 + WARM_UP_MS + SPARE_MS;
    const figures = [load.players, load.bytes, Math.round(load.intervalMs * 1_000), WARM_UP_MS, Math.round(load.seconds * 1_000)];
    await using loop = await ChildRun.start({
      name: 'send-loop',
      command: [this.#program, String(port), ...figures.map(String)],
      cores: bench.serverCores,
      signal: bench.signal,
      limitMs,
      onLine: (line) => {
        if (line === 'ready') ready.resolve();
        last = line;
      },
    });
    if ((await Promise.race([ready.promise, loop.ended])) !== undefined) throw loop.failure();
    await using sink = await ChildRun.start({
      name: 'sink',
      command: [bench.node, join(bench.root, 'packages/bench/src/entry-byte-sink.ts'), String(port), String(load.players)],
      cores: bench.testerCores,
      signal: bench.signal,
      limitMs,
    });
    // Without its sink the loop would wait for players.
    const first = await Promise.race([loop.ended.then(() => loop), sink.ended.then(() => sink)]);
    if (first === sink && sink.exit?.code !== 0) throw sink.failure();
    const exit = await loop.ended;
    if (exit.code !== 0) throw loop.failure();
    return JSON.parse(last) as FloorResult;
  }
}
