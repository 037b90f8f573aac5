/** `srs-cli record`: begins or ends the recording of a stream. */
import type { ServerAddress } from '@srs/config';
import { askMaster, askPrivateApi, askStreams, askWorkers, type WorkerAnswer } from '@srs/survey';
import { isFoundIn } from './cli-actions.ts';
import type { RecordWish } from './cli-commands.ts';
import { choosePublished, nobodyPublishes } from './cli-published.ts';
import { problemLines, type Report, type ReportBase, reportBase, type WorkerRow, workerRow } from './cli-report.ts';
import type { Colors } from './cli-table.ts';
import { shortStreamName } from './cli-text.ts';

export interface RecordDocument extends ReportBase {
  /** `vhost/app/stream`; null when it is not clear which one is meant. */
  readonly streamId: string | null;
  readonly wish: RecordWish;
  /** Somebody publishes it, and its back-source has heard what is wanted. */
  readonly isFound: boolean;
  readonly workers: readonly WorkerRow[];
}

const words = { on: 'true', off: 'false', auto: 'auto' } as const;

const outcomes: Readonly<Record<RecordWish, string>> = {
  on: 'is recorded until its publish ends',
  off: 'is not recorded until its publish ends',
  auto: 'is recorded if the configuration says so',
};

/** @param text a stream that is published, as a person writes it. @throws SrsError without a master */
export async function record(
  api: ServerAddress,
  text: string,
  wish: RecordWish,
  timeoutMs: number,
): Promise<Report<RecordDocument>> {
  const { server, workers } = await askMaster(api, timeoutMs);
  const backSources = workers.filter(({ role }) => role === 'back-source');
  const listed = await askWorkers(api, backSources, (address, worker) => askStreams(address, worker, timeoutMs));
  const report = (answers: readonly WorkerAnswer<unknown>[], streamId: string | null, failure?: string) => {
    const rows = answers.map(workerRow);
    const document = { ...reportBase(api, server, answers), streamId, wish, isFound: failure === undefined, workers: rows };
    if (streamId !== null && failure === undefined) {
      return { document, text: () => `${shortStreamName(streamId)} ${outcomes[wish]}\n` };
    }
    return { document, text: (colors: Colors) => problemLines(rows, colors), failure };
  };

  const { streamId, failure } = choosePublished(text, listed);
  if (streamId === null || failure !== undefined) return report(listed, streamId, failure);
  const query = new URLSearchParams({ stream: streamId, on: words[wish] });
  const told = await askWorkers(api, backSources, async (address) => {
    const { data } = await askPrivateApi(address, `/api/v1/record?${query.toString()}`, timeoutMs, 'POST');
    return { data: isFoundIn(data), problem: null };
  });
  const isFound = told.some(({ data }) => data === true);
  return report(told, streamId, isFound ? undefined : nobodyPublishes(streamId, []));
}
