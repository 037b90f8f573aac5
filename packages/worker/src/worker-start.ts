/** What the master sends to a process that it has forked, and how the process makes its environment of it. */
import { rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Config, deepFreeze } from '@srs/config';
import { type ChannelHandler, type Link, SocketLink, type WorkerProtocol, type WorkerRole } from '@srs/control';
import { openProcessLog } from '@srs/logging';
import { openSharedArena } from '@srs/native';
import { SocketDoorbell } from './doorbell.ts';
import type { Listener, ProcessId, WorkerEnvironment } from './environment.ts';
import type { ServerDirectory } from './private-documents.ts';
import { STATUS_BOARD_BYTES, StatusBoard } from './status-board.ts';

/** File descriptors are numbers in the child: the master placed them there when it forked. */
export interface WorkerStart {
  readonly role: WorkerRole;
  readonly slot: number;
  readonly backSource: number;
  readonly config: Config;
  /** Directory of the control sockets, readable by this user only. */
  readonly runtimeDirectory: string;
  readonly arenas: readonly { readonly fd: number; readonly sizeBytes: number }[];
  readonly statusFd: number;
  readonly doorbellReadFd: number;
  readonly doorbellWriteFds: readonly number[];
  readonly listeners: readonly Listener[];
  readonly privateHost: string;
  readonly privatePort: number;
  readonly living: readonly ProcessId[];
}

export type MasterProtocol = WorkerProtocol<WorkerStart, ServerDirectory>;

/** What a worker asks of its master, answered by it. */
export type MasterRequests = NonNullable<ChannelHandler<MasterProtocol>['requests']>;

/** The program that `fork` runs. */
export const workerEntryPath = fileURLToPath(new URL('./entry-worker.ts', import.meta.url));

/** Trackable id of a worker's main part: SRS's main loop has 100. */
export const mainCid = (slot: number): number => 101 + slot;

const socketPath = (runtimeDirectory: string, backSource: number): string =>
  join(runtimeDirectory, `back-source-${backSource}.sock`);

/** The environment of a worker that is a process. */
export function processEnvironment(start: WorkerStart): WorkerEnvironment {
  const { log: logOptions } = start.config;
  const processLog = openProcessLog(logOptions, mainCid(start.slot));
  const statusArena = openSharedArena(start.statusFd, STATUS_BOARD_BYTES);
  return {
    role: start.role,
    slot: start.slot,
    backSource: start.backSource,
    // The channel made a copy that anybody could change.
    config: deepFreeze(start.config),
    log: processLog.log,
    processLog,
    arenas: start.arenas.map(({ fd, sizeBytes }) => openSharedArena(fd, sizeBytes)),
    status: new StatusBoard(statusArena.region(0, STATUS_BOARD_BYTES), start.slot),
    doorbell: new SocketDoorbell(start.doorbellReadFd, start.doorbellWriteFds),
    listeners: start.listeners,
    privateHost: start.privateHost,
    privatePort: start.privatePort,
    living: start.living,
    connectBackSource: (backSource) => connectLink(socketPath(start.runtimeDirectory, backSource)),
    serveDirectory: (onLink) => serveLinks(socketPath(start.runtimeDirectory, start.backSource), onLink),
  };
}

function connectLink(path: string): Promise<Link> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(new SocketLink(socket));
    });
  });
}

async function serveLinks(path: string, onLink: (link: Link) => void): Promise<() => void> {
  // A back-source that was killed left its socket behind; its successor is the only one that may be here.
  rmSync(path, { force: true });
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    onLink(new SocketLink(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve());
  });
  return () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
}
