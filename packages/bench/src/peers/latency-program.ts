/** `npm run bench:latency`: what one viewer waits for, and what a joiner waits for. */
import type { Percentiles } from '../latency-histogram.ts';
import type { SummaryReport } from '../report.ts';
import { type BenchEnvironment, describeEnvironment, environmentLines } from './bench-environment.ts';
import { type BenchProgram, commonOptions, maxPort, readNumber } from './bench-program.ts';
import { type Figure, figureTable, judge } from './figure.ts';
import { markdownTable } from './markdown.ts';
import { NginxPeer } from './nginx-peer.ts';
import { type Peer, PeerMissing } from './peer.ts';
import { complaintsOf, type SkippedServer } from './peers-document.ts';
import { READ_EVERY_MS } from './peers-program.ts';
import { measurePlayers } from './peers-run.ts';
import { SrsPeer, srsDefault, srsLowLatency } from './srs-peer.ts';
import { roundedText } from './statistics.ts';
import { play, startPlaying, startPublishing } from './tester.ts';
import type { Workbench } from './workbench.ts';

export interface LatencyPlan {
  readonly seconds: number;
  readonly kbps: number;
  readonly port: number;
  /** Who watches while others join. */
  readonly viewers: number;
  readonly joiners: number;
  readonly joinersPerSecond: number;
  /** Of the measurement with `min_latency on`. */
  readonly crowd: number;
}

interface LatencyRun {
  readonly what: LatencyCase;
  readonly server: string;
  /** What the case is about: latency, or the time to the first picture. */
  readonly ms?: Percentiles;
  readonly isValid: boolean;
  readonly complaints: readonly string[];
}

type LatencyCase = 'one-viewer' | 'joiners' | 'crowd';

export interface LatencyDocument {
  readonly kind: 'latency';
  readonly environment: BenchEnvironment;
  readonly settings: LatencyPlan;
  readonly versions: Readonly<Record<string, string>>;
  readonly runs: readonly LatencyRun[];
  readonly skipped: readonly SkippedServer[];
  readonly figures: readonly Figure[];
}

const STREAM = 'bench';
const SPARE_SECONDS = 120;
const CROWD_RAMP_PER_SECOND = 1_000;
/** Time for the viewers to be there, the joiners to come, and everybody to leave. */
const JOIN_SPARE_SECONDS = 10;

export const latencyProgram: BenchProgram<LatencyPlan, LatencyDocument> = {
  name: 'latency',
  purpose: 'Latency from publisher to player, and from play to the first picture.',
  options: {
    ...commonOptions,
    seconds: { ...commonOptions.seconds, default: 30 },
    viewers: { type: 'number', default: 1_000, requiresArg: true, describe: 'Players on the stream that others join' },
    joiners: { type: 'number', default: 500, requiresArg: true, describe: 'Players that join, one after the other' },
    'joiners-per-second': { type: 'number', default: 50, requiresArg: true, describe: 'How fast they come' },
    crowd: { type: 'number', default: 2_700, requiresArg: true, describe: 'Players for the latency with min_latency on' },
  },
  read: (parsed) => ({
    seconds: readNumber(parsed, 'seconds', 1, 600),
    kbps: readNumber(parsed, 'kbps', 1, 100_000),
    port: readNumber(parsed, 'port', 1, maxPort),
    viewers: readNumber(parsed, 'viewers', 1, 15_000),
    joiners: readNumber(parsed, 'joiners', 1, 4_000),
    joinersPerSecond: readNumber(parsed, 'joiners-per-second', 1, 1_000),
    crowd: readNumber(parsed, 'crowd', 1, 15_000),
  }),
  run: measureLatency,
  write: (document) => ({ md: latencyMarkdown(document) }),
  isComplete: ({ runs }) => runs.every(({ ms }) => ms !== undefined),
};

async function measureLatency(bench: Workbench, plan: LatencyPlan, command: string): Promise<LatencyDocument> {
  const environment = await describeEnvironment(bench, command);
  const runs: LatencyRun[] = [];
  const versions: Record<string, string> = {};
  const skipped: SkippedServer[] = [];
  const cases: readonly (readonly [LatencyCase, Peer])[] = [
    ['one-viewer', new SrsPeer(srsDefault)],
    ['one-viewer', new NginxPeer()],
    ['joiners', new SrsPeer(srsDefault)],
    ['joiners', new NginxPeer()],
    ['crowd', new SrsPeer(srsLowLatency)],
    ['crowd', new NginxPeer()],
  ];
  for (const [what, server] of cases) {
    try {
      versions[server.name] = await server.prepare(bench);
      const outcome = await measureCase(bench, plan, what, server);
      runs.push({ what, server: server.name, ...outcome });
      const shown =
        outcome.ms === undefined ? 'failed' : `p50 ${outcome.ms.p50.toFixed(1)} ms, p99 ${outcome.ms.p99.toFixed(1)} ms`;
      bench.say([`${what}, ${server.name}: ${shown}`, ...outcome.complaints].join('; '));
    } catch (thrown) {
      if (!(thrown instanceof PeerMissing)) throw thrown;
      if (!skipped.some(({ name }) => name === server.name)) skipped.push({ name: server.name, reason: thrown.message });
    }
  }
  return { kind: 'latency', environment, settings: plan, versions, runs, skipped, figures: latencyFigures(runs, plan) };
}

