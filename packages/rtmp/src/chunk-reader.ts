/** Takes the chunk stream of one direction apart into messages (Adobe RTMP spec 1.0, 5.3 and 5.4). */
import { SrsError } from '@srs/kernel';
import {
  DEFAULT_CHUNK_SIZE,
  EXTENDED_TIMESTAMP,
  EXTENDED_TIMESTAMP_BYTES,
  LONG_ID_BASE,
  MAX_CHUNK_SIZE,
  messageHeaderBytes,
  THREE_BYTE_MARK,
  TWO_BYTE_MARK,
} from './chunk-header.ts';
import { ChunkInput } from './chunk-input.ts';
import { ChunkMemory } from './chunk-memory.ts';
import { ChunkStream } from './chunk-stream.ts';
import { decodeUint32Payload } from './control-message.ts';
import { messageTypes } from './message-types.ts';

/** What one peer may make this side hold. */
export interface ChunkReaderLimits {
  /** The longest message a header may declare; the wire allows 16 MiB - 1. */
  readonly maxMessageBytes: number;
  /** All buffers of incomplete messages together. */
  readonly maxPendingBytes: number;
  /** Chunk stream ids in use; real peers use fewer than ten. */
  readonly maxChunkStreams: number;
  /** Bytes that arrive while the reader is paused. */
  readonly maxHeldBytes: number;
}

export const defaultChunkReaderLimits: ChunkReaderLimits = {
  maxMessageBytes: 10 * 1024 * 1024,
  maxPendingBytes: 16 * 1024 * 1024,
  maxChunkStreams: 1024,
  maxHeldBytes: 2 * 1024 * 1024,
};

export interface ChunkReaderOptions {
  readonly limits?: Partial<ChunkReaderLimits>;
  /**
   * Hot path: one call per message, and the only object made for it is the view of its payload. One whole message, in order of
   * completion. `payload` is valid during the call only: it is a view of the input or of a buffer used again.
   *
   * @param timestampMs 0..2^31-1
   */
  onMessage(type: number, timestampMs: number, messageStreamId: number, chunkStreamId: number, payload: Buffer): void;
  /** Something odd that is borne; at most once per kind. */
  onWarning?(text: string): void;
}

/** Chunk sizes outside this range work but are not sensible: SRS warns of them too. */
const SENSIBLE_CHUNK_SIZE_MIN = 128;
const SENSIBLE_CHUNK_SIZE_MAX = 65_536;
const CONTROL_CHUNK_STREAM_ID = 2;
const NO_BYTES: Buffer = Buffer.alloc(0);
/** Before the first chunk: its id cannot occur. */
const NO_STREAM = new ChunkStream(0);

/** What the next bytes are. */
const states = {
  basicHeader: 0,
  twoByteId: 1,
  threeByteId: 2,
  messageHeader: 3,
  extendedTimestamp: 4,
  newFmt3Timestamp: 5,
  repeatedTimestamp: 6,
  payload: 7,
} as const;
type State = (typeof states)[keyof typeof states];

type WarningKind = 'chunk size' | 'fresh fmt 1' | 'empty message';

/**
 * Bytes in, messages out. Set Chunk Size and Abort are obeyed here, on any chunk stream, and not delivered; all other messages
 * are. Empty messages are dropped with a warning.
 *
 * After an exception from `receive` or `resume` the reader must not be used again.
 */
export class ChunkReader {
  readonly #options: ChunkReaderOptions;
  #limits: ChunkReaderLimits;
  readonly #memory: ChunkMemory;
  readonly #input: ChunkInput;
  readonly #streams = new Map<number, ChunkStream>();
  #warned: Set<WarningKind> | undefined;
  #chunkSize = DEFAULT_CHUNK_SIZE;
  #bytesReceived = 0;
  #isReading = false;
  #isPaused = false;

  #state: State = states.basicHeader;
  #fmt = 0;
  #stream = NO_STREAM;
  #chunkBytesLeft = 0;

  constructor(options: ChunkReaderOptions) {
    this.#options = options;
    this.#limits = options.limits === undefined ? defaultChunkReaderLimits : { ...defaultChunkReaderLimits, ...options.limits };
    this.#memory = new ChunkMemory(this.#limits.maxPendingBytes);
    this.#input = new ChunkInput(this.#limits.maxHeldBytes);
  }

