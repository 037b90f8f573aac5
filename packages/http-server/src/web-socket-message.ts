/**
 * WebSocket framing (RFC 6455), as much of it as a server needs that sends media and listens for the end.
 *
 * ```
 * FIN 000 opcode:4 | MASK length:7 | length:16 when 126, length:64 when 127 | mask:32 if MASK | payload
 * ```
 */
import { createHash } from 'node:crypto';
import { SrsError } from '@srs/kernel';

export const opcodes = { continuation: 0x0, text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const;

const FIN = 0x80;
const MASK = 0x80;
const LENGTH_16 = 126;
const LENGTH_64 = 127;
const MASK_BYTES = 4;
/** Of the payload of a close, ping or pong. */
const MAX_CONTROL_BYTES = 125;
/** What a viewer may say in one message; nothing of it is kept. */
const MAX_MESSAGE_BYTES = 64 * 1024;
const KEY_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** @param key of the client, as it sent it */
export function acceptKey(key: string): string {
  return createHash('sha1').update(`${key}${KEY_SUFFIX}`).digest('base64');
}

/** Bytes of the head of a message from the server. */
export function messageHeadBytes(payloadBytes: number): number {
  if (payloadBytes < LENGTH_16) return 2;
  return payloadBytes <= 0xffff ? 4 : 10;
}

/** Writes the head of a whole binary message. Hot path: no allocation. @returns the offset behind it */
export function writeMessageHead(target: Buffer, offset: number, payloadBytes: number, opcode: number = opcodes.binary): number {
  target[offset] = FIN | opcode;
  if (payloadBytes < LENGTH_16) {
    target[offset + 1] = payloadBytes;
    return offset + 2;
  }
  if (payloadBytes <= 0xffff) {
    target[offset + 1] = LENGTH_16;
    target.writeUInt16BE(payloadBytes, offset + 2);
    return offset + 4;
  }
  target[offset + 1] = LENGTH_64;
  target.writeUInt32BE(Math.floor(payloadBytes / 2 ** 32), offset + 2);
  target.writeUInt32BE(payloadBytes >>> 0, offset + 6);
  return offset + 10;
}

/** A whole message in a new buffer. */
export function binaryMessage(payload: Buffer, opcode: number = opcodes.binary): Buffer {
  const bytes = Buffer.allocUnsafe(messageHeadBytes(payload.length) + payload.length);
  payload.copy(bytes, writeMessageHead(bytes, 0, payload.length, opcode));
  return bytes;
}

export interface MessageHandler {
  /** To be answered with a pong of the same payload, which is the handler's own. */
  onPing(payload: Buffer): void;
  /** The client wants to end. */
  onClose(): void;
}

type State = 'head' | 'length' | 'mask' | 'payload';

/** Reads what a client sends: pings and the close are told, everything else is passed over without being kept. */
export class MessageReader {
  readonly #handler: MessageHandler;
  #state: State = 'head';
  /** Bytes of the present part; of a payload only those of control messages are kept. */
  readonly #part = Buffer.alloc(MAX_CONTROL_BYTES);
  #partBytes = 0;
  #need = 2;
  #opcode = 0;
  #lengthCode = 0;
  readonly #mask = Buffer.alloc(MASK_BYTES);

  constructor(handler: MessageHandler) {
    this.#handler = handler;
  }

  /** @param bytes not kept @throws SrsError PacketInvalid for what breaks the protocol or a limit */
  receive(bytes: Buffer): void {
    let offset = 0;
    while (offset < bytes.length || this.#need === 0) {
      const taken = Math.min(this.#need, bytes.length - offset);
      if (this.#isKept) {
        bytes.copy(this.#part, this.#partBytes, offset, offset + taken);
        this.#partBytes += taken;
      }
      offset += taken;
      this.#need -= taken;
      if (this.#need === 0) this.#step();
    }
  }

  get #isKept(): boolean {
    return this.#state !== 'payload' || this.#opcode >= opcodes.close;
  }

  #step(): void {
    switch (this.#state) {
      case 'head':
        this.#readHead();
        return;
      case 'length':
        this.#readLength();
        return;
      case 'mask':
        this.#part.copy(this.#mask, 0, 0, MASK_BYTES);
        this.#await('payload', this.#lengthCode);
        return;
      case 'payload':
        this.#readPayload();
        return;
    }
  }

  #await(state: State, need: number): void {
    this.#state = state;
    this.#need = need;
    this.#partBytes = 0;
  }

  #readHead(): void {
    const [first = 0, second = 0] = this.#part;
    this.#opcode = first & 0x0f;
    if ((first & 0x70) !== 0) throw new SrsError('PacketInvalid', 'websocket message with reserved bits set');
    if ((second & MASK) === 0) throw new SrsError('PacketInvalid', 'websocket message of a client must be masked');
    this.#lengthCode = second & 0x7f;
    const isControl = this.#opcode >= opcodes.close;
    if (isControl && (this.#lengthCode > MAX_CONTROL_BYTES || (first & FIN) === 0))
      throw new SrsError('PacketInvalid', `websocket control message must be whole and have at most ${MAX_CONTROL_BYTES} bytes`);
    if (this.#lengthCode < LENGTH_16) this.#await('mask', MASK_BYTES);
    else this.#await('length', this.#lengthCode === LENGTH_16 ? 2 : 8);
  }

  #readLength(): void {
    const length = this.#lengthCode === LENGTH_16 ? this.#part.readUInt16BE(0) : Number(this.#part.readBigUInt64BE(0));
    if (length > MAX_MESSAGE_BYTES)
      throw new SrsError('PacketInvalid', `websocket message of ${length} bytes must have at most ${MAX_MESSAGE_BYTES}`);
    this.#lengthCode = length;
    this.#await('mask', MASK_BYTES);
  }

  #readPayload(): void {
    const opcode = this.#opcode;
    if (opcode === opcodes.ping) {
      const payload = Buffer.from(this.#part.subarray(0, this.#partBytes));
      for (let index = 0; index < payload.length; index += 1) payload[index] = payload[index]! ^ this.#mask[index % MASK_BYTES]!;
      this.#handler.onPing(payload);
    }
    this.#await('head', 2);
    if (opcode === opcodes.close) this.#handler.onClose();
  }
}
