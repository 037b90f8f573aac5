/** Opens connections at an even pace. */
import { setTimeout as delay } from 'node:timers/promises';

const MIN_PAUSE_MS = 5;

/**
 * Calls `open` for each of 0..count-1, in order, at `perSecond`, until all have been called or `signal` is aborted.
 * Does not wait for what `open` has begun.
 */
export async function ramp(count: number, perSecond: number, signal: AbortSignal, open: (index: number) => void): Promise<void> {
  const startMs = performance.now();
  let opened = 0;
  while (opened < count && !signal.aborted) {
    const due = Math.min(count, Math.floor(((performance.now() - startMs) / 1000) * perSecond) + 1);
    while (opened < due && !signal.aborted) open(opened++);
    if (opened < count) await delay(Math.max(MIN_PAUSE_MS, 1000 / perSecond), undefined, { signal }).catch(() => {});
  }
}
