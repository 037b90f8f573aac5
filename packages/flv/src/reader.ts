/** Reads an FLV stream from pieces of any size. */
import { frameTypes, SrsError } from '@srs/kernel';
import { ByteGatherer } from './byte-gatherer.ts';
import {
  decodeFlvHeader,
  decodeFlvTagHeader,
  FLV_HEADER_BYTES,
  FLV_TAG_HEADER_BYTES,
  type FlvHeader,
  type FlvTagHeader,
  MAX_FLV_PAYLOAD_BYTES,
  PREVIOUS_TAG_SIZE_BYTES,
} from './tag.ts';

export interface FlvHandler {
  onHeader?(header: FlvHeader): void;
  /**
   * @param type 8 audio, 9 video, 18 data
   * @param timestampMs all 32 bits, unsigned: 0..2^32-1
   * @param payload valid during the call only
   */
  onTag(type: number, timestampMs: number, payload: Buffer): void;
  /** Something is wrong that does not end the stream; called for the first of each kind only, the reader counts the others. */
  onWarning?(message: string): void;
}

export interface FlvLimits {
  /** A larger tag is refused before memory is reserved for it. */
  readonly maxPayloadBytes: number;
}

export const defaultFlvLimits: FlvLimits = Object.freeze({ maxPayloadBytes: 8 * 1024 * 1024 });

type State = 'header' | 'header-rest' | 'previous-tag-size' | 'tag-header' | 'payload';

/**
 * Give it bytes with `receive`, then call `end`. It keeps at most one tag. After an error, or when a handler has thrown, it
 * must not be used again.
 *
 * A wrong PreviousTagSize is counted and ignored (several writers leave it 0); tags of reserved types and encrypted tags are
 * counted and left out.
 */
export class FlvReader {
  readonly #handler: FlvHandler;
  readonly #maxPayloadBytes: number;
  readonly #gatherer = new ByteGatherer();
  #state: State = 'header';
  /** How many bytes the present state waits for. */
  #need = FLV_HEADER_BYTES;
  #tag: FlvTagHeader | undefined;
  #previousTagBytes = 0;
  #wrongTagSizes = 0;
  #skippedTags = 0;

  constructor(handler: FlvHandler, limits: Partial<FlvLimits> = {}) {
    this.#handler = handler;
    this.#maxPayloadBytes = Math.min(limits.maxPayloadBytes ?? defaultFlvLimits.maxPayloadBytes, MAX_FLV_PAYLOAD_BYTES);
  }

  /** Tags whose PreviousTagSize was wrong. */
  get wrongTagSizes(): number {
    return this.#wrongTagSizes;
  }

  /** Tags left out because of their type or encryption. */
  get skippedTags(): number {
    return this.#skippedTags;
  }

  /**
   * @param bytes the next piece of the stream; not kept
   * @throws SrsError FlvHeader when the stream is no FLV; FlvTag for a tag above the limit
   */
  receive(bytes: Buffer): void {
    let offset = 0;
    // An empty payload needs no bytes, so it is complete at the end of the piece.
    while (offset < bytes.length || this.#need === 0) {
      const missing = this.#need - this.#gatherer.gatheredBytes;
      const part = this.#gatherer.gather(bytes, offset, this.#need);
      if (part === undefined) return;
      offset += missing;
      this.#step(part);
    }
  }

  /**
   * Says that no more bytes come. A last PreviousTagSize may be missing or cut.
   *
   * @throws SrsError FlvHeader when the header is incomplete, FlvTag when the stream ends within a tag
   */
  end(): void {
    const { gatheredBytes } = this.#gatherer;
    if (this.#state === 'header' || this.#state === 'header-rest') {
      throw new SrsError('FlvHeader', `flv ends after ${gatheredBytes} of the ${this.#need} bytes of its ${this.#state}`);
    }
    if (this.#state === 'payload' || (this.#state === 'tag-header' && gatheredBytes > 0)) {
      throw new SrsError('FlvTag', `flv ends after ${gatheredBytes} of the ${this.#need} bytes of a tag's ${this.#state}`);
    }
  }

  #step(part: Buffer): void {
    switch (this.#state) {
      case 'header':
        this.#readHeader(part);
        return;
      case 'header-rest':
        this.#await('previous-tag-size', PREVIOUS_TAG_SIZE_BYTES);
        return;
      case 'previous-tag-size':
        this.#readPreviousTagSize(part);
        return;
      case 'tag-header':
        this.#readTagHeader(part);
        return;
      case 'payload':
        this.#readPayload(part);
        return;
    }
  }

  #await(state: State, need: number): void {
    this.#state = state;
    this.#need = need;
  }

  #readHeader(part: Buffer): void {
    const { headerBytes, ...header } = decodeFlvHeader(part);
    if (headerBytes > FLV_HEADER_BYTES) this.#await('header-rest', headerBytes - FLV_HEADER_BYTES);
    else this.#await('previous-tag-size', PREVIOUS_TAG_SIZE_BYTES);
    this.#handler.onHeader?.(header);
  }

  #readPreviousTagSize(part: Buffer): void {
    const size = part.readUInt32BE(0);
    this.#await('tag-header', FLV_TAG_HEADER_BYTES);
    if (size === this.#previousTagBytes) return;
    this.#wrongTagSizes += 1;
    if (this.#wrongTagSizes === 1) {
      this.#handler.onWarning?.(`flv previous tag size ${size} must be ${this.#previousTagBytes}`);
    }
  }

  #readTagHeader(part: Buffer): void {
    const tag = decodeFlvTagHeader(part, 0);
    if (tag.payloadBytes > this.#maxPayloadBytes) {
      throw new SrsError('FlvTag', `flv tag of ${tag.payloadBytes} bytes must be at most ${this.#maxPayloadBytes}`);
    }
    this.#tag = tag;
    this.#await('payload', tag.payloadBytes);
  }

  #readPayload(part: Buffer): void {
    const tag = this.#tag!;
    this.#previousTagBytes = FLV_TAG_HEADER_BYTES + tag.payloadBytes;
    this.#await('previous-tag-size', PREVIOUS_TAG_SIZE_BYTES);
    if (!tag.isFiltered && isFrameType(tag.type)) {
      this.#handler.onTag(tag.type, tag.timestampMs, part);
      return;
    }
    this.#skippedTags += 1;
    if (this.#skippedTags === 1) {
      this.#handler.onWarning?.(`flv ${tag.isFiltered ? 'encrypted tag' : 'tag'} of type ${tag.type} is left out`);
    }
  }
}

function isFrameType(type: number): boolean {
  return type === frameTypes.audio || type === frameTypes.video || type === frameTypes.data;
}
