/** Aggregate messages: several media messages packed into one, as FLV tags. */
import { type FrameType, SrsError, TIMESTAMP_MASK, timestampDelta } from '@srs/kernel';
import { messageTypes } from './message-types.ts';

/*
 * One part (Adobe RTMP spec 1.0, 7.1.6):
 *
 *  0      1            4                7          8              11             11+size
 *  +------+------------+----------------+----------+--------------+--------------+----------------+
 *  | type | size       | timestamp low  | ts high  | stream id    | data         | back pointer   |
 *  |  1   |  3         |  3             |  1       |  3 (ignored) | size         |  4 (ignored)   |
 *  +------+------------+----------------+----------+--------------+--------------+----------------+
 */
const PART_HEADER_BYTES = 11;
const BACK_POINTER_BYTES = 4;

/**
 * Takes an aggregate apart and hands over its audio, video and AMF0 data parts in order; parts of other types and empty
 * ones are skipped.
 *
 * The timestamps inside are on a clock of their own: the first part stands for the moment the aggregate itself carries, and the
 * others keep their distance to it. Where the sender used absolute times the result is the same.
 *
 * @param timestampMs timestamp of the aggregate message
 * @param onPart `payload` is a view of the aggregate, as long-lived as it
 * @throws SrsError RtmpAggregate for a part that runs past the end or an aggregate inside an aggregate; the parts before it
 *   have been handed over
 */
export function splitAggregate(
  payload: Buffer,
  timestampMs: number,
  onPart: (type: FrameType, timestampMs: number, payload: Buffer) => void,
): void {
  let offset = 0;
  let firstPartMs: number | undefined;
  while (offset < payload.length) {
    const restBytes = payload.length - offset;
    if (restBytes < PART_HEADER_BYTES) throw truncated('header', PART_HEADER_BYTES, restBytes);
    const type = payload[offset]!;
    const size = payload.readUIntBE(offset + 1, 3);
    const partMs = (payload.readUIntBE(offset + 4, 3) | (payload[offset + 7]! << 24)) & TIMESTAMP_MASK;
    const start = offset + PART_HEADER_BYTES;
    if (size > payload.length - start) throw truncated(`part of type ${type}`, size, payload.length - start);
    if (type === messageTypes.aggregate) throw new SrsError('RtmpAggregate', 'aggregate inside an aggregate is not allowed');
    firstPartMs ??= partMs;
    if (size > 0 && isMedia(type)) {
      onPart(type, (timestampMs + timestampDelta(firstPartMs, partMs)) & TIMESTAMP_MASK, payload.subarray(start, start + size));
    }
    // The last back pointer is left out by some senders: nothing can follow it.
    offset = Math.min(start + size + BACK_POINTER_BYTES, payload.length);
  }
}

function isMedia(type: number): type is FrameType {
  return type === messageTypes.audio || type === messageTypes.video || type === messageTypes.amf0Data;
}

function truncated(what: string, neededBytes: number, restBytes: number): SrsError {
  return new SrsError('RtmpAggregate', `aggregate ${what} needs ${neededBytes} bytes, ${restBytes} are left`);
}

/** The body of an AMF3 data message (type 15): it begins with a byte that selects the format, 0, and goes on as AMF0. */
export function withoutFormatByte(payload: Buffer): Buffer {
  return payload[0] === 0 ? payload.subarray(1) : payload;
}
