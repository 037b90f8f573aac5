/** Takes the chunk stream of one direction apart into messages (Adobe RTMP spec 1.0, 5.3 and 5.4). */
import { SrsError } from '@srs/kernel';
import { ByteQueue } from './byte-queue.ts';
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
import { ChunkMemory } from './chunk-memory.ts';
import { ChunkStream } from './chunk-stream.ts';
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
  readonly #limits: ChunkReaderLimits;
  readonly #memory: ChunkMemory;
  readonly #held: ByteQueue;
  readonly #streams = new Map<number, ChunkStream>();
  #warned: Set<WarningKind> | undefined;
  #chunkSize = DEFAULT_CHUNK_SIZE;
  #bytesReceived = 0;

  /** The input in work and how far it is read. */
  #input = NO_BYTES;
  #at = 0;
  #ownsInput = false;
  #isReading = false;
  #isPaused = false;

  #state: State = states.basicHeader;
  #fmt = 0;
  #stream = NO_STREAM;
  #chunkBytesLeft = 0;
  /** Bytes of a header that lies across two inputs; made when it first happens, which for an idle player is never. */
  #carry = NO_BYTES;
  #carried = 0;
  /** Where `#gather` found what was asked for. */
  #found = NO_BYTES;
  #foundAt = 0;

  constructor(options: ChunkReaderOptions) {
    this.#options = options;
    this.#limits = options.limits === undefined ? defaultChunkReaderLimits : { ...defaultChunkReaderLimits, ...options.limits };
    this.#memory = new ChunkMemory(this.#limits.maxPendingBytes);
    this.#held = new ByteQueue(this.#limits.maxHeldBytes);
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
      this.#hold(bytes);
      return;
    }
    this.#input = bytes;
    this.#at = 0;
    this.#ownsInput = false;
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
    for (;;) {
      while (!this.#isPaused && this.#step()) {
        // Each step is one state; it is false when the input is used up.
      }
      if (this.#isPaused || this.#held.length === 0) break;
      this.#input = this.#held.takeAll();
      this.#at = 0;
      this.#ownsInput = true;
    }
    this.#keepRest();
    this.#isReading = false;
  }

  /** After a pause the rest of the input is copied once, since it is the caller's; it is read from that copy later. */
  #keepRest(): void {
    this.#found = NO_BYTES;
    if (this.#at === this.#input.length) {
      this.#input = NO_BYTES;
      this.#at = 0;
      return;
    }
    if (this.#ownsInput) return;
    const rest = this.#input.subarray(this.#at);
    this.#assertHeld(rest.length + this.#held.length);
    this.#input = Buffer.from(rest);
    this.#at = 0;
    this.#ownsInput = true;
  }

  #hold(bytes: Buffer): void {
    // Within `onMessage` the input is still being read, so that only what was queued counts.
    const unread = this.#isPaused && !this.#isReading ? this.#input.length - this.#at : 0;
    this.#assertHeld(unread + this.#held.length + bytes.length);
    this.#held.append(bytes);
  }

  #assertHeld(bytes: number): void {
    const max = this.#limits.maxHeldBytes;
    if (bytes > max) throw new SrsError('RtmpMemory', `${bytes} bytes received before an answer must be at most ${max}`);
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
    if (this.#at === this.#input.length) return false;
    const first = this.#input.readUInt8(this.#at++);
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
    if (!this.#gather(1)) return false;
    this.#startChunk(LONG_ID_BASE + this.#found.readUInt8(this.#foundAt));
    return true;
  }

  #readThreeByteId(): boolean {
    if (!this.#gather(2)) return false;
    this.#startChunk(LONG_ID_BASE + this.#found.readUInt16LE(this.#foundAt));
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
    if (!this.#gather(messageHeaderBytes[fmt as 0 | 1 | 2])) return false;
    const header = this.#found;
    const at = this.#foundAt;
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
    if (!this.#gather(EXTENDED_TIMESTAMP_BYTES)) return false;
    const stream = this.#stream;
    const value = this.#found.readUInt32BE(this.#foundAt);
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
    if (!this.#gather(EXTENDED_TIMESTAMP_BYTES)) return false;
    const stream = this.#stream;
    const value = this.#found.readUInt32BE(this.#foundAt);
    if (value === stream.extendedField) {
      stream.repeatDelta();
    } else if (stream.isNearClock(value)) {
      stream.extendedField = value;
      stream.startExtendedDelta(value);
    } else {
      stream.repeatDelta();
      this.#putBack(EXTENDED_TIMESTAMP_BYTES);
    }
    this.#startPayload();
    return true;
  }

  /** Byte by byte, so that a message whose end is shorter than the field is not kept waiting when the field is absent. */
  #readRepeatedTimestamp(): boolean {
    if (this.#carried === 0 && this.#input.length - this.#at >= EXTENDED_TIMESTAMP_BYTES) {
      const value = this.#input.readUInt32BE(this.#at);
      if (this.#stream.isRepeatedTimestamp(value, EXTENDED_TIMESTAMP_BYTES)) this.#at += EXTENDED_TIMESTAMP_BYTES;
      this.#startPayload();
      return true;
    }
    let prefix = 0;
    for (let i = 0; i < this.#carried; i++) prefix = prefix * 256 + this.#carry.readUInt8(i);
    while (this.#carried < EXTENDED_TIMESTAMP_BYTES) {
      if (this.#at === this.#input.length) return false;
      const byte = this.#input.readUInt8(this.#at);
      prefix = prefix * 256 + byte;
      if (!this.#stream.isRepeatedTimestamp(prefix, this.#carried + 1)) {
        this.#putBack(this.#carried);
        break;
      }
      this.#carryOver(1);
    }
    this.#carried = 0;
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
    const start = this.#at;
    const end = Math.min(this.#input.length, start + this.#chunkBytesLeft);
    if (end === start) return false;
    this.#at = end;
    if (end - start === stream.messageBytes) {
      this.#state = states.basicHeader;
      stream.takeBuffer();
      this.#finishMessage(stream, this.#input.subarray(start, end));
      return true;
    }
    stream.append(this.#memory, this.#input, start, end);
    this.#chunkBytesLeft -= end - start;
    if (this.#chunkBytesLeft === 0) this.#state = states.basicHeader;
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
    const size = readControlValue(payload, 'Set Chunk Size');
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
    const buffer = this.#streams.get(readControlValue(payload, 'Abort'))?.takeBuffer();
    if (buffer !== undefined) this.#memory.release(buffer);
  }

  /**
   * Finds the next `count` bytes in one piece: in the input, or put together in `#carry` when they lie across two inputs. False,
   * with the bytes that are there carried over, when the input ends before.
   */
  #gather(count: number): boolean {
    const available = this.#input.length - this.#at;
    if (this.#carried === 0 && available >= count) {
      this.#found = this.#input;
      this.#foundAt = this.#at;
      this.#at += count;
      return true;
    }
    this.#carryOver(Math.min(count - this.#carried, available));
    if (this.#carried < count) return false;
    this.#found = this.#carry;
    this.#foundAt = 0;
    this.#carried = 0;
    return true;
  }

  #carryOver(count: number): void {
    if (this.#carry === NO_BYTES) this.#carry = Buffer.alloc(messageHeaderBytes[0]);
    this.#input.copy(this.#carry, this.#carried, this.#at, this.#at + count);
    this.#at += count;
    this.#carried += count;
  }

  /** Un-reads the last `count` bytes. Those of an earlier input are still in `#carry`; they go before the rest of this one. */
  #putBack(count: number): void {
    if (this.#at >= count) {
      this.#at -= count;
      return;
    }
    const carried = this.#carry.subarray(0, count - this.#at);
    this.#input = Buffer.concat([carried, this.#input]);
    this.#at = 0;
    this.#ownsInput = true;
  }

  #warn(kind: WarningKind, text: string): void {
    this.#warned ??= new Set();
    if (this.#warned.has(kind)) return;
    this.#warned.add(kind);
    this.#options.onWarning?.(text);
  }
}

function readControlValue(payload: Buffer, name: string): number {
  if (payload.length < 4) throw new SrsError('RtmpMessageDecode', `${name} of ${payload.length} bytes must have 4`);
  return payload.readUInt32BE(0);
}
