/** Protocol control and user control messages: a few big-endian integers each. */
import { SrsError } from '@srs/kernel';
import { userControlEvents } from './message-types.ts';

/** @returns the payload of Set Chunk Size, Acknowledgement or Window Acknowledgement Size: one 32-bit number */
export function encodeUint32Payload(value: number): Buffer {
  const payload = Buffer.allocUnsafe(4);
  payload.writeUInt32BE(value >>> 0, 0);
  return payload;
}

/**
 * The number of a Set Chunk Size, Acknowledgement or Window Acknowledgement Size message.
 * @throws SrsError RtmpMessageDecode when fewer than 4 bytes are there
 */
export function decodeUint32Payload(what: string, payload: Buffer): number {
  if (payload.length < 4) throw new SrsError('RtmpMessageDecode', `${what} of ${payload.length} bytes must have 4`);
  return payload.readUInt32BE(0);
}

/** @returns the payload of Set Peer Bandwidth (Adobe RTMP spec 1.0, 5.4.5): window in bytes, limit type 0 hard, 1 soft, 2 dynamic */
export function encodePeerBandwidth(windowBytes: number, limitType: number): Buffer {
  const payload = Buffer.allocUnsafe(5);
  payload.writeUInt32BE(windowBytes >>> 0, 0);
  payload[4] = limitType;
  return payload;
}

/**
 * One user control message (Adobe RTMP spec 1.0, 7.1.7).
 *
 * ```
 *  0        2                 6                10
 *  +--------+-----------------+-----------------+
 *  | event  | value           | extra           |   extra: SetBufferLength only
 *  +--------+-----------------+-----------------+
 * ```
 */
export interface UserControl {
  readonly event: number;
  /** Message stream id, or the timestamp of a ping in milliseconds. */
  readonly value: number;
  /** Buffer length in milliseconds, of SetBufferLength; else 0. */
  readonly extra: number;
}

const EVENT_BYTES = 2;
const EVENT_WITH_VALUE_BYTES = 6;
const EVENT_WITH_EXTRA_BYTES = 10;

export function encodeUserControl(event: number, value: number, extra?: number): Buffer {
  const payload = Buffer.allocUnsafe(extra === undefined ? EVENT_WITH_VALUE_BYTES : EVENT_WITH_EXTRA_BYTES);
  payload.writeUInt16BE(event, 0);
  payload.writeUInt32BE(value >>> 0, 2);
  if (extra !== undefined) payload.writeUInt32BE(extra >>> 0, 6);
  return payload;
}

/** @throws SrsError RtmpMessageDecode when the payload is shorter than its event needs */
export function decodeUserControl(payload: Buffer): UserControl {
  if (payload.length < EVENT_BYTES) throw tooShort('event', payload.length, EVENT_BYTES);
  const event = payload.readUInt16BE(0);
  const neededBytes = bytesOfEvent(event);
  if (payload.length < neededBytes) throw tooShort(`event ${event}`, payload.length, neededBytes);
  return {
    event,
    value: neededBytes >= EVENT_WITH_VALUE_BYTES ? payload.readUInt32BE(2) : 0,
    extra: neededBytes >= EVENT_WITH_EXTRA_BYTES ? payload.readUInt32BE(6) : 0,
  };
}

/** SWF verification is the one request that is complete without a value: Flash Media Server asks every player so. */
function bytesOfEvent(event: number): number {
  if (event === userControlEvents.setBufferLength) return EVENT_WITH_EXTRA_BYTES;
  return event === userControlEvents.swfVerificationRequest ? EVENT_BYTES : EVENT_WITH_VALUE_BYTES;
}

function tooShort(what: string, length: number, needed: number): SrsError {
  return new SrsError('RtmpMessageDecode', `user control ${what} of ${length} bytes must have ${needed}`);
}
