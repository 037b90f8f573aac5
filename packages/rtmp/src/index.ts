export { DEFAULT_CHUNK_SIZE, MAX_CHUNK_SIZE, MAX_CHUNK_STREAM_ID, MAX_WIRE_MESSAGE_BYTES } from './chunk-header.ts';
export * from './chunk-reader.ts';
export * from './chunk-writer.ts';
export * from './crypto.ts';
export * from './handshake.ts';
