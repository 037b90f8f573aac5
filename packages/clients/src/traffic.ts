/** Bytes and rates of one client, both ways. */
import type { Socket } from 'node:net';
import { type Clock, type Kbps, RateMeter } from '@srs/kernel';

export class Traffic {
  readonly #socket: Socket;
  readonly #sendBytes: () => number;
  readonly #sendRate: RateMeter;
  readonly #recvRate: RateMeter;

  /** @param sendBytes to the client, since it connected */
  constructor(socket: Socket, sendBytes: () => number, clock: Clock) {
    this.#socket = socket;
    this.#sendBytes = sendBytes;
    this.#sendRate = new RateMeter(clock);
    this.#recvRate = new RateMeter(clock);
  }

  /** From the client, since it connected; still right after the end. */
  get recvBytes(): number {
    return this.#socket.bytesRead;
  }

  get sendBytes(): number {
    return this.#sendBytes();
  }

  get sendKbps(): Kbps {
    return this.#sendRate.sample(this.sendBytes);
  }

  get recvKbps(): Kbps {
    return this.#recvRate.sample(this.recvBytes);
  }

  /** Called every few seconds, so that the windows of the rates are what they say. */
  sample(): void {
    this.#sendRate.sample(this.sendBytes);
    this.#recvRate.sample(this.recvBytes);
  }

  /** Out and in, as the summary lines of the log have it: average, 30 s, 5 min. */
  get summary(): string {
    return `okbps=${kbpsText(this.sendKbps)}, ikbps=${kbpsText(this.recvKbps)}`;
  }
}

const kbpsText = (rate: Kbps): string => `${rate.average},${rate.last30s},${rate.last5m}`;
