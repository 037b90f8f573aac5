/** Memory of a server's processes with ever more clients, and the line through these points. */
import { setTimeout as delay } from 'node:timers/promises';
import { processMemory } from '../process-usage.ts';
import type { RunningPeer } from './peer.ts';
import { fitLine, type Line, roundedText } from './statistics.ts';

/** Memory is steady when so many readings, a second apart, lie so close to each other. */
const STEADY_READINGS = 5;
const STEADY_SHARE = 0.01;
/** A server that never becomes steady gets the average of its last readings; how far the points lie from the line shows it. */
const STEADY_LIMIT_READINGS = 45;
const READING_MS = 1_000;
/**
 * A server that has been busy gives memory back when it has been calm for a while; this one looks every ten seconds, and the window
 * in which the load changed may count as busy.
 */
const GIVING_BACK_MS = 21_000;

export interface MemoryPoint {
  readonly clients: number;
  readonly kilobytes: number;
}

/** Without the pages of files: how those are divided changes with every program that starts. */
function dataKb(running: RunningPeer): number {
  return running.processes.reduce((sum, { pid }) => sum + processMemory(pid).dataKb, 0);
}

/** Memory under a load that goes on, once it neither grows nor shrinks. */
export async function steadyMemory(running: RunningPeer, signal: AbortSignal): Promise<number> {
  const last: number[] = [];
  for (let reading = 0; reading < STEADY_LIMIT_READINGS; reading++) {
    await delay(READING_MS, undefined, { signal });
    last.push(dataKb(running));
    if (last.length > STEADY_READINGS) last.shift();
    if (last.length === STEADY_READINGS && isSteady(last)) break;
  }
  return last.reduce((sum, value) => sum + value, 0) / last.length;
}

export function isSteady(readings: readonly number[]): boolean {
  const least = Math.min(...readings);
  return Math.max(...readings) - least <= least * STEADY_SHARE;
}

/** Memory of a server that has nothing to do, after it had time to tidy up. */
export async function settledMemory(running: RunningPeer, signal: AbortSignal): Promise<number> {
  await settle(signal);
  return await steadyMemory(running, signal);
}

/** Until a server that is left in peace has given back what it wants to give back. */
export async function settle(signal: AbortSignal): Promise<void> {
  await delay(GIVING_BACK_MS, undefined, { signal });
}

export function pointsText(points: readonly MemoryPoint[], { slopeError }: Line): string {
  const last = points.at(-1)?.clients ?? 0;
  return `${points.length} points from ${points[0]?.clients ?? 0} to ${last} clients, standard error ${roundedText(slopeError)} KB`;
}

export function memoryPerClient(points: readonly MemoryPoint[]): Line | undefined {
  return fitLine(points.map(({ clients, kilobytes }) => [clients, kilobytes]));
}
