/** The media in the body of a POST: FLV or MPEG-TS, by what its first bytes are. */
import { FlvReader } from '@srs/flv';
import { type FrameType, SrsError, TIMESTAMP_MASK } from '@srs/kernel';
import { TsToFlv } from '@srs/mpegts';

export interface CasterBodyHandler {
  /**
   * @param timestampMs 31 bits
   * @param payload body of an FLV tag, valid during the call only
   */
  onFrame(type: FrameType, timestampMs: number, payload: Buffer): void;
  onWarning(text: string): void;
}

export type CasterFormat = 'flv' | 'ts';

interface MediaReader {
  receive(bytes: Buffer): void;
  end(): void;
}

const FLV_SIGNATURE = Buffer.from('FLV', 'latin1');

/** After an error, or when a handler has thrown, it must not be used again. */
export class CasterBody {
  readonly #handler: CasterBodyHandler;
  /** While they may be the begin of the signature. */
  #first: Buffer = Buffer.alloc(0);
  #reader: MediaReader | undefined;
  #format: CasterFormat | undefined;
  #hasFrames = false;

  constructor(handler: CasterBodyHandler) {
    this.#handler = handler;
  }

  /** Undefined while nothing tells. */
  get format(): CasterFormat | undefined {
    return this.#format;
  }

  /**
   * @param bytes the next piece; not kept
   * @throws SrsError FlvHeader, FlvTag or HlsDecode when it is neither, or cannot be read
   */
  receive(bytes: Buffer): void {
    try {
      this.#read(bytes);
    } catch (error) {
      // Who posts something else altogether is told what it may be.
      if (error instanceof SrsError && this.#format === 'ts' && !this.#hasFrames) throw noMedia(error.message);
      throw error;
    }
  }

  #read(bytes: Buffer): void {
    if (this.#reader !== undefined) {
      this.#reader.receive(bytes);
      return;
    }
    const first = Buffer.concat([this.#first, bytes]);
    const isLikeFlv = first.subarray(0, FLV_SIGNATURE.length).equals(FLV_SIGNATURE.subarray(0, first.length));
    if (isLikeFlv && first.length < FLV_SIGNATURE.length) {
      this.#first = first;
      return;
    }
    this.#format = isLikeFlv ? 'flv' : 'ts';
    this.#reader = isLikeFlv ? this.#flvReader() : this.#tsReader();
    this.#first = Buffer.alloc(0);
    this.#reader.receive(first);
  }

  /**
   * Says that no more bytes come, and gives the last frames.
   *
   * @throws SrsError FlvHeader or FlvTag when it ends in the middle of something, HlsDecode when nothing was found in it
   */
  end(): void {
    if (this.#reader === undefined) throw new SrsError('FlvHeader', 'the body ends before it has shown what it is');
    this.#reader.end();
    if (this.#format === 'ts' && !this.#hasFrames) throw noMedia('mpeg-ts has no frame that can be published');
  }

  #tsReader(): TsToFlv {
    const handler = this.#handler;
    return new TsToFlv({
      onFrame: (type, timestampMs, payload) => {
        this.#hasFrames = true;
        handler.onFrame(type, timestampMs, payload);
      },
      onWarning: (text) => handler.onWarning(text),
    });
  }

  #flvReader(): FlvReader {
    const handler = this.#handler;
    return new FlvReader({
      // Nothing else than audio, video and data is given.
      onTag: (type, timestampMs, payload) => handler.onFrame(type as FrameType, timestampMs & TIMESTAMP_MASK, payload),
      onWarning: (text) => handler.onWarning(text),
    });
  }
}

const noMedia = (why: string): SrsError => new SrsError('HlsDecode', `the body is no flv, and cannot be read otherwise: ${why}`);
