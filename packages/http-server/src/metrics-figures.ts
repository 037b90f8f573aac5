/** What the metrics are made of, and what of it belongs to which process. */
import type { SlotCounters, WorkerRole } from '@srs/control';
import { redact } from '@srs/kernel';
import type { ServerDirectory, SlotReport, WorkerAnswer, WorkerSummary } from './server-documents.ts';
import type { StreamView } from './server-view.ts';

/** Counters that every process can read at any time, also those of a worker that is dead or hangs. */
export interface CounterBoard {
  /** Of every slot. */
  counters(): readonly SlotCounters[];
  /** Client connections of a slot. */
  connectionsOf(slot: number): number;
}

export interface MetricsInput {
  readonly server: ServerDirectory['server'];
  readonly summaries: readonly WorkerAnswer<WorkerSummary>[];
  readonly counters: readonly SlotCounters[];
  readonly connectionsOf: (slot: number) => number;
  /** The master's share of one core, and what it keeps in memory. */
  readonly master: { readonly cpuPercent: number; readonly residentBytes: number };
  /** `exporter { label; tag; }`; an empty one is left out. */
  readonly labels: { readonly label: string; readonly tag: string };
  /** The streams with metrics of their own, and how many have none; null when none is to have any. */
  readonly streams: readonly StreamView[];
  readonly unlabelledStreams: number | null;
}

export interface MetricsFigures extends MetricsInput {
  /** By slot. */
  readonly workers: readonly WorkerFigures[];
}

/** A slot with what its process says and with what all its processes have counted. */
export interface WorkerFigures {
  readonly report: SlotReport;
  /** Null when it does not answer. */
  readonly summary: WorkerSummary | null;
  readonly counters: SlotCounters;
  /** In single mode the workers are one process: its processor, memory and event loop are told of the first one only. */
  readonly isFirstOfProcess: boolean;
}

export function workersOf(figures: MetricsInput): readonly WorkerFigures[] {
  const pids = new Set<number>();
  const bySlot = new Map(figures.counters.map((counters) => [counters.slot, counters]));
  return figures.summaries.flatMap(({ worker: report, data: summary }): WorkerFigures[] => {
    const counters = bySlot.get(report.slot);
    if (counters === undefined) return [];
    const isFirstOfProcess = !pids.has(report.pid);
    pids.add(report.pid);
    return [{ report, summary, counters, isFirstOfProcess }];
  });
}

/** Media clients of a worker. Of one that is silent the connections count, which are media clients where nothing else is served. */
export function clientsOf({ connectionsOf }: MetricsFigures, { report, summary }: WorkerFigures): number {
  return summary?.clients ?? (report.role === 'stream' ? connectionsOf(report.slot) : 0);
}

/** The memory of a process as it adds up: pages that several share count in parts where the system tells them. */
export function memoryBytes({ memory }: WorkerSummary): number {
  return memory.pssBytes ?? memory.rssBytes;
}

/** Streams that are published: those of the back-sources, and when one of them is silent what the others publish. */
export function publishedStreams(workers: readonly WorkerFigures[]): number {
  const sumOf = (role: WorkerRole): number =>
    workers.reduce((sum, { report, summary }) => sum + (report.role === role ? (summary?.publishedStreams ?? 0) : 0), 0);
  const isComplete = workers.every(({ report, summary }) => report.role !== 'back-source' || summary !== null);
  return isComplete ? sumOf('back-source') : Math.max(sumOf('back-source'), sumOf('stream'));
}

/** The streams with the most players; of equal ones always the same. */
export function busiestStreams(streams: readonly StreamView[], limit: number): readonly StreamView[] {
  return streams.toSorted((a, b) => b.players - a.players || (a.streamId < b.streamId ? -1 : 1)).slice(0, limit);
}

/** Clients choose the names of streams, and some put a secret behind a question mark. */
export const streamLabel = ({ streamId }: StreamView): string => redact(streamId);
