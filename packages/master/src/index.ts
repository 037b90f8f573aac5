export { loadConfigFile } from './config-file.ts';
export { type RunOptions, runServer } from './run-server.ts';
export { type MasterSummary, Server, type ServerOptions } from './server.ts';
export type { SlotReport, SlotState } from './slot-supervisor.ts';
