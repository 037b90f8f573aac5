/** `srs-cli streams`: every stream once, with what all workers know of it. */
import type { ServerAddress } from '@srs/config';
import type { Kbps } from '@srs/kernel';
import type {
  DirectoryStream,
  LocalPublisher,
  RingDescription,
  ServerDirectory,
  StreamRows,
  WorkerAnswer,
  WorkerStream,
} from '@srs/survey';
import { problemLines, type Report, type ReportBase, reportBase, type WorkerRow, workerRow } from './cli-report.ts';
import { type Cell, type Column, tableText } from './cli-table.ts';
import { bytesText, currentKbps } from './cli-text.ts';

interface StreamPublisher {
  /** Trackable id of its connection. */
  readonly cid: number;
  readonly ip: string;
  /** Slot of the worker that it is connected to. */
  readonly worker: number;
}

/** The players of a stream on one worker. */
interface StreamReader {
  readonly worker: number;
  readonly players: number;
  readonly playersInStep: number;
  readonly flushIntervalMs: number;
  readonly laps: number;
  readonly lagBytes: number;
  readonly cuts: number;
  readonly droppedFrames: number;
}

export interface StreamRow {
  readonly streamId: string;
  /** Null while nobody publishes. */
  readonly publisher: StreamPublisher | null;
  /** What the publisher's worker counts; null while nobody publishes, or when that worker has not answered. */
  readonly input: Omit<LocalPublisher, 'cid' | 'ip'> | null;
  /** What its headers say; null while nobody publishes or no worker that uses it has answered. */
  readonly tracks: WorkerStream['tracks'];
  /** As the back-source sees it, or else any worker that uses it. */
  readonly ring: RingDescription | null;
  /** Workers that follow the stream; null when the back-source has not answered. */
  readonly subscribers: number | null;
  /** On all workers, as are the figures below. */
  readonly players: number;
  readonly laps: number;
  /** The longest of all workers. */
  readonly flushIntervalMs: number;
  readonly playerCuts: number;
  readonly playerDroppedFrames: number;
  readonly readers: readonly StreamReader[];
  /** How it is got from an origin; null for a stream that is not, or when the back-source has not answered. */
  readonly pull: DirectoryStream['pull'];
  /** The servers that it is pushed to; none when the back-source has not answered. */
  readonly pushes: DirectoryStream['pushes'];
  /** How it is announced to the other servers of a cluster; null for a stream that is not, or when the back-source has not answered. */
  readonly lease: DirectoryStream['lease'];
}

export interface StreamsDocument extends ReportBase {
  readonly streams: readonly StreamRow[];
  readonly workers: readonly WorkerRow[];
}

export function streamsReport(
  api: ServerAddress,
  { server }: ServerDirectory,
  answers: readonly WorkerAnswer<StreamRows>[],
): Report<StreamsDocument> {
  const workers = answers.map(workerRow);
  const document: StreamsDocument = { ...reportBase(api, server, answers), streams: joinStreams(answers), workers };
  return {
    document,
    text: (colors) => tableText(columnsFor(workers), document.streams, colors) + problemLines(workers, colors),
  };
}

/** What is known of one stream before it is added up. */
interface Parts {
  directory: DirectoryStream | undefined;
  readonly uses: { readonly worker: number; readonly stream: WorkerStream }[];
}

