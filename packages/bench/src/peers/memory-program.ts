/** `npm run bench:memory`: what players, publishers and names of streams cost a server while they are there, and afterwards. */
import { describeError } from '@srs/kernel';
import { type BenchEnvironment, describeEnvironment, environmentLines } from './bench-environment.ts';
import { type BenchProgram, commonOptions, maxPort, readNumber, readWords } from './bench-program.ts';
import { type Figure, figureTable, judge } from './figure.ts';
import { markdownTable } from './markdown.ts';
import {
  FIRST_NAMES,
  type Measured,
  type MemoryLoad,
  type MemoryValue,
  MOST_CROWDS,
  measuredNames,
  measurements,
  texts,
} from './memory-measurements.ts';
import { NginxPeer } from './nginx-peer.ts';
import { MAX_CLIENTS, type Peer, PeerMissing } from './peer.ts';
import type { SkippedServer } from './peers-document.ts';
import { SrsPeer, srsDefault } from './srs-peer.ts';
import { roundedText } from './statistics.ts';
import type { Workbench } from './workbench.ts';

const serverNames = ['srs', 'nginx'] as const;
type ServerName = (typeof serverNames)[number];

export interface MemoryPlan extends MemoryLoad {
  readonly port: number;
  readonly measure: readonly Measured[];
  readonly servers: readonly ServerName[];
}

/** One figure of one server. */
interface MemoryRow extends MemoryValue {
  readonly server: string;
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

const makeServer: Readonly<Record<ServerName, () => Peer>> = {
  srs: () => new SrsPeer(srsDefault),
  nginx: () => new NginxPeer(),
};

export const memoryProgram: BenchProgram<MemoryPlan, MemoryDocument> = {
  name: 'memory',
  purpose: 'Memory of players, publishers and names of streams; what paused players cost.',
  options: {
    players: { type: 'number', default: 1_000, requiresArg: true, describe: 'Players, playing, waiting or paused' },
    publishers: { type: 'number', default: 200, requiresArg: true, describe: 'Publishers' },
    names: { type: 'number', default: 100_000, requiresArg: true, describe: 'Names of streams that are asked for and left' },
    measure: {
      type: 'string',
      default: measuredNames.join(','),
      requiresArg: true,
      describe: 'Only these, with commas between them',
    },
    servers: { type: 'string', default: serverNames.join(','), requiresArg: true, describe: 'Only these servers' },
    ...commonOptions,
  },
  read: (parsed) => ({
    players: readNumber(parsed, 'players', 2, Math.floor(MAX_CLIENTS / MOST_CROWDS) - 1),
    publishers: readNumber(parsed, 'publishers', 4, 5_000),
    names: readNumber(parsed, 'names', FIRST_NAMES + 1, 10_000_000),
    seconds: readNumber(parsed, 'seconds', 1, 120),
    kbps: readNumber(parsed, 'kbps', 1, 100_000),
    port: readNumber(parsed, 'port', 1, maxPort),
    measure: readWords(parsed, 'measure', measuredNames),
    servers: readWords(parsed, 'servers', serverNames),
  }),
  run: measureMemory,
  write: (document) => ({ md: memoryMarkdown(document) }),
  isComplete: ({ rows }) => rows.every(({ value }) => value !== undefined),
};

async function measureMemory(bench: Workbench, plan: MemoryPlan, command: string): Promise<MemoryDocument> {
  const environment = await describeEnvironment(bench, command);
  const versions: Record<string, string> = {};
  const skipped: SkippedServer[] = [];
  const rows: MemoryRow[] = [];
  for (const name of plan.servers) {
    const server = makeServer[name]();
    try {
      versions[server.name] = await server.prepare(bench);
    } catch (thrown) {
      if (!(thrown instanceof PeerMissing)) throw thrown;
      skipped.push({ name: server.name, reason: thrown.message });
      continue;
    }
    for (const what of plan.measure) {
      for (const value of await measureOne(bench, plan, server, what)) {
        const row: MemoryRow = { server: server.name, ...value };
        rows.push(row);
        bench.say(`${row.server}: ${row.what}: ${valueText(row)}${row.note === undefined ? '' : ` (${row.note})`}`);
      }
    }
  }
  return { kind: 'memory', environment, settings: plan, versions, skipped, rows, figures: memoryFigures(rows, plan) };
}

/** What cannot be measured is a row without a value: the others are wanted all the same. */
async function measureOne(bench: Workbench, plan: MemoryPlan, server: Peer, what: Measured): Promise<MemoryValue[]> {
  try {
    await using running = await server.start(bench, plan.port);
    return await measurements[what](bench, plan, running);
  } catch (thrown) {
    bench.signal.throwIfAborted();
    return [{ what: texts[what], unit: '', note: describeError(thrown) }];
  }
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
  const players = `${plan.players} to ${plan.players * MOST_CROWDS} players`;
  const goals: Readonly<Record<Measured, () => Figure[]>> = {
    playing: () => [row(texts.playing, 'KB', 10, `${texts.playing}, ${players}`)],
    waiting: () => [row(texts.waiting, 'KB', 10, `${texts.waiting}, ${players}`)],
    publishing: () => [],
    paused: () => [
      row(texts.pausedIdle, '%', 1, `${texts.pausedIdle}, ${plan.players} players`),
      row(texts.paused, '%', 1, `${texts.paused}, ${plan.players} players`),
    ],
    names: () => [
      row(texts.names, '%', 105, `${texts.names}, ${plan.names} names`),
      row(texts.namesUsed, '%', 105, `${texts.namesUsed}, ${plan.names} names`),
    ],
  };
  return plan.measure.flatMap((what) => goals[what]());
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
    'Memory is Pss of all processes of the server without the pages of files; each row on a server that has just been started.',
    markdownTable(
      ['What', 'Server', 'Figure', 'Note'],
      rows.map((row) => [row.what, row.server, valueText(row), row.note ?? '']),
    ),
    '',
  ].join('\n\n');
}
