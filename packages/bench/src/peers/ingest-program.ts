/** `npm run bench:ingest`: what publishers cost. */
import { describeError } from '@srs/kernel';
import { type BenchEnvironment, describeEnvironment, environmentLines } from './bench-environment.ts';
import { type BenchProgram, commonOptions, maxPort, readNumber, readNumbers, readWords } from './bench-program.ts';
import type { Figure } from './figure.ts';
import { markdownTable } from './markdown.ts';
import { NginxPeer } from './nginx-peer.ts';
import { NodeMediaServerPeer } from './node-media-server-peer.ts';
import { type Peer, PeerMissing } from './peer.ts';
import { complaintsOf, type SkippedServer } from './peers-document.ts';
import { SrsPeer, srsDefault } from './srs-peer.ts';
import { ratioOf, roundedText, spreadOf, spreadText } from './statistics.ts';
import { publish } from './tester.ts';
import type { Workbench } from './workbench.ts';

const ingestServers = ['srs', 'nginx', 'node-media-server'] as const;
type IngestServer = (typeof ingestServers)[number];

export interface IngestPlan {
  readonly publishers: readonly number[];
  readonly servers: readonly IngestServer[];
  readonly rounds: number;
  readonly seconds: number;
  readonly kbps: number;
  /** Times real time, or as fast as the server takes it. */
  readonly speed: number | 'max';
  readonly port: number;
}

interface IngestRun {
  readonly server: string;
  readonly publishers: number;
  readonly round: number;
  readonly figures?: IngestFigures;
  readonly complaints: readonly string[];
}

interface IngestFigures {
  readonly megabytesPerSecond: number;
  /** Of one core, of the processes that take the streams. */
  readonly cpuPercent: number;
  /** For each second of processor time of those. */
  readonly megabytesPerCpuSecond: number;
  readonly testerCpuPercent: number;
}

export interface IngestDocument {
  readonly kind: 'ingest';
  readonly environment: BenchEnvironment;
  readonly settings: IngestPlan;
  readonly versions: Readonly<Record<string, string>>;
  readonly skipped: readonly SkippedServer[];
  readonly runs: readonly IngestRun[];
  readonly figures: readonly Figure[];
}

const RAMP_PER_SECOND = 200;

export const ingestProgram: BenchProgram<IngestPlan, IngestDocument> = {
  name: 'ingest',
  purpose: 'Megabytes a second that publishers get in, per core of the server.',
  options: {
    publishers: { type: 'string', default: '1,10,100,1000', requiresArg: true, describe: 'Numbers of publishers' },
    servers: { type: 'string', default: 'srs,nginx', requiresArg: true, describe: `Of ${ingestServers.join(', ')}` },
    rounds: { type: 'number', default: 2, requiresArg: true, describe: 'How often everything is measured' },
    speed: {
      type: 'string',
      default: 'max',
      requiresArg: true,
      describe: 'Times real time; max is as fast as the server takes it',
    },
    ...commonOptions,
  },
  read: (parsed) => ({
    publishers: readNumbers(parsed, 'publishers', 1, 5_000),
    servers: readWords(parsed, 'servers', ingestServers),
    rounds: readNumber(parsed, 'rounds', 1, 100),
    seconds: readNumber(parsed, 'seconds', 1, 120),
    kbps: readNumber(parsed, 'kbps', 1, 100_000),
    speed: parsed.speed === 'max' ? 'max' : readNumber({ ...parsed, speed: Number(parsed.speed) }, 'speed', 1, 1_000),
    port: readNumber(parsed, 'port', 1, maxPort),
  }),
  run: measureIngest,
  write: (document) => ({ md: ingestMarkdown(document) }),
  isComplete: ({ runs }) => runs.every(({ figures }) => figures !== undefined),
};

function peerOf(name: IngestServer): Peer {
  switch (name) {
    case 'srs':
      return new SrsPeer(srsDefault);
    case 'nginx':
      return new NginxPeer();
    case 'node-media-server':
      return new NodeMediaServerPeer();
  }
}

async function measureIngest(bench: Workbench, plan: IngestPlan, command: string): Promise<IngestDocument> {
  const environment = await describeEnvironment(bench, command);
  const versions: Record<string, string> = {};
  const skipped: SkippedServer[] = [];
  const servers: Peer[] = [];
  for (const server of plan.servers.map(peerOf)) {
    try {
      versions[server.name] = await server.prepare(bench);
      servers.push(server);
    } catch (thrown) {
      if (!(thrown instanceof PeerMissing)) throw thrown;
      skipped.push({ name: server.name, reason: thrown.message });
      bench.say(`${server.name} is skipped: ${thrown.message}`);
    }
  }
  const runs: IngestRun[] = [];
  for (let round = 1; round <= plan.rounds; round++) {
    for (const publishers of plan.publishers) {
      for (const server of servers) {
        const run = await measurePublishers(bench, plan, server, publishers, round);
        runs.push(run);
        bench.say(
          [`round ${round}, ${publishers} publishers, ${server.name}: ${figuresText(run.figures)}`, ...run.complaints].join('; '),
        );
      }
    }
  }
  return { kind: 'ingest', environment, settings: plan, versions, skipped, runs, figures: [] };
}

