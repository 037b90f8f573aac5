/** `srs-cli clients`: every connection of every worker. */
import type { ServerAddress } from '@srs/config';
import type { ClientDescription, ServerDirectory, WorkerAnswer } from '@srs/survey';
import { problemLines, type Report, type ReportBase, reportBase, type WorkerRow, workerRow } from './cli-report.ts';
import { type Column, tableText } from './cli-table.ts';
import { bytesText, currentKbps, durationText } from './cli-text.ts';

export interface ClientRow extends ClientDescription {
  /** Slot of the worker that it is connected to. */
  readonly worker: number;
}

export interface ClientsDocument extends ReportBase {
  readonly clients: readonly ClientRow[];
  readonly workers: readonly WorkerRow[];
}

export function clientsReport(
  api: ServerAddress,
  { server }: ServerDirectory,
  answers: readonly WorkerAnswer<readonly ClientDescription[]>[],
): Report<ClientsDocument> {
  const workers = answers.map(workerRow);
  const clients = answers
    .flatMap(({ worker, data }) => (data ?? []).map((client): ClientRow => ({ ...client, worker: worker.slot })))
    .sort((a, b) => a.id - b.id);
  const document: ClientsDocument = { ...reportBase(api, server, answers), clients, workers };
  return { document, text: (colors) => tableText(columns, clients, colors) + problemLines(workers, colors) };
}

const columns: readonly Column<ClientRow>[] = [
  { head: 'Id', isRight: true, value: ({ id }) => id },
  { head: 'Type', value: typeText },
  { head: 'Ip', value: ({ ip }) => ip },
  { head: 'Stream', value: ({ streamId }) => (streamId === '' ? undefined : streamId) },
  { head: 'Worker', isRight: true, value: ({ worker }) => worker },
  { head: 'Alive', isRight: true, value: ({ aliveSeconds }) => durationText(aliveSeconds) },
  { head: 'In', isRight: true, value: ({ recvBytes }) => bytesText(recvBytes) },
  { head: 'Out', isRight: true, value: ({ sendBytes }) => bytesText(sendBytes) },
  { head: 'In kbps', isRight: true, value: ({ recvKbps, aliveSeconds }) => currentKbps(recvKbps, aliveSeconds) },
  { head: 'Out kbps', isRight: true, value: ({ sendKbps, aliveSeconds }) => currentKbps(sendKbps, aliveSeconds) },
  { head: 'Pending', isRight: true, value: ({ pendingBytes }) => bytesText(pendingBytes) },
  { head: 'Lag', isRight: true, value: ({ lagBytes }) => (lagBytes === undefined ? undefined : bytesText(lagBytes)) },
  { head: 'Dropped', isRight: true, value: ({ droppedFrames }) => droppedFrames },
  { head: 'Cuts', isRight: true, value: ({ cuts }) => cuts },
];

function typeText({ type, protocol, server, isPaused }: ClientRow): string {
  return [
    type,
    ...(server === undefined ? [] : ['server']),
    ...(protocol === 'rtmp' ? [] : [protocol]),
    ...(isPaused === true ? ['paused'] : []),
  ].join(', ');
}
