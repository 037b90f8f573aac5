export { type Doorbell, LocalDoorbells } from './doorbell.ts';
export type { Listener, ProcessId, WorkerEnvironment } from './environment.ts';
export { identity } from './identity.ts';
export { LocalHub } from './local-hub.ts';
export { type PrivateApi, startPrivateApi } from './private-api.ts';
export { serveWorker } from './serve-worker.ts';
export { MAX_SLOTS, STATUS_BOARD_BYTES, StatusBoard } from './status-board.ts';
export { type MasterProtocol, mainCid, type WorkerStart, workerEntryPath } from './worker-start.ts';