async function measurePublishers(
  bench: Workbench,
  plan: IngestPlan,
  server: Peer,
  publishers: number,
  round: number,
): Promise<IngestRun> {
  const place = { server: server.name, publishers, round };
  try {
    await using running = await server.start(bench, plan.port);
    const { seconds, kbps, speed } = plan;
    const load = { url: running.url('bench{n}'), publishers, kbps, speed, seconds, rampPerSecond: RAMP_PER_SECOND };
    const summary = await publish(bench, { ...load, isStamped: false, processes: running.processes });
    const serving = new Set(running.processes.filter(({ isServing }) => isServing).map(({ pid }) => pid));
    const usages = summary.server.processes.filter(({ pid }) => serving.has(pid));
    const cpuPercent = usages.reduce((sum, usage) => sum + usage.cpuPercent, 0);
    const megabytesPerSecond = summary.bytes / 1e6 / summary.seconds;
    const figures: IngestFigures = {
      megabytesPerSecond,
      cpuPercent,
      megabytesPerCpuSecond: ratioOf(megabytesPerSecond * 100, cpuPercent) ?? 0,
      testerCpuPercent: summary.tester.cpuPercent,
    };
    // As fast as it goes, the tester is at its limit by intention.
    const invalidReasons = speed === 'max' ? [] : summary.invalidReasons;
    return { ...place, figures, complaints: complaintsOf({ ...summary, invalidReasons }) };
  } catch (thrown) {
    bench.signal.throwIfAborted();
    return { ...place, complaints: [describeError(thrown)] };
  }
}

function figuresText(figures: IngestFigures | undefined): string {
  if (figures === undefined) return 'failed';
  const { megabytesPerSecond, cpuPercent, megabytesPerCpuSecond } = figures;
  return `${roundedText(megabytesPerSecond)} MB/s with ${roundedText(cpuPercent)} % of a core, ${roundedText(megabytesPerCpuSecond)} MB per second of CPU`;
}

export function ingestMarkdown({ environment, settings, versions, skipped, runs }: IngestDocument): string {
  const names = Object.keys(versions);
  const cell = (server: string, publishers: number, pick: (figures: IngestFigures) => number): string => {
    const own = runs.filter((run) => run.server === server && run.publishers === publishers);
    const spread = spreadOf(own.flatMap(({ figures }) => (figures === undefined ? [] : [pick(figures)])));
    return spread === undefined ? 'failed' : spreadText(spread);
  };
  const perCpu = (server: string, publishers: number, round: number): number | undefined =>
    runs.find((run) => run.server === server && run.publishers === publishers && run.round === round)?.figures
      ?.megabytesPerCpuSecond;
  const ratio = (publishers: number): string => {
    const rounds = Array.from({ length: settings.rounds }, (_, index) => index + 1);
    const ratios = rounds.map((round) => ratioOf(perCpu('srs', publishers, round), perCpu('nginx', publishers, round)));
    return spreadText(spreadOf(ratios.filter((one) => one !== undefined)));
  };
  const table = (pick: (figures: IngestFigures) => number, hasRatio: boolean): string =>
    markdownTable(
      ['Publishers', ...names, ...(hasRatio ? ['srs / nginx'] : [])],
      settings.publishers.map((publishers) => [
        String(publishers),
        ...names.map((name) => cell(name, publishers, pick)),
        ...(hasRatio ? [ratio(publishers)] : []),
      ]),
    );
  const complaints = runs.filter((run) => run.complaints.length > 0);
  return [
    '# Publishers per core',
    'Written by `npm run bench:ingest`; do not edit. How it is measured: [README](README.md).',
    [
      environmentLines(environment),
      `- Load: streams of ${settings.kbps} kbps at ${settings.speed === 'max' ? 'the speed that the server takes' : `${settings.speed} times real time`}, ${settings.seconds} s per run, ${settings.rounds} rounds in turn`,
      ...names.map((name) => `- ${name}: ${versions[name]}`),
      ...skipped.map(({ name, reason }) => `- ${name}: **skipped**, ${reason}`),
    ].join('\n'),
    'Medians over the rounds, in brackets least and most. A tester that is at its limit sends less, which leaves the figures per processor time as they are.',
    '## Megabytes for each second of processor time of the server',
    table(({ megabytesPerCpuSecond }) => megabytesPerCpuSecond, names.includes('srs') && names.includes('nginx')),
    '## Megabytes a second',
    table(({ megabytesPerSecond }) => megabytesPerSecond, false),
    '## CPU of the server, % of one core',
    table(({ cpuPercent }) => cpuPercent, false),
    '## CPU of the tester, % of one core',
    table(({ testerCpuPercent }) => testerCpuPercent, false),
    '## Runs with complaints',
    complaints.length === 0
      ? 'None.'
      : complaints
          .map(
            (run) =>
              `- ${run.server}, ${run.publishers} publishers, round ${run.round}: ${run.complaints.join('; ').replaceAll('\n', ' ')}`,
          )
          .join('\n'),
    '',
  ].join('\n\n');
}
