/** A graceful quit: accept for a moment longer, then let nobody in, then wait until those who are there have gone. */

/** The server as far as its leaving is concerned. */
export interface LeavingServer {
  clientCount(): number;
  stopAccepting(): void;
}

/** `grace_start_wait`, `grace_client_wait` and `grace_final_wait`. */
interface GraceTimes {
  readonly startWaitMs: number;
  readonly clientWaitMs: number;
  readonly finalWaitMs: number;
}

export interface GraceOptions {
  readonly times: GraceTimes;
  /** Ends the wait at once. */
  readonly signal: AbortSignal;
  /** Told at each step what happens, and how long all that follows may take. */
  readonly tell: (text: string, restMs: number) => void;
}

const LOOK_EVERY_MS = 100;

/** Resolves when the server may be stopped: nobody is there any more, or the time is up, or `signal` says so. Never rejects. */
export async function leaveGracefully(server: LeavingServer, options: GraceOptions): Promise<void> {
  const { times, signal, tell } = options;
  tell(`accepting for ${times.startWaitMs} ms more`, times.startWaitMs + times.clientWaitMs + times.finalWaitMs);
  await pause(times.startWaitMs, signal);
  if (signal.aborted) return;

  server.stopAccepting();
  const count = server.clientCount();
  tell(
    `nobody is let in any more, ${clients(count)} may stay for ${times.clientWaitMs} ms`,
    times.clientWaitMs + times.finalWaitMs,
  );
  const endMs = performance.now() + times.clientWaitMs;
  while (server.clientCount() > 0 && performance.now() < endMs && !signal.aborted) await pause(LOOK_EVERY_MS, signal);
  if (signal.aborted) return;

  const left = server.clientCount();
  tell(
    left === 0 ? `all clients have left, ending in ${times.finalWaitMs} ms` : `${clients(left)} did not leave, dismissed`,
    times.finalWaitMs,
  );
  // Who has not left by now is told when the server stops; there is nothing to wait for.
  if (left === 0) await pause(times.finalWaitMs, signal);
}

const clients = (count: number): string => (count === 1 ? '1 client' : `${count} clients`);

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}
