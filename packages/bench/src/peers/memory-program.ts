/** `npm run bench:memory`: what players, publishers and names of streams cost a server while they are there, and afterwards. */
import { setTimeout as delay } from 'node:timers/promises';
import { describeError } from '@srs/kernel';
import { processMemory } from '../process-usage.ts';
import { ServerWatch } from '../server-watch.ts';
import { type BenchEnvironment, describeEnvironment, environmentLines } from './bench-environment.ts';
import { type BenchProgram, commonOptions, maxPort, readNumber } from './bench-program.ts';
import { type Figure, figureTable, judge } from './figure.ts';
import { markdownTable } from './markdown.ts';
import { NginxPeer } from './nginx-peer.ts';
import { MAX_CLIENTS, type Peer, PeerMissing, type RunningPeer } from './peer.ts';
import { complaintsOf, type SkippedServer } from './peers-document.ts';
import { SrsPeer, srsDefault } from './srs-peer.ts';
import { passBy, startStanding } from './standing-players.ts';
import { roundedText } from './statistics.ts';
import { play, startPlaying, startPublishing } from './tester.ts';
import type { Workbench } from './workbench.ts';

export interface MemoryPlan {
  readonly players: number;
  readonly publishers: number;
  readonly names: number;
  readonly seconds: number;
  readonly kbps: number;
  readonly port: number;
}

/** One figure of one server; undefined when it could not be measured. */
interface MemoryRow {
  readonly what: string;
  readonly server: string;
  readonly unit: string;
  readonly value?: number;
  /** How the value came about, or why there is none. */
  readonly note?: string;
}

export interface MemoryDocument {
  readonly kind: 'memory';
  readonly environment: BenchEnvironment;
  readonly settings: MemoryPlan;
  readonly versions: Readonly<Record<string, string>>;
  readonly skipped: readonly SkippedServer[];
  readonly rows: readonly MemoryRow[];
  readonly figures: readonly Figure[];
}

const STREAM = 'bench';
const SPARE_SECONDS = 120;
const RAMP_PER_SECOND = 200;
const PLAYERS_PER_SECOND = 500;
/** So many times the first players come later and are counted: a server that has none yet has not loaded all its code either. */
const ADDED_TIMES = 2;
/** A server that has just been left alone may still tidy up, and one that has just started still load. */
const CALM_MS = 3_000;
/** So long after the last name was left. */
const AFTERMATH_MS = 10_000;
/** The names after which a server has loaded and compiled all that it needs for them. */
const FIRST_NAMES = 1_000;

export const memoryProgram: BenchProgram<MemoryPlan, MemoryDocument> = {
  name: 'memory',
  purpose: 'Memory of players, publishers and names of streams; what paused players cost.',
  options: {
    players: { type: 'number', default: 1_000, requiresArg: true, describe: 'Players, playing, waiting or paused' },
    publishers: { type: 'number', default: 200, requiresArg: true, describe: 'Publishers' },
    names: { type: 'number', default: 100_000, requiresArg: true, describe: 'Names of streams that are asked for and left' },
    ...commonOptions,
  },
  read: (parsed) => ({
    players: readNumber(parsed, 'players', 1, Math.floor(MAX_CLIENTS / (1 + ADDED_TIMES)) - 1),
    publishers: readNumber(parsed, 'publishers', 1, 5_000),
    names: readNumber(parsed, 'names', FIRST_NAMES + 1, 10_000_000),
    seconds: readNumber(parsed, 'seconds', 1, 120),
    kbps: readNumber(parsed, 'kbps', 1, 100_000),
    port: readNumber(parsed, 'port', 1, maxPort),
  }),
  run: measureMemory,
  write: (document) => ({ md: memoryMarkdown(document) }),
  isComplete: ({ rows }) => rows.every(({ value }) => value !== undefined),
};

/** Measures on a server that has just been started. */
type Measurement = (bench: Workbench, plan: MemoryPlan, running: RunningPeer) => Promise<MemoryValue[]>;
type MemoryValue = Omit<MemoryRow, 'server'>;

const texts = {
  playing: 'Memory per added player',
  waiting: 'Memory per player that waits for a publisher',
  publishing: 'Memory per publisher, its ring included',
  pausedIdle: 'CPU of the stream worker, paused players whose publisher has left',
  paused: 'CPU that paused players add to the stream worker while their stream runs',
  namesFresh: 'Memory after names asked for and left, against the fresh server',
  namesUsed: 'Memory after names asked for and left, against the server after its first names',
} as const;

