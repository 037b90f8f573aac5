export * from './channel.ts';
export * from './counters.ts';
export * from './fork-link.ts';
export * from './link.ts';
export * from './messages.ts';
export * from './socket-link.ts';
