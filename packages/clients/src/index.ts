export { type AdmittedStream, admitStream, assertAllowed, findVhost, type StreamWish } from './admitted-stream.ts';
export { ClientDeadline } from './client-deadline.ts';
export type { ClientDescription, ClientProtocol, ClientType, LiveProtocol, ServerClient } from './client-description.ts';
export * from './client-hooks.ts';
export * from './client-redirect.ts';
export * from './client-registry.ts';
export { adoptSocket, type ClientSocket } from './client-socket.ts';
export { ConnectionHooks, type HookedClient } from './connection-hooks.ts';
export type { ClientEnd, Departure } from './departures.ts';
export { admitHttpClient, type HttpAdmission, type HttpIdentity } from './http-admission.ts';
export { HttpRecord } from './http-record.ts';
export { type ClientsView, joinRegistries } from './joined-registries.ts';
export { type PithyMember, PithyPrint } from './pithy-print.ts';
export { plainAddress } from './plain-address.ts';
export {
  type FeedingCounts,
  type PlayFormat,
  type PlayHandle,
  PlayHub,
  type PlayHubOptions,
  type PlayListener,
} from './play-hub.ts';
export { PlayHubs } from './play-hubs.ts';
export type { PublishServices, ServerIdentity } from './publish-services.ts';
export { revocationText, startPublishing } from './publish-start.ts';
export { Publishing } from './publishing.ts';
export { RouteList } from './route-list.ts';
export { type SentAway, ServerDrain } from './server-drain.ts';
export { SocketOutput } from './socket-output.ts';
export type { StreamTraffic } from './stream-traffic.ts';
export {
  type HandshakeLimits,
  limitHandshakes,
  secureContextOf,
  type TlsMaterial,
  tlsServerOptions,
  usualHandshakeLimits,
} from './tls-handshakes.ts';
export { Traffic } from './traffic.ts';
