/** How long an event waits for a process whose event loop was late. */

/**
 * Counting how many ticks were late hides a stall: two seconds are one tick of hundreds. What counts is who comes meanwhile: an event may
 * come at any moment, and waits until the lateness of that moment is over.
 *
 * @param latenessMs of every tick
 * @param tickMs between two ticks that are not late
 * @param share of all events, 0..1
 * @returns milliseconds that this share of the events waits at most; 0 without ticks
 */
export function longestWaitMs(latenessMs: readonly number[], tickMs: number, share: number): number {
  const wholeMs = latenessMs.reduce((sum, late) => sum + late + tickMs, 0);
  const moreMs = wholeMs * (1 - share);
  const waitingMs = (limitMs: number): number => latenessMs.reduce((sum, late) => sum + Math.max(0, late - limitMs), 0);
  let low = 0;
  let high = Math.max(0, ...latenessMs);
  if (waitingMs(low) <= moreMs) return low;
  while (high - low > 0.05) {
    const middle = (low + high) / 2;
    if (waitingMs(middle) > moreMs) low = middle;
    else high = middle;
  }
  return high;
}
