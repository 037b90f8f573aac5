/** The documents of a load test: one for each second, and one at the end. */
import { addCounts, type ConnectionCounts } from './connection-counts.ts';
import type { Percentiles } from './latency-histogram.ts';
import type { GroupFigures, GroupName, GroupSecond, LoadResult, LoadSecond, TesterFigures } from './load-figures.ts';
import type { LoadPlan } from './load-plan.ts';
import { percentileOf, percentilesOf } from './percentiles.ts';
import { latencyReport, round, roundAll, sumOf } from './report-numbers.ts';
import { type RequestsReport, requestsReport } from './report-requests.ts';
import type { ServerFigures } from './server-watch.ts';

export type Mode = LoadPlan['kind'];

/** Kilobits per second of single connections, and of all together. */
export interface KbpsReport {
  readonly min: number;
  readonly p1: number;
  readonly avg: number;
  readonly total: number;
}

/** Players that are kept apart from the others. */
export interface SideGroupReport extends ConnectionCounts {
  readonly bytes: number;
  readonly kbps: KbpsReport;
  readonly frames: number;
  readonly gaps: { readonly players: number; readonly frames: number };
  readonly wrong: { readonly players: number; readonly messages: number };
}

export interface SecondReport {
  readonly type: 'second';
  readonly second: number;
  readonly phase: 'connecting' | 'warming up' | 'measuring';
  readonly connected: number;
  readonly failed: number;
  readonly lost: number;
  readonly bytes: number;
  readonly kbps: KbpsReport;
  readonly frames: number;
  readonly gapFrames: number;
  readonly silenceMs: number;
  readonly latencyMs: Percentiles | null;
  /** Answered requests; null for others than viewers of HLS. */
  readonly requests: number | null;
  readonly serverCpuPercent: number;
  readonly testerCpuPercent: number;
}

export interface SummaryReport {
  readonly type: 'summary';
  /** The tester itself was not the limit. */
  readonly valid: boolean;
  readonly invalidReasons: readonly string[];
  readonly mode: Mode;
  /** All players but the slow and the stalled ones, as everywhere below. */
  readonly players: ConnectionCounts;
  /** Of the test itself; null when somebody else publishes. */
  readonly publishers: (ConnectionCounts & { readonly kbps: KbpsReport; readonly lateMs: Percentiles | null }) | null;
  /** That were measured. */
  readonly seconds: number;
  /** Taken by the players; in mode publish, taken by the server. */
  readonly bytes: number;
  readonly kbps: KbpsReport;
  readonly frames: number;
  readonly gaps: { readonly players: number; readonly frames: number };
  readonly wrong: { readonly players: number; readonly messages: number };
  readonly silenceMs: { readonly p99: number; readonly max: number };
  readonly firstFrameMs: Percentiles | null;
  readonly latencyMs: Percentiles | null;
  /** Of viewers of HLS; null for others. */
  readonly requests: RequestsReport | null;
  readonly slow: SideGroupReport;
  readonly stalled: SideGroupReport;
  readonly server: ServerFigures & {
    /** Added since before the first connection, without the pages of files. */
    readonly pssPerPlayerKb: number;
  };
  readonly tester: {
    readonly cpuPercent: number;
    readonly loopDelayP99Ms: number;
    readonly processes: readonly TesterFigures[];
  };
  readonly startedAt: string;
  readonly command: string;
}

/** The main figures of a mode. */
function mainGroup(mode: Mode): GroupName {
  return mode === 'publish' ? 'publishers' : 'ordinary';
}

const noKbps: KbpsReport = { min: 0, p1: 0, avg: 0, total: 0 };
const noCounts: ConnectionCounts = { wanted: 0, connected: 0, failed: 0, lost: 0, failures: {} };

export interface SecondFacts extends Pick<SecondReport, 'second' | 'phase' | 'serverCpuPercent'> {
  readonly mode: Mode;
  readonly parts: readonly LoadSecond[];
  /** Of the process that reports. */
  readonly ownCpuPercent: number;
}

export function secondReport({ second, phase, serverCpuPercent, mode, parts, ownCpuPercent }: SecondFacts): SecondReport {
  const group = mainGroup(mode);
  const seconds: readonly GroupSecond[] = parts.flatMap(({ groups }) => groups[group] ?? []);
  const { connected, failed, lost } = addCounts(seconds.map(({ counts }) => counts));
  return {
    type: 'second',
    second,
    phase,
    connected: connected - lost,
    failed,
    lost,
    bytes: sumOf(seconds, ({ bytes }) => bytes),
    kbps: kbpsReport(seconds),
    frames: sumOf(seconds, ({ frames }) => frames),
    gapFrames: sumOf(seconds, ({ gapFrames }) => gapFrames),
    silenceMs: round(seconds.reduce((most, { silenceMs }) => Math.max(most, silenceMs), 0)),
    latencyMs: mode === 'publish' ? null : latencyReport(seconds),
    requests: mode === 'hls' ? sumOf(seconds, ({ answered }) => answered ?? 0) : null,
    serverCpuPercent: round(serverCpuPercent),
    testerCpuPercent: round(ownCpuPercent + sumOf(parts, ({ tester }) => tester.cpuPercent)),
  };
}

