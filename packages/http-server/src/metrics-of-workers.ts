/** The metrics of each worker, by slot and role: a slot keeps its number when its process dies and is replaced. */
import type { CounterName, DistributionName } from '@srs/control';
import type { HistogramDefinition, MetricDefinition } from './metrics-definition.ts';
import { clientsOf, type WorkerFigures } from './metrics-figures.ts';
import type { RegistryTotals, WorkerSummary } from './server-documents.ts';

const MS_PER_SECOND = 1000;

const labelsOf = ({ report }: WorkerFigures): { slot: string; role: string } => ({
  slot: String(report.slot),
  role: report.role,
});

/** One sample for each worker that has the value. */
function byWorker(read: (worker: WorkerFigures) => number | null | undefined): MetricDefinition['samples'] {
  return (figures) =>
    figures.workers.flatMap((worker) => {
      const value = read(worker);
      return value === null || value === undefined ? [] : [{ labels: labelsOf(worker), value }];
    });
}

const bySummary = (read: (summary: WorkerSummary) => number | null | undefined): MetricDefinition['samples'] =>
  byWorker(({ summary }) => (summary === null ? null : read(summary)));

/** Of the process; in single mode there is only one. */
const byProcess = (read: (summary: WorkerSummary) => number): MetricDefinition['samples'] =>
  byWorker(({ summary, isFirstOfProcess }) => (summary === null || !isFirstOfProcess ? null : read(summary)));

const isBackSource = ({ report }: WorkerFigures): boolean => report.role === 'back-source';

/** Stream and http workers have clients, back-sources have none. */
const byCounter = (name: CounterName): MetricDefinition['samples'] =>
  byWorker(({ report, counters }) => (report.role === 'back-source' ? null : counters.counts[name]));

/** Only those who send frames to players have figures of it. */
const bySender = (name: CounterName): MetricDefinition['samples'] =>
  byWorker(({ report, counters }) => (report.role === 'stream' || counters.counts.batches > 0 ? counters.counts[name] : null));

function memoryOf(summary: WorkerSummary): Readonly<Record<string, number | null>> {
  const { rssBytes, pssBytes, heapUsedBytes, externalBytes } = summary.memory;
  return { resident: rssBytes, proportional: pssBytes, heap: heapUsedBytes, external: externalBytes };
}

const ringFigure = (name: 'count' | 'usedBytes' | 'limitBytes'): MetricDefinition['samples'] =>
  bySummary(({ rings }) => ('usedBytes' in rings ? rings[name] : null));

