/** Takes the payload of binary messages out of what a WebSocket server sends (RFC 6455, 5.2). */
import { SrsError } from '@srs/kernel';

/*
 *   FIN RSV:3 opcode:4 | MASK=0 length:7 | length:16 when 126, length:64 when 127 | payload
 */
export const opcodes = { continuation: 0x0, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const;

const OPCODE_BITS = 0x0f;
const RESERVED_BITS = 0x70;
const MASK = 0x80;
const LENGTH_16 = 126;
const LENGTH_64 = 127;
const MAX_HEAD_BYTES = 10;
const MAX_CONTROL_BYTES = 125;
/** Nothing of it is kept; what is longer than this is no media. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

export interface WebSocketHandler {
  /** Hot path. Payload of a binary message stands in `bytes[start .. end - 1]`; valid during the call only. */
  onPayload(bytes: Buffer, start: number, end: number): void;
  /** To be answered with the same payload, which is the handler's own. */
  onPing(payload: Buffer): void;
  onClose(): void;
}

export class WebSocketReader {
  readonly #handler: WebSocketHandler;
  /** A head, or the payload of a control message, as far as it was in the last bytes. */
  readonly #carried = Buffer.allocUnsafe(MAX_CONTROL_BYTES);
  #carriedBytes = 0;
  #opcode: number = opcodes.binary;
  #payloadBytesLeft = 0;

  constructor(handler: WebSocketHandler) {
    this.#handler = handler;
  }

  /**
   * Takes the bytes `bytes[start .. end - 1]`; they are not kept.
   *
   * @throws SrsError PacketInvalid for what is no message of a server, or no binary one, and whatever the handler throws; the reader
   *   must not be used again then
   */
  receive(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end) at = this.#payloadBytesLeft === 0 ? this.#readHead(bytes, at, end) : this.#readPayload(bytes, at, end);
  }

  /** Hot path. */
  #readHead(bytes: Buffer, at: number, end: number): number {
    if (this.#carriedBytes === 0 && end - at >= MAX_HEAD_BYTES) {
      const headBytes = headBytesOf(bytes[at + 1]!);
      this.#onHead(bytes, at, headBytes);
      return at + headBytes;
    }
    // Byte by byte: only its second byte tells how long a head is.
    this.#carried[this.#carriedBytes++] = bytes[at]!;
    if (this.#carriedBytes >= 2 && this.#carriedBytes === headBytesOf(this.#carried[1]!)) {
      this.#carriedBytes = 0;
      this.#onHead(this.#carried, 0, headBytesOf(this.#carried[1]!));
    }
    return at + 1;
  }

  /** Hot path. */
  #onHead(bytes: Buffer, at: number, headBytes: number): void {
    const first = bytes[at]!;
    const second = bytes[at + 1]!;
    const opcode = first & OPCODE_BITS;
    if ((first & RESERVED_BITS) !== 0 || (second & MASK) !== 0) {
      throw new SrsError('PacketInvalid', 'websocket message of a server must have no reserved bits and no mask');
    }
    const isControl = opcode >= opcodes.close;
    if (opcode !== opcodes.binary && opcode !== opcodes.continuation && !isControl) {
      throw new SrsError('PacketInvalid', `websocket message of opcode ${opcode} must be a binary one`);
    }
    const length =
      headBytes === 2 ? second : headBytes === 4 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
    const maxBytes = isControl ? MAX_CONTROL_BYTES : MAX_MESSAGE_BYTES;
    if (length > maxBytes)
      throw new SrsError('PacketInvalid', `websocket message of ${length} bytes must have at most ${maxBytes}`);
    this.#opcode = opcode;
    this.#payloadBytesLeft = length;
    if (length === 0 && isControl) this.#onControl(0);
  }

  /** Hot path. */
  #readPayload(bytes: Buffer, at: number, end: number): number {
    const next = Math.min(end, at + this.#payloadBytesLeft);
    this.#payloadBytesLeft -= next - at;
    if (this.#opcode < opcodes.close) {
      this.#handler.onPayload(bytes, at, next);
      return next;
    }
    bytes.copy(this.#carried, this.#carriedBytes, at, next);
    this.#carriedBytes += next - at;
    if (this.#payloadBytesLeft === 0) this.#onControl(this.#carriedBytes);
    return next;
  }

  #onControl(payloadBytes: number): void {
    this.#carriedBytes = 0;
    if (this.#opcode === opcodes.close) this.#handler.onClose();
    else if (this.#opcode === opcodes.ping) this.#handler.onPing(Buffer.from(this.#carried.subarray(0, payloadBytes)));
  }
}

function headBytesOf(second: number): number {
  const code = second & ~MASK;
  return code < LENGTH_16 ? 2 : code < LENGTH_64 ? 4 : MAX_HEAD_BYTES;
}

/** A message of a client, masked with zeros: nothing that it could be taken for lies on the way (RFC 6455, 10.3). */
export function clientMessage(opcode: number, payload: Buffer): Buffer {
  if (payload.length > MAX_CONTROL_BYTES) {
    throw new SrsError('PacketInvalid', `websocket message of ${payload.length} bytes must have at most ${MAX_CONTROL_BYTES}`);
  }
  return Buffer.concat([Buffer.from([0x80 | opcode, MASK | payload.length, 0, 0, 0, 0]), payload]);
}