export interface SummaryFacts extends Pick<SummaryReport, 'invalidReasons' | 'startedAt' | 'command' | 'mode'> {
  readonly results: readonly LoadResult[];
  readonly server: ServerFigures;
  readonly addedDataKb: number;
  /** All processes of the tester. */
  readonly tester: readonly TesterFigures[];
}

export function summaryReport(facts: SummaryFacts): SummaryReport {
  const { results, mode, server, tester } = facts;
  const groupOf = (name: GroupName): readonly GroupFigures[] => results.flatMap(({ groups }) => groups[name] ?? []);
  const main = groupOf(mainGroup(mode));
  const publishers = groupOf('publishers');
  const connections = Math.max(1, addCounts(main.map(({ counts }) => counts)).connected);
  const measuredSeconds = Math.max(0, ...results.map(({ seconds }) => seconds));
  const silences = main.flatMap(({ silenceMs }) => [...silenceMs]);
  return {
    type: 'summary',
    valid: facts.invalidReasons.length === 0,
    invalidReasons: facts.invalidReasons,
    mode,
    players: mode === 'publish' ? noCounts : addCounts(main.map(({ counts }) => counts)),
    publishers:
      publishers.length === 0
        ? null
        : {
            ...addCounts(publishers.map(({ counts }) => counts)),
            kbps: kbpsReport(publishers),
            lateMs: latencyReport(publishers),
          },
    seconds: round(measuredSeconds, 3),
    ...mediaReport(main),
    silenceMs: { p99: round(percentileOf(silences, 0.99)), max: round(percentileOf(silences, 1)) },
    firstFrameMs: roundAll(percentilesOf(main.flatMap(({ firstFrameMs }) => [...firstFrameMs]))),
    latencyMs: mode === 'publish' ? null : latencyReport(main),
    requests: mode === 'hls' ? requestsReport(main, measuredSeconds) : null,
    slow: sideReport(groupOf('slow')),
    stalled: sideReport(groupOf('stalled')),
    server: {
      cpuPercent: round(server.cpuPercent),
      pssKb: server.pssKb,
      pssPerPlayerKb: round(facts.addedDataKb / connections, 2),
      processes: server.processes.map((one) => ({
        ...one,
        cpuPercent: round(one.cpuPercent),
        userPercent: round(one.userPercent),
        systemPercent: round(one.systemPercent),
        voluntarySwitches: round(one.voluntarySwitches),
      })),
    },
    tester: {
      cpuPercent: round(sumOf(tester, ({ cpuPercent }) => cpuPercent)),
      loopDelayP99Ms: round(Math.max(0, ...tester.map(({ loopDelayP99Ms }) => loopDelayP99Ms))),
      processes: tester.map((one) => ({ ...one, cpuPercent: round(one.cpuPercent), loopDelayP99Ms: round(one.loopDelayP99Ms) })),
    },
    startedAt: facts.startedAt,
    command: facts.command,
  };
}

type MediaReport = Pick<SummaryReport, 'bytes' | 'kbps' | 'frames' | 'gaps' | 'wrong'>;

function mediaReport(parts: readonly GroupFigures[]): MediaReport {
  return {
    bytes: sumOf(parts, ({ bytes }) => bytes),
    kbps: kbpsReport(parts),
    frames: sumOf(parts, ({ frames }) => frames),
    gaps: { players: sumOf(parts, ({ gapPlayers }) => gapPlayers), frames: sumOf(parts, ({ gapFrames }) => gapFrames) },
    wrong: {
      players: sumOf(parts, ({ wrongPlayers }) => wrongPlayers),
      messages: sumOf(parts, ({ wrongMessages }) => wrongMessages),
    },
  };
}

function sideReport(parts: readonly GroupFigures[]): SideGroupReport {
  return { ...addCounts(parts.map(({ counts }) => counts)), ...mediaReport(parts) };
}

function kbpsReport(parts: readonly { readonly kbps: Float64Array }[]): KbpsReport {
  const values = parts.flatMap(({ kbps }) => [...kbps]);
  if (values.length === 0) return noKbps;
  const total = values.reduce((sum, value) => sum + value, 0);
  return {
    min: round(percentileOf(values, 0)),
    p1: round(percentileOf(values, 0.01)),
    avg: round(total / values.length),
    total: round(total),
  };
}
