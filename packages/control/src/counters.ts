/** What a worker counts for as long as the server runs, whatever process fills its slot. */
import { type DistributionFigures, timeBoundsMs } from '@srs/kernel';

/** Their order is that of the shared memory they lie in. They only grow. */
export const counterNames = [
  /** Bytes from and to clients. */
  'recvBytes',
  'sendBytes',
  /** Connections that were accepted, those of them that ended with an error, and those turned away because there were too many. */
  'clients',
  'clientErrors',
  'refusedClients',
  /** Frames that publishers sent and no ring had room for. */
  'droppedFrames',
  /** Times that players were so late that frames were left out, and how many frames that were. */
  'playerCuts',
  'playerDroppedFrames',
  /** Batches given to players in step, the calls that took, and their bytes. */
  'batches',
  'writes',
  'writtenBytes',
  /** Times that the worker was too slow for a ring. */
  'laps',
  /** Destinations that took a stream again, bytes sent to them, and frames left out for them; the same of edges that push to origins. */
  'forwardReconnects',
  'forwardSentBytes',
  'forwardDroppedFrames',
  'edgePushReconnects',
  'edgePushSentBytes',
  'edgePushDroppedFrames',
  /** Times that media of another server began to come, and bytes of these connections. */
  'pullStarts',
  'pullRecvBytes',
  /** Processor time. */
  'cpuSeconds',
] as const;
export type CounterName = (typeof counterNames)[number];

/** Times in milliseconds, in the ranges of `timeBoundsMs`. */
export const distributionNames = [
  /** How late the event loop was, looked at 20 times a second. */
  'eventLoopDelayMs',
  /** For each batch: how long its frames were to be collected. */
  'flushIntervalMs',
  /** For each batch: how long after its oldest frame had come in the last player in step had been given it. */
  'frameAgeMs',
] as const;
export type DistributionName = (typeof distributionNames)[number];

export interface Counters {
  readonly counts: Readonly<Record<CounterName, number>>;
  readonly distributions: Readonly<Record<DistributionName, DistributionFigures>>;
}

/** The counters of all processes that have filled a slot. */
export interface SlotCounters extends Counters {
  readonly slot: number;
}

/** As many numbers as the counters of a slot take: the counts, then for each distribution its ranges and its sum. */
export const COUNTER_WORDS = counterNames.length + distributionNames.length * (timeBoundsMs.length + 2);

/** As numbers in a row, `COUNTER_WORDS` of them. What is not given is 0. */
export function writeCounters(counters: PartialCounters, words: Float64Array): void {
  let index = 0;
  for (const name of counterNames) words[index++] = counters.counts?.[name] ?? 0;
  for (const name of distributionNames) {
    const figures = counters.distributions?.[name];
    for (let range = 0; range <= timeBoundsMs.length; range += 1) words[index++] = figures?.counts[range] ?? 0;
    words[index++] = figures?.sum ?? 0;
  }
}

export interface PartialCounters {
  readonly counts?: Partial<Counters['counts']>;
  readonly distributions?: Partial<Counters['distributions']>;
}

/** The opposite of `writeCounters`. */
export function readCounters(words: Float64Array): Counters {
  let index = 0;
  const next = (): number => words[index++] ?? 0;
  const counts = Object.fromEntries(counterNames.map((name) => [name, next()])) as Record<CounterName, number>;
  const distribution = (): DistributionFigures => {
    return { counts: Array.from({ length: timeBoundsMs.length + 1 }, next), sum: next() };
  };
  const distributions = Object.fromEntries(distributionNames.map((name) => [name, distribution()] as const));
  return { counts, distributions: distributions as Record<DistributionName, DistributionFigures> };
}
