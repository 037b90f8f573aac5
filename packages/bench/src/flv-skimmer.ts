/** Reads just enough of an FLV stream to know its tags: heads and the first bytes, with the payload jumped over. */
import { decodeFlvHeader, defaultFlvLimits, FLV_HEADER_BYTES, FLV_TAG_HEADER_BYTES, PREVIOUS_TAG_SIZE_BYTES } from '@srs/flv';
import { frameTypes, SrsError } from '@srs/kernel';
import { SkimmedMessage, type SkimmerHandler } from './skimmed-message.ts';

/** What stands between two payloads: the size of the tag before, and the head of the next one. */
const BETWEEN_BYTES = PREVIOUS_TAG_SIZE_BYTES + FLV_TAG_HEADER_BYTES;
/** Of the first byte of a tag. */
const TYPE_BITS = 0x1f;
const FILTER_BIT = 0x20;

/**
 * Gives the same tags as the `FlvReader` of `@srs/flv`, without their payload: reserved and encrypted ones are left out.
 *
 * Hot path: no object is made for a tag, so the eleven bytes of its head are read here.
 */
export class FlvSkimmer {
  readonly #handler: SkimmerHandler;
  readonly #message = new SkimmedMessage();
  /** A head, as far as it was at the end of the last bytes. */
  readonly #carried = Buffer.allocUnsafe(BETWEEN_BYTES);
  #carriedBytes = 0;
  #isFileHeader = true;
  #timestampMs = 0;
  #payloadBytesLeft = 0;
  /** Bytes that are nobody's: the rest of a long file header, tags that are left out. */
  #skipBytesLeft = 0;

  constructor(handler: SkimmerHandler) {
    this.#handler = handler;
  }

  /**
   * Takes the bytes `bytes[start .. end - 1]`; they are not kept.
   *
   * @throws SrsError FlvHeader when this is no FLV, FlvTag for a tag above the reader's limit, and whatever the handler throws; the
   *   skimmer must not be used again then
   */
  receive(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end) {
      if (this.#payloadBytesLeft > 0) at = this.#readPayload(bytes, at, end);
      else if (this.#skipBytesLeft > 0) at = this.#skip(at, end);
      else at = this.#readHead(bytes, at, end);
    }
  }

  /** Hot path. @returns where the next bytes stand, as below */
  #readPayload(bytes: Buffer, at: number, end: number): number {
    const next = Math.min(end, at + this.#payloadBytesLeft);
    this.#payloadBytesLeft -= next - at;
    if (this.#message.take(bytes, at, next)) this.#message.deliver(this.#handler, this.#timestampMs);
    return next;
  }

  #skip(at: number, end: number): number {
    const next = Math.min(end, at + this.#skipBytesLeft);
    this.#skipBytesLeft -= next - at;
    return next;
  }

  /** Hot path. */
  #readHead(bytes: Buffer, at: number, end: number): number {
    const headBytes = this.#isFileHeader ? FLV_HEADER_BYTES : BETWEEN_BYTES;
    if (this.#carriedBytes === 0 && end - at >= headBytes) {
      this.#onHead(bytes, at);
      return at + headBytes;
    }
    const next = Math.min(end, at + headBytes - this.#carriedBytes);
    bytes.copy(this.#carried, this.#carriedBytes, at, next);
    this.#carriedBytes += next - at;
    if (this.#carriedBytes === headBytes) {
      this.#carriedBytes = 0;
      this.#onHead(this.#carried, 0);
    }
    return next;
  }

  #onHead(bytes: Buffer, at: number): void {
    if (this.#isFileHeader) {
      const { headerBytes } = decodeFlvHeader(bytes.subarray(at, at + FLV_HEADER_BYTES));
      this.#isFileHeader = false;
      this.#skipBytesLeft = headerBytes - FLV_HEADER_BYTES;
    } else {
      this.#onTag(bytes, at + PREVIOUS_TAG_SIZE_BYTES);
    }
  }

  /** Hot path. */
  #onTag(bytes: Buffer, at: number): void {
    const first = bytes[at]!;
    const type = first & TYPE_BITS;
    const payloadBytes = (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
    const { maxPayloadBytes } = defaultFlvLimits;
    if (payloadBytes > maxPayloadBytes) {
      throw new SrsError('FlvTag', `flv tag of ${payloadBytes} bytes must be at most ${maxPayloadBytes}`);
    }
    if ((first & FILTER_BIT) !== 0 || !isFrameType(type)) {
      this.#skipBytesLeft = payloadBytes;
      return;
    }
    this.#timestampMs = ((bytes[at + 7]! << 24) | (bytes[at + 4]! << 16) | (bytes[at + 5]! << 8) | bytes[at + 6]!) >>> 0;
    this.#message.type = type;
    this.#message.sizeBytes = payloadBytes;
    this.#message.restart();
    this.#payloadBytesLeft = payloadBytes;
    // An empty one is complete with its head.
    if (payloadBytes === 0 && this.#message.take(bytes, at, at)) this.#message.deliver(this.#handler, this.#timestampMs);
  }
}

function isFrameType(type: number): boolean {
  return type === frameTypes.audio || type === frameTypes.video || type === frameTypes.data;
}
