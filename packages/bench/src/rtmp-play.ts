/** A player's side of RTMP: a session until the stream plays, and then as little as possible. */
import type { RtmpTarget } from '@srs/client';
import { ClientSession, encodeMessage, messageTypes, nodeRtmpCrypto, userControlEvents } from '@srs/rtmp';
import { ChunkSkimmer } from './chunk-skimmer.ts';
import type { PlayLink, PlayProtocol } from './play-protocol.ts';

/** S0, S1 and S2: what comes before the first chunk. */
const HANDSHAKE_BYTES = 1 + 2 * 1536;
const DEFAULT_WINDOW_BYTES = 2_500_000;
const CONTROL_CHUNK_STREAM_ID = 2;
const OUT_CHUNK_SIZE = 128;
const PING_BYTES = 6;

export class RtmpPlay implements PlayProtocol {
  readonly #link: PlayLink;
  readonly #skimmer = new ChunkSkimmer(this);
  /** Of players that check it stays; the others drop it when the stream plays. */
  #session: ClientSession | undefined;
  #state: 'starting' | 'playing' | 'rejected' = 'starting';
  #isAsked = false;
  #bytesReceived = 0;
  #windowBytes = DEFAULT_WINDOW_BYTES;
  #ackedBytes = 0;

  constructor(target: RtmpTarget, link: PlayLink) {
    this.#link = link;
    this.#session = this.#createSession(target);
  }

  get phase(): string {
    return this.#session === undefined ? '' : ` (in phase ${this.#session.phase})`;
  }

  start(): void {
    this.#session?.start();
  }

  /** Hot path. */
  receive(buffer: Buffer, length: number): void {
    const session = this.#session;
    if (session === undefined) this.#skimmer.receive(buffer, length);
    else this.#startUp(session, buffer, length);
    this.#bytesReceived += length;
    if (this.#session === undefined && this.#bytesReceived - this.#ackedBytes >= this.#windowBytes) this.#acknowledge();
  }

  /** Hot path: what the skimmer has found. */
  onMessage(
    type: number,
    _timestampMs: number,
    _messageBytes: number,
    head: Uint8Array,
    headAt: number,
    headBytes: number,
  ): void {
    if (type === messageTypes.video || type === messageTypes.audio) {
      if (this.#state === 'playing') this.#link.onHead(type, head, headAt, headBytes);
    } else if (type === messageTypes.windowAckSize && headBytes >= 4) {
      this.#windowBytes = Math.max(1, Buffer.from(head.buffer, head.byteOffset + headAt, 4).readUInt32BE(0));
    } else if (type === messageTypes.userControl && headBytes >= PING_BYTES && this.#session === undefined) {
      this.#answerPing(Buffer.from(head.buffer, head.byteOffset + headAt, PING_BYTES));
    }
  }

  #createSession({ tcUrl, app, streamName }: RtmpTarget): ClientSession {
    const link = this.#link;
    return new ClientSession(
      {
        onSend: (bytes) => link.send(bytes),
        onReady: () => this.#onPlaying(),
        onMedia: (type, timestampMs, payload) => {
          if (link.isChecked && this.#state === 'playing') link.onPacket(type, timestampMs, payload);
        },
        onRejected: ({ code, description }) => {
          this.#state = 'rejected';
          link.onRejected(`play was refused: ${[code, description].filter(Boolean).join(', ')}`);
        },
      },
      {
        role: 'play',
        crypto: nodeRtmpCrypto,
        unixSeconds: () => Math.floor(Date.now() / 1000),
        tcUrl,
        app,
        streamName,
      },
    );
  }

  /** The skimmer reads along from the first chunk on, so that it knows the chunk streams when the session is dropped. */
  #startUp(session: ClientSession, buffer: Buffer, length: number): void {
    session.receive(buffer.subarray(0, length));
    if (session.phase === 'start' || session.phase === 'ready') this.#onAsked();
    if (this.#link.isChecked || this.#state === 'rejected') return;
    const skip = Math.min(length, Math.max(0, HANDSHAKE_BYTES - this.#bytesReceived));
    this.#skimmer.receive(buffer.subarray(skip), length - skip);
    if (this.#state === 'playing') this.#session = undefined;
  }

  #onAsked(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    this.#link.onAsked();
  }

  #onPlaying(): void {
    // Some servers send media in the same breath as the answer.
    this.#onAsked();
    this.#state = 'playing';
    this.#link.onPlaying();
  }

  #acknowledge(): void {
    this.#ackedBytes = this.#bytesReceived;
    const payload = Buffer.allocUnsafe(4);
    payload.writeUInt32BE(this.#bytesReceived >>> 0);
    this.#sendControl(messageTypes.acknowledgement, payload);
  }

  #answerPing(request: Buffer): void {
    if (request.readUInt16BE(0) !== userControlEvents.pingRequest) return;
    const answer = Buffer.from(request);
    answer.writeUInt16BE(userControlEvents.pingResponse);
    this.#sendControl(messageTypes.userControl, answer);
  }

  #sendControl(type: number, payload: Buffer): void {
    this.#link.send(encodeMessage(CONTROL_CHUNK_STREAM_ID, type, 0, 0, payload, OUT_CHUNK_SIZE));
  }
}
