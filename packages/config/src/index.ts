export {
  anyHost,
  defaultRtmpPort,
  formatAddress,
  type ListenAddress,
  type OriginAddress,
  parseServerAddress,
  type ServerAddress,
} from './address-type.ts';
export * from './carry-over.ts';
export type { CasterOutput } from './caster-output-type.ts';
export * from './config.ts';
export * from './config-diff.ts';
export type { Directive } from './directive.ts';
export * from './edge-origins.ts';
export type { EffectiveDirective } from './effective-config.ts';
export type { Environment } from './environment.ts';
export type { LiveRule } from './field.ts';
export {
  describeForwardDestination,
  type ForwardDestination,
  forwardDestinationAllowed,
  parseForwardDestination,
} from './forward-destination.ts';
export * from './forward-wishes.ts';
export * from './limits.ts';
export * from './load.ts';
export { maxNameBytes, maxNameSegmentBytes } from './name-check.ts';
export { nearestName } from './nearest-name.ts';
export { ConfigError, type ConfigErrorName, type ConfigProblem, formatProblem } from './problem.ts';
export * from './redirect-target.ts';
export type { FfmpegParam, SecurityRule } from './rule-type.ts';
export * from './stream-name.ts';
export * from './tc-url.ts';
export { type ParseOptions, parseTree } from './tree-parser.ts';
export * from './vhost-resolution.ts';
