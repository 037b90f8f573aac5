/** A server as the metrics see it. */
import {
  COUNTER_WORDS,
  type PartialCounters,
  readCounters,
  type SlotCounters,
  type WorkerRole,
  writeCounters,
} from '@srs/control';
import type { MetricsInput } from './metrics-figures.ts';
import type { SlotReport, WorkerAnswer, WorkerSummary } from './server-documents.ts';
import type { StreamView } from './server-view.ts';

const kbps = { average: 0, last30s: 0, last5m: 0 };

export function reportOf(slot: number, role: WorkerRole, more: Partial<SlotReport> = {}): SlotReport {
  return { slot, role, state: 'ready', pid: 1000 + slot, port: 1, restarts: 0, lastEnd: '', uptimeSeconds: 60, ...more };
}

export function summaryOf(slot: number, role: WorkerRole, more: Partial<WorkerSummary> = {}): WorkerSummary {
  return {
    role,
    slot,
    pid: 1000 + slot,
    uptimeSeconds: 60,
    streams: 0,
    publishedStreams: 0,
    clients: 0,
    publishers: 0,
    players: 0,
    traffic: { recvBytes: 0, sendBytes: 0, recvKbps: kbps, sendKbps: kbps },
    droppedFrames: 0,
    playerCuts: 0,
    playerDroppedFrames: 0,
    fanOut:
      role === 'stream'
        ? { share: 0.125, writesPerSecond: 1, bytesPerSecond: 1, stretch: 1, flushIntervalMs: 40, batchBytes: 20_000 }
        : null,
    rings: role === 'back-source' ? { count: 3, usedBytes: 6e6, limitBytes: 4e9 } : { held: 2 },
    memory: { rssBytes: 100 * 1024 ** 2, pssBytes: 50 * 1024 ** 2, heapUsedBytes: 20e6, externalBytes: 3e6 },
    eventLoop: { windowSeconds: 10, p50Ms: 0, p99Ms: 1, maxMs: 2 },
    cpuPercent: 10,
    ...more,
  };
}

export function answerOf(report: SlotReport, summary: Partial<WorkerSummary> | null = {}): WorkerAnswer<WorkerSummary> {
  return {
    worker: report,
    data: summary === null ? null : summaryOf(report.slot, report.role, { pid: report.pid, ...summary }),
    problem: summary === null ? 'no answer within 1000 ms' : null,
  };
}

export function countersOf(slot: number, counters: PartialCounters = {}): SlotCounters {
  const words = new Float64Array(COUNTER_WORDS);
  writeCounters(counters, words);
  return { slot, ...readCounters(words) };
}

export function streamOf(streamId: string, more: Partial<StreamView> = {}): StreamView {
  return { streamId, players: 1, recvKbps30s: 500, sendKbps30s: 1000, droppedFrames: 0, playerCuts: 0, ...more } as StreamView;
}

export const serverOf = (pid = 999): MetricsInput['server'] => ({
  version: '2.0.0',
  pid,
  mode: 'multi',
  uptimeSeconds: 100,
  listen: [],
  workers: 4,
});

/** Back-source, two stream workers, http; what is given is laid over it. */
export function figuresOf(more: Partial<MetricsInput> = {}): MetricsInput {
  const reports = [reportOf(0, 'back-source'), reportOf(1, 'stream'), reportOf(2, 'stream'), reportOf(3, 'http')];
  return {
    server: serverOf(),
    summaries: reports.map((report) => answerOf(report)),
    counters: reports.map(({ slot }) => countersOf(slot)),
    connectionsOf: () => 0,
    master: { cpuPercent: 1, residentBytes: 40 * 1024 ** 2 },
    labels: { label: '', tag: '' },
    streams: [],
    unlabelledStreams: null,
    ...more,
  };
}
