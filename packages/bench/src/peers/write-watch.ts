/** How often a server gives each player bytes, and how many, seen from its own counters. */
import type { RunningPeer, WriteCounters } from './peer.ts';
import type { Batch } from './peers-document.ts';

export class WriteWatch {
  readonly #running: Pick<RunningPeer, 'writeCounters'>;
  readonly #samples: WriteCounters[] = [];
  #isAsking = false;

  constructor(running: Pick<RunningPeer, 'writeCounters'>) {
    this.#running = running;
  }

  /** Asks for the counters, unless an answer is still awaited. */
  look(): void {
    if (this.#running.writeCounters === undefined || this.#isAsking) return;
    this.#isAsking = true;
    this.#running.writeCounters().then(
      (counters) => {
        this.#isAsking = false;
        this.#samples.push(counters);
      },
      () => {
        // The figure of one second is missing, or the server has died: its players tell.
        this.#isAsking = false;
      },
    );
  }

  /** Over so many seconds before the newest look: all players were there then. Undefined when the server does not tell. */
  batch(seconds: number): Batch | undefined {
    const last = this.#samples.at(-1);
    if (last === undefined) return undefined;
    const first = this.#samples.find(({ atMs }) => last.atMs - atMs <= seconds * 1_000);
    if (first === undefined || last.writes <= first.writes) return undefined;
    const writes = last.writes - first.writes;
    return {
      intervalMs: ((last.atMs - first.atMs) * last.players) / writes,
      bytes: Math.max(1, Math.round((last.bytes - first.bytes) / writes)),
    };
  }
}
