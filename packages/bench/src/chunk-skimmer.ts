/** Reads just enough of a chunk stream to know its messages: headers and the first bytes, with the payload jumped over. */
import { SrsError } from '@srs/kernel';
import { DEFAULT_CHUNK_SIZE, MAX_CHUNK_SIZE, messageTypes } from '@srs/rtmp';
import type { SkimmedMessage, SkimmerHandler } from './skimmed-message.ts';
import { SkimmedStream } from './skimmed-stream.ts';

const MAX_CHUNK_STREAMS = 1024;
const CONTROL_CHUNK_STREAM_ID = 2;
const EXTENDED_TIMESTAMP = 0xffffff;
const EXTENDED_TIMESTAMP_BYTES = 4;
/** Three bytes of basic header, eleven of message header, four of extended timestamp. */
const MAX_HEADER_BYTES = 18;
/** The header at hand goes on in bytes that have not come yet. */
const INCOMPLETE = -1;
const NO_BYTES = Buffer.alloc(0);
const NO_STREAM = new SkimmedStream(0);

/**
 * Gives the same messages as the `ChunkReader` of `@srs/rtmp` for every stream that that one accepts, without their payload. Set
 * Chunk Size and Abort are obeyed and not delivered; empty messages are dropped.
 *
 * Hot path: no object is made for a message.
 */
export class ChunkSkimmer {
  readonly #handler: SkimmerHandler;
  readonly #streams: SkimmedStream[] = [];
  #stream = NO_STREAM;
  #chunkSize = DEFAULT_CHUNK_SIZE;
  /** Payload bytes of the chunk at hand that have not come yet; 0 before a header. */
  #chunkBytesLeft = 0;
  /** The part of a header that was at the end of the last bytes; made when it is first needed. */
  #carried = NO_BYTES;
  #carriedBytes = 0;

  constructor(handler: SkimmerHandler) {
    this.#handler = handler;
  }

  /**
   * Takes the bytes `bytes[0 .. length - 1]`; they are not kept.
   *
   * @throws SrsError RtmpChunkStart, RtmpChunkSize, RtmpPacketSize or RtmpMemory for a broken stream, and whatever the handler
   *   throws; the skimmer must not be used again then
   */
  receive(bytes: Buffer, length: number): void {
    let at = 0;
    while (this.#carriedBytes > 0 && at < length) {
      // Byte by byte: a header never takes more bytes than it has, and this happens once for a piece of input.
      this.#carried[this.#carriedBytes++] = bytes[at++]!;
      const headerBytes = this.#readHeader(this.#carried, 0, this.#carriedBytes);
      if (headerBytes === INCOMPLETE) continue;
      const carriedBytes = this.#carriedBytes;
      this.#carriedBytes = 0;
      // A timestamp that was looked for and is not there leaves bytes of the payload, or of what follows it.
      if (headerBytes < carriedBytes) this.#read(this.#carried, headerBytes, carriedBytes);
    }
    if (at < length) this.#read(bytes, at, length);
  }

