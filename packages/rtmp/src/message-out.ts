/** Messages on their way out, and the small ones that every session sends. */
import type { AmfValue } from '@srs/amf';
import { encodeCommand } from './command-message.ts';
import { encodePeerBandwidth, encodeUint32Payload, encodeUserControl } from './control-message.ts';
import { CONNECTION_STREAM_ID, chunkStreamIds, messageTypes, PEER_BANDWIDTH_DYNAMIC } from './message-types.ts';

/** One message on its way out. */
export interface OutMessage {
  readonly chunkStreamId: number;
  readonly type: number;
  readonly messageStreamId: number;
  readonly payload: Uint8Array;
  /** Milliseconds; 0 when absent, as for everything but media. */
  readonly timestampMs?: number;
}

/** A protocol control message, on the chunk stream reserved for them. */
export function controlMessage(type: number, payload: Buffer): OutMessage {
  return { chunkStreamId: chunkStreamIds.control, type, messageStreamId: CONNECTION_STREAM_ID, payload };
}

export function userControlMessage(event: number, value: number, extra?: number): OutMessage {
  return controlMessage(messageTypes.userControl, encodeUserControl(event, value, extra));
}

/** Window Acknowledgement Size and Set Peer Bandwidth as a server announces them. */
export function windowMessages(windowAckSize: number): OutMessage[] {
  return [
    controlMessage(messageTypes.windowAckSize, encodeUint32Payload(windowAckSize)),
    controlMessage(messageTypes.setPeerBandwidth, encodePeerBandwidth(windowAckSize, PEER_BANDWIDTH_DYNAMIC)),
  ];
}

/** A command that concerns the connection. */
export function connectionCommand(
  name: string,
  transactionId: number,
  object: AmfValue,
  ...args: readonly AmfValue[]
): OutMessage {
  return {
    chunkStreamId: chunkStreamIds.command,
    type: messageTypes.amf0Command,
    messageStreamId: CONNECTION_STREAM_ID,
    payload: encodeCommand(name, transactionId, object, ...args),
  };
}