type Outcome = Pick<LatencyRun, 'ms' | 'isValid' | 'complaints'>;

async function measureCase(bench: Workbench, plan: LatencyPlan, what: LatencyCase, server: Peer): Promise<Outcome> {
  await using running = await server.start(bench, plan.port);
  const url = running.url(STREAM);
  switch (what) {
    case 'one-viewer': {
      await using _publisher = await startPublishing(bench, { url, kbps: plan.kbps, seconds: plan.seconds + SPARE_SECONDS });
      const summary = await play(bench, { url, players: 1, seconds: plan.seconds });
      return outcomeOf(summary, summary.latencyMs);
    }
    case 'joiners': {
      const { viewers, joiners, joinersPerSecond } = plan;
      const joinSeconds = Math.ceil(joiners / joinersPerSecond);
      await using _publisher = await startPublishing(bench, { url, kbps: plan.kbps, seconds: joinSeconds + SPARE_SECONDS });
      await using watching = await startPlaying(bench, {
        url,
        players: viewers,
        seconds: joinSeconds + JOIN_SPARE_SECONDS,
        rampPerSecond: CROWD_RAMP_PER_SECOND,
      });
      const joined = await play(bench, { url, players: joiners, seconds: 1, rampPerSecond: joinersPerSecond });
      const watched = await watching.summary();
      const complaints = complaintsOf(watched).map((complaint) => `viewers: ${complaint}`);
      const { isValid, complaints: own, ms } = outcomeOf(joined, joined.firstFrameMs);
      return { isValid: isValid && watched.valid, complaints: [...own, ...complaints], ...(ms === undefined ? {} : { ms }) };
    }
    case 'crowd': {
      const { figures, isValid, complaints } = await measurePlayers(
        bench,
        { ...plan, readEveryMs: READ_EVERY_MS },
        running,
        plan.crowd,
      );
      return { isValid, complaints, ...(figures?.latencyMs === undefined ? {} : { ms: figures.latencyMs }) };
    }
  }
}

function outcomeOf(summary: SummaryReport, ms: Percentiles | null): Outcome {
  return { isValid: summary.valid, complaints: complaintsOf(summary), ...(ms === null ? {} : { ms }) };
}

function latencyFigures(runs: readonly LatencyRun[], plan: LatencyPlan): Figure[] {
  const ours = (what: LatencyCase): Percentiles | undefined => {
    return runs.find((run) => run.what === what && run.server.startsWith('srs') && run.isValid)?.ms;
  };
  const detail = (what: LatencyCase, pick: (ms: Percentiles) => number): { readonly detail?: string } => {
    const ms = runs.find((run) => run.what === what && run.server === 'nginx' && run.isValid)?.ms;
    return ms === undefined ? {} : { detail: `nginx-rtmp ${roundedText(pick(ms))} ms` };
  };
  const row = (what: string, name: LatencyCase, pick: (ms: Percentiles) => number, atMost: number): Figure => {
    const ms = ours(name);
    return judge({ what, unit: 'ms', value: ms === undefined ? undefined : pick(ms), atMost, ...detail(name, pick) });
  };
  return [
    row('Latency publisher to player, one viewer, default configuration, p50', 'one-viewer', ({ p50 }) => p50, 5),
    row('The same, p99', 'one-viewer', ({ p99 }) => p99, 20),
    row(`First picture after play on a cached stream, ${plan.viewers} players, p99`, 'joiners', ({ p99 }) => p99, 100),
    row(`Latency with min_latency on, ${plan.crowd} players, p50`, 'crowd', ({ p50 }) => p50, 10),
  ];
}

const caseTexts: Readonly<Record<LatencyCase, (plan: LatencyPlan) => string>> = {
  'one-viewer': () => 'Latency, one viewer',
  joiners: ({ viewers, joiners, joinersPerSecond }) =>
    `First picture of ${joiners} joiners, ${joinersPerSecond} a second, beside ${viewers} viewers`,
  crowd: ({ crowd }) => `Latency, ${crowd} viewers (srs: min_latency on)`,
};

export function latencyMarkdown({ environment, settings, versions, runs, skipped, figures }: LatencyDocument): string {
  const rows = runs.map(({ what, server, ms, isValid, complaints }) => [
    caseTexts[what](settings),
    server,
    ...(ms === undefined ? ['failed', '-', '-', '-'] : [ms.p50, ms.p95, ms.p99, ms.max].map(roundedText)),
    [...(isValid ? [] : ['**not valid**']), ...complaints].join('; '),
  ]);
  return [
    '# Latency',
    'Written by `npm run bench:latency`; do not edit. How it is measured: [README](README.md).',
    [
      environmentLines(environment),
      `- Load: one publisher of ${settings.kbps} kbps, ${settings.seconds} s per run`,
      ...Object.entries(versions).map(([name, version]) => `- ${name}: ${version}`),
      ...skipped.map(({ name, reason }) => `- ${name}: **skipped**, ${reason}`),
    ].join('\n'),
    '## Goals',
    figureTable(figures),
    '## Figures',
    markdownTable(['What', 'Server', 'p50 ms', 'p95 ms', 'p99 ms', 'Most ms', 'Complaints'], rows),
    '',
  ].join('\n\n');
}
