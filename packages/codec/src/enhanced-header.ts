/**
 * The head that Enhanced RTMP v2 puts in front of video and audio alike: packet type, modifiers, FourCC, tracks.
 *
 * ```
 * first byte: ...packetType:4
 * while packetType is ModEx (7):  size-1:8 [255: size-1:16] | data | modExType:4 packetType:4
 * not multitrack:                 FourCC:32 | body
 * multitrack:                     multitrackType:4 packetType:4 | FourCC (unless each track has its own)
 *                                 tracks: [FourCC] | trackId:8 | [size:24 unless one track] | body
 * ```
 */

/** PacketTypes that mean the same in video and audio. */
export const enhancedPacketTypes = { sequenceStart: 0, codedFrames: 1, sequenceEnd: 2, modEx: 7 } as const;

const multitrackTypes = { oneTrack: 0, manyTracks: 1, manyTracksManyCodecs: 2 } as const;
const MOD_EX_TIMESTAMP_OFFSET = 0;
const FOUR_CC_BYTES = 4;
/** A modifier of this size has its true size in the next 16 bits. */
const MOD_EX_LONG_SIZE = 256;

/** One modifier is known; a chain of them is an attack on the loop that follows it. */
const MAX_MODIFIERS = 16;
/** Track ids have 8 bits. */
const MAX_TRACKS = 256;

/** One track of a packet. */
export interface EnhancedTrack {
  /** Four characters: `avc1`, `hvc1`, `Opus`, ... */
  readonly fourCc: string;
  readonly packetType: number;
  /** 0 is the default track. */
  readonly trackId: number;
  /** Where the track's body begins and ends in the payload. */
  readonly dataOffset: number;
  readonly dataEnd: number;
}

export interface EnhancedHeader {
  readonly isMultitrack: boolean;
  /** Nanoseconds to add to the timestamp, 0..999,999. */
  readonly timestampOffsetNanos: number;
  /** At least one; those before the first that is cut, when the payload is. */
  readonly tracks: readonly EnhancedTrack[];
}

/**
 * Follows the modifiers behind the first byte.
 *
 * Hot path: no allocation.
 *
 * @returns the offset behind them times 16 plus the packet type, or -1 when the payload ends within them or has too many
 */
function skipModifiers(payload: Buffer, firstPacketType: number): number {
  let packetType = firstPacketType;
  let offset = 1;
  for (let count = 0; packetType === enhancedPacketTypes.modEx; count++) {
    if (count === MAX_MODIFIERS) return -1;
    const sizeOffset = offset;
    let size = (payload[offset] ?? 0) + 1;
    offset += 1;
    if (size === MOD_EX_LONG_SIZE) {
      size = (((payload[offset] ?? 0) << 8) | (payload[offset + 1] ?? 0)) + 1;
      offset += 2;
    }
    offset += size;
    if (sizeOffset >= payload.length || offset >= payload.length) return -1;
    packetType = payload[offset]! & 0x0f;
    offset += 1;
  }
  return offset * 16 + packetType;
}

/**
 * The packet of the track that a player of one track sees: the only one, or track 0.
 *
 * Hot path: no allocation.
 *
 * @param multitrackType the packet type that stands for multitrack: 6 for video, 5 for audio
 * @returns the bytes of the track's body times 16 plus the packet type; -1 when there is no such track or the payload is cut
 */
export function defaultTrackPacket(payload: Buffer, multitrackType: number): number {
  const modified = skipModifiers(payload, payload[0]! & 0x0f);
  if (modified < 0) return -1;
  const packetType = modified & 0x0f;
  const offset = modified >>> 4;
  if (packetType === multitrackType) return defaultTrackOfMany(payload, offset);
  const bodyBytes = payload.length - offset - FOUR_CC_BYTES;
  return bodyBytes < 0 ? -1 : bodyBytes * 16 + packetType;
}

