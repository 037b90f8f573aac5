/** Commands: AMF messages with a name, a transaction id, a command object and arguments. */
import { Amf0Reader, type AmfLimits, type AmfValue, encodeAmf0 } from '@srs/amf';
import { SrsError } from '@srs/kernel';
import { messageTypes } from './message-types.ts';

/** One decoded command (Adobe RTMP spec 1.0, 7.2). */
export interface Command {
  readonly name: string;
  /** 0 when the sender wants no answer (or sent none). */
  readonly transactionId: number;
  /** The value after the transaction id: null for most commands, the properties of `connect` and of `_result`. */
  readonly object: AmfValue;
  readonly args: readonly AmfValue[];
}

/** The largest command that is read. The bandwidth test sends some hundred kilobytes, everything else a few. */
export const MAX_COMMAND_BYTES = 1024 * 1024;

/** How many arguments are read; what follows is left alone, as some encoders pad their commands. */
const MAX_COMMAND_ARGS = 16;

/** Commands are small trees; room is left for the growing objects of the bandwidth test. */
const commandAmfLimits: AmfLimits = Object.freeze({
  maxDepth: 32,
  maxValues: 40_000,
  maxContainers: 2_000,
  maxExpandedBytes: MAX_COMMAND_BYTES,
});

/**
 * Reads a command message. The values are copies.
 * @param type 20, or 17 (AMF3 command): there one byte that selects the format is skipped, the rest is AMF0 with values that may
 *   switch to AMF3
 * @throws SrsError RtmpMessageDecode when it has no name or is too large; Amf0Decode, Amf0Type, Amf3Decode for broken values
 */
export function decodeCommand(type: number, payload: Buffer): Command {
  if (payload.length > MAX_COMMAND_BYTES) {
    throw new SrsError('RtmpMessageDecode', `command of ${payload.length} bytes exceeds the limit ${MAX_COMMAND_BYTES}`);
  }
  const reader = new Amf0Reader(type === messageTypes.amf3Command ? payload.subarray(1) : payload, commandAmfLimits);
  const name = reader.isAtEnd ? undefined : reader.readValue();
  if (typeof name !== 'string') throw new SrsError('RtmpMessageDecode', `command name must be a string, not ${typeOf(name)}`);
  const transactionId = reader.isAtEnd ? 0 : reader.readValue();
  const object = reader.isAtEnd ? null : reader.readValue();
  const args: AmfValue[] = [];
  while (!reader.isAtEnd && args.length < MAX_COMMAND_ARGS) args.push(reader.readValue());
  return { name, transactionId: typeof transactionId === 'number' ? transactionId : 0, object, args };
}

/** @returns the payload of a command message of type 20 */
export function encodeCommand(name: string, transactionId: number, object: AmfValue, ...args: readonly AmfValue[]): Buffer {
  return encodeAmf0(name, transactionId, object, ...args);
}

/** What kind of value a peer sent, for error texts: `null`, `boolean`, `object`. */
export function typeOf(value: AmfValue): string {
  return value === null ? 'null' : typeof value;
}
