/** Made-up runs and reports for the tests of this folder. */
import type { ConnectionCounts } from '../connection-counts.ts';
import type { KbpsReport, SideGroupReport, SummaryReport } from '../report.ts';
import type { PeerRun, PeersDocument, RunFigures } from './peers-document.ts';

const noKbps: KbpsReport = { min: 0, p1: 0, avg: 0, total: 0 };
const percentiles = { p50: 5, p95: 8, p99: 10, max: 12 };

export function counts(changes: Partial<ConnectionCounts> = {}): ConnectionCounts {
  return { wanted: 10, connected: 10, failed: 0, lost: 0, failures: {}, ...changes };
}

const nobody: SideGroupReport = {
  ...counts({ wanted: 0, connected: 0 }),
  bytes: 0,
  kbps: noKbps,
  frames: 0,
  gaps: { players: 0, frames: 0 },
  wrong: { players: 0, messages: 0 },
};

/** Ten players that got all they should. */
export function summary(changes: Partial<SummaryReport> = {}): SummaryReport {
  return {
    type: 'summary',
    valid: true,
    invalidReasons: [],
    mode: 'play',
    players: counts(),
    publishers: null,
    seconds: 10,
    bytes: 6_250_000,
    kbps: { min: 499, p1: 499, avg: 500, total: 5_000 },
    frames: 2_500,
    gaps: { players: 0, frames: 0 },
    wrong: { players: 0, messages: 0 },
    silenceMs: { p99: 50, max: 60 },
    firstFrameMs: percentiles,
    latencyMs: percentiles,
    requests: null,
    slow: nobody,
    stalled: nobody,
    server: { cpuPercent: 12, pssKb: 50_000, pssPerPlayerKb: 9, processes: [usage(1, 2), usage(2, 10)] },
    tester: { cpuPercent: 20, loopDelayP99Ms: 1, processes: [] },
    startedAt: '2026-01-02T03:04:05.000Z',
    command: 'srs-bench play',
    ...changes,
  };
}

function usage(pid: number, cpuPercent: number) {
  const times = { cpuPercent, userPercent: cpuPercent, systemPercent: 0, voluntarySwitches: 0 };
  return { pid, label: `process ${pid}`, rssKb: 1_000, pssKb: 1_000, dataKb: 900, ...times };
}

export function figures(changes: Partial<RunFigures> = {}): RunFigures {
  return { cpuPercent: 10, totalCpuPercent: 12, pssPerPlayerKb: 9, latencyMs: percentiles, kbpsAverage: 500, ...changes };
}

export function run(server: string, players: number, round: number, changes: Partial<PeerRun> = {}): PeerRun {
  return { server, players, round, figures: figures(), isValid: true, complaints: [], ...changes };
}

/** A run that gave no figures. */
export function failedRun(server: string, players: number, round: number, reason: string): PeerRun {
  return { server, players, round, isValid: false, complaints: [reason] };
}

export function peersDocument(runs: readonly PeerRun[], changes: Partial<PeersDocument> = {}): PeersDocument {
  const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];
  return {
    kind: 'peers',
    environment: {
      date: '2026-01-02T03:04:05.000Z',
      command: 'npm run bench:peers',
      commit: '0123456789ab',
      node: '24.0.0',
      kernel: 'linux 6.1',
      cpu: 'Some <CPU> & more',
      cores: 2,
      memoryMb: 1_000,
      isPinned: true,
    },
    settings: {
      players: unique(runs.map(({ players }) => players)),
      rounds: Math.max(...runs.map(({ round }) => round)),
      seconds: 10,
      kbps: 500,
      readEveryMs: 0,
    },
    servers: unique(runs.map(({ server }) => server)).map((name) => ({ name, title: `title of ${name}`, version: '1.0' })),
    skipped: [],
    runs,
    figures: [],
    ...changes,
  };
}
