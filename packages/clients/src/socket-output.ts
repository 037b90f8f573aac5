/** What goes out to one client: answers collected per tick, media as it comes, and how much of it waits. */
import type { Socket } from 'node:net';
import { SrsError } from '@srs/kernel';
import { limitUnsent, sendFrom } from '@srs/native';
import type { EncodedBytes } from '@srs/stream';
import type { ClientSocket } from './client-socket.ts';

/** More than a batch of media and all answers to a sane client. */
const MAX_UNREAD_BYTES = 8 * 1024 * 1024;
/** What the kernel may hold for a client beyond what is on its way: some seconds of a stream, so that lateness shows. */
const MAX_UNSENT_BYTES = 256 * 1024;
/** Answers are written together up to this size. */
const MAX_ANSWER_BYTES = 16 * 1024;
const EMPTY = Buffer.alloc(0);

export interface SocketOutputHandler {
  /** After something had to wait: all of it is in the kernel. */
  onDrained(): void;
  /** Something has been said, and waits: until it has drained, nothing may be sent past the socket. */
  onHeldBack(): void;
}

/**
 * Media goes to the kernel past the socket, as long as nothing waits in the socket: that takes a system call and little else.
 * What the kernel does not take is left to the socket, with its back-pressure and errors. A socket without a descriptor gets
 * everything.
 */
export class SocketOutput {
  readonly #socket: Socket;
  readonly #descriptor: number;
  readonly #handler: SocketOutputHandler;
  /** Sent past the socket. */
  #directBytes = 0;
  #isDrainAwaited = false;
  /** What has been said and the socket does not have yet, for the rest of this tick. */
  #answers: Buffer[] = [];
  #answerBytes = 0;

  constructor({ socket, descriptor }: ClientSocket, handler: SocketOutputHandler) {
    this.#socket = socket;
    this.#descriptor = descriptor;
    this.#handler = handler;
    if (descriptor >= 0) limitUnsent(descriptor, MAX_UNSENT_BYTES);
  }

  /** What may be written to past the socket while `pendingBytes` is 0; -1 for nothing. */
  get descriptor(): number {
    // That of a destroyed socket may be somebody else's already.
    return this.#socket.destroyed ? -1 : this.#descriptor;
  }

  /** Bytes the kernel has not taken yet, or has not been given. */
  get pendingBytes(): number {
    return this.#socket.writableLength + this.#answerBytes;
  }

  /** All bytes so far that were given to this object, those that wait included; still right after the end. */
  get bytesWritten(): number {
    return this.#socket.bytesWritten + this.#directBytes;
  }

  /** Others have sent so many bytes on the descriptor. */
  countDirect(bytes: number): void {
    this.#directBytes += bytes;
  }

  /**
   * Hot path: one system call, no allocation. Gives the bytes from `offset` on.
   * @returns whether the kernel has all of it; otherwise the bytes must stay as they are while `pendingBytes` is above 0
   */
  writeMedia({ bytes, address }: EncodedBytes, offset: number): boolean {
    if (this.#answers.length > 0) this.#writeAnswers();
    const socket = this.#socket;
    if (socket.destroyed) return true;
    let givenBytes = offset;
    if (this.#descriptor >= 0 && socket.writableLength === 0) {
      // An error shows when the socket meets it.
      const sentBytes = Math.max(0, sendFrom(this.#descriptor, address + offset, bytes.length - offset));
      this.#directBytes += sentBytes;
      givenBytes += sentBytes;
      if (givenBytes === bytes.length) return true;
    }
    socket.write(givenBytes === 0 ? bytes : bytes.subarray(givenBytes));
    if (socket.writableLength === 0) return true;
    this.#awaitDrain();
    return false;
  }

  /** Collects what is said in one tick: an answer of 18 bytes that waits in a buffer of its own costs ten times as much. */
  say(bytes: Buffer): void {
    if (this.#answers.length === 0) this.#handler.onHeldBack();
    this.#answers.push(bytes);
    this.#answerBytes += bytes.length;
    if (this.#answerBytes >= MAX_ANSWER_BYTES) this.#flushAnswers();
    else if (this.#answers.length === 1) queueMicrotask(() => this.#flushAnswers());
  }

  /** Says what is left and sends the end. */
  end(): void {
    this.#writeAnswers();
    this.#socket.end();
  }

  #flushAnswers(): void {
    this.#writeAnswers();
    if (this.#socket.destroyed) return;
    if (this.#socket.writableLength === 0) this.#handler.onDrained();
    else this.#awaitDrain();
  }

  #writeAnswers(): void {
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

  #awaitDrain(): void {
    if (this.#isDrainAwaited) return;
    // The socket tells of a drain only above its own high-water mark; an empty write behind the rest tells always.
    this.#isDrainAwaited = true;
    this.#socket.write(EMPTY, () => {
      this.#isDrainAwaited = false;
      this.#handler.onDrained();
    });
  }
}
