/** The clients that have left last, and why: who asks for one that is gone is told. */
import { type Clock, redact } from '@srs/kernel';
import type { ClientType } from './client-description.ts';

/** How a connection ended. */
export interface ClientEnd {
  /** It was not given what it asked for; else it left, was let go, or broke off. */
  readonly isRefused: boolean;
  readonly reason: string;
}

/** An element of `GET /api/v1/departures`. */
export interface Departure extends ClientEnd {
  readonly id: number;
  readonly ip: string;
  /** What it did in the end; `unknown` for one that was refused. */
  readonly type: ClientType;
  /** The stream that it used or asked for, without parameters; empty when it did not come so far. */
  readonly streamId: string;
  readonly aliveSeconds: number;
  readonly agoSeconds: number;
}

interface Entry extends Omit<Departure, 'agoSeconds'> {
  readonly atMs: number;
}

/** A flood of clients that are refused pushes out older ones, and takes no more memory than this. */
const MAX_ENTRIES = 500;
/** Names and reasons come from clients in part. */
const MAX_TEXT = 300;

export class Departures {
  readonly #clock: Clock;
  readonly #entries: Entry[] = [];
  /** The place of the oldest entry once all are taken. */
  #oldest = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(departure: Omit<Departure, 'agoSeconds'>): void {
    const { streamId, reason } = departure;
    const entry = { ...departure, streamId: cut(streamId), reason: cut(redact(reason)), atMs: this.#clock.nowMs() };
    if (this.#entries.length < MAX_ENTRIES) this.#entries.push(entry);
    else {
      this.#entries[this.#oldest] = entry;
      this.#oldest = (this.#oldest + 1) % MAX_ENTRIES;
    }
  }

  /** The newest first. */
  list(): readonly Departure[] {
    const nowMs = this.#clock.nowMs();
    const inOrder = [...this.#entries.slice(this.#oldest), ...this.#entries.slice(0, this.#oldest)];
    return inOrder.reverse().map(({ atMs, ...departure }) => ({ ...departure, agoSeconds: Math.round((nowMs - atMs) / 1000) }));
  }
}

const cut = (text: string): string => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}...` : text);
