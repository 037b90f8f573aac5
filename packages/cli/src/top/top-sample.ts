/** What `srs-cli top` shows: one look at the server, and what has flowed since the one before. */
import type { ServerAddress } from '@srs/config';
import type { Kbps } from '@srs/kernel';
import { askClients, askMaster, askStreams, askSummary, askWorkers } from '@srs/survey';
import { type ClientRow, clientsReport } from '../cli-clients.ts';
import { type StatusDocument, type SummarizedWorker, statusReport } from '../cli-status.ts';
import { type StreamRow, streamsReport } from '../cli-streams.ts';
import { currentKbps } from '../cli-text.ts';

/** One look. */
interface Look {
  readonly atMs: number;
  readonly status: StatusDocument;
  readonly streams: readonly StreamRow[];
  /** Null when they were not asked for: they are many. */
  readonly clients: readonly ClientRow[] | null;
}

export interface TopWorker extends SummarizedWorker {
  /** Since the look before; undefined when the worker has not answered. */
  readonly inKbps: number | undefined;
  readonly outKbps: number | undefined;
}

export interface TopStream extends StreamRow {
  readonly inKbps: number | undefined;
  /** Pictures in a second since the look before; undefined before there are two. */
  readonly fps: number | undefined;
}

export interface TopClient extends ClientRow {
  readonly inKbps: number;
  readonly outKbps: number;
}

export interface TopSample {
  readonly look: Look;
  readonly workers: readonly TopWorker[];
  readonly streams: readonly TopStream[];
  readonly clients: readonly TopClient[] | null;
}

/** @param previous whose figures are subtracted; without it rates are those that the server tells. @throws SrsError without a master */
export async function takeSample(
  api: ServerAddress,
  o: { readonly timeoutMs: number; readonly withClients: boolean; readonly previous?: TopSample | undefined },
): Promise<TopSample> {
  const { timeoutMs, withClients } = o;
  const directory = await askMaster(api, timeoutMs);
  const { workers } = directory;
  const [summaries, streams, clients] = await Promise.all([
    askWorkers(api, workers, (address) => askSummary(address, timeoutMs)),
    askWorkers(api, workers, (address, worker) => askStreams(address, worker, timeoutMs)),
    withClients ? askWorkers(api, workers, (address) => askClients(address, timeoutMs)) : null,
  ]);
  const look: Look = {
    atMs: performance.now(),
    status: statusReport(api, directory, summaries).document,
    streams: streamsReport(api, directory, streams).document.streams,
    clients: clients === null ? null : clientsReport(api, directory, clients).document.clients,
  };
  return sampleOf(look, o.previous?.look);
}

export function sampleOf(look: Look, previous: Look | undefined): TopSample {
  const seconds = previous === undefined ? 0 : (look.atMs - previous.atMs) / 1000;
  const workersBefore = new Map(previous?.status.workers.map((worker) => [processKey(worker), worker.summary]));
  const streamsBefore = new Map(previous?.streams.map((stream) => [stream.streamId, stream]));
  const clientsBefore = new Map(previous?.clients?.map((client) => [client.id, client]));
  return {
    look,
    workers: look.status.workers.map((worker): TopWorker => {
      const { summary } = worker;
      if (summary === null) return { ...worker, inKbps: undefined, outKbps: undefined };
      const before = workersBefore.get(processKey(worker))?.traffic;
      const { recvBytes, sendBytes, recvKbps, sendKbps } = summary.traffic;
      return {
        ...worker,
        inKbps: kbpsSince(recvBytes, before?.recvBytes, seconds) ?? currentKbps(recvKbps, summary.uptimeSeconds),
        outKbps: kbpsSince(sendBytes, before?.sendBytes, seconds) ?? currentKbps(sendKbps, summary.uptimeSeconds),
      };
    }),
    streams: look.streams.map((stream): TopStream => {
      const { input, publisher } = stream;
      const before = streamsBefore.get(stream.streamId);
      // Another publisher begins to count anew.
      const inputBefore = before?.publisher?.cid === publisher?.cid ? before?.input : undefined;
      if (input === null) return { ...stream, inKbps: undefined, fps: undefined };
      return {
        ...stream,
        inKbps: kbpsSince(input.recvBytes, inputBefore?.recvBytes, seconds) ?? currentKbps(input.recvKbps, input.aliveSeconds),
        fps: perSecond(input.videoFrames, inputBefore?.videoFrames, seconds),
      };
    }),
    clients:
      look.clients?.map((client): TopClient => {
        const before = clientsBefore.get(client.id);
        const rate = (kbps: Kbps): number => currentKbps(kbps, client.aliveSeconds);
        return {
          ...client,
          inKbps: kbpsSince(client.recvBytes, before?.recvBytes, seconds) ?? rate(client.recvKbps),
          outKbps: kbpsSince(client.sendBytes, before?.sendBytes, seconds) ?? rate(client.sendKbps),
        };
      }) ?? null,
  };
}

/** Undefined when there is nothing to compare with: the first look, or a counter that began anew. */
function perSecond(now: number, before: number | undefined, seconds: number): number | undefined {
  if (before === undefined || seconds <= 0 || now < before) return undefined;
  return (now - before) / seconds;
}

function kbpsSince(now: number, before: number | undefined, seconds: number): number | undefined {
  const bytes = perSecond(now, before, seconds);
  return bytes === undefined ? undefined : Math.round((bytes * 8) / 1000);
}

/** One process can have several slots, and a slot several processes one after the other. */
const processKey = ({ slot, pid }: SummarizedWorker): string => `${slot} ${pid}`;
