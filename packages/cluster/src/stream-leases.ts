/** The leases of what is published on this server: announced in the background, renewed at a third, given back at the end. */
import { FailureNotes } from '@srs/client';
import { formatAddress } from '@srs/config';
import { type Clock, describeError, type Log } from '@srs/kernel';
import type { StreamPlace, StreamRegistry } from './stream-registry.ts';

export interface StreamLeasesOptions {
  readonly registry: StreamRegistry;
  readonly clock: Clock;
  /** 0..1, as Math.random. */
  readonly random: () => number;
  readonly log: Log;
  /** The stream belongs to another server: its publisher here is to be let go. @param why for the publisher */
  readonly dismiss: (streamId: string, why: string) => void;
}

/** A stream that is published here. */
export interface PublishedStream {
  readonly streamId: string;
  readonly place: StreamPlace;
  readonly leaseMs: number;
  /** The publish begins now; otherwise it has been running, and may not be ended by what the registry says. */
  readonly isFresh: boolean;
  /** `publish { busy replace; }` holds between servers too. */
  readonly takesOver: boolean;
}

/** `asking`: the registry has not answered. `copy`: another server has the stream that this one was given. `taken`: both publish it. */
export type LeaseState = 'asking' | 'held' | 'copy' | 'taken';

export interface LeaseReport {
  readonly state: LeaseState;
  /** Who holds it, if that is another server. */
  readonly holder: string;
}

/** An answer that takes longer comes into a running publish, which is not disturbed any more. */
const BEGINNING_MS = 5_000;
/** Requests under way at a time when all leases are renewed. */
const BATCH = 100;

interface Entry extends PublishedStream {
  readonly beginMs: number;
  state: LeaseState;
  holder: string;
  hasAnswer: boolean;
  isAsked: boolean;
}

export class StreamLeases {
  readonly #options: StreamLeasesOptions;
  readonly #notes: FailureNotes;
  readonly #entries = new Map<string, Entry>();
  /** Leases that are being given back. */
  readonly #withdrawing = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: StreamLeasesOptions) {
    this.#options = options;
    this.#notes = new FailureNotes(options.clock);
    options.registry.onUp(() => void this.#renewAll());
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Also for another publisher of the same stream, who has taken the place of the last one here. */
  begin(stream: PublishedStream): void {
    const entry: Entry = {
      ...stream,
      beginMs: this.#options.clock.nowMs(),
      state: 'asking',
      holder: '',
      hasAnswer: false,
      isAsked: false,
    };
    this.#entries.set(stream.streamId, entry);
    void this.#announce(entry);
    this.#schedule();
  }

  end(streamId: string): void {
    const entry = this.#entries.get(streamId);
    if (entry === undefined) return;
    this.#entries.delete(streamId);
    const withdrawn = this.#withdraw(entry).finally(() => this.#withdrawing.delete(withdrawn));
    this.#withdrawing.add(withdrawn);
  }

  /** Undefined for a stream that is not published here. */
  reportOf(streamId: string): LeaseReport | undefined {
    const entry = this.#entries.get(streamId);
    return entry === undefined ? undefined : { state: entry.state, holder: entry.holder };
  }

  /** Gives all leases back; resolves when that is told, or cannot be. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    const entries = Array.from(this.#entries.values());
    this.#entries.clear();
    for (let first = 0; first < entries.length; first += BATCH) {
      await Promise.all(entries.slice(first, first + BATCH).map((entry) => this.#withdraw(entry)));
    }
    await Promise.all(this.#withdrawing);
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#isClosed || this.#entries.size === 0) return;
    const leaseMs = Math.min(...Array.from(this.#entries.values(), (entry) => entry.leaseMs));
    // A tenth less at random: servers that started together must not ask together.
    const delayMs = (leaseMs / 3) * (1 - this.#options.random() / 10);
    this.#timer = setTimeout(() => {
      void this.#renewAll().then(() => {
        this.#timer = undefined;
        this.#schedule();
      });
    }, delayMs);
  }

  async #renewAll(): Promise<void> {
    const entries = Array.from(this.#entries.values());
    for (let first = 0; first < entries.length; first += BATCH) {
      await Promise.all(entries.slice(first, first + BATCH).map((entry) => this.#announce(entry)));
    }
  }

  async #announce(entry: Entry): Promise<void> {
    if (entry.isAsked || this.#isClosed || !this.#isCurrent(entry)) return;
    entry.isAsked = true;
    const { streamId, place, leaseMs } = entry;
    try {
      // Once: two servers that both take over would go on for ever.
      const takesOver = entry.takesOver && entry.isFresh && !entry.hasAnswer;
      const answer = await this.#options.registry.announce(streamId, place, { leaseMs, takesOver });
      if (!this.#isCurrent(entry)) {
        // It ended while it was announced: what the answer has brought is given back, unless there is a next publisher here.
        if (answer.kind === 'held' && !this.#entries.has(streamId)) await this.#withdraw(entry);
        return;
      }
      if (answer.kind === 'held') this.#onHeld(entry);
      else this.#onTaken(entry, answer.by);
      entry.hasAnswer = true;
    } catch (error) {
      this.#note(`stream ${streamId} cannot be announced: ${describeError(error)}`);
    } finally {
      entry.isAsked = false;
    }
  }

  #isCurrent(entry: Entry): boolean {
    return this.#entries.get(entry.streamId) === entry;
  }

  #onHeld(entry: Entry): void {
    if (entry.state === 'taken') this.#options.log.trace(`stream ${entry.streamId}: its lease is held here again`);
    entry.state = 'held';
    entry.holder = '';
  }

  #onTaken(entry: Entry, by: StreamPlace): void {
    const { clock, log, dismiss } = this.#options;
    const { streamId, place } = entry;
    const holder = formatAddress(by.address);
    if (place.hops.includes(by.instanceId)) {
      entry.state = 'copy';
      entry.holder = holder;
      return;
    }
    const isBeginning = entry.isFresh && !entry.hasAnswer && clock.nowMs() - entry.beginMs < BEGINNING_MS;
    // With `busy replace` the newer publisher counts, on whatever server.
    const isReplaced = entry.takesOver && entry.hasAnswer;
    if (isBeginning || isReplaced) {
      this.#entries.delete(streamId);
      dismiss(streamId, isReplaced ? `taken over at ${holder} (publish busy replace)` : `already published at ${holder}`);
      return;
    }
    if (entry.state !== 'taken' || entry.holder !== holder) {
      log.error(
        `stream ${streamId} is published here and at ${holder}, which holds its lease; both go on, viewers elsewhere get that one`,
      );
    }
    entry.state = 'taken';
    entry.holder = holder;
  }

  async #withdraw({ streamId, place }: Entry): Promise<void> {
    try {
      await this.#options.registry.withdraw(streamId, place);
    } catch (error) {
      this.#note(`stream ${streamId} cannot be withdrawn, its lease runs out: ${describeError(error)}`);
    }
  }

  #note(text: string): void {
    // One line for all streams: they fail together.
    if (this.#notes.isNews('registry')) this.#options.log.warn(text);
  }
}
