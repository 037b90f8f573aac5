/** The typed configuration every part of the server reads. */
import type { Settings } from './field.ts';
import type { rootFields } from './schema/root.ts';
import type { vhostFields } from './schema/vhost.ts';

/** The vhost that serves clients whose own vhost is not configured. */
export const defaultVhostName = '__defaultVhost__';

/**
 * One vhost. Durations are in milliseconds, sizes in bytes. A directive that the vhost lacks has the built-in default: nothing is
 * inherited from `__defaultVhost__`.
 */
export interface VhostConfig extends Settings<typeof vhostFields> {
  readonly name: string;
}

/** The whole configuration, frozen in all its depth; a reload makes a new one. */
export interface Config extends Settings<typeof rootFields> {
  /** By name, in the order of the file. */
  readonly vhosts: ReadonlyMap<string, VhostConfig>;
}

export type IngestConfig = VhostConfig['ingests'][number];
export type TranscodeConfig = VhostConfig['transcodes'][number];
export type EngineConfig = TranscodeConfig['engines'][number];
export type HlsConfig = VhostConfig['hls'];
export type DvrConfig = VhostConfig['dvr'];
export type HooksConfig = VhostConfig['hooks'];
export type PublishConfig = VhostConfig['publish'];
export type PlayConfig = VhostConfig['play'];
export type StreamCasterConfig = Config['streamCasters'][number];
export type WorkersConfig = Config['workers'];
export type RingConfig = Config['ring'];
export type LogConfig = Config['log'];

/** Freezes a value and everything it holds, Maps and their values too. Returns the same object. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  if (value instanceof Map) for (const item of value.values()) deepFreeze(item);
  else for (const item of Object.values(value)) deepFreeze(item);
  return value;
}

/**
 * Whether two parts of two configurations say the same, however they were written. A feature compares its own section with this
 * when the configuration is reloaded.
 */
export function isSameConfig(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (left instanceof Map || right instanceof Map) {
    if (!(left instanceof Map) || !(right instanceof Map) || left.size !== right.size) return false;
    return [...left].every(([key, value]) => right.has(key) && isSameConfig(value, right.get(key)));
  }
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const entries = Object.entries(left);
  if (entries.length !== Object.keys(right).length) return false;
  return entries.every(([key, value]) => Object.hasOwn(right, key) && isSameConfig(value, Reflect.get(right, key)));
}
