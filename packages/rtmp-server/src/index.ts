export type { RtmpConnection } from './rtmp-connection.ts';
export { RtmpServer, type TlsMaterial } from './rtmp-server.ts';
export type { RtmpServices } from './services.ts';