  /** All bytes given to `receive`, read or held. */
  get bytesReceived(): number {
    return this.#bytesReceived;
  }

  /** What the peer announced last, 128 at first. */
  get chunkSize(): number {
    return this.#chunkSize;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Memory held for incomplete messages, in bytes. */
  get pendingBytes(): number {
    return this.#memory.usedBytes;
  }

  /** Other sizes of messages, for a peer that has become something else: a publisher may send more than a stranger. */
  setMessageLimits(limits: Pick<ChunkReaderLimits, 'maxMessageBytes' | 'maxPendingBytes'>): void {
    this.#limits = { ...this.#limits, ...limits };
    this.#memory.setLimit(limits.maxPendingBytes);
  }

  /**
   * Reads bytes in pieces of any size and calls `onMessage` for each message they complete. The bytes stay the caller's and may be
   * reused afterwards. While the reader is paused, or when called from within `onMessage`, they are copied and wait.
   *
   * @throws SrsError RtmpChunkStart, RtmpChunkSize, RtmpPacketSize, RtmpMessageDecode for a broken stream, RtmpMemory past a limit;
   *   and whatever `onMessage` throws
   */
  receive(bytes: Buffer): void {
    this.#bytesReceived += bytes.length;
    if (this.#isPaused || this.#isReading) {
      this.#input.hold(bytes, this.#isReading);
      return;
    }
    this.#input.open(bytes);
    this.#read();
  }

  /** Delivers nothing more after the current message; what arrived and arrives is held. May be called within `onMessage`. */
  pause(): void {
    this.#isPaused = true;
  }

  /** Delivers what was held, then goes on. Throws like `receive`. Within `onMessage` it only takes `pause` back. */
  resume(): void {
    this.#isPaused = false;
    if (!this.#isReading) this.#read();
  }

  #read(): void {
    this.#isReading = true;
    do {
      while (!this.#isPaused && this.#step()) {
        // Each step is one state; it is false when the input is used up.
      }
    } while (!this.#isPaused && this.#input.openHeld());
    this.#input.keepRest();
    this.#isReading = false;
  }

  #step(): boolean {
    switch (this.#state) {
      case states.basicHeader:
        return this.#readBasicHeader();
      case states.twoByteId:
        return this.#readTwoByteId();
      case states.threeByteId:
        return this.#readThreeByteId();
      case states.messageHeader:
        return this.#readMessageHeader();
      case states.extendedTimestamp:
        return this.#readExtendedTimestamp();
      case states.newFmt3Timestamp:
        return this.#readNewFmt3Timestamp();
      case states.repeatedTimestamp:
        return this.#readRepeatedTimestamp();
      case states.payload:
        return this.#readPayload();
    }
  }

  #readBasicHeader(): boolean {
    const input = this.#input;
    if (input.unreadBytes === 0) return false;
    const first = input.bytes.readUInt8(input.at++);
    this.#fmt = first >> 6;
    const id = first & 0x3f;
    if (id === TWO_BYTE_MARK) {
      this.#state = states.twoByteId;
    } else if (id === THREE_BYTE_MARK) {
      this.#state = states.threeByteId;
    } else {
      this.#startChunk(id);
    }
    return true;
  }

