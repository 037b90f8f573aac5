/** What goes out to one client: answers collected per tick, media as it comes, and how much of it waits. */
import type { Socket } from 'node:net';
import { SrsError } from '@srs/kernel';

/** More than a batch of media and all answers to a sane client. */
const MAX_UNREAD_BYTES = 8 * 1024 * 1024;
/** Answers are written together up to this size. */
const MAX_ANSWER_BYTES = 16 * 1024;
const EMPTY = Buffer.alloc(0);

export class SocketOutput {
  readonly #socket: Socket;
  readonly #onDrained: () => void;
  #isDrainAwaited = false;
  /** What has been said and the socket does not have yet, for the rest of this tick. */
  #answers: Buffer[] = [];
  #answerBytes = 0;

  /** @param onDrained after media had to wait: all of it is in the kernel */
  constructor(socket: Socket, onDrained: () => void) {
    this.#socket = socket;
    this.#onDrained = onDrained;
  }

  /** Bytes the kernel has not taken yet. */
  get pendingBytes(): number {
    return this.#socket.writableLength;
  }

  /** Hot path: one write call. The bytes must stay as they are while `pendingBytes` is above 0. */
  writeMedia(bytes: Buffer): void {
    this.flushAnswers();
    this.#socket.write(bytes);
    if (this.#socket.writableLength > 0 && !this.#isDrainAwaited) {
      // The socket tells of a drain only above its own high-water mark; an empty write behind the rest tells always.
      this.#isDrainAwaited = true;
      this.#socket.write(EMPTY, () => {
        this.#isDrainAwaited = false;
        this.#onDrained();
      });
    }
  }

  /** Collects what is said in one tick: an answer of 18 bytes that waits in a buffer of its own costs ten times as much. */
  say(bytes: Buffer): void {
    this.#answers.push(bytes);
    this.#answerBytes += bytes.length;
    if (this.#answerBytes >= MAX_ANSWER_BYTES) this.flushAnswers();
    else if (this.#answers.length === 1) queueMicrotask(() => this.flushAnswers());
  }

  flushAnswers(): void {
    const answers = this.#answers;
    if (answers.length === 0) return;
    this.#answers = [];
    this.#answerBytes = 0;
    if (this.#socket.destroyed) return;
    if (this.#socket.writableLength > MAX_UNREAD_BYTES) {
      // Every ping and call is answered: a client that asks and never reads must not fill the memory.
      this.#socket.destroy(new SrsError('RtmpMemory', `client leaves more than ${MAX_UNREAD_BYTES} bytes unread`));
      return;
    }
    this.#socket.write(answers.length === 1 ? answers[0]! : Buffer.concat(answers));
  }

  /** Says what is left and sends the end. */
  end(): void {
    this.flushAnswers();
    this.#socket.end();
  }
}
