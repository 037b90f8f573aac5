/** The numbers of the RTMP message layer, by name. */

/** Message type ids (Adobe RTMP spec 1.0, 5.4 and 7.1). */
export const messageTypes = {
  setChunkSize: 1,
  abort: 2,
  acknowledgement: 3,
  userControl: 4,
  windowAckSize: 5,
  setPeerBandwidth: 6,
  audio: 8,
  video: 9,
  amf3Data: 15,
  amf3SharedObject: 16,
  amf3Command: 17,
  amf0Data: 18,
  amf0SharedObject: 19,
  amf0Command: 20,
  aggregate: 22,
} as const;

/** Event types of a user control message (Adobe RTMP spec 1.0, 7.1.7; 26 and 27 are the SWF verification of Flash Player). */
export const userControlEvents = {
  streamBegin: 0,
  streamEof: 1,
  streamDry: 2,
  setBufferLength: 3,
  streamIsRecorded: 4,
  pingRequest: 6,
  pingResponse: 7,
  swfVerificationRequest: 26,
  swfVerificationResponse: 27,
} as const;

/** The chunk streams this side sends on. Any peer may use others; what counts on input is the message type. */
export const chunkStreamIds = {
  /** Protocol and user control. */
  control: 2,
  /** Commands of the connection. */
  command: 3,
  /** Metadata and other data messages of media. */
  data: 4,
  /** Commands and status of the stream. */
  status: 5,
  video: 6,
  audio: 7,
} as const;

/** The one message stream that createStream hands out; a connection carries one stream at a time. */
export const MEDIA_STREAM_ID = 1;

/** Message stream of commands and control messages that concern the connection. */
export const CONNECTION_STREAM_ID = 0;

/** Window acknowledgement size and peer bandwidth that both sides announce, in bytes. */
export const DEFAULT_WINDOW_ACK_SIZE = 2_500_000;

/** Set Peer Bandwidth limit type "dynamic" (Adobe RTMP spec 1.0, 5.4.5). */
export const PEER_BANDWIDTH_DYNAMIC = 2;

/** Chunk size announced when the configuration names none. */
export const DEFAULT_OUT_CHUNK_SIZE = 60_000;
