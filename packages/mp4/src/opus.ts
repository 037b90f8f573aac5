/** Opus: the identification header that enhanced RTMP sends first, and the duration of a packet. */
import { SrsError } from '@srs/kernel';
import { u8, u16, u32 } from './box.ts';

/** Opus always counts in these, whatever was encoded (RFC 7845, 5.1). */
export const OPUS_SAMPLE_RATE = 48_000;
const MAGIC = 'OpusHead';
const HEAD_BYTES = 19;
/** A packet holds at most 120 ms (RFC 6716, 3.2.5). */
const MAX_PACKET_SAMPLES = 5760;

export interface OpusHead {
  readonly channels: number;
  /** The body of a dOps box. */
  readonly specificBox: Buffer;
}

/**
 * Reads an OpusHead (RFC 7845, 5.1: little-endian) and writes what MP4 wants of it (Opus in ISOBMFF, 4.3.2: big-endian).
 *
 * ```
 * 'OpusHead' | version:8 | channels:8 | preSkip:16 | inputRate:32 | gain:16 | family:8 | [streams:8 | coupled:8 | mapping:8 x channels]
 * ```
 *
 * @throws SrsError HlsDecode
 */
export function readOpusHead(head: Buffer): OpusHead {
  if (head.length < HEAD_BYTES || head.toString('latin1', 0, MAGIC.length) !== MAGIC) {
    throw new SrsError('HlsDecode', `opus header of ${head.length} bytes must be an OpusHead of at least ${HEAD_BYTES}`);
  }
  const channels = head[9]!;
  const family = head[18]!;
  if (channels === 0) throw new SrsError('HlsDecode', 'opus header channels 0 must be 1..255');
  if (family === 0 && channels > 2) throw new SrsError('HlsDecode', `opus header channels ${channels} must be 1..2 in family 0`);
  const mappingBytes = family === 0 ? 0 : 2 + channels;
  const mapping = head.subarray(HEAD_BYTES, HEAD_BYTES + mappingBytes);
  if (mapping.length < mappingBytes) {
    throw new SrsError('HlsDecode', `opus header of ${head.length} bytes must have ${HEAD_BYTES + mappingBytes}`);
  }
  const specificBox = Buffer.concat([
    u8(0, channels),
    u16(head.readUInt16LE(10)),
    u32(head.readUInt32LE(12)),
    u16(head.readUInt16LE(16)),
    u8(family),
    mapping,
  ]);
  return { channels, specificBox };
}

/** Samples of a packet at 48 kHz, by its first one or two bytes (RFC 6716, 3.1); 0 when it is no packet. */
export function opusPacketSamples(packet: Buffer): number {
  const toc = packet[0];
  if (toc === undefined) return 0;
  const code = toc & 0x03;
  const frames = code === 0 ? 1 : code < 3 ? 2 : (packet[1] ?? 0) & 0x3f;
  const samples = frames * frameSamples(toc >>> 3);
  return samples > MAX_PACKET_SAMPLES ? 0 : samples;
}

/** RFC 6716, table 2. */
function frameSamples(configuration: number): number {
  const size = configuration & 0x03;
  if (configuration < 12) return size === 3 ? 2880 : 480 << size; // SILK: 10, 20, 40, 60 ms
  if (configuration < 16) return 480 << (size & 0x01); // hybrid: 10, 20 ms
  return 120 << size; // CELT: 2.5, 5, 10, 20 ms
}
