/** Sizes and marks of a chunk's headers (Adobe RTMP spec 1.0, 5.3.1), shared by reader and writer. */

/**
 * ```
 * +--------------+----------------+--------------------+------------+
 * | basic header | message header | extended timestamp |  payload   |
 * |   1, 2, 3    |   11, 7, 3, 0  |       0 or 4       | <= size    |
 * +--------------+----------------+--------------------+------------+
 *
 *  basic header:     fmt(2 bits) id(6 bits)        ids 2..63
 *                    fmt 0, id - 64                ids 64..319
 *                    fmt 1, id - 64 (16 bits LE)   ids 320..65599
 *  message header:   timestamp(3) length(3) type(1) stream(4, LE)    fmt 0
 *                    delta(3)     length(3) type(1)                  fmt 1
 *                    delta(3)                                        fmt 2
 * ```
 */
export const MIN_CHUNK_STREAM_ID = 2;
export const MAX_ONE_BYTE_ID = 63;
export const MAX_TWO_BYTE_ID = 319;
export const MAX_CHUNK_STREAM_ID = 65_599;
/** Ids from here on are written as their distance from it. */
export const LONG_ID_BASE = 64;
/** The 6 bits of the first byte when the id stands in the next byte, or in the next two. */
export const TWO_BYTE_MARK = 0;
export const THREE_BYTE_MARK = 1;
/** The upper two bits of a basic header that goes on with what the chunk stream's last header said. */
export const FMT_3 = 3 << 6;
/** By fmt 0..3. */
export const messageHeaderBytes = [11, 7, 3, 0] as const;
/** The 24-bit timestamp field when the value stands in four bytes of its own; also the smallest such value. */
export const EXTENDED_TIMESTAMP = 0xffffff;
export const EXTENDED_TIMESTAMP_BYTES = 4;
/** The largest message the 24-bit length field can say. */
export const MAX_WIRE_MESSAGE_BYTES = 0xffffff;
/** Either side's chunk size until it sends Set Chunk Size. */
export const DEFAULT_CHUNK_SIZE = 128;
/** Set Chunk Size has 31 bits. */
export const MAX_CHUNK_SIZE = 0x7fffffff;

/** The bytes a basic header takes for this chunk stream id. */
export function basicHeaderBytes(chunkStreamId: number): number {
  if (chunkStreamId <= MAX_ONE_BYTE_ID) return 1;
  return chunkStreamId <= MAX_TWO_BYTE_ID ? 2 : 3;
}
