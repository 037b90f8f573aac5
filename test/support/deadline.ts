/** Waiting for something with a limit, so that a test names what did not happen instead of timing out without a word. */
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 20;

/** Settles as `promise` does, or rejects with `explain()` when `limitMs` have passed. */
export async function within<T>(promise: Promise<T>, limitMs: number, explain: () => string): Promise<T> {
  const { promise: expired, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(expiry(explain(), limitMs)), limitMs);
  try {
    return await Promise.race([promise, expired]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * For states that nothing announces (a file, a counter of the kernel): asks until `probe` gives something other than undefined
 * or false. Where an event exists, wait for the event.
 */
export async function eventually<T>(
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  limitMs: number,
  explain: () => string,
): Promise<T> {
  const deadlineMs = performance.now() + limitMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== false) return value;
    if (performance.now() >= deadlineMs) throw expiry(explain(), limitMs);
    await delay(POLL_MS);
  }
}

/** The limit belongs to the first line; what follows is detail, such as the last lines of a log. */
function expiry(explanation: string, limitMs: number): Error {
  const [what = '', ...details] = explanation.split('\n');
  return new Error([`${what} within ${limitMs} ms`, ...details].join('\n'));
}