function defaultTrackOfMany(payload: Buffer, headOffset: number): number {
  const { length } = payload;
  if (headOffset >= length) return -1;
  const kind = payload[headOffset]! >>> 4;
  const packetType = payload[headOffset]! & 0x0f;
  const hasOwnFourCc = kind === multitrackTypes.manyTracksManyCodecs;
  const headBytes = (hasOwnFourCc ? FOUR_CC_BYTES : 0) + (kind === multitrackTypes.oneTrack ? 1 : 4);
  let offset = headOffset + 1 + (hasOwnFourCc ? 0 : FOUR_CC_BYTES);
  for (let count = 0; offset + headBytes <= length && count < MAX_TRACKS; count++) {
    const dataOffset = offset + headBytes;
    if (kind === multitrackTypes.oneTrack) return payload[offset] === 0 ? (length - dataOffset) * 16 + packetType : -1;
    const size = (payload[dataOffset - 3]! << 16) | (payload[dataOffset - 2]! << 8) | payload[dataOffset - 1]!;
    if (dataOffset + size > length) return -1;
    if (payload[dataOffset - 4] === 0) return size * 16 + packetType;
    offset = dataOffset + size;
  }
  return -1;
}

/** @returns undefined when the payload ends before the first track */
export function readEnhancedHeader(payload: Buffer, multitrackType: number): EnhancedHeader | undefined {
  const modified = skipModifiers(payload, (payload[0] ?? 0) & 0x0f);
  if (modified < 0) return undefined;
  const packetType = modified & 0x0f;
  const offset = modified >>> 4;
  const isMultitrack = packetType === multitrackType;
  const tracks = isMultitrack ? readTracks(payload, offset) : readOnlyTrack(payload, offset, packetType);
  if (tracks.length === 0) return undefined;
  return { isMultitrack, timestampOffsetNanos: readTimestampOffset(payload), tracks };
}

function readOnlyTrack(payload: Buffer, offset: number, packetType: number): EnhancedTrack[] {
  const dataOffset = offset + FOUR_CC_BYTES;
  if (dataOffset > payload.length) return [];
  return [{ fourCc: fourCcAt(payload, offset), packetType, trackId: 0, dataOffset, dataEnd: payload.length }];
}

function readTracks(payload: Buffer, headOffset: number): EnhancedTrack[] {
  const head = payload[headOffset];
  if (head === undefined) return [];
  const kind = head >>> 4;
  const packetType = head & 0x0f;
  let offset = headOffset + 1;
  const commonFourCc = kind === multitrackTypes.manyTracksManyCodecs ? undefined : fourCcAt(payload, offset);
  if (commonFourCc !== undefined) offset += FOUR_CC_BYTES;
  const headBytes = (commonFourCc === undefined ? FOUR_CC_BYTES : 0) + 1 + (kind === multitrackTypes.oneTrack ? 0 : 3);
  const tracks: EnhancedTrack[] = [];
  while (offset + headBytes <= payload.length && tracks.length < MAX_TRACKS) {
    const dataOffset = offset + headBytes;
    const fourCc = commonFourCc ?? fourCcAt(payload, offset);
    const idOffset = commonFourCc === undefined ? offset + FOUR_CC_BYTES : offset;
    const size = kind === multitrackTypes.oneTrack ? payload.length - dataOffset : payload.readUIntBE(idOffset + 1, 3);
    const dataEnd = dataOffset + size;
    if (dataEnd > payload.length) break;
    tracks.push({ fourCc, packetType, trackId: payload[idOffset]!, dataOffset, dataEnd });
    if (kind === multitrackTypes.oneTrack) break;
    offset = dataEnd;
  }
  return tracks;
}

function fourCcAt(payload: Buffer, offset: number): string {
  return payload.toString('latin1', offset, offset + FOUR_CC_BYTES);
}

/** The last modifier of type TimestampOffsetNano; `payload` has been found to hold all its modifiers. */
function readTimestampOffset(payload: Buffer): number {
  let nanos = 0;
  let packetType = payload[0]! & 0x0f;
  let offset = 1;
  while (packetType === enhancedPacketTypes.modEx) {
    let size = payload[offset]! + 1;
    offset += 1;
    if (size === MOD_EX_LONG_SIZE) {
      size = payload.readUInt16BE(offset) + 1;
      offset += 2;
    }
    const next = payload[offset + size]!;
    if (next >>> 4 === MOD_EX_TIMESTAMP_OFFSET && size >= 3) nanos = payload.readUIntBE(offset, 3);
    packetType = next & 0x0f;
    offset += size + 1;
  }
  return nanos;
}
