export type { ClientDescription } from './client-description.ts';
export type { ClientHooks, HookSubject, HookTraffic } from './client-hooks.ts';
export type { Departure } from './departures.ts';
export type { PlayHub } from './play-hub.ts';
export type { RtmpConnection } from './rtmp-connection.ts';
export { RtmpServer, type Traffic } from './rtmp-server.ts';
export type { RtmpServices, ServerIdentity } from './services.ts';
export type { StreamTraffic } from './stream-traffic.ts';