function joinStreams(answers: readonly WorkerAnswer<StreamRows>[]): readonly StreamRow[] {
  const partsById = new Map<string, Parts>();
  const partsOf = (streamId: string): Parts => {
    const parts = partsById.get(streamId) ?? { directory: undefined, uses: [] };
    partsById.set(streamId, parts);
    return parts;
  };
  for (const { worker, data } of answers) {
    if (data?.role === 'back-source') for (const stream of data.streams) partsOf(stream.streamId).directory = stream;
    if (data?.role === 'stream' || data?.role === 'http')
      for (const stream of data.streams) partsOf(stream.streamId).uses.push({ worker: worker.slot, stream });
  }
  return Array.from(partsById, ([streamId, parts]) => joinStream(streamId, parts)).sort((a, b) =>
    compare(a.streamId, b.streamId),
  );
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function joinStream(streamId: string, { directory, uses }: Parts): StreamRow {
  const origin = uses.find(({ stream }) => stream.publisher !== null);
  const readers = uses.flatMap(({ worker, stream: { play } }): StreamReader[] => {
    if (play === null) return [];
    const { players, playersInStep, flushIntervalMs, laps, lagBytes, cuts, droppedFrames } = play;
    return [{ worker, players, playersInStep, flushIntervalMs, laps, lagBytes, cuts, droppedFrames }];
  });
  const sum = (pick: (reader: StreamReader) => number): number => readers.reduce((total, reader) => total + pick(reader), 0);
  return {
    streamId,
    publisher: publisherOf(directory, origin),
    input: inputOf(origin?.stream.publisher),
    tracks: uses.find(({ stream }) => stream.tracks !== null)?.stream.tracks ?? null,
    ring: directory?.ring ?? uses.find(({ stream }) => stream.ring !== null)?.stream.ring ?? null,
    subscribers: directory?.subscribers ?? null,
    players: sum(({ players }) => players),
    laps: sum(({ laps }) => laps),
    flushIntervalMs: Math.max(0, ...readers.map(({ flushIntervalMs }) => flushIntervalMs)),
    playerCuts: sum(({ cuts }) => cuts),
    playerDroppedFrames: sum(({ droppedFrames }) => droppedFrames),
    readers,
    pull: directory?.pull ?? null,
    pushes: directory?.pushes ?? [],
    lease: directory?.lease ?? null,
  };
}

/** The worker that has the publisher knows best; the back-source also knows those of silent workers. */
function publisherOf(directory: DirectoryStream | undefined, origin: Parts['uses'][number] | undefined): StreamPublisher | null {
  const local = origin?.stream.publisher;
  if (origin !== undefined && local) return { cid: local.cid, ip: local.ip, worker: origin.worker };
  const remote = directory?.publisher;
  return remote ? { cid: remote.cid, ip: remote.ip, worker: remote.slot } : null;
}

function inputOf(publisher: LocalPublisher | null | undefined): StreamRow['input'] {
  if (!publisher) return null;
  const { cid: _cid, ip: _ip, ...input } = publisher;
  return input;
}

const rateNow = (input: { readonly recvKbps: Kbps; readonly aliveSeconds: number }): number =>
  currentKbps(input.recvKbps, input.aliveSeconds);

/** `H264 1280x720 AAC`. */
export function mediaText(tracks: StreamRow['tracks']): string | undefined {
  const { video, audio } = tracks ?? { video: null, audio: null };
  const size = video !== null && video.width > 0 ? ` ${video.width}x${video.height}` : '';
  const parts = [...(video === null ? [] : [`${video.codec}${size}`]), ...(audio === null ? [] : [audio.codec])];
  return parts.length === 0 ? undefined : parts.join(' ');
}

function columnsFor(workers: readonly WorkerRow[]): readonly Column<StreamRow>[] {
  const silent = new Set(workers.filter(({ answer }) => answer === 'none').map(({ slot }) => slot));
  const publisherCell = ({ publisher, pull }: StreamRow): Cell | undefined => {
    if (pull !== null) {
      const isPulling = pull.state === 'pulling';
      return { text: `origin ${pull.origin}${isPulling ? '' : ` (${pull.state})`}`, emphasis: isPulling ? 'plain' : 'bad' };
    }
    if (publisher === null) return undefined;
    const isSilent = silent.has(publisher.worker);
    const worker = `worker ${publisher.worker}${isSilent ? ' (silent)' : ''}`;
    return { text: `${publisher.ip} #${publisher.cid} ${worker}`, emphasis: isSilent ? 'bad' : 'plain' };
  };
  return [
    { head: 'Stream', value: ({ streamId }) => streamId },
    { head: 'Publisher', value: publisherCell },
    { head: 'Media', value: ({ tracks }) => mediaText(tracks) },
    { head: 'Video', isRight: true, value: ({ input }) => input?.videoFrames },
    { head: 'Audio', isRight: true, value: ({ input }) => input?.audioFrames },
    { head: 'In kbps', isRight: true, value: ({ input }) => (input === null ? undefined : rateNow(input)) },
    { head: 'Players', isRight: true, value: ({ players }) => players },
    { head: 'Dropped', isRight: true, value: ({ input }) => input?.droppedFrames },
    { head: 'Corrected', isRight: true, value: ({ input }) => input?.correctedTimestamps },
    { head: 'Ring', isRight: true, value: ({ ring }) => (ring === null ? undefined : bytesText(ring.capacityBytes)) },
    { head: 'GOP', isRight: true, value: ({ ring }) => (ring === null ? undefined : bytesText(ring.gopBytes)) },
    { head: 'Laps', isRight: true, value: ({ laps }) => laps },
    { head: 'Flush ms', isRight: true, value: ({ flushIntervalMs, players }) => (players === 0 ? undefined : flushIntervalMs) },
    { head: 'Cuts', isRight: true, value: ({ playerCuts }) => playerCuts },
    { head: 'Pushed to', value: pushesCell },
    { head: 'Lease', value: leaseCell },
  ];
}

function leaseCell({ lease }: StreamRow): Cell | undefined {
  if (lease === null) return undefined;
  const text = lease.holder === '' ? lease.state : `${lease.state} by ${lease.holder}`;
  return { text, emphasis: lease.state === 'held' || lease.state === 'copy' ? 'plain' : 'bad' };
}

/** How many of the servers have it, of those that should. */
function pushesCell({ pushes }: StreamRow): Cell | undefined {
  if (pushes.length === 0) return undefined;
  const there = pushes.filter(({ state }) => state === 'publishing').length;
  return { text: `${there} of ${pushes.length}`, emphasis: there === pushes.length ? 'plain' : 'bad' };
}
