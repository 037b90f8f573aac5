/** What server and client have in common above the handshake: chunks in and out, control messages, acknowledgements. */
import { SrsError } from '@srs/kernel';
import { ChunkReader, type ChunkReaderLimits } from './chunk-reader.ts';
import { chunkedBytes, writeChunks } from './chunk-writer.ts';
import { decodeUint32Payload, decodeUserControl, encodeUint32Payload } from './control-message.ts';
import { controlMessage, type OutMessage, userControlMessage } from './message-out.ts';
import { DEFAULT_WINDOW_ACK_SIZE, messageTypes, userControlEvents } from './message-types.ts';

/** Chunk size of both directions until Set Chunk Size says otherwise (Adobe RTMP spec 1.0, 5.4.1). */
const INITIAL_CHUNK_SIZE = 128;
const MIN_OUT_CHUNK_SIZE = 128;
const MAX_OUT_CHUNK_SIZE = 65_536;

/** C0, C1 and C2: the handshake counts in the byte totals that Acknowledgement reports. */
const HANDSHAKE_BYTES = 1 + 2 * 1536;

export interface MessageChannelOptions {
  readonly limits?: Partial<ChunkReaderLimits> | undefined;
  /** Window announced to the peer, and the interval of Acknowledgements for a peer that announces none. Bytes. */
  readonly windowAckSize?: number | undefined;
  /** Bytes to write; the buffer belongs to the callee. */
  onSend(bytes: Buffer): void;
  /** Hot path. Any message but protocol control and user control; the payload is valid during the call only. */
  onMessage(type: number, timestampMs: number, messageStreamId: number, payload: Buffer): void;
  /** A user control event that the channel has not dealt with itself. */
  onUserControl?(event: number, value: number): void;
  onWarning?: ((text: string) => void) | undefined;
}

export class MessageChannel {
  readonly #options: MessageChannelOptions;
  readonly #reader: ChunkReader;
  #isClosed = false;
  #outChunkSize = INITIAL_CHUNK_SIZE;
  #windowAckSize: number;
  #ackEveryBytes: number;
  #ackedBytes = HANDSHAKE_BYTES;
  #hasWarnedOfWindow = false;

