/** Makes one stream of what the directory and all workers know of it. */
import type { AudioFacts, StreamReaderView, StreamView, VideoFacts, WorkerAnswer } from '@srs/http-server';
import type { DirectoryStream, StreamRows, WorkerStream } from '@srs/survey';

/** What is known of one stream before it is added up. */
interface Parts {
  directory: DirectoryStream | undefined;
  readonly uses: { readonly slot: number; readonly pid: number; readonly stream: WorkerStream }[];
}

/** Every stream once, by its id. */
export function joinStreams(answers: readonly WorkerAnswer<StreamRows>[]): readonly StreamView[] {
  const partsById = new Map<string, Parts>();
  const partsOf = (streamId: string): Parts => {
    const parts = partsById.get(streamId) ?? { directory: undefined, uses: [] };
    partsById.set(streamId, parts);
    return parts;
  };
  for (const { worker, data } of answers) {
    if (data?.role === 'back-source') for (const stream of data.streams) partsOf(stream.streamId).directory = stream;
    else
      for (const stream of data?.streams ?? [])
        partsOf(stream.streamId).uses.push({ slot: worker.slot, pid: worker.pid, stream });
  }
  return Array.from(partsById, ([streamId, parts]) => joinStream(streamId, parts)).sort((a, b) =>
    a.streamId < b.streamId ? -1 : 1,
  );
}

function joinStream(streamId: string, { directory, uses }: Parts): StreamView {
  const origin = uses.find(({ stream }) => stream.publisher !== null);
  const local = origin?.stream.publisher ?? null;
  const sum = (pick: (stream: WorkerStream) => number): number => uses.reduce((total, { stream }) => total + pick(stream), 0);
  const max = (pick: (stream: WorkerStream) => number): number =>
    uses.reduce((most, { stream }) => Math.max(most, pick(stream)), 0);
  const players = sum(({ play }) => play?.players ?? 0);
  return {
    streamId,
    // The worker that has the publisher knows best; the directory also knows those of silent workers.
    publisher:
      origin !== undefined && local !== null
        ? { slot: origin.slot, pid: origin.pid, cid: local.cid, ip: local.ip }
        : (directory?.publisher ?? null),
    publishSeconds: local?.aliveSeconds ?? 0,
    clients: sum(({ publisher }) => (publisher === null ? 0 : 1)) + players,
    players,
    videoFrames: local?.videoFrames ?? 0,
    audioFrames: local?.audioFrames ?? 0,
    droppedFrames: local?.droppedFrames ?? 0,
    video: firstOf<VideoFacts>(uses.map(({ stream }) => stream.tracks?.video ?? null)),
    audio: firstOf<AudioFacts>(uses.map(({ stream }) => stream.tracks?.audio ?? null)),
    recvBytes: sum(({ traffic }) => traffic?.recvBytes ?? 0),
    sendBytes: sum(({ traffic }) => traffic?.sendBytes ?? 0),
    recvKbps30s: sum(({ traffic }) => traffic?.recvKbps.last30s ?? 0),
    sendKbps30s: sum(({ traffic }) => traffic?.sendKbps.last30s ?? 0),
    playerCuts: sum(({ play }) => play?.cuts ?? 0),
    playerDroppedFrames: sum(({ play }) => play?.droppedFrames ?? 0),
    pendingBytes: sum(({ traffic }) => traffic?.pendingBytes ?? 0),
    lagBytes: max(({ play }) => play?.lagBytes ?? 0),
    flushIntervalMs: max(({ play }) => play?.flushIntervalMs ?? 0),
    pull: directory?.pull ?? null,
    pushes: directory?.pushes ?? [],
    readers: uses.flatMap(({ slot, stream: { play } }): StreamReaderView[] => {
      if (play === null) return [];
      const { playersInStep, flushIntervalMs, lagBytes } = play;
      return [{ slot, players: play.players, playersInStep, flushIntervalMs, lagBytes }];
    }),
  };
}

const firstOf = <T>(values: readonly (T | null)[]): T | null => values.find((value) => value !== null) ?? null;
