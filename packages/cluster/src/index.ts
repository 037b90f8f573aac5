export { CoworkerRegistry } from './coworker-registry.ts';
export { LocalRegistry } from './local-registry.ts';
export { describeRedisUrl } from './redis-connection.ts';
export { RedisRegistry } from './redis-registry.ts';
export { type LeaseReport, type LeaseState, StreamLeases } from './stream-leases.ts';
export type { RegistryReport, StreamPlace, StreamRegistry } from './stream-registry.ts';
export { type FollowedStream, Whereabouts } from './whereabouts.ts';
