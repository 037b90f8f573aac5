/** What `bench:memory` measures, each on a server that has just been started. */
import { setTimeout as delay } from 'node:timers/promises';
import { ServerWatch } from '../server-watch.ts';
import { type MemoryPoint, memoryPerClient, pointsText, settle, settledMemory, steadyMemory } from './memory-points.ts';
import type { RunningPeer } from './peer.ts';
import { passBy, startStanding } from './standing-players.ts';
import { roundedText } from './statistics.ts';
import { startPlaying, startPublishing } from './tester.ts';
import type { Workbench } from './workbench.ts';

/** How much of everything. */
export interface MemoryLoad {
  readonly players: number;
  readonly publishers: number;
  readonly names: number;
  /** That processor time is measured over. */
  readonly seconds: number;
  readonly kbps: number;
}

/** One figure; undefined when it could not be measured. */
export interface MemoryValue {
  readonly what: string;
  readonly unit: string;
  readonly value?: number;
  /** How the value came about, or why there is none. */
  readonly note?: string;
}

/** @throws Error when the load did not come about */
type Measurement = (bench: Workbench, load: MemoryLoad, running: RunningPeer) => Promise<MemoryValue[]>;

const STREAM = 'bench';
/** Longer than all points of a measurement take together. */
const LOAD_SECONDS = 600;
const RAMP_PER_SECOND = 200;
const PLAYERS_PER_SECOND = 500;
/** In pieces of the first crowd. */
const PLAYING_STEPS: readonly number[] = [1, 0.5, 0.5, 0.5, 0.5];
const WAITING_STEPS: readonly number[] = [1, 1, 1];
const PUBLISHER_STEPS = 4;
/** The names after which a server has loaded and compiled all that it needs for them. */
export const FIRST_NAMES = 1_000;
/** So many times the first players come at most. */
export const MOST_CROWDS = 3;

export const texts = {
  playing: 'Memory per added player',
  waiting: 'Memory per player that waits for a publisher',
  publishing: 'Memory per publisher, its ring included',
  paused: 'CPU that paused players add to the stream worker while their stream runs',
  pausedIdle: 'CPU of the stream worker, paused players whose publisher has left',
  names: 'Memory after names asked for and left, against the fresh server',
  namesUsed: 'Memory after names asked for and left, against the server after its first names',
} as const;

export const measurements = {
  playing: async (bench, { players, kbps }, running) => {
    const url = running.url(STREAM);
    const crowd = (share: number) =>
      startPlaying(bench, {
        url,
        players: Math.round(players * share),
        seconds: LOAD_SECONDS,
        rampPerSecond: PLAYERS_PER_SECOND,
      });
    await using _publisher = await startPublishing(bench, { url, kbps, seconds: LOAD_SECONDS });
    // Whatever a server loads, compiles and reserves once it has players is no player's.
    await (await crowd(1)).run.stop('SIGINT');
    await settle(bench.signal);
    return [await perClient(texts.playing, bench, running, players, crowd, steadyMemory, PLAYING_STEPS)];
  },
  waiting: async (bench, { players }, running) => {
    const crowd = (share: number) => startStanding(bench, 'waiting', running.url(STREAM), Math.round(players * share));
    await (await crowd(1)).stop();
    return [await perClient(texts.waiting, bench, running, players, crowd, settledMemory, WAITING_STEPS)];
  },
  publishing: async (bench, { publishers, kbps }, running) => {
    let crowds = 0;
    const size = Math.max(1, Math.round(publishers / PUBLISHER_STEPS));
    const crowd = () =>
      startPublishing(bench, {
        url: running.url(`${STREAM}${crowds++}-{n}`),
        publishers: size,
        kbps,
        seconds: LOAD_SECONDS,
        rampPerSecond: RAMP_PER_SECOND,
      });
    await (await crowd()).run.stop('SIGINT');
    await settle(bench.signal);
    const steps = Array.from({ length: PUBLISHER_STEPS }, () => 1);
    return [await perClient(texts.publishing, bench, running, size, crowd, steadyMemory, steps)];
  },
  paused: async (bench, { players, seconds, kbps }, running) => {
    const url = running.url(STREAM);
    await using publisher = await startPublishing(bench, { url, kbps, seconds: LOAD_SECONDS });
    const alone = await calmCpuPercent(bench, running, seconds);
    await using _players = await startStanding(bench, 'paused', url, players);
    const together = await calmCpuPercent(bench, running, seconds);
    await publisher.run.stop('SIGINT');
    const idle = await calmCpuPercent(bench, running, seconds);
    const note = `the publisher alone ${roundedText(alone)} %, with the players ${roundedText(together)} %`;
    return [
      { what: texts.paused, unit: '%', value: Math.max(0, together - alone), note },
      { what: texts.pausedIdle, unit: '%', value: idle },
    ];
  },
  names: async (bench, { names }, running) => {
    const url = running.url(`${STREAM}{n}`);
    const fresh = await settledMemory(running, bench.signal);
    await passBy(bench, url, FIRST_NAMES);
    const used = await settledMemory(running, bench.signal);
    await passBy(bench, url, names);
    const after = await steadyMemory(running, bench.signal);
    const later = await settledMemory(running, bench.signal);
    const kilobytes = [fresh, used, after, later].map(roundedText);
    const note = `fresh ${kilobytes[0]} KB, after ${FIRST_NAMES} names ${kilobytes[1]} KB, after ${names} more ${kilobytes[2]} KB, later ${kilobytes[3]} KB`;
    return [
      { what: texts.names, unit: '%', value: (later / fresh) * 100, note },
      { what: texts.namesUsed, unit: '%', value: (later / used) * 100 },
    ];
  },
} satisfies Record<string, Measurement>;

export type Measured = keyof typeof measurements;
export const measuredNames = Object.keys(measurements) as Measured[];

/** Lets crowds come one after the other, reads the memory after each, and fits a line through what was read. */
async function perClient(
  what: string,
  bench: Workbench,
  running: RunningPeer,
  size: number,
  arrive: (share: number) => Promise<AsyncDisposable>,
  read: (running: RunningPeer, signal: AbortSignal) => Promise<number>,
  steps: readonly number[],
): Promise<MemoryValue> {
  await using crowds = new AsyncDisposableStack();
  const points: MemoryPoint[] = [];
  let clients = 0;
  for (const share of steps) {
    crowds.use(await arrive(share));
    clients += Math.round(size * share);
    points.push({ clients, kilobytes: await read(running, bench.signal) });
    bench.say(`${clients} clients: ${roundedText(points.at(-1)!.kilobytes)} KB`);
  }
  return growth(what, points);
}

/** A server that gives memory back while clients come tells nothing about what they need: they were too few. */
export function growth(what: string, points: readonly MemoryPoint[]): MemoryValue {
  const line = memoryPerClient(points);
  if (line === undefined) return { what, unit: 'KB', note: `${points.length} points make no line` };
  const note = pointsText(points, line);
  if (line.slope > 0) return { what, unit: 'KB', value: line.slope, note };
  return { what, unit: 'KB', note: `${note}; its memory shrank by ${roundedText(-line.slope)} KB for each` };
}

/** Of the processes that serve media, once what the change before has left behind is tidied up: that is done once and no idling. */
async function calmCpuPercent(bench: Workbench, running: RunningPeer, seconds: number): Promise<number> {
  await settle(bench.signal);
  const serving = running.processes.filter(({ isServing }) => isServing).map(({ pid }) => ({ pid, label: 'serving' }));
  const watch = new ServerWatch(serving, []);
  await delay(seconds * 1_000, undefined, { signal: bench.signal });
  return watch.cpuPercent();
}
