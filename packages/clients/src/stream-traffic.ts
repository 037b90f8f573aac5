/** Bytes, rates and clients of each stream of one process, those of clients that have left included. */
import { type Clock, RateMeter } from '@srs/kernel';
import type { RegisteredClient, TotalTraffic } from './client-registry.ts';

/** What the clients of a stream have moved on this worker. */
export interface StreamTraffic extends TotalTraffic {
  /** Connections that publish or play it. */
  readonly clients: number;
  readonly players: number;
  /** That their sockets have not taken. */
  readonly pendingBytes: number;
}

/**
 * How long a stream without clients is remembered: an encoder that connects again goes on counting where it was. Longer would make the
 * names that were asked for in passing pile up.
 */
const FORGET_MS = 60_000;
/** Who has moved less has hardly done more than connect and ask: the names that pass by in masses must not be remembered at all. */
const PASSING_BYTES = 16 * 1024;

interface Entry {
  goneRecvBytes: number;
  goneSendBytes: number;
  readonly recvRate: RateMeter;
  readonly sendRate: RateMeter;
  lastUsedMs: number;
}

interface Sum {
  recvBytes: number;
  sendBytes: number;
  clients: number;
  players: number;
  pendingBytes: number;
}

const nothing: Readonly<Sum> = { recvBytes: 0, sendBytes: 0, clients: 0, players: 0, pendingBytes: 0 };

export class StreamTraffics {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Called every few seconds, so that the windows of the rates are what they say. */
  sample(connections: Iterable<RegisteredClient>): void {
    const nowMs = this.#clock.nowMs();
    const sums = sumUp(connections);
    for (const streamId of sums.keys()) this.#entry(streamId).lastUsedMs = nowMs;
    for (const [streamId, entry] of this.#entries) {
      if (nowMs - entry.lastUsedMs >= FORGET_MS) this.#entries.delete(streamId);
      else describe(entry, sums.get(streamId) ?? nothing);
    }
  }

  /** The client has left: what it has moved stays with its stream. */
  onClosed({ streamId, traffic }: RegisteredClient): void {
    if (streamId === '') return;
    if (!this.#entries.has(streamId) && traffic.recvBytes + traffic.sendBytes < PASSING_BYTES) return;
    const entry = this.#entry(streamId);
    entry.goneRecvBytes += traffic.recvBytes;
    entry.goneSendBytes += traffic.sendBytes;
    entry.lastUsedMs = this.#clock.nowMs();
  }

  /** By stream id. */
  statistics(connections: Iterable<RegisteredClient>): ReadonlyMap<string, StreamTraffic> {
    const sums = sumUp(connections);
    for (const streamId of sums.keys()) this.#entry(streamId);
    return new Map(Array.from(this.#entries, ([streamId, entry]) => [streamId, describe(entry, sums.get(streamId) ?? nothing)]));
  }

  #entry(streamId: string): Entry {
    let entry = this.#entries.get(streamId);
    if (entry === undefined) {
      const clock = this.#clock;
      entry = {
        goneRecvBytes: 0,
        goneSendBytes: 0,
        recvRate: new RateMeter(clock),
        sendRate: new RateMeter(clock),
        lastUsedMs: clock.nowMs(),
      };
      this.#entries.set(streamId, entry);
    }
    return entry;
  }
}

function sumUp(connections: Iterable<RegisteredClient>): Map<string, Sum> {
  const sums = new Map<string, Sum>();
  for (const connection of connections) {
    const { streamId, type, traffic } = connection;
    if (streamId === '') continue;
    const sum = sums.get(streamId) ?? { ...nothing };
    sums.set(streamId, sum);
    sum.recvBytes += traffic.recvBytes;
    sum.sendBytes += traffic.sendBytes;
    sum.pendingBytes += connection.pendingBytes;
    // Who has stopped keeps its stream's name and may come back to it.
    if (type === 'unknown') continue;
    sum.clients += 1;
    if (type === 'play') sum.players += 1;
  }
  return sums;
}

function describe(entry: Entry, sum: Readonly<Sum>): StreamTraffic {
  const recvBytes = entry.goneRecvBytes + sum.recvBytes;
  const sendBytes = entry.goneSendBytes + sum.sendBytes;
  return {
    recvBytes,
    sendBytes,
    recvKbps: entry.recvRate.sample(recvBytes),
    sendKbps: entry.sendRate.sample(sendBytes),
    clients: sum.clients,
    players: sum.players,
    pendingBytes: sum.pendingBytes,
  };
}
