export * from './arena.ts';
export * from './clock.ts';
export * from './distribution.ts';
export * from './errors.ts';
export * from './frame.ts';
export * from './log.ts';
export * from './rates.ts';
export * from './redact.ts';
