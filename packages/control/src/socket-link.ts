/** A link over a unix socket: 4 bytes of length (big endian), then a msgpack body. */
import type { Socket } from 'node:net';
import { SrsError } from '@srs/kernel';
import { Packr } from 'msgpackr';
import { BaseLink } from './link.ts';

const LENGTH_BYTES = 4;
/** The largest control message is a worker's `hello` with all its leases and subscriptions. */
export const MAX_CONTROL_MESSAGE_BYTES = 16 * 1024 * 1024;

export class SocketLink extends BaseLink {
  readonly #socket: Socket;
  // Record structures are shared per link, in each direction by its own instance.
  readonly #packr = new Packr({ useRecords: true, sequential: true });
  readonly #unpackr = new Packr({ useRecords: true, sequential: true });
  #pending: Buffer = Buffer.alloc(0);

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    socket.on('error', (error) => this.ended(error));
    socket.on('close', () => this.ended(undefined));
  }

  send(message: unknown): void {
    if (this.isClosed) return;
    const body = this.#packr.pack(message);
    const frame = Buffer.allocUnsafe(LENGTH_BYTES + body.length);
    frame.writeUInt32BE(body.length, 0);
    body.copy(frame, LENGTH_BYTES);
    this.#socket.write(frame);
  }

  close(): void {
    this.#socket.end();
    this.#socket.destroySoon();
  }

  #receive(bytes: Buffer): void {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    try {
      while (this.#pending.length >= LENGTH_BYTES) {
        const length = this.#pending.readUInt32BE(0);
        if (length > MAX_CONTROL_MESSAGE_BYTES) {
          throw new SrsError(
            'ControlProtocol',
            `control message of ${length} bytes must be at most ${MAX_CONTROL_MESSAGE_BYTES}`,
          );
        }
        if (this.#pending.length < LENGTH_BYTES + length) return;
        const body = this.#pending.subarray(LENGTH_BYTES, LENGTH_BYTES + length);
        this.#pending = this.#pending.subarray(LENGTH_BYTES + length);
        this.deliver(this.#decode(body));
      }
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      this.ended(failure);
      this.#socket.destroy();
    }
  }

  #decode(body: Buffer): unknown {
    try {
      return this.#unpackr.unpack(body);
    } catch (cause) {
      throw new SrsError('ControlProtocol', `control message of ${body.length} bytes is not valid msgpack`, { cause });
    }
  }
}
