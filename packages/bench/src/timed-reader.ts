/** Reads many sockets by the clock, as clients do that look every so often instead of waiting for the kernel. */
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import { addressOf, descriptorOf, receiveTo } from '@srs/native';

/** Clients are not in step with each other: each interval is gone through in so many parts. */
const PARTS = 10;
const NOTHING_YET = -constants.errno.EAGAIN;

export interface TimedClient {
  /** Bytes have been read into the buffer of the reader. */
  onRead(buffer: Buffer, length: number): void;
  /** Nothing more will come. */
  onReadEnd(reason: string): void;
}

interface Entry {
  readonly socket: Socket;
  readonly client: TimedClient;
}

export class TimedReader {
  readonly #buffer: Buffer;
  readonly #address: number;
  readonly #parts: readonly Set<Entry>[];
  readonly #timer: NodeJS.Timeout;
  #nextPart = 0;

  /** @param buffer what is read into; not part of a larger one that is moved */
  constructor(intervalMs: number, buffer: Buffer) {
    this.#buffer = buffer;
    this.#address = addressOf(buffer);
    const parts = Math.min(PARTS, intervalMs);
    this.#parts = Array.from({ length: parts }, () => new Set<Entry>());
    this.#timer = setInterval(() => this.#readPart(), intervalMs / parts);
  }

  /** From here on the socket must not read by itself; it is let go of when it is destroyed. */
  add(socket: Socket, client: TimedClient): void {
    const entry: Entry = { socket, client };
    const part = this.#parts.reduce((least, each) => (each.size < least.size ? each : least));
    part.add(entry);
    socket.once('close', () => part.delete(entry));
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #readPart(): void {
    const part = this.#parts[this.#nextPart]!;
    this.#nextPart = (this.#nextPart + 1) % this.#parts.length;
    for (const entry of part) this.#readAll(entry);
  }

  /** Hot path. Once for each socket, and again only when there may be more than the buffer holds. */
  #readAll({ socket, client }: Entry): void {
    while (!socket.destroyed) {
      const length = receiveTo(descriptorOf(socket), this.#address, this.#buffer.length);
      if (length > 0) client.onRead(this.#buffer, length);
      else if (length === 0) client.onReadEnd('the server closed the connection');
      else if (length !== NOTHING_YET) client.onReadEnd(`read ${getSystemErrorName(length)}`);
      if (length < this.#buffer.length) return;
    }
  }
}