  /** Hot path. */
  #read(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end) {
      if (this.#chunkBytesLeft === 0) {
        const next = this.#readHeader(bytes, at, end);
        if (next === INCOMPLETE) {
          this.#carry(bytes, at, end);
          return;
        }
        at = next;
      } else {
        at = this.#readPayload(bytes, at, end);
      }
    }
  }

  #carry(bytes: Buffer, start: number, end: number): void {
    if (this.#carried.length === 0) this.#carried = Buffer.allocUnsafe(MAX_HEADER_BYTES);
    bytes.copy(this.#carried, 0, start, end);
    this.#carriedBytes = end - start;
  }

  /** Hot path. @returns where the next bytes stand */
  #readPayload(bytes: Buffer, at: number, end: number): number {
    const stream = this.#stream;
    const next = Math.min(end, at + this.#chunkBytesLeft);
    this.#chunkBytesLeft -= next - at;
    if (stream.message.take(bytes, at, next)) {
      stream.endMessage();
      this.#finish(stream);
    }
    return next;
  }

  #finish({ message, timestampMs }: SkimmedStream): void {
    if (message.type === messageTypes.setChunkSize) this.#setChunkSize(controlNumber('Set Chunk Size', message));
    else if (message.type === messageTypes.abort) this.#find(controlNumber('Abort', message))?.endMessage();
    else message.deliver(this.#handler, timestampMs);
  }

  #setChunkSize(size: number): void {
    if (size === 0 || size > MAX_CHUNK_SIZE) {
      throw new SrsError('RtmpChunkSize', `chunk size ${size} must be 1..${MAX_CHUNK_SIZE}`);
    }
    this.#chunkSize = size;
  }

  #find(id: number): SkimmedStream | undefined {
    for (const stream of this.#streams) if (stream.id === id) return stream;
    return undefined;
  }

  /**
   * Hot path. Reads one whole header that begins at `start`. Nothing is changed before all of its bytes are there.
   *
   * @returns where the payload begins, or INCOMPLETE
   */
  #readHeader(bytes: Buffer, start: number, end: number): number {
    const first = bytes[start]!;
    const fmt = first >> 6;
    let id = first & 0x3f;
    let at = start + 1;
    if (id === 0) {
      if (end - at < 1) return INCOMPLETE;
      id = 64 + bytes[at]!;
      at += 1;
    } else if (id === 1) {
      if (end - at < 2) return INCOMPLETE;
      id = 64 + bytes.readUInt16LE(at);
      at += 2;
    }
    if (this.#stream.id !== id) this.#stream = this.#find(id) ?? this.#addStream(id);
    const stream = this.#stream;
    assertOrder(stream, fmt);
    return fmt === 3 ? this.#readRepeatedHeader(stream, bytes, at, end) : this.#readMessageHeader(stream, fmt, bytes, at, end);
  }

  #addStream(id: number): SkimmedStream {
    if (this.#streams.length >= MAX_CHUNK_STREAMS) {
      throw new SrsError('RtmpMemory', `chunk stream ${id}: ${this.#streams.length + 1} must be at most ${MAX_CHUNK_STREAMS}`);
    }
    const stream = new SkimmedStream(id);
    this.#streams.push(stream);
    return stream;
  }

  /** fmt 0, 1 and 2. */
  #readMessageHeader(stream: SkimmedStream, fmt: number, bytes: Buffer, start: number, end: number): number {
    const headerBytes = fmt === 0 ? 11 : fmt === 1 ? 7 : 3;
    if (end - start < headerBytes) return INCOMPLETE;
    const time = readUint24(bytes, start);
    const isExtended = time === EXTENDED_TIMESTAMP;
    let at = start + headerBytes;
    if (isExtended && end - at < EXTENDED_TIMESTAMP_BYTES) return INCOMPLETE;
    if (fmt <= 1) setLength(stream, readUint24(bytes, start + 3), bytes[start + 6]!);
    stream.hasHeader = true;
    const value = isExtended ? bytes.readUInt32BE(at) : time;
    stream.extendedField = isExtended ? value : undefined;
    if (isExtended) at += EXTENDED_TIMESTAMP_BYTES;
    // A header repeated inside a message says nothing new about its time.
    if (!stream.isIncomplete) {
      if (fmt === 0) stream.startAbsolute(value);
      else if (isExtended) stream.startExtendedDelta(value);
      else stream.startDelta(value);
    }
    this.#startPayload(stream);
    return at;
  }

  /** fmt 3. */
  #readRepeatedHeader(stream: SkimmedStream, bytes: Buffer, start: number, end: number): number {
    if (stream.extendedField === undefined) {
      if (!stream.isIncomplete) stream.repeatDelta();
      this.#startPayload(stream);
      return start;
    }
    const at = stream.isIncomplete
      ? skipRepeatedTimestamp(stream, bytes, start, end)
      : skipNewTimestamp(stream, bytes, start, end);
    if (at !== INCOMPLETE) this.#startPayload(stream);
    return at;
  }

  #startPayload(stream: SkimmedStream): void {
    const { sizeBytes, receivedBytes } = stream.message;
    if (sizeBytes === 0) return;
    stream.isIncomplete = true;
    this.#chunkBytesLeft = Math.min(this.#chunkSize, sizeBytes - receivedBytes);
  }
}

function readUint24(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
}

function controlNumber(what: string, message: SkimmedMessage): number {
  const number = message.number();
  if (number === undefined) throw new SrsError('RtmpMessageDecode', `${what} of ${message.sizeBytes} bytes must have 4`);
  return number;
}

function assertOrder(stream: SkimmedStream, fmt: number): void {
  if (!stream.hasHeader) {
    const isPingOfLibrtmp = fmt === 1 && stream.id === CONTROL_CHUNK_STREAM_ID;
    if (fmt !== 0 && !isPingOfLibrtmp) {
      throw new SrsError('RtmpChunkStart', `chunk stream ${stream.id}: fmt ${fmt} of its first chunk must be 0`);
    }
  } else if (fmt === 0 && stream.isIncomplete) {
    const { receivedBytes, sizeBytes } = stream.message;
    const place = `after ${receivedBytes} of ${sizeBytes} bytes`;
    throw new SrsError('RtmpChunkStart', `chunk stream ${stream.id}: fmt 0 inside a message, ${place}`);
  }
}

function setLength(stream: SkimmedStream, messageBytes: number, type: number): void {
  const { message } = stream;
  if (stream.isIncomplete && messageBytes !== message.sizeBytes) {
    const change = `message length ${messageBytes} inside a message must stay ${message.sizeBytes}`;
    throw new SrsError('RtmpPacketSize', `chunk stream ${stream.id}: ${change}`);
  }
  message.sizeBytes = messageBytes;
  message.type = type;
}

/** Inside a message: the field may be repeated or not, and a message may end in fewer bytes than it has. */
function skipRepeatedTimestamp(stream: SkimmedStream, bytes: Buffer, start: number, end: number): number {
  const available = Math.min(end - start, EXTENDED_TIMESTAMP_BYTES);
  if (available === 0) return INCOMPLETE;
  if (!stream.isRepeatedTimestamp(bytes.readUIntBE(start, available), available)) return start;
  return available < EXTENDED_TIMESTAMP_BYTES ? INCOMPLETE : start + EXTENDED_TIMESTAMP_BYTES;
}

/** A new message: the field again, a new time, or already the payload. */
function skipNewTimestamp(stream: SkimmedStream, bytes: Buffer, start: number, end: number): number {
  if (end - start < EXTENDED_TIMESTAMP_BYTES) return INCOMPLETE;
  const value = bytes.readUInt32BE(start);
  if (value === stream.extendedField) {
    stream.repeatDelta();
  } else if (stream.isNearClock(value)) {
    stream.extendedField = value;
    stream.startExtendedDelta(value);
  } else {
    stream.repeatDelta();
    return start;
  }
  return start + EXTENDED_TIMESTAMP_BYTES;
}