export const workerMetrics: readonly MetricDefinition[] = [
  {
    name: 'srs_worker_ready',
    type: 'gauge',
    help: '1 when the process of the slot serves and answers, else 0.',
    samples: byWorker(({ report, summary }) => (report.state === 'ready' && summary !== null ? 1 : 0)),
  },
  {
    name: 'srs_worker_restarts_total',
    type: 'counter',
    help: 'Times that the process of the slot ended and another was started.',
    samples: byWorker(({ report }) => report.restarts),
  },
  {
    name: 'srs_worker_uptime_seconds',
    type: 'gauge',
    help: 'Time since the process of the slot was started.',
    samples: bySummary(({ uptimeSeconds }) => uptimeSeconds),
  },
  {
    name: 'srs_worker_cpu_percent',
    type: 'gauge',
    help: 'Processor time of the process in the last 10 s; 100 is one core, and a process cannot use more.',
    samples: byProcess(({ cpuPercent }) => cpuPercent),
  },
  {
    name: 'srs_worker_cpu_seconds_total',
    type: 'counter',
    help: 'Processor time that the processes of the slot have used.',
    samples: byWorker(({ counters, isFirstOfProcess }) => (isFirstOfProcess ? counters.counts.cpuSeconds : null)),
  },
  {
    name: 'srs_worker_memory_bytes',
    type: 'gauge',
    help: 'Memory of the process: resident, proportional (shared pages in parts), heap and external (both of JavaScript).',
    samples: (figures) =>
      figures.workers.flatMap((worker) => {
        if (worker.summary === null || !worker.isFirstOfProcess) return [];
        return Object.entries(memoryOf(worker.summary)).flatMap(([kind, value]) =>
          value === null ? [] : [{ labels: { ...labelsOf(worker), kind }, value }],
        );
      }),
  },
  {
    name: 'srs_worker_clients',
    type: 'gauge',
    help: 'Connections of the worker; also of one that does not answer.',
    samples: (figures) =>
      figures.workers.flatMap((worker) => {
        if (worker.report.role === 'back-source') return [];
        return [{ labels: labelsOf(worker), value: clientsOf(figures, worker) }];
      }),
  },
  {
    name: 'srs_worker_publishers',
    type: 'gauge',
    help: 'Clients of the worker that publish.',
    samples: bySummary(({ role, publishers }) => (role === 'back-source' ? null : publishers)),
  },
  {
    name: 'srs_worker_players',
    type: 'gauge',
    help: 'Clients of the worker that play.',
    samples: bySummary(({ role, players }) => (role === 'back-source' ? null : players)),
  },
  {
    name: 'srs_worker_clients_total',
    type: 'counter',
    help: 'Connections that the worker accepted.',
    samples: byCounter('clients'),
  },
  {
    name: 'srs_worker_clients_refused_total',
    type: 'counter',
    help: 'Connections that were closed at once: max_connections were open, or too many from their address.',
    samples: byCounter('refusedClients'),
  },
  {
    name: 'srs_worker_send_bytes_total',
    type: 'counter',
    help: 'Bytes that the worker sent to clients.',
    samples: byCounter('sendBytes'),
  },
  {
    name: 'srs_worker_receive_bytes_total',
    type: 'counter',
    help: 'Bytes that the worker received from clients.',
    samples: byCounter('recvBytes'),
  },
  {
    name: 'srs_worker_publisher_dropped_frames_total',
    type: 'counter',
    help: 'Frames that publishers sent and that were too large for the memory of their stream.',
    samples: byCounter('droppedFrames'),
  },
  {
    name: 'srs_worker_player_cuts_total',
    type: 'counter',
    help: 'Times that a player was later than queue_length and went on at a newer picture.',
    samples: bySender('playerCuts'),
  },
  {
    name: 'srs_worker_player_dropped_frames_total',
    type: 'counter',
    help: 'Frames that were left out for players that were late.',
    samples: bySender('playerDroppedFrames'),
  },
  {
    name: 'srs_worker_ring_laps_total',
    type: 'counter',
    help: 'Times that the worker itself was too slow for a stream and all its players went on at a newer picture.',
    samples: bySender('laps'),
  },
  {
    name: 'srs_worker_batches_total',
    type: 'counter',
    help: 'Batches of frames that were given to players in step.',
    samples: bySender('batches'),
  },
  {
    name: 'srs_worker_writes_total',
    type: 'counter',
    help: 'System calls that this took, one for each player and batch.',
    samples: bySender('writes'),
  },
  {
    name: 'srs_worker_written_bytes_total',
    type: 'counter',
    help: 'Bytes of these batches, for all players.',
    samples: bySender('writtenBytes'),
  },
  {
    name: 'srs_worker_flush_interval_seconds',
    type: 'gauge',
    help: 'The longest time for which the frames of a stream are collected at the moment.',
    samples: bySummary(({ fanOut }) => (fanOut === null ? null : fanOut.flushIntervalMs / MS_PER_SECOND)),
  },
  {
    name: 'srs_worker_flush_share',
    type: 'gauge',
    help: 'Part of its time, 0 to 1, in which the worker gives batches to sockets.',
    samples: bySummary(({ fanOut }) => fanOut?.share),
  },
  {
    name: 'srs_worker_batch_bytes',
    type: 'gauge',
    help: 'Size of the largest of the newest batches.',
    samples: bySummary(({ fanOut }) => fanOut?.batchBytes),
  },
  {
    name: 'srs_worker_rings',
    type: 'gauge',
    help: 'Streams whose memory the worker writes or reads.',
    samples: bySummary(({ rings }) => ('held' in rings ? rings.held : null)),
  },
  {
    name: 'srs_rings',
    type: 'gauge',
    help: 'Streams for which a back-source has handed out memory.',
    samples: ringFigure('count'),
  },
  {
    name: 'srs_ring_memory_bytes',
    type: 'gauge',
    help: 'Memory that a back-source has handed out to streams.',
    samples: ringFigure('usedBytes'),
  },
  {
    name: 'srs_ring_memory_limit_bytes',
    type: 'gauge',
    help: 'And as much as it may: ring { memory }.',
    samples: ringFigure('limitBytes'),
  },
];

/** One sample for each registry of each worker that has one. */
const byRegistry =
  (read: (report: RegistryTotals) => number): MetricDefinition['samples'] =>
  (figures) =>
    figures.workers.flatMap((worker) =>
      (worker.summary?.registries ?? []).map((report) => ({
        labels: { ...labelsOf(worker), registry: report.name },
        value: read(report),
      })),
    );