  constructor(options: MessageChannelOptions) {
    this.#options = options;
    this.#windowAckSize = options.windowAckSize ?? DEFAULT_WINDOW_ACK_SIZE;
    // Some encoders wait for Acknowledgements although they announce no window.
    this.#ackEveryBytes = this.#windowAckSize;
    this.#reader = new ChunkReader({
      ...(options.limits === undefined ? {} : { limits: options.limits }),
      ...(options.onWarning === undefined ? {} : { onWarning: options.onWarning }),
      onMessage: (type, timestampMs, messageStreamId, _chunkStreamId, payload) =>
        this.#onMessage(type, timestampMs, messageStreamId, payload),
    });
  }

  /** Announced to the peer, bytes. */
  get windowAckSize(): number {
    return this.#windowAckSize;
  }

  /** Other sizes than those it was made with; undefined leaves one as it is. Bytes, above 0. */
  setWindows(windowAckSize: number | undefined, ackEveryBytes: number | undefined): void {
    this.#windowAckSize = windowAckSize ?? this.#windowAckSize;
    this.#ackEveryBytes = ackEveryBytes ?? this.#ackEveryBytes;
  }

  setMessageLimits(limits: Pick<ChunkReaderLimits, 'maxMessageBytes' | 'maxPendingBytes'>): void {
    this.#reader.setMessageLimits(limits);
  }

  /** All bytes of the peer so far, its handshake included. */
  get bytesReceived(): number {
    return HANDSHAKE_BYTES + this.#reader.bytesReceived;
  }

  /** Payload bytes per chunk that the peer has been told to expect. */
  get outChunkSize(): number {
    return this.#outChunkSize;
  }

  get isPaused(): boolean {
    return this.#reader.isPaused;
  }

  receive(bytes: Buffer): void {
    this.#reader.receive(bytes);
    const bytesReceived = this.bytesReceived;
    if (bytesReceived - this.#ackedBytes < this.#ackEveryBytes) return;
    this.#ackedBytes = bytesReceived;
    this.send(controlMessage(messageTypes.acknowledgement, encodeUint32Payload(bytesReceived)));
  }

  pause(): void {
    this.#reader.pause();
  }

  resume(): void {
    this.#reader.resume();
  }

  /** From here on nothing is delivered or sent. */
  close(): void {
    this.#isClosed = true;
    this.#reader.pause();
  }

  /** Sends the messages in one buffer, each with the chunk size that holds after the ones before it. */
  send(...messages: readonly OutMessage[]): void {
    if (this.#isClosed || messages.length === 0) return;
    let total = 0;
    let chunkSize = this.#outChunkSize;
    for (const message of messages) {
      total += chunkedBytes(message.payload.length, message.timestampMs ?? 0, chunkSize);
      chunkSize = announcedChunkSize(message) ?? chunkSize;
    }
    const target = Buffer.allocUnsafe(total);
    let offset = 0;
    for (const message of messages) {
      offset = writeChunks(
        target,
        offset,
        message.chunkStreamId,
        message.type,
        message.timestampMs ?? 0,
        message.messageStreamId,
        message.payload,
        this.#outChunkSize,
      );
      this.#outChunkSize = announcedChunkSize(message) ?? this.#outChunkSize;
    }
    this.#options.onSend(target);
  }

  /** Set Chunk Size, or nothing when the peer knows this size already. */
  chunkSizeMessages(chunkSize: number): OutMessage[] {
    return chunkSize === this.#outChunkSize ? [] : [controlMessage(messageTypes.setChunkSize, encodeUint32Payload(chunkSize))];
  }

  #onMessage(type: number, timestampMs: number, messageStreamId: number, payload: Buffer): void {
    // Media first: it is nearly all there is.
    if (type >= messageTypes.audio) {
      this.#options.onMessage(type, timestampMs, messageStreamId, payload);
      return;
    }
    switch (type) {
      case messageTypes.windowAckSize:
        this.#onWindowAckSize(decodeUint32Payload('window acknowledgement size', payload));
        break;
      case messageTypes.userControl:
        this.#onUserControl(payload);
        break;
      default:
        // Acknowledgement and Set Peer Bandwidth ask nothing of this side: output is bounded by what the socket takes.
        break;
    }
  }

  #onWindowAckSize(windowBytes: number): void {
    if (windowBytes > 0) {
      this.#ackEveryBytes = windowBytes;
    } else if (!this.#hasWarnedOfWindow) {
      // Once: a peer that says it again and again must not fill the log.
      this.#hasWarnedOfWindow = true;
      this.#options.onWarning?.('window acknowledgement size 0 ignored');
    }
  }

  #onUserControl(payload: Buffer): void {
    const { event, value } = decodeUserControl(payload);
    if (event === userControlEvents.pingRequest) this.send(userControlMessage(userControlEvents.pingResponse, value));
    else this.#options.onUserControl?.(event, value);
  }
}

/** @throws SrsError RtmpChunkSize outside what every client takes */
export function checkOutChunkSize(chunkSize: number): number {
  if (!Number.isInteger(chunkSize) || chunkSize < MIN_OUT_CHUNK_SIZE || chunkSize > MAX_OUT_CHUNK_SIZE) {
    throw new SrsError('RtmpChunkSize', `chunk size ${chunkSize} must be ${MIN_OUT_CHUNK_SIZE}..${MAX_OUT_CHUNK_SIZE}`);
  }
  return chunkSize;
}

function announcedChunkSize(message: OutMessage): number | undefined {
  return message.type === messageTypes.setChunkSize ? Buffer.from(message.payload).readUInt32BE(0) : undefined;
}