  #readTwoByteId(): boolean {
    const input = this.#input;
    if (!input.gather(1)) return false;
    this.#startChunk(LONG_ID_BASE + input.found.readUInt8(input.foundAt));
    return true;
  }

  #readThreeByteId(): boolean {
    const input = this.#input;
    if (!input.gather(2)) return false;
    this.#startChunk(LONG_ID_BASE + input.found.readUInt16LE(input.foundAt));
    return true;
  }

  #startChunk(id: number): void {
    if (this.#stream.id !== id) this.#stream = this.#streams.get(id) ?? this.#addStream(id);
    const stream = this.#stream;
    const fmt = this.#fmt;
    if (!stream.hasHeader) this.#assertFresh(stream);
    if (fmt === 0 && stream.isIncomplete) {
      throw new SrsError(
        'RtmpChunkStart',
        `chunk stream ${id}: fmt 0 inside a message, after ${stream.receivedBytes} of ${stream.messageBytes} bytes`,
      );
    }
    if (fmt < 3) {
      this.#state = states.messageHeader;
    } else if (stream.extendedField === undefined) {
      if (!stream.isIncomplete) stream.repeatDelta();
      this.#startPayload();
    } else {
      this.#state = stream.isIncomplete ? states.repeatedTimestamp : states.newFmt3Timestamp;
    }
  }

  #addStream(id: number): ChunkStream {
    const max = this.#limits.maxChunkStreams;
    if (this.#streams.size >= max) {
      throw new SrsError('RtmpMemory', `chunk stream ${id}: ${this.#streams.size + 1} chunk streams must be at most ${max}`);
    }
    const stream = new ChunkStream(id);
    this.#streams.set(id, stream);
    return stream;
  }

  /** A chunk stream starts with fmt 0; librtmp's ping starts stream 2 with fmt 1, which leaves message stream and clock at 0. */
  #assertFresh(stream: ChunkStream): void {
    if (this.#fmt === 0) return;
    if (this.#fmt === 1 && stream.id === CONTROL_CHUNK_STREAM_ID) {
      this.#warn('fresh fmt 1', `chunk stream ${stream.id} starts with fmt 1, as librtmp's ping does`);
      return;
    }
    throw new SrsError('RtmpChunkStart', `chunk stream ${stream.id}: fmt ${this.#fmt} of its first chunk must be 0`);
  }

  #readMessageHeader(): boolean {
    const fmt = this.#fmt;
    if (!this.#input.gather(messageHeaderBytes[fmt as 0 | 1 | 2])) return false;
    const { found: header, foundAt: at } = this.#input;
    const stream = this.#stream;
    if (fmt <= 1) this.#readLengthAndType(header.readUIntBE(at + 3, 3), header.readUInt8(at + 6));
    if (fmt === 0) stream.messageStreamId = header.readUInt32LE(at + 7);
    stream.hasHeader = true;
    const time = header.readUIntBE(at, 3);
    if (time === EXTENDED_TIMESTAMP) {
      this.#state = states.extendedTimestamp;
      return true;
    }
    stream.extendedField = undefined;
    // A header repeated inside a message says nothing new about its time.
    if (!stream.isIncomplete) {
      if (fmt === 0) stream.startAbsolute(time);
      else stream.startDelta(time);
    }
    this.#startPayload();
    return true;
  }

  #readLengthAndType(messageBytes: number, type: number): void {
    const stream = this.#stream;
    if (stream.isIncomplete && messageBytes !== stream.messageBytes) {
      throw new SrsError(
        'RtmpPacketSize',
        `chunk stream ${stream.id}: message length ${messageBytes} inside a message must stay ${stream.messageBytes}`,
      );
    }
    const max = this.#limits.maxMessageBytes;
    if (messageBytes > max) {
      throw new SrsError('RtmpPacketSize', `chunk stream ${stream.id}: message length ${messageBytes} must be at most ${max}`);
    }
    stream.messageBytes = messageBytes;
    stream.type = type;
  }

  #readExtendedTimestamp(): boolean {
    const input = this.#input;
    if (!input.gather(EXTENDED_TIMESTAMP_BYTES)) return false;
    const stream = this.#stream;
    const value = input.found.readUInt32BE(input.foundAt);
    stream.extendedField = value;
    if (!stream.isIncomplete) {
      if (this.#fmt === 0) stream.startAbsolute(value);
      else stream.startExtendedDelta(value);
    }
    this.#startPayload();
    return true;
  }

  /** A new message with fmt 3 after a header with extended timestamp: the field again, a new time, or already the payload. */
  #readNewFmt3Timestamp(): boolean {
    const input = this.#input;
    if (!input.gather(EXTENDED_TIMESTAMP_BYTES)) return false;
    const stream = this.#stream;
    const value = input.found.readUInt32BE(input.foundAt);
    if (value === stream.extendedField) {
      stream.repeatDelta();
    } else if (stream.isNearClock(value)) {
      stream.extendedField = value;
      stream.startExtendedDelta(value);
    } else {
      stream.repeatDelta();
      input.putBack(EXTENDED_TIMESTAMP_BYTES);
    }
    this.#startPayload();
    return true;
  }

  /** Byte by byte, so that a message whose end is shorter than the field is not kept waiting when the field is absent. */
  #readRepeatedTimestamp(): boolean {
    const input = this.#input;
    const stream = this.#stream;
    if (input.carriedBytes === 0 && input.unreadBytes >= EXTENDED_TIMESTAMP_BYTES) {
      const value = input.bytes.readUInt32BE(input.at);
      if (stream.isRepeatedTimestamp(value, EXTENDED_TIMESTAMP_BYTES)) input.at += EXTENDED_TIMESTAMP_BYTES;
      this.#startPayload();
      return true;
    }
    while (input.carriedBytes < EXTENDED_TIMESTAMP_BYTES) {
      if (input.unreadBytes === 0) return false;
      const prefix = input.carryOver(1);
      if (!stream.isRepeatedTimestamp(prefix, input.carriedBytes)) {
        input.putBack(input.carriedBytes);
        break;
      }
    }
    input.dropCarried();
    this.#startPayload();
    return true;
  }

  #startPayload(): void {
    const stream = this.#stream;
    if (stream.messageBytes === 0) {
      this.#warn('empty message', `chunk stream ${stream.id}: empty message of type ${stream.type} ignored`);
      this.#state = states.basicHeader;
      return;
    }
    stream.isIncomplete = true;
    this.#chunkBytesLeft = Math.min(this.#chunkSize, stream.messageBytes - stream.receivedBytes);
    this.#state = states.payload;
  }

  #readPayload(): boolean {
    const stream = this.#stream;
    const input = this.#input;
    const start = input.at;
    const end = Math.min(input.bytes.length, start + this.#chunkBytesLeft);
    if (end === start) return false;
    input.at = end;
    if (end - start === stream.messageBytes) {
      this.#state = states.basicHeader;
      stream.takeBuffer();
      this.#finishMessage(stream, input.bytes.subarray(start, end));
      return true;
    }
    stream.append(this.#memory, input.bytes, start, end);
    this.#chunkBytesLeft -= end - start;
    if (this.#chunkBytesLeft === 0) {
      this.#state = states.basicHeader;
      input.at = stream.appendChunks(this.#memory, input.bytes, end, this.#chunkSize);
    }
    if (stream.receivedBytes === stream.messageBytes) {
      const buffer = stream.takeBuffer() ?? NO_BYTES;
      this.#finishMessage(stream, buffer.subarray(0, stream.messageBytes));
      this.#memory.release(buffer);
    }
    return true;
  }

  #finishMessage(stream: ChunkStream, payload: Buffer): void {
    if (stream.type === messageTypes.setChunkSize) {
      this.#setChunkSize(payload);
    } else if (stream.type === messageTypes.abort) {
      this.#abort(payload);
    } else {
      this.#options.onMessage(stream.type, stream.timestampMs, stream.messageStreamId, stream.id, payload);
    }
  }

  #setChunkSize(payload: Buffer): void {
    const size = decodeUint32Payload('Set Chunk Size', payload);
    if (size === 0 || size > MAX_CHUNK_SIZE) {
      throw new SrsError('RtmpChunkSize', `chunk size ${size} must be 1..${MAX_CHUNK_SIZE}`);
    }
    if (size < SENSIBLE_CHUNK_SIZE_MIN || size > SENSIBLE_CHUNK_SIZE_MAX) {
      this.#warn('chunk size', `chunk size ${size} should be ${SENSIBLE_CHUNK_SIZE_MIN}..${SENSIBLE_CHUNK_SIZE_MAX}`);
    }
    this.#chunkSize = size;
  }

  /** Drops the incomplete message of a chunk stream (Adobe RTMP spec 1.0, 5.4.2). An unknown one has none. */
  #abort(payload: Buffer): void {
    const buffer = this.#streams.get(decodeUint32Payload('Abort', payload))?.takeBuffer();
    if (buffer !== undefined) this.#memory.release(buffer);
  }

  #warn(kind: WarningKind, text: string): void {
    this.#warned ??= new Set();
    if (this.#warned.has(kind)) return;
    this.#warned.add(kind);
    this.#options.onWarning?.(text);
  }
}
