/** A server as the metrics see it, and a reader of what they say that forgives nothing. */
import {
  COUNTER_WORDS,
  type PartialCounters,
  readCounters,
  type SlotCounters,
  type WorkerRole,
  writeCounters,
} from '@srs/control';
import type { MetricsFigures } from './metrics-figures.ts';
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

export const serverOf = (pid = 999): MetricsFigures['server'] => ({
  version: '2.0.0',
  pid,
  mode: 'multi',
  uptimeSeconds: 100,
  listen: [],
  workers: 4,
});

/** Back-source, two stream workers, http; what is given is laid over it. */
export function figuresOf(more: Partial<MetricsFigures> = {}): MetricsFigures {
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

export interface ParsedMetric {
  readonly type: string;
  readonly help: string;
  readonly samples: ReadonlyMap<string, number>;
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\\\\n]|\\\\["\\\\n])*)"';
const VALUE = '(?:[+-]?(?:\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?|Inf)|Nan)';

const samplePattern = new RegExp(`^(${NAME})(?:\\{((?:${LABEL},?)*)\\})? (${VALUE})$`);

/**
 * The text format 0.0.4: each metric has its HELP and TYPE before its samples, all of them together, and no series comes twice.
 * @throws Error naming the line that is wrong
 */
export function parseMetrics(text: string): ReadonlyMap<string, ParsedMetric> {
  const metrics = new Map<string, { type: string; help: string; samples: Map<string, number> }>();
  let current = '';
  if (!text.endsWith('\n')) throw new Error('the last line must end with a line feed');
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, kind, name = '', rest = ''] = new RegExp(`^# (HELP|TYPE) (${NAME}) (.*)$`).exec(line) ?? [];
    if (kind === 'HELP') {
      if (metrics.has(name)) throw new Error(`${name} comes twice`);
      metrics.set(name, { help: rest, type: '', samples: new Map() });
      current = name;
    } else if (kind === 'TYPE') {
      if (name !== current) throw new Error(`type of ${name} within ${current}`);
      metrics.get(name)!.type = rest;
    } else {
      addSample(line, current, metrics.get(current)?.samples);
    }
  }
  return metrics;
}

function addSample(line: string, metric: string, samples: Map<string, number> | undefined): void {
  const match = samplePattern.exec(line);
  if (match === null || samples === undefined) throw new Error(`not a sample: ${line}`);
  const [, name = '', labelText = ''] = match;
  if (name.replace(/_(bucket|sum|count)$/, '') !== metric && name !== metric) throw new Error(`${name} within ${metric}`);
  const labels = Array.from(labelText.matchAll(new RegExp(LABEL, 'g')), ([, label, value]) => `${label}=${value}`);
  const key = `${name}{${labels.toSorted().join(',')}}`;
  if (samples.has(key)) throw new Error(`${key} comes twice`);
  const value = match.at(-1)!;
  samples.set(key, value.endsWith('Inf') ? Number(`${value}inity`) : Number(value));
}

/** @throws Error when there is no such series */
export function sampleOf(metrics: ReadonlyMap<string, ParsedMetric>, name: string, labels: Record<string, string> = {}): number {
  const key = `${name}{${Object.entries(labels)
    .map(([label, value]) => `${label}=${value}`)
    .toSorted()
    .join(',')}}`;
  const value = metrics.get(name.replace(/_(bucket|sum|count)$/, ''))?.samples.get(key) ?? metrics.get(name)?.samples.get(key);
  if (value === undefined) throw new Error(`no series ${key}`);
  return value;
}
