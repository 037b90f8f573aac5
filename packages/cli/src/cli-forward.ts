/** `srs-cli forward`: what streams are pushed to, and what is added to that or taken away. */
import type { ServerAddress } from '@srs/config';
import {
  askMaster,
  askPrivateApi,
  askStreams,
  askWorkers,
  type ForwardOutcome,
  type MasterSummary,
  type PushReport,
  type SlotReport,
  type StreamRows,
  type WorkerAnswer,
} from '@srs/survey';
import { isFoundIn } from './cli-actions.ts';
import type { ForwardWish } from './cli-commands.ts';
import { choosePublished } from './cli-published.ts';
import { problemLines, type Report, type ReportBase, reportBase, type WorkerRow, workerRow } from './cli-report.ts';
import { type Column, tableText } from './cli-table.ts';
import { bytesText, shortStreamName } from './cli-text.ts';

interface ForwardRow extends PushReport {
  readonly streamId: string;
}

export interface ForwardsDocument extends ReportBase {
  readonly forwards: readonly ForwardRow[];
  readonly workers: readonly WorkerRow[];
}

export interface ForwardDocument extends ReportBase {
  /** `vhost/app/stream`; null when it is not clear which one is meant. */
  readonly streamId: string | null;
  /** What has become of it: `refused` when it is not pushed there, or still is. */
  readonly outcome: 'added' | 'already' | 'removed' | 'refused';
  readonly workers: readonly WorkerRow[];
}

/** @throws SrsError without a master */
export async function forward(
  api: ServerAddress,
  wish: ForwardWish,
  timeoutMs: number,
): Promise<Report<ForwardsDocument | ForwardDocument>> {
  const { server, workers } = await askMaster(api, timeoutMs);
  const backSources = workers.filter(({ role }) => role === 'back-source');
  const listed = await askWorkers(api, backSources, (address, worker) => askStreams(address, worker, timeoutMs));
  if (wish.action === 'list') return listReport({ api, server, listed }, wish.subject);
  return await change({ api, server, listed, backSources, timeoutMs }, wish);
}

interface Listed {
  readonly api: ServerAddress;
  readonly server: MasterSummary;
  readonly listed: readonly WorkerAnswer<StreamRows>[];
}

function listReport({ api, server, listed }: Listed, subject: string | undefined): Report<ForwardsDocument> {
  const choice = subject === undefined ? undefined : choosePublished(subject, listed);
  const rows = listed.map(workerRow);
  const forwards = listed
    .flatMap(({ data }) => (data?.role === 'back-source' ? data.streams : []))
    .filter(({ streamId }) => choice === undefined || streamId === choice.streamId)
    .flatMap(({ streamId, pushes }) => pushes.map((push): ForwardRow => ({ streamId, ...push })));
  return {
    document: { ...reportBase(api, server, listed), forwards, workers: rows },
    text: (colors) => tableText(columns, forwards, colors) + problemLines(rows, colors),
    failure: choice?.failure,
  };
}

const columns: readonly Column<ForwardRow>[] = [
  { head: 'Stream', value: ({ streamId }) => shortStreamName(streamId) },
  { head: 'Kind', value: ({ kind }) => kind },
  { head: 'Wanted by', value: ({ source }) => source },
  { head: 'Destination', value: ({ destination }) => destination },
  { head: 'State', value: ({ state }) => ({ text: state, emphasis: state === 'publishing' ? 'good' : 'bad' }) },
  { head: 'Connects', isRight: true, value: ({ connects }) => connects },
  { head: 'Frames', isRight: true, value: ({ sentFrames }) => sentFrames },
  { head: 'Bytes', isRight: true, value: ({ sentBytes }) => bytesText(sentBytes) },
  { head: 'Dropped', isRight: true, value: ({ droppedFrames }) => droppedFrames },
  { head: 'Last error', value: ({ lastError }) => lastError },
];

async function change(
  { api, server, listed, backSources, timeoutMs }: Listed & { readonly backSources: readonly SlotReport[]; timeoutMs: number },
  { action, subject, destination }: Exclude<ForwardWish, { action: 'list' }>,
): Promise<Report<ForwardDocument>> {
  const report = (
    answers: readonly WorkerAnswer<unknown>[],
    streamId: string | null,
    outcome: ForwardDocument['outcome'],
    said: string | undefined,
  ): Report<ForwardDocument> => {
    const workers = answers.map(workerRow);
    const document = { ...reportBase(api, server, answers), streamId, outcome, workers };
    if (outcome !== 'refused') return { document, text: () => `${said}\n` };
    return { document, text: (colors) => problemLines(workers, colors), failure: said };
  };

  const { streamId, failure } = choosePublished(subject, listed);
  if (streamId === null || failure !== undefined) return report(listed, streamId, 'refused', failure);
  const name = shortStreamName(streamId);
  const query = new URLSearchParams({ stream: streamId, destination });
  const told = await askWorkers<Done>(api, backSources, async (address) => {
    const { data } = await askPrivateApi(address, `/api/v1/forwards/${action}?${query.toString()}`, timeoutMs, 'POST');
    const done = action === 'add' ? outcomeIn(data) : isFoundIn(data) ? 'removed' : notAdded;
    return { data: done, problem: null };
  });
  const answers = told.flatMap(({ data }) => data ?? []);
  // All but one do not have the stream.
  const done = answers.find((each) => typeof each === 'string' || each.reason !== 'no stream') ?? answers[0];
  if (typeof done === 'string') return report(told, streamId, done, `${name} ${outcomes[done]}`);
  const why =
    action === 'remove' ? `${name} has no such destination that was added; srs-cli forward list shows them` : done?.text;
  return report(told, streamId, 'refused', why ?? `nobody has told what becomes of ${name}`);
}

type Done = ForwardOutcome | 'removed';

const notAdded: Done = { reason: 'no stream', text: '' };

const outcomes = {
  added: 'is pushed there until that is removed or its publish ends',
  already: 'is pushed there already',
  removed: 'is pushed there no more',
} as const;

const outcomeIn = (data: unknown): ForwardOutcome => (data as { readonly outcome: ForwardOutcome }).outcome;
