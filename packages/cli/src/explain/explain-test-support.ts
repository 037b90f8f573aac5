/** A server with one stream, its publisher on worker 1 and players on worker 2, as an explanation gets it. */
import type { ClientDescription, DirectoryStream, LocalPublisher, SlotReport, WorkerStream, WorkerSummary } from '@srs/survey';
import { statusReport } from '../cli-status.ts';
import { streamsReport } from '../cli-streams.ts';
import { kbps, master, slotOf, summaryOf } from '../cli-test-support.ts';
import { clientOf, directoryStream, play, publisher, ring, workerStream } from '../rows-test-support.ts';
import type { ServerFacts } from './explain-facts.ts';

const api = { host: '127.0.0.1', port: 33330 };
export const streamId = '__defaultVhost__/live/one';

export interface Situation {
  readonly input?: Partial<LocalPublisher>;
  readonly ring?: Partial<typeof ring>;
  readonly play?: Partial<typeof play>;
  readonly summary?: Partial<WorkerSummary>;
  /** Of worker 2. */
  readonly slot?: Partial<SlotReport>;
  readonly isSilent?: boolean;
  readonly isPublished?: boolean;
  readonly isPlayed?: boolean;
  readonly pull?: DirectoryStream['pull'];
  readonly pushes?: DirectoryStream['pushes'];
  readonly client?: Partial<ClientDescription> | null;
  readonly settings?: ServerFacts['settings'];
  readonly departures?: ServerFacts['departures'];
}

/** Everything is in order unless `situation` says otherwise. */
export function factsIn(situation: Situation = {}): ServerFacts {
  const { isSilent = false, isPublished = true, isPlayed = true, pull = null, pushes = [] } = situation;
  const goodInput = { ...publisher, recvKbps: kbps(800), droppedFrames: 0, correctedTimestamps: 0, ...situation.input };
  const goodRing = { ...ring, gopBytes: 100_000, ...situation.ring };
  const goodPlay = { ...play, players: 3, playersInStep: 3, laps: 0, cuts: 0, droppedFrames: 0, lagBytes: 0, ...situation.play };
  const slots = [slotOf(0, 1), slotOf(1, 2), slotOf(2, 3, situation.slot)];
  const directory = { server: { ...master, workers: 3 } as ServerFacts['status']['server'], workers: slots };
  const silence = 'no answer within 500 ms';
  const answerOf = <T>(worker: SlotReport, data: T) =>
    isSilent && worker.slot === 2 ? { worker, data: null, problem: silence } : { worker, data, problem: null };
  const quiet = { cpuPercent: 10, eventLoop: { windowSeconds: 10, p50Ms: 0.1, p99Ms: 3, maxMs: 9 } };
  const rowOf = (slot: number): WorkerStream => ({
    ...workerStream(streamId),
    publisher: slot === 1 && isPublished ? goodInput : null,
    play: slot === 2 && isPlayed ? goodPlay : null,
    ring: isPublished ? goodRing : null,
  });
  const isKnown = isPublished || isPlayed;
  return {
    status: statusReport(
      api,
      directory,
      slots.map((worker) =>
        answerOf(worker, summaryOf(worker.slot, { ...quiet, ...(worker.slot === 2 ? situation.summary : {}) })),
      ),
    ).document,
    streams: streamsReport(
      api,
      directory,
      slots.map((worker) =>
        worker.role === 'back-source'
          ? answerOf(worker, {
              role: 'back-source' as const,
              streams: isKnown
                ? [
                    directoryStream(streamId, {
                      ...(isPublished ? { ring: goodRing } : { publisher: null, ring: null }),
                      pull,
                      pushes,
                    }),
                  ]
                : [],
            })
          : answerOf(worker, { role: 'stream' as const, streams: isKnown ? [rowOf(worker.slot)] : [] }),
      ),
    ).document.streams,
    settings: situation.settings ?? [],
    departures: situation.departures ?? [],
    client:
      situation.client === null
        ? undefined
        : {
            ...clientOf(215, { cuts: 0, droppedFrames: 0, lagBytes: 0, sendKbps: kbps(800), streamId, ...situation.client }),
            worker: 2,
          },
  };
}
