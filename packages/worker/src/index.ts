export { type Doorbell, LocalDoorbells } from './doorbell.ts';
export { type Listener, type ListenerService, listenerName, type ProcessId, type WorkerEnvironment } from './environment.ts';
export { features } from './features.ts';
export { identity } from './identity.ts';
export { LocalHub } from './local-hub.ts';
export { MAX_PAGE_COUNT } from './page.ts';
export { type PrivateApi, type PrivateRoutes, startPrivateApi } from './private-api.ts';
export { serveWorker } from './serve-worker.ts';
export { MAX_SLOTS, STATUS_BOARD_BYTES, StatusBoard } from './status-board.ts';
export { loadTlsMaterial, type TlsFiles } from './tls-material.ts';
export {
  type MasterProtocol,
  type MasterRequests,
  mainCid,
  type WorkerConfigure,
  type WorkerStart,
  workerEntryPath,
} from './worker-start.ts';