async function measureMemory(bench: Workbench, plan: MemoryPlan, command: string): Promise<MemoryDocument> {
  const environment = await describeEnvironment(bench, command);
  const versions: Record<string, string> = {};
  const skipped: SkippedServer[] = [];
  const rows: MemoryRow[] = [];
  for (const server of [new SrsPeer(srsDefault), new NginxPeer()] satisfies Peer[]) {
    try {
      versions[server.name] = await server.prepare(bench);
    } catch (thrown) {
      if (!(thrown instanceof PeerMissing)) throw thrown;
      skipped.push({ name: server.name, reason: thrown.message });
      continue;
    }
    for (const what of Object.keys(measured) as (keyof typeof measured)[]) {
      for (const value of await measureOne(bench, plan, server, what)) {
        const row: MemoryRow = { server: server.name, ...value };
        rows.push(row);
        bench.say(`${row.server}: ${row.what}: ${valueText(row)}${row.note === undefined ? '' : ` (${row.note})`}`);
      }
    }
  }
  return { kind: 'memory', environment, settings: plan, versions, skipped, rows, figures: memoryFigures(rows, plan) };
}

const measured = {
  playing: async (bench, plan, running) => {
    const url = running.url(STREAM);
    const seconds = plan.seconds + SPARE_SECONDS;
    await using _publisher = await startPublishing(bench, { url, kbps: plan.kbps, seconds });
    await using _first = await startPlaying(bench, { url, players: plan.players, seconds, rampPerSecond: PLAYERS_PER_SECOND });
    const load = { url, players: plan.players * ADDED_TIMES, seconds: plan.seconds, rampPerSecond: PLAYERS_PER_SECOND };
    const summary = await play(bench, { ...load, processes: running.processes });
    const note = [`${load.players} players added to ${plan.players}`, ...complaintsOf(summary)].join('; ');
    return [growth(texts.playing, summary.server.pssPerPlayerKb, note)];
  },
  waiting: async (bench, plan, running) => {
    const url = running.url(STREAM);
    await using _first = await startStanding(bench, 'waiting', url, plan.players);
    const before = await calmPss(running);
    const added = plan.players * ADDED_TIMES;
    await using _added = await startStanding(bench, 'waiting', url, added);
    const value = ((await calmPss(running)) - before) / added;
    return [growth(texts.waiting, value, `${added} players added to ${plan.players}`)];
  },
  publishing: async (bench, plan, running) => {
    const before = await calmPss(running);
    const { publishers, kbps } = plan;
    const seconds = publishers / RAMP_PER_SECOND + plan.seconds + SPARE_SECONDS;
    const url = running.url(`${STREAM}{n}`);
    await using _publishers = await startPublishing(bench, { url, publishers, kbps, seconds, rampPerSecond: RAMP_PER_SECOND });
    await delay(plan.seconds * 1_000);
    return [growth(texts.publishing, ((await calmPss(running)) - before) / publishers, `${publishers} publishers`)];
  },
  paused: async (bench, plan, running) => {
    const url = running.url(STREAM);
    await using publisher = await startPublishing(bench, { url, kbps: plan.kbps, seconds: plan.seconds + SPARE_SECONDS });
    const alone = await cpuPercent(running, plan.seconds);
    await using _players = await startStanding(bench, 'paused', url, plan.players);
    const together = await cpuPercent(running, plan.seconds);
    await publisher.run.stop('SIGINT');
    await delay(CALM_MS);
    const idle = await cpuPercent(running, plan.seconds);
    const note = `the publisher alone ${roundedText(alone)} %, with the players ${roundedText(together)} %`;
    return [
      { what: texts.pausedIdle, unit: '%', value: idle },
      { what: texts.paused, unit: '%', value: Math.max(0, together - alone), note },
    ];
  },
  names: async (bench, plan, running) => {
    const url = running.url(`${STREAM}{n}`);
    const fresh = await calmPss(running);
    await passBy(bench, url, FIRST_NAMES);
    const used = await calmPss(running);
    await passBy(bench, url, plan.names);
    const after = await calmPss(running);
    await delay(AFTERMATH_MS);
    const later = await calmPss(running);
    const note = `fresh ${fresh} KB, after ${FIRST_NAMES} names ${used} KB, after ${plan.names} more ${after} KB, later ${later} KB`;
    return [
      { what: texts.namesFresh, unit: '%', value: (later / fresh) * 100, note },
      { what: texts.namesUsed, unit: '%', value: (later / used) * 100 },
    ];
  },
} satisfies Record<string, Measurement>;

