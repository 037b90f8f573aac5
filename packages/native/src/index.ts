export { closeFd } from './descriptor.ts';
export * from './doorbell.ts';
export * from './file-lock.ts';
export * from './open-files-limit.ts';
export * from './shared-memory.ts';
export * from './socket-read.ts';
export * from './socket-send.ts';
export * from './system-call-error.ts';
export * from './tcp-listener.ts';
