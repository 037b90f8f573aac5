/** `npm run bench:start`: from the command to the first answer on the RTMP port. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type BenchEnvironment, describeEnvironment, environmentLines } from './bench-environment.ts';
import { type BenchProgram, commonOptions, maxPort, readNumber } from './bench-program.ts';
import { ChildRun } from './child-run.ts';
import { type Figure, figureTable, judge } from './figure.ts';
import { markdownTable } from './markdown.ts';
import { ensurePortIsFree } from './peer.ts';
import { srsConfig, srsDefault } from './srs-peer.ts';
import { roundedText, spreadOf } from './statistics.ts';
import type { Workbench } from './workbench.ts';

export interface StartPlan {
  readonly rounds: number;
  readonly workers: number;
  readonly port: number;
}

export interface StartDocument {
  readonly kind: 'start';
  readonly environment: BenchEnvironment;
  readonly settings: StartPlan;
  /** Milliseconds, in the order of the starts. */
  readonly starts: Readonly<Record<StartCase, readonly number[]>>;
  readonly figures: readonly Figure[];
}

/** `cold`: nothing that Node compiled in earlier starts is there. */
type StartCase = 'cold' | 'warm';

const LIMIT_MS = 30_000;
const RETRY_MS = 5;
/** C0 and C1 of the simple handshake; the server's first byte answers them. */
const greeting = Buffer.alloc(1 + 1536);
greeting[0] = 3;
/** Node writes what it has compiled when a process ends in good order, or some seconds after its start. */
const COMPILE_CACHE_MS = 4_000;

export const startProgram: BenchProgram<StartPlan, StartDocument> = {
  name: 'start',
  purpose: 'Time from the command to the first answer to a client, with several processes.',
  options: {
    rounds: { type: 'number', default: 5, requiresArg: true, describe: 'Starts of each kind' },
    workers: { type: 'number', default: 2, requiresArg: true, describe: 'Stream workers' },
    port: commonOptions.port,
  },
  read: (parsed) => ({
    rounds: readNumber(parsed, 'rounds', 1, 100),
    workers: readNumber(parsed, 'workers', 1, 64),
    port: readNumber(parsed, 'port', 1, maxPort),
  }),
  run: measureStarts,
  write: (document) => ({ md: startMarkdown(document) }),
  isComplete: () => true,
};

async function measureStarts(bench: Workbench, plan: StartPlan, command: string): Promise<StartDocument> {
  const environment = await describeEnvironment(bench, command);
  const warmCache = bench.newPlace('compile-cache');
  await startOnce(bench, plan, warmCache, COMPILE_CACHE_MS);
  const starts: Record<StartCase, number[]> = { cold: [], warm: [] };
  for (let round = 1; round <= plan.rounds; round++) {
    const cold = await startOnce(bench, plan, bench.newPlace('compile-cache'), 0);
    const warm = await startOnce(bench, plan, warmCache, 0);
    starts.cold.push(cold);
    starts.warm.push(warm);
    bench.say(`round ${round}: cold ${cold.toFixed(0)} ms, warm ${warm.toFixed(0)} ms`);
  }
  return { kind: 'start', environment, settings: plan, starts, figures: startFigures(starts) };
}

/** @param lingerMs how long the server runs on @returns milliseconds */
async function startOnce(bench: Workbench, plan: StartPlan, compileCache: string, lingerMs: number): Promise<number> {
  await ensurePortIsFree(plan.port);
  const place = bench.newPlace('start');
  mkdirSync(join(place, 'objs'));
  const configFile = join(place, 'srs.conf');
  writeFileSync(configFile, srsConfig({ ...srsDefault, streamWorkers: plan.workers }, plan.port));
  const startedMs = performance.now();
  // All cores, as users start it.
  await using server = await ChildRun.start({
    name: 'srs',
    command: [join(bench.root, 'bin/srs'), '-c', configFile],
    cwd: place,
    env: { NODE_COMPILE_CACHE: compileCache },
    signal: bench.signal,
    limitMs: LIMIT_MS + lingerMs,
  });
  while (!(await answers(plan.port))) {
    if (!server.isRunning) throw server.failure();
    if (performance.now() - startedMs > LIMIT_MS)
      throw new Error(`srs did not answer on port ${plan.port} within ${LIMIT_MS} ms`);
    await delay(RETRY_MS);
  }
  const tookMs = performance.now() - startedMs;
  await delay(lingerMs);
  return tookMs;
}

/** Whether a client that connects now is answered, however late: a connection may be accepted before there is anybody to serve it. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: LIMIT_MS });
    socket.once('connect', () => socket.write(greeting));
    socket.once('data', () => {
      resolve(true);
      socket.destroy();
    });
    socket.once('timeout', () => socket.destroy());
    socket.on('error', () => {});
    socket.once('close', () => resolve(false));
  });
}

function startFigures({ warm, cold }: Readonly<Record<StartCase, readonly number[]>>): Figure[] {
  const row = (what: string, times: readonly number[]): Figure =>
    judge({
      what: `Start to the first answered client, several processes, ${what}`,
      unit: 's',
      value: seconds(spreadOf(times)?.median),
      atMost: 1,
    });
  return [row('code compiled in an earlier start', warm), row('first start ever', cold)];
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1_000;
}

export function startMarkdown({ environment, settings, starts, figures }: StartDocument): string {
  const cases: readonly (readonly [StartCase, string])[] = [
    ['warm', 'Code compiled in an earlier start'],
    ['cold', 'First start ever'],
  ];
  return [
    '# Start',
    'Written by `npm run bench:start`; do not edit. How it is measured: [README](README.md).',
    [
      environmentLines(environment),
      `- ${settings.workers} stream workers and a back-source, all cores, ${settings.rounds} starts of each kind`,
    ].join('\n'),
    '## Goals',
    figureTable(figures),
    '## Figures',
    markdownTable(
      ['Start', 'Median, ms', 'Least, ms', 'Most, ms'],
      cases.map(([name, text]) => {
        const spread = spreadOf(starts[name]);
        return [text, ...(spread === undefined ? ['-', '-', '-'] : [spread.median, spread.min, spread.max].map(roundedText))];
      }),
    ),
    '',
  ].join('\n\n');
}
