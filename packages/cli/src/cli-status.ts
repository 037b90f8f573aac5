/** `srs-cli status` and `srs-cli workers`: the server and its workers. */
import { formatAddress, type ServerAddress } from '@srs/config';
import type { Kbps } from '@srs/kernel';
import type { RegistryTotals, ServerDirectory, WorkerAnswer, WorkerSummary, WorkerTotals } from '@srs/survey';
import { drainText } from './cli-drain.ts';
import { problemLines, type Report, type ReportBase, reportBase, stateCell, type WorkerRow, workerRow } from './cli-report.ts';
import { type Column, tableText } from './cli-table.ts';
import { bytesText, currentKbps, durationText, printable } from './cli-text.ts';

export interface SummarizedWorker extends WorkerRow {
  /** Null when the worker has not answered. */
  readonly summary: WorkerSummary | null;
}

interface ServerTotals extends Omit<WorkerTotals, 'streams' | 'publishedStreams' | 'fanOut'> {
  /** Published at the moment. */
  readonly streams: number;
}

export interface StatusDocument extends ReportBase {
  readonly totals: ServerTotals;
  readonly workers: readonly SummarizedWorker[];
}

export function statusReport(
  api: ServerAddress,
  { server }: ServerDirectory,
  answers: readonly WorkerAnswer<WorkerSummary>[],
): Report<StatusDocument> {
  const workers = answers.map((answer): SummarizedWorker => ({ ...workerRow(answer), summary: answer.data }));
  const document: StatusDocument = { ...reportBase(api, server, answers), totals: totalsOf(workers), workers };
  return {
    document,
    text: (colors) =>
      [
        serverLine(document),
        ...drainLines(document),
        totalsLine(document),
        ...registryLines(workers),
        '',
        tableText(statusColumns, workers, colors),
      ].join('\n') + problemLines(workers, colors),
  };
}

/** The same document, shown worker by worker. */
export function workersReport(
  api: ServerAddress,
  directory: ServerDirectory,
  answers: readonly WorkerAnswer<WorkerSummary>[],
): Report<StatusDocument> {
  const { document } = statusReport(api, directory, answers);
  return {
    document,
    text: (colors) =>
      drainLines(document)
        .map((line) => `${line}\n`)
        .join('') +
      tableText(workerColumns, document.workers, colors) +
      problemLines(document.workers, colors),
  };
}

const drainLines = ({ server: { drain } }: StatusDocument): string[] =>
  drain === undefined ? [] : [printable(drainText(drain))];

function totalsOf(workers: readonly SummarizedWorker[]): ServerTotals {
  const summaries = workers.flatMap(({ summary }) => (summary === null ? [] : [summary]));
  const sum = (pick: (summary: WorkerSummary) => number): number => summaries.reduce((total, one) => total + pick(one), 0);
  const sumOfRates = (pick: (summary: WorkerSummary) => Kbps): Kbps => ({
    average: sum((one) => pick(one).average),
    last30s: sum((one) => pick(one).last30s),
    last5m: sum((one) => pick(one).last5m),
  });
  const publishedIn = (isDirectory: boolean): number =>
    summaries
      .filter(({ role }) => (role === 'back-source') === isDirectory)
      .reduce((total, { publishedStreams }) => total + publishedStreams, 0);
  return {
    // The directory knows the streams of silent workers too, and the workers those of a silent back-source.
    streams: Math.max(publishedIn(true), publishedIn(false)),
    clients: sum(({ clients }) => clients),
    publishers: sum(({ publishers }) => publishers),
    players: sum(({ players }) => players),
    traffic: {
      recvBytes: sum(({ traffic }) => traffic.recvBytes),
      sendBytes: sum(({ traffic }) => traffic.sendBytes),
      recvKbps: sumOfRates(({ traffic }) => traffic.recvKbps),
      sendKbps: sumOfRates(({ traffic }) => traffic.sendKbps),
    },
    droppedFrames: sum(({ droppedFrames }) => droppedFrames),
    playerCuts: sum(({ playerCuts }) => playerCuts),
    playerDroppedFrames: sum(({ playerDroppedFrames }) => playerDroppedFrames),
  };
}

export function serverLine({ server, api }: StatusDocument): string {
  const { version, mode, uptimeSeconds, pid, listen } = server;
  const addresses = listen.map(formatAddress).join(' ');
  return printable(
    `srs ${version}, mode ${mode}, up ${durationText(uptimeSeconds)}, master pid ${pid} (${api}), listening on ${addresses}`,
  );
}

function totalsLine({ totals, workers }: StatusDocument): string {
  const { streams, publishers, players, clients, traffic } = totals;
  const now = (pick: (summary: WorkerSummary) => Kbps): number =>
    workers.reduce((sum, { summary }) => sum + (summary === null ? 0 : currentKbps(pick(summary), summary.uptimeSeconds)), 0);
  return (
    `streams ${streams}, publishers ${publishers}, players ${players}, clients ${clients}, ` +
    `in ${bytesText(traffic.recvBytes)} at ${now((one) => one.traffic.recvKbps)} kbps, ` +
    `out ${bytesText(traffic.sendBytes)} at ${now((one) => one.traffic.sendKbps)} kbps`
  );
}

