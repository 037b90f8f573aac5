/** Bytes and rates of one client, both ways. */
import type { Socket } from 'node:net';
import { type Clock, type Kbps, RateMeter } from '@srs/kernel';
import type { SocketOutput } from './socket-output.ts';

export class Traffic {
  readonly #socket: Socket;
  readonly #output: SocketOutput;
  readonly #sendRate: RateMeter;
  readonly #recvRate: RateMeter;

  constructor(socket: Socket, output: SocketOutput, clock: Clock) {
    this.#socket = socket;
    this.#output = output;
    this.#sendRate = new RateMeter(clock);
    this.#recvRate = new RateMeter(clock);
  }

  /** From the client, since it connected; still right after the end. */
  get recvBytes(): number {
    return this.#socket.bytesRead;
  }

  get sendBytes(): number {
    return this.#output.bytesWritten;
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
