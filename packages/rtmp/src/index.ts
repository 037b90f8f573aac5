export { splitAggregate } from './aggregate.ts';
export { ChunkClock } from './chunk-clock.ts';
export { DEFAULT_CHUNK_SIZE, MAX_CHUNK_SIZE, MAX_CHUNK_STREAM_ID, MAX_WIRE_MESSAGE_BYTES } from './chunk-header.ts';
export * from './chunk-reader.ts';
export * from './chunk-writer.ts';
export * from './client-session.ts';
export * from './client-session-handler.ts';
export type { PublishDialect } from './command-announcement.ts';
export {
  type ConnectOptions,
  type ConnectRequest,
  capsEx,
  type EnhancedCapabilities,
  hopsProperty,
  identityArguments,
  type PeerIdentity,
  type ServerInfo,
  withHops,
} from './command-connect.ts';
export { type Command, decodeCommand, encodeCommand } from './command-message.ts';
export {
  type PlayRequest,
  type PublishRequest,
  type Redirect,
  type Status,
  type StatusLevel,
  statusCodes,
} from './command-stream.ts';
export * from './crypto.ts';
export * from './handshake.ts';
export * from './identity-header.ts';
export * from './message-types.ts';
export * from './server-session.ts';
export * from './server-session-handler.ts';
