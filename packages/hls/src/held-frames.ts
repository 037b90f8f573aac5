/** Copies of frames that come before they can be used. */
import type { FrameType } from '@srs/kernel';

interface HeldFrame {
  readonly type: FrameType;
  readonly flags: number;
  readonly timestampMs: number;
  readonly wallMs: number;
  readonly payload: Buffer;
}

export interface HeldFrameSink {
  onFrame(type: FrameType, flags: number, timestampMs: number, wallMs: number, payload: Buffer): void;
  onGap(lostFrames: number): void;
}

/** What a frame or a gap costs beside its payload. */
const ITEM_BYTES = 256;

export class HeldFrames {
  readonly #maxBytes: number;
  #items: (HeldFrame | { readonly lostFrames: number })[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** @returns false when there is no room for it */
  add(type: FrameType, flags: number, timestampMs: number, wallMs: number, payload: Buffer): boolean {
    const bytes = payload.length + ITEM_BYTES;
    if (this.#bytes + bytes > this.#maxBytes) return false;
    this.#bytes += bytes;
    this.#items.push({ type, flags, timestampMs, wallMs, payload: Buffer.from(payload) });
    return true;
  }

  /** One behind another is the same gap. */
  addGap(lostFrames: number): void {
    const last = this.#items.at(-1);
    const isSameGap = last !== undefined && 'lostFrames' in last;
    if (isSameGap) this.#items.pop();
    this.#items.push({ lostFrames: lostFrames + (isSameGap ? last.lostFrames : 0) });
  }

  /** Gives them out in their order and forgets them. */
  release(sink: HeldFrameSink): void {
    const items = this.#items;
    this.#items = [];
    this.#bytes = 0;
    for (const item of items) {
      if ('lostFrames' in item) sink.onGap(item.lostFrames);
      else sink.onFrame(item.type, item.flags, item.timestampMs, item.wallMs, item.payload);
    }
  }
}
