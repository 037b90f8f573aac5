export * from './classic-line.ts';
export * from './process-log.ts';