/** A server that gave memory back in the meantime tells nothing about what its clients need: they were too few. */
export function growth(what: string, kilobytes: number, note: string): MemoryValue {
  if (kilobytes > 0) return { what, unit: 'KB', value: kilobytes, note };
  return { what, unit: 'KB', note: `${note}; its memory shrank by ${roundedText(-kilobytes)} KB for each` };
}

/** What cannot be measured is a row without a value: the others are wanted all the same. */
async function measureOne(bench: Workbench, plan: MemoryPlan, server: Peer, what: keyof typeof measured): Promise<MemoryValue[]> {
  try {
    await using running = await server.start(bench, plan.port);
    return await measured[what](bench, plan, running);
  } catch (thrown) {
    bench.signal.throwIfAborted();
    return [{ what: what === 'names' ? texts.namesFresh : texts[what], unit: '', note: describeError(thrown) }];
  }
}

/** Memory of all processes, some time after whatever was before. */
async function calmPss(running: RunningPeer): Promise<number> {
  await delay(CALM_MS);
  return running.processes.reduce((sum, { pid }) => sum + processMemory(pid).pssKb, 0);
}

/** Of the processes that serve media. */
async function cpuPercent(running: RunningPeer, seconds: number): Promise<number> {
  const serving = running.processes.filter(({ isServing }) => isServing).map(({ pid }) => ({ pid, label: 'serving' }));
  const watch = new ServerWatch(serving, []);
  await delay(seconds * 1_000);
  return watch.cpuPercent();
}

function memoryFigures(rows: readonly MemoryRow[], plan: MemoryPlan): Figure[] {
  const find = (server: string, what: string): number | undefined => {
    return rows.find((row) => row.server === server && row.what === what)?.value;
  };
  const row = (what: string, unit: string, atMost: number, shown: string): Figure => {
    const other = find('nginx', what);
    const detail = other === undefined ? {} : { detail: `nginx-rtmp ${roundedText(other)} ${unit}` };
    return judge({ what: shown, unit, value: find('srs', what), atMost, ...detail });
  };
  return [
    row(texts.playing, 'KB', 10, `${texts.playing}, ${plan.players} to ${plan.players * (1 + ADDED_TIMES)} players`),
    row(texts.waiting, 'KB', 10, `${texts.waiting}, ${plan.players} players`),
    row(texts.pausedIdle, '%', 1, `${texts.pausedIdle}, ${plan.players} players`),
    row(texts.paused, '%', 1, `${texts.paused}, ${plan.players} players`),
    row(texts.namesFresh, '%', 105, `${texts.namesFresh}, ${plan.names} names`),
    row(texts.namesUsed, '%', 105, `${texts.namesUsed}, ${plan.names} names`),
  ];
}

function valueText({ value, unit }: MemoryRow): string {
  return value === undefined ? 'failed' : `${roundedText(value)} ${unit}`;
}

export function memoryMarkdown({ environment, settings, versions, skipped, rows, figures }: MemoryDocument): string {
  return [
    '# Memory',
    'Written by `npm run bench:memory`; do not edit. How it is measured: [README](README.md).',
    [
      environmentLines(environment),
      `- Load: ${settings.players} players, ${settings.publishers} publishers, ${settings.names} names, streams of ${settings.kbps} kbps`,
      ...Object.entries(versions).map(([name, version]) => `- ${name}: ${version}`),
      ...skipped.map(({ name, reason }) => `- ${name}: **skipped**, ${reason}`),
    ].join('\n'),
    '## Goals',
    figureTable(figures),
    '## Figures',
    'Pss of all processes of the server; each row on a server that has just been started.',
    markdownTable(
      ['What', 'Server', 'Figure', 'Note'],
      rows.map((row) => [row.what, row.server, valueText(row), row.note ?? '']),
    ),
    '',
  ].join('\n\n');
}
