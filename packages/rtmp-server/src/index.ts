export type { PlayHub } from './play-hub.ts';
export type { ClientDescription } from './rtmp-connection.ts';
export { RtmpServer } from './rtmp-server.ts';
export type { RtmpServices, ServerIdentity } from './services.ts';
