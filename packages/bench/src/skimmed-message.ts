/** What skimmers give of a message, whatever it travels in: its type, time and length, and its first bytes. */

/** How many bytes of a message are kept for the owner: enough for the head of a video frame with its stamp. */
export const SKIMMED_HEAD_BYTES = 72;

const NO_BYTES: Buffer = Buffer.alloc(0);

export interface SkimmerHandler {
  /**
   * Hot path. One message is complete. `head` from `headAt` on holds its first `headBytes` bytes, during the call only: all of
   * them up to `SKIMMED_HEAD_BYTES`.
   */
  onMessage(type: number, timestampMs: number, messageBytes: number, head: Uint8Array, headAt: number, headBytes: number): void;
}

/** A message as its payload comes in, piece by piece: counted, and kept up to SKIMMED_HEAD_BYTES. */
export class SkimmedMessage {
  type = 0;
  /** Of the whole payload, as its header says. */
  sizeBytes = 0;
  receivedBytes = 0;
  #kept: Buffer | undefined;
  #head: Buffer = NO_BYTES;
  #headAt = 0;

  /**
   * Hot path. `piece[start .. end - 1]` follows what has come; never more than is missing. A message that comes whole is not copied.
   *
   * @returns whether the message is complete: `deliver` may then be called until the bytes of the piece change
   */
  take(piece: Buffer, start: number, end: number): boolean {
    const { sizeBytes, receivedBytes } = this;
    const pieceBytes = end - start;
    if (pieceBytes === sizeBytes) {
      this.#head = piece;
      this.#headAt = start;
      return true;
    }
    if (receivedBytes < SKIMMED_HEAD_BYTES) {
      this.#kept ??= Buffer.allocUnsafe(SKIMMED_HEAD_BYTES);
      // What has no room is left out.
      piece.copy(this.#kept, receivedBytes, start, end);
    }
    this.receivedBytes = receivedBytes + pieceBytes;
    if (this.receivedBytes < sizeBytes) return false;
    this.#head = this.#kept ?? NO_BYTES;
    this.#headAt = 0;
    return true;
  }

  /** The first four bytes as a number; undefined when the message is shorter. */
  number(): number | undefined {
    return this.sizeBytes < 4 ? undefined : this.#head.readUInt32BE(this.#headAt);
  }

  /** Hot path. */
  deliver(handler: SkimmerHandler, timestampMs: number): void {
    const headBytes = Math.min(this.sizeBytes, SKIMMED_HEAD_BYTES);
    handler.onMessage(this.type, timestampMs, this.sizeBytes, this.#head, this.#headAt, headBytes);
  }

  /** The next message begins. */
  restart(): void {
    this.receivedBytes = 0;
  }
}
