export { loadConfigFile } from './config-file.ts';
export { type RunOptions, runServer } from './run-server.ts';
export { Server, type ServerOptions } from './server.ts';
