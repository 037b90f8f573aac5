export type { ConnectVerdict, OriginGate } from './origin-gate.ts';
export type { RtmpConnection } from './rtmp-connection.ts';
export { RtmpServer } from './rtmp-server.ts';
export type { RtmpServices } from './services.ts';
