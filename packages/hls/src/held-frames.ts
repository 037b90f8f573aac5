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

export class HeldFrames {
  readonly #maxBytes: number;
  #items: (HeldFrame | { readonly lostFrames: number })[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** @returns false when there is no room for it */
  add(type: FrameType, flags: number, timestampMs: number, wallMs: number, payload: Buffer): boolean {
    if (this.#bytes + payload.length > this.#maxBytes) return false;
    this.#bytes += payload.length;
    this.#items.push({ type, flags, timestampMs, wallMs, payload: Buffer.from(payload) });
    return true;
  }

  addGap(lostFrames: number): void {
    this.#items.push({ lostFrames });
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
