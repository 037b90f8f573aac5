/** A player's side of HTTP-FLV, and of the same over a WebSocket. */
import { createHash, randomBytes } from 'node:crypto';
import { FlvReader } from '@srs/flv';
import { type FrameType, frameTypes, TIMESTAMP_MASK } from '@srs/kernel';
import { FlvSkimmer } from './flv-skimmer.ts';
import { type AnswerHead, HttpAnswerReader } from './http-answer-reader.ts';
import { type HttpTarget, requestText } from './http-target.ts';
import type { PlayLink, PlayProtocol } from './play-protocol.ts';
import { clientMessage, opcodes, WebSocketReader } from './web-socket-reader.ts';

/** RFC 6455, 1.3. */
const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const KEY_BYTES = 16;

export class FlvPlay implements PlayProtocol {
  readonly #target: HttpTarget;
  readonly #isWebSocket: boolean;
  readonly #link: PlayLink;
  readonly #answer: HttpAnswerReader;
  readonly #body: Pick<FlvSkimmer, 'receive'>;
  #key = '';
  #isPlaying = false;
  #isOver = false;

  constructor(target: HttpTarget, link: PlayLink) {
    this.#target = target;
    this.#isWebSocket = target.scheme === 'ws';
    this.#link = link;
    const flv = link.isChecked ? wholeReader(link) : headReader(link);
    this.#body = this.#isWebSocket ? this.#messagesInto(flv) : flv;
    this.#answer = new HttpAnswerReader({
      onHead: (head) => this.#onHead(head),
      // What a server says beside a status of refusal is no media.
      onBody: (bytes, start, end) => {
        if (this.#isPlaying && !this.#isOver) this.#body.receive(bytes, start, end);
      },
      onEnd: () => this.#reject('the server ended the stream'),
    });
  }

  get phase(): string {
    return this.#isPlaying ? '' : ' (before its answer)';
  }

  start(): void {
    const isWebSocket = this.#isWebSocket;
    if (isWebSocket) this.#key = randomBytes(KEY_BYTES).toString('base64');
    const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${this.#key}`];
    this.#link.send(requestText(this.#target, this.#target.path, isWebSocket ? upgrade : []));
    this.#link.onAsked();
  }

  /** Hot path. */
  receive(buffer: Buffer, length: number): void {
    this.#answer.receive(buffer, 0, length);
  }

  #onHead(head: AnswerHead): void {
    const fault = this.#faultOf(head);
    if (fault !== undefined) {
      this.#reject(fault);
    } else {
      this.#isPlaying = true;
      this.#link.onPlaying();
    }
  }

  #faultOf(head: AnswerHead): string | undefined {
    const isWebSocket = this.#isWebSocket;
    if (head.status !== (isWebSocket ? 101 : 200)) return `the server answered ${head.statusText}`;
    const accept = createHash('sha1').update(`${this.#key}${ACCEPT_SUFFIX}`).digest('base64');
    if (isWebSocket && head.header('sec-websocket-accept') !== accept) return 'the server made no WebSocket of the connection';
    return undefined;
  }

  #messagesInto(flv: Pick<FlvSkimmer, 'receive'>): WebSocketReader {
    return new WebSocketReader({
      onPayload: (bytes, start, end) => flv.receive(bytes, start, end),
      onPing: (payload) => this.#link.send(clientMessage(opcodes.pong, payload)),
      onClose: () => this.#reject('the server closed the WebSocket'),
    });
  }

  #reject(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#link.onRejected(reason);
  }
}

function headReader(link: PlayLink): FlvSkimmer {
  return new FlvSkimmer({
    onMessage: (type, _timestampMs, _bytes, head, headAt, headBytes) => {
      if (type !== frameTypes.data) link.onHead(type, head, headAt, headBytes);
    },
  });
}

function wholeReader(link: PlayLink): Pick<FlvSkimmer, 'receive'> {
  const reader = new FlvReader({
    // The reader delivers these three types only.
    onTag: (type, timestampMs, payload) => link.onPacket(type as FrameType, timestampMs & TIMESTAMP_MASK, payload),
  });
  return { receive: (bytes, start, end) => reader.receive(bytes.subarray(start, end)) };
}
