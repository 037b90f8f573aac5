/** Builders and recorders for the tests of chunks. */
import { describeError } from '@srs/kernel';
import { ChunkReader, type ChunkReaderLimits, type ChunkReaderOptions } from './chunk-reader.ts';

export interface SeenMessage {
  readonly type: number;
  readonly timestampMs: number;
  readonly messageStreamId: number;
  readonly chunkStreamId: number;
  readonly payload: Buffer;
}

/** A reader that keeps copies of what it delivers. */
export function recordingReader(limits: Partial<ChunkReaderLimits> = {}, onMessage?: ChunkReaderOptions['onMessage']) {
  const messages: SeenMessage[] = [];
  const warnings: string[] = [];
  const reader = new ChunkReader({
    limits,
    onMessage(type, timestampMs, messageStreamId, chunkStreamId, payload) {
      messages.push({ type, timestampMs, messageStreamId, chunkStreamId, payload: Buffer.from(payload) });
      onMessage?.(type, timestampMs, messageStreamId, chunkStreamId, payload);
    },
    onWarning: (text) => warnings.push(text),
  });
  return { reader, messages, warnings };
}

/** What `bytes` become in one go: `type@time/stream/chunkStream:length`, then the error if there is one. */
export function summaryOf(bytes: Buffer, limits: Partial<ChunkReaderLimits> = {}): string[] {
  const { reader, messages } = recordingReader(limits);
  try {
    reader.receive(bytes);
  } catch (thrown) {
    return [...messages.map(summary), describeError(thrown)];
  }
  return messages.map(summary);
}

export function summary(message: SeenMessage): string {
  const { type, timestampMs, messageStreamId, chunkStreamId, payload } = message;
  return `${type}@${timestampMs}/${messageStreamId}/${chunkStreamId}:${payload.length}`;
}

/** Bytes from hex with blanks; `*N` repeats the byte before it until there are N: `aa*3` is `aaaaaa`. */
export function hex(text: string): Buffer {
  const plain = text.replaceAll(/([0-9a-f]{2})\*(\d+)/g, (_, byte: string, count: string) => byte.repeat(Number(count)));
  return Buffer.from(plain.replaceAll(/\s/g, ''), 'hex');
}

export interface ChunkFields {
  readonly fmt: 0 | 1 | 2 | 3;
  readonly id: number;
  /** The 24-bit field of fmt 0, 1 and 2. */
  readonly time?: number;
  readonly length?: number;
  readonly type?: number;
  readonly messageStreamId?: number;
  /** Four bytes behind the header. */
  readonly extended?: number;
  readonly payload?: Buffer;
}

/** One chunk exactly as told, right or wrong. */
export function chunk(fields: ChunkFields): Buffer {
  const { fmt, id, time = 0, length = fields.payload?.length ?? 0, type = 8, messageStreamId = 1, extended } = fields;
  const header: number[] = [];
  if (id < 64) header.push((fmt << 6) | id);
  else if (id < 320) header.push(fmt << 6, id - 64);
  else header.push((fmt << 6) | 1, (id - 64) & 0xff, (id - 64) >> 8);
  if (fmt <= 2) header.push(time >> 16, (time >> 8) & 0xff, time & 0xff);
  if (fmt <= 1) header.push(length >> 16, (length >> 8) & 0xff, length & 0xff, type);
  const rest: Buffer[] = [];
  if (fmt === 0) rest.push(uint32LE(messageStreamId));
  if (extended !== undefined) rest.push(uint32(extended));
  return Buffer.concat([Buffer.from(header), ...rest, fields.payload ?? Buffer.alloc(0)]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

function uint32LE(value: number): Buffer {
  return uint32(value).reverse();
}

/** A control message on chunk stream 2. */
export function control(type: number, value: number): Buffer {
  return chunk({ fmt: 0, id: 2, type, messageStreamId: 0, payload: uint32(value) });
}

/** Payload whose bytes tell their place. */
export function pattern(length: number, salt = 0): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + salt) & 0xff;
  return bytes;
}

/** Integers 0..bound-1 from a seed, the same on every run (a xorshift of 32 bits). */
export function seededRandom(seed: number): (bound: number) => number {
  let state = seed | 0 || 1;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return Math.floor(((state >>> 0) / 0x1_0000_0000) * bound);
  };
}
