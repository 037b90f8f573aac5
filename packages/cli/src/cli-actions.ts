/** `srs-cli kick`, `drain` and `log-level`: what changes something and has little to tell. */
import type { ServerAddress } from '@srs/config';
import { askMaster, askPrivateApi, askWorkers, type SlotReport, type WorkerAnswer } from '@srs/survey';
import { askMasterFor } from './cli-master.ts';
import { problemLines, type Report, type ReportBase, reportBase, type WorkerRow, workerName, workerRow } from './cli-report.ts';

export interface KickDocument extends ReportBase {
  readonly id: number;
  /** Somebody had that client, and has disconnected it. */
  readonly isFound: boolean;
  /** Slot of the worker that had it; null when nobody did. */
  readonly worker: number | null;
  readonly workers: readonly WorkerRow[];
}

/** Ids are told by the processes one by one, so only the one that has the client knows of it. */
export async function kick(api: ServerAddress, id: number, timeoutMs: number): Promise<Report<KickDocument>> {
  const { server, workers } = await askMaster(api, timeoutMs);
  const answers = await askWorkers(api, workers, async (address) => {
    const { data } = await askPrivateApi(address, `/api/v1/kick?id=${id}`, timeoutMs, 'POST');
    return { data: isFoundIn(data), problem: null };
  });
  return kickReport(api, server, id, answers);
}

export const isFoundIn = (data: unknown): boolean =>
  typeof data === 'object' && data !== null && 'isFound' in data && data.isFound === true;

function kickReport(
  api: ServerAddress,
  server: KickDocument['server'],
  id: number,
  answers: readonly WorkerAnswer<boolean>[],
): Report<KickDocument> {
  const rows = answers.map(workerRow);
  const owner = answers.find(({ data }) => data === true)?.worker;
  const base = reportBase(api, server, answers);
  const document: KickDocument = { ...base, id, isFound: owner !== undefined, worker: owner?.slot ?? null, workers: rows };
  if (owner !== undefined) return { document, text: () => `client ${id} of the ${workerName(owner)} is disconnected\n` };
  const doubt = base.isComplete ? '' : ' on the workers that have answered';
  return {
    document,
    text: (colors) => problemLines(rows, colors),
    failure: `there is no client ${id}${doubt}; srs-cli clients lists them`,
  };
}

export interface DrainDocument {
  readonly slot: number;
  readonly worker: SlotReport;
}

/** @throws SrsError also when there is no such slot */
export async function drain(
  api: ServerAddress,
  slot: number,
  timeoutMs: number,
): Promise<Report<DrainDocument | NoWorkerDocument>> {
  const { workers } = await askMaster(api, timeoutMs);
  const worker = workers.find((each) => each.slot === slot);
  if (worker === undefined) {
    const slots = workers.map((each) => each.slot);
    return {
      document: { slot, worker: null },
      text: () => '',
      failure: `there is no worker in slot ${slot}; there are ${slots.join(', ')}`,
    };
  }
  await askMasterFor(api, `/api/v1/drain?slot=${slot}`, timeoutMs, 'POST');
  return {
    document: { slot, worker },
    text: () =>
      `${workerName(worker)} accepts nobody any more and starts again when its clients have left; srs-cli workers shows how far it is\n`,
  };
}

interface NoWorkerDocument {
  readonly slot: number;
  readonly worker: null;
}

export interface LogLevelDocument {
  readonly level: string;
}

export async function changeLogLevel(api: ServerAddress, level: string, timeoutMs: number): Promise<Report<LogLevelDocument>> {
  await askMasterFor(api, `/api/v1/log-level?level=${level}`, timeoutMs, 'POST');
  return { document: { level }, text: () => `log level ${level} in all processes, until a reload changes it\n` };
}
