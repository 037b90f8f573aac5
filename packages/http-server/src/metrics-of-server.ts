/** The metrics of the whole server: those of SRS, under its names. */
import { arch, hostname, release, type, version } from 'node:os';
import type { CounterName } from '@srs/control';
import { type MetricDefinition, whole } from './metrics-definition.ts';
import { clientsOf, type MetricsFigures, memoryBytes, publishedStreams, type WorkerFigures } from './metrics-figures.ts';
import type { WorkerSummary } from './server-documents.ts';

const BYTES_PER_KB = 1024;

/** Of all processes that ever were: also when a slot is no longer used. */
const total = (name: CounterName): MetricDefinition['samples'] =>
  whole(({ counters }) => counters.reduce((sum, { counts }) => sum + counts[name], 0));

const sum = (figures: MetricsFigures, read: (worker: WorkerFigures) => number): number =>
  figures.workers.reduce((all, worker) => all + read(worker), 0);

/** The master is one more process, unless the workers are parts of it. */
function sumOfProcesses(figures: MetricsFigures, master: number, read: (summary: WorkerSummary) => number): number {
  const isSeparate = figures.workers.every(({ report }) => report.pid !== figures.server.pid);
  const workers = sum(figures, ({ summary, isFirstOfProcess }) => (summary === null || !isFirstOfProcess ? 0 : read(summary)));
  return (isSeparate ? master : 0) + workers;
}

export const serverMetrics: readonly MetricDefinition[] = [
  {
    name: 'srs_node_uname_info',
    type: 'gauge',
    help: 'Always 1; the labels tell what the server runs on.',
    samples: () => [
      {
        labels: { sysname: type(), nodename: hostname(), release: release(), version: version(), machine: arch() },
        value: 1,
      },
    ],
  },
  {
    name: 'srs_build_info',
    type: 'gauge',
    help: 'Always 1; the labels tell which server this is. label and tag are those of exporter { }.',
    samples: ({ server, labels: { label, tag } }) => [
      {
        labels: {
          pid: String(server.pid),
          major: server.version.split('.', 1)[0] ?? '',
          version: server.version,
          node: process.versions.node,
          ...(label === '' ? {} : { label }),
          ...(tag === '' ? {} : { tag }),
        },
        value: 1,
      },
    ],
  },
  {
    name: 'srs_uptime_seconds',
    type: 'gauge',
    help: 'Time since the server was started.',
    samples: whole(({ server }) => server.uptimeSeconds),
  },
  {
    name: 'srs_draining',
    type: 'gauge',
    help: '1 while the server is drained as a whole: it takes nobody and lets its clients go.',
    samples: whole(({ server }) => (server.drain === undefined ? 0 : 1)),
  },
  {
    name: 'srs_cpu_percent',
    type: 'gauge',
    help: 'Processor time of all processes of the server; 100 is one core.',
    samples: whole((figures) => sumOfProcesses(figures, figures.master.cpuPercent, ({ cpuPercent }) => cpuPercent)),
  },
  {
    name: 'srs_memory',
    type: 'gauge',
    help: 'Memory of all processes of the server in kB; what they share counts once.',
    samples: whole((figures) => Math.round(sumOfProcesses(figures, figures.master.residentBytes, memoryBytes) / BYTES_PER_KB)),
  },
  {
    name: 'srs_send_bytes_total',
    type: 'counter',
    help: 'Bytes sent to clients.',
    samples: total('sendBytes'),
  },
  {
    name: 'srs_receive_bytes_total',
    type: 'counter',
    help: 'Bytes received from clients.',
    samples: total('recvBytes'),
  },
  {
    name: 'srs_streams',
    type: 'gauge',
    help: 'Streams that are published.',
    samples: whole((figures) => publishedStreams(figures.workers)),
  },
  {
    name: 'srs_clients',
    type: 'gauge',
    help: 'Connections of publishers, players and those that are not yet one of them.',
    samples: whole((figures) => sum(figures, (worker) => clientsOf(figures, worker))),
  },
  {
    name: 'srs_clients_total',
    type: 'counter',
    help: 'Connections that were accepted.',
    samples: total('clients'),
  },
  {
    name: 'srs_clients_errs_total',
    type: 'counter',
    help: 'Connections that the server ended because of an error or refused; a client that leaves is none.',
    samples: total('clientErrors'),
  },
];