export const registryMetrics: readonly MetricDefinition[] = [
  {
    name: 'srs_registry_up',
    type: 'gauge',
    help: '1 when the registry of the cluster answers, else 0.',
    samples: byRegistry(({ isUp }) => (isUp ? 1 : 0)),
  },
  {
    name: 'srs_registry_leases',
    type: 'gauge',
    help: 'Streams published here that the registry has, or should have.',
    samples: byRegistry(({ leases }) => leases),
  },
  {
    name: 'srs_registry_commands_total',
    type: 'counter',
    help: 'Commands that the registry was to be sent, since the process started.',
    samples: byRegistry(({ commands }) => commands),
  },
  {
    name: 'srs_registry_failures_total',
    type: 'counter',
    help: 'Those of them that had no answer, or an error for one.',
    samples: byRegistry(({ failures }) => failures),
  },
  {
    name: 'srs_registry_latency_seconds',
    type: 'gauge',
    help: 'From a command to its answer, on average over the newest ones.',
    samples: byRegistry(({ latencyMs }) => latencyMs / MS_PER_SECOND),
  },
];

/** One sample for each kind of push of each back-source. */
const byPushKind =
  (forward: CounterName, edgePush: CounterName): MetricDefinition['samples'] =>
  (figures) =>
    figures.workers.filter(isBackSource).flatMap((worker) => {
      const { counts } = worker.counters;
      return [
        { labels: { ...labelsOf(worker), kind: 'forward' }, value: counts[forward] },
        { labels: { ...labelsOf(worker), kind: 'edge push' }, value: counts[edgePush] },
      ];
    });

const byBackSource = (name: CounterName): MetricDefinition['samples'] =>
  byWorker((worker) => (isBackSource(worker) ? worker.counters.counts[name] : null));

/** Clients and requests choose streams and destinations, so that these have no series of their own. */
export const relayMetrics: readonly MetricDefinition[] = [
  {
    name: 'srs_forward_destinations',
    type: 'gauge',
    help: 'Servers that streams are pushed to, each once for each stream, by kind and state; publishing is as it should be.',
    samples: (figures) =>
      figures.workers.flatMap((worker) =>
        (worker.summary?.pushes ?? []).map(({ kind, state, count }) => ({
          labels: { ...labelsOf(worker), kind, state },
          value: count,
        })),
      ),
  },
  {
    name: 'srs_forward_reconnects_total',
    type: 'counter',
    help: 'Times that a server took a stream again after its connection was lost.',
    samples: byPushKind('forwardReconnects', 'edgePushReconnects'),
  },
  {
    name: 'srs_forward_send_bytes_total',
    type: 'counter',
    help: 'Bytes sent to them.',
    samples: byPushKind('forwardSentBytes', 'edgePushSentBytes'),
  },
  {
    name: 'srs_forward_dropped_frames_total',
    type: 'counter',
    help: 'Frames that were left out because a server was slow, or away after it had been there.',
    samples: byPushKind('forwardDroppedFrames', 'edgePushDroppedFrames'),
  },
  {
    name: 'srs_pull_streams',
    type: 'gauge',
    help: 'Streams that are got from other servers, by state; pulling is as it should be.',
    samples: (figures) =>
      figures.workers.flatMap((worker) =>
        (worker.summary?.pulls ?? []).map(({ state, count }) => ({ labels: { ...labelsOf(worker), state }, value: count })),
      ),
  },
  {
    name: 'srs_pull_starts_total',
    type: 'counter',
    help: 'Times that media of such a stream began to come.',
    samples: byBackSource('pullStarts'),
  },
  {
    name: 'srs_pull_receive_bytes_total',
    type: 'counter',
    help: 'Bytes received of such streams.',
    samples: byBackSource('pullRecvBytes'),
  },
];

/** @param isTold whether the worker has anything to tell of it */
function distribution(name: DistributionName, isTold: (worker: WorkerFigures) => boolean): HistogramDefinition['rows'] {
  return (figures) =>
    figures.workers.filter(isTold).map((worker) => ({ labels: labelsOf(worker), figures: worker.counters.distributions[name] }));
}

const isSender = ({ report, counters }: WorkerFigures): boolean => report.role === 'stream' || counters.counts.batches > 0;

export const workerHistograms: readonly HistogramDefinition[] = [
  {
    name: 'srs_worker_event_loop_delay_seconds',
    type: 'histogram',
    help: 'How late the process was for what it had to do, looked at every 50 ms.',
    rows: distribution('eventLoopDelayMs', ({ isFirstOfProcess }) => isFirstOfProcess),
  },
  {
    name: 'srs_worker_frame_latency_seconds',
    type: 'histogram',
    help: 'For each batch: from the arrival of its oldest frame at the server until its last player in step had been given it.',
    rows: distribution('frameAgeMs', isSender),
  },
  {
    name: 'srs_worker_flush_interval_chosen_seconds',
    type: 'histogram',
    help: 'For each batch: how long its frames were to be collected, as chosen from what sending costs.',
    rows: distribution('flushIntervalMs', isSender),
  },
];
