export type { RtmpConnection } from './rtmp-connection.ts';
export { RtmpServer } from './rtmp-server.ts';
export type { RtmpServices, ServerIdentity } from './services.ts';
