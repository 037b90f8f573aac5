/** A format over WebSockets: what a frame is on the wire is one message, so that players share the bytes whatever they got before. */
import type { FrameType } from '@srs/kernel';
import type { FrameEncoder, FrameLine } from '@srs/stream';
import { binaryMessage, messageHeadBytes, writeMessageHead } from './web-socket-message.ts';

export function inMessages(encoder: FrameEncoder): FrameEncoder {
  const open = (from?: FrameLine): FrameLine => {
    const line = encoder.openLine(from instanceof MessageLine ? from.content : from);
    // Formats whose frames stand for themselves have one line.
    return from instanceof MessageLine && from.content === line ? from : new MessageLine(line);
  };
  return { openLine: open };
}

class MessageLine implements FrameLine {
  /** Without the messages. */
  readonly content: FrameLine;
  #contentBytes = 0;

  constructor(content: FrameLine) {
    this.content = content;
  }

  /** Hot path: no allocation. */
  encodedBytes(type: FrameType, timestampMs: number, payload: Buffer, sequence: number): number {
    const bytes = this.content.encodedBytes(type, timestampMs, payload, sequence);
    this.#contentBytes = bytes;
    return bytes === 0 ? 0 : messageHeadBytes(bytes) + bytes;
  }

  /** Hot path: no allocation. */
  encode(target: Buffer, offset: number, type: FrameType, timestampMs: number, payload: Buffer): void {
    const at = this.#contentBytes === 0 ? offset : writeMessageHead(target, offset, this.#contentBytes);
    this.content.encode(target, at, type, timestampMs, payload);
  }

  interrupt(): void {
    this.content.interrupt?.();
  }

  bridgeTo(line: FrameLine): Buffer | undefined {
    const bytes = this.content.bridgeTo?.(line instanceof MessageLine ? line.content : line);
    return bytes === undefined ? undefined : binaryMessage(bytes);
  }
}