/** One for each registry, whatever the number of back-sources that use it: it is well when it is for all of them. */
function registryLines(workers: readonly SummarizedWorker[]): readonly string[] {
  const reports = workers.flatMap(({ summary }) => summary?.registries ?? []);
  const byName = Map.groupBy(reports, ({ name }) => name);
  return Array.from(byName, ([name, same]) => {
    const down = same.find(({ isUp }) => !isUp);
    const sum = (pick: (report: RegistryTotals) => number): number => same.reduce((total, one) => total + pick(one), 0);
    const latencyMs = Math.max(...same.map((report) => report.latencyMs));
    const state = down === undefined ? `up, ${latencyMs.toFixed(1)} ms` : `DOWN: ${down.lastError || 'not reached yet'}`;
    const failures = sum((report) => report.failures);
    return printable(
      `registry ${name} ${state}; ${sum(({ leases }) => leases)} streams announced, ${failures} of ${sum(({ commands }) => commands)} commands failed`,
    );
  });
}

type WorkerColumn = Column<SummarizedWorker>;

const inKbps = ({ summary }: SummarizedWorker): number | undefined =>
  summary === null ? undefined : currentKbps(summary.traffic.recvKbps, summary.uptimeSeconds);
const outKbps = ({ summary }: SummarizedWorker): number | undefined =>
  summary === null ? undefined : currentKbps(summary.traffic.sendKbps, summary.uptimeSeconds);

const identityColumns: readonly WorkerColumn[] = [
  { head: 'Slot', isRight: true, value: ({ slot }) => slot },
  { head: 'Role', value: ({ role }) => role },
  { head: 'State', value: stateCell },
  { head: 'Pid', isRight: true, value: ({ pid }) => (pid === 0 ? undefined : pid) },
  {
    head: 'Up',
    isRight: true,
    value: ({ state, uptimeSeconds }) => (state === 'ready' ? durationText(uptimeSeconds) : undefined),
  },
  {
    head: 'Restarts',
    isRight: true,
    value: ({ restarts }) => ({ text: String(restarts), emphasis: restarts === 0 ? 'plain' : 'warning' }),
  },
];

const serviceColumns: readonly WorkerColumn[] = [
  { head: 'Streams', isRight: true, value: ({ summary }) => summary?.publishedStreams },
  { head: 'Publishers', isRight: true, value: ({ summary }) => summary?.publishers },
  { head: 'Players', isRight: true, value: ({ summary }) => summary?.players },
  { head: 'Clients', isRight: true, value: ({ summary }) => summary?.clients },
  { head: 'In kbps', isRight: true, value: inKbps },
  { head: 'Out kbps', isRight: true, value: outKbps },
];

const statusColumns: readonly WorkerColumn[] = [...identityColumns, ...serviceColumns];

const milliseconds = (ms: number | undefined): string | undefined => (ms === undefined ? undefined : ms.toFixed(1));

const rounded = (value: number | undefined): number | undefined => (value === undefined ? undefined : Math.round(value));

const workerColumns: readonly WorkerColumn[] = [
  ...identityColumns,
  { head: 'Last end', value: ({ lastEnd }) => (lastEnd === '' ? undefined : lastEnd) },
  { head: 'Port', isRight: true, value: ({ port }) => (port === 0 ? undefined : port) },
  ...serviceColumns,
  {
    head: 'Dropped',
    isRight: true,
    value: ({ summary }) => (summary === null ? undefined : summary.droppedFrames + summary.playerDroppedFrames),
  },
  { head: 'Flush ms', isRight: true, value: ({ summary }) => summary?.fanOut?.flushIntervalMs },
  { head: 'Writes/s', isRight: true, value: ({ summary }) => rounded(summary?.fanOut?.writesPerSecond) },
  { head: 'CPU %', isRight: true, value: ({ summary }) => summary?.cpuPercent.toFixed(1) },
  { head: 'Loop p50 ms', isRight: true, value: ({ summary }) => milliseconds(summary?.eventLoop.p50Ms) },
  { head: 'p99', isRight: true, value: ({ summary }) => milliseconds(summary?.eventLoop.p99Ms) },
  { head: 'max', isRight: true, value: ({ summary }) => milliseconds(summary?.eventLoop.maxMs) },
  {
    head: 'Memory',
    isRight: true,
    value: ({ summary }) => (summary === null ? undefined : bytesText(summary.memory.pssBytes ?? summary.memory.rssBytes)),
  },
  {
    head: 'Rings',
    isRight: true,
    value: ({ summary }) => {
      if (summary === null) return undefined;
      const { rings } = summary;
      return 'usedBytes' in rings ? `${rings.count} of ${bytesText(rings.usedBytes)}` : String(rings.held);
    },
  },
];
