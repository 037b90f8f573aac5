/** What the master sends to a process that it has forked, and how the process makes its environment of it. */
import { rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '@srs/config';
import { type ChannelHandler, type Link, SocketLink, type WorkerProtocol, type WorkerRole } from '@srs/control';
import { describeError } from '@srs/kernel';
import { openProcessLog } from '@srs/logging';
import { closeFd, openSharedArena, receiveDescriptors } from '@srs/native';
import type { ReloadReport, ServerDirectory } from '@srs/survey';
import { SocketDoorbell } from './doorbell.ts';
import type { Listener, ProcessId, WorkerEnvironment } from './environment.ts';
import { LiveSettings } from './live-settings.ts';
import { askOutputsBy, serveOutputs } from './output-link.ts';
import { STATUS_BOARD_BYTES, StatusBoard } from './status-board.ts';

/** File descriptors are numbers in the child: the master placed them there when it forked. */
export interface WorkerStart {
  readonly role: WorkerRole;
  readonly slot: number;
  /** See `WorkerEnvironment`. */
  readonly instanceId: string;
  readonly backSource: number;
  readonly config: Config;
  /** Directory of the control sockets, readable by this user only. */
  readonly runtimeDirectory: string;
  readonly arenas: readonly { readonly fd: number; readonly sizeBytes: number }[];
  readonly statusFd: number;
  readonly doorbellReadFd: number;
  /** By slot; undefined where there is none. */
  readonly doorbellWriteFds: readonly (number | undefined)[];
  /** Where descriptors come in that a reload brings; -1 inside one process. */
  readonly parcelFd: number;
  readonly listeners: readonly Listener[];
  readonly privateHost: string;
  readonly privatePort: number;
  readonly living: readonly ProcessId[];
}

/** A reload. Everything is told as it shall be, so that one that was missed is made good by the next. */
export interface WorkerConfigure {
  readonly config: Config;
  /** All sockets that the worker shall accept on; `fd` stands with those that may be new to it. */
  readonly listeners: readonly Listener[];
  /** Bells of slots that may be new to it. */
  readonly doorbells: readonly { readonly slot: number; readonly fd: number }[];
  /**
   * The parcel that brings the descriptors, which are then indexes into it. Undefined when there are none, and inside one process,
   * where a descriptor is what it says.
   */
  readonly parcel: number | undefined;
}

export type MasterProtocol = WorkerProtocol<WorkerStart, ServerDirectory, WorkerConfigure, ReloadReport>;

/** What a worker asks of its master, answered by it. */
export type MasterRequests = NonNullable<ChannelHandler<MasterProtocol>['requests']>;

/** The program that `fork` runs. */
export const workerEntryPath = fileURLToPath(new URL('./entry-worker.ts', import.meta.url));

/** Trackable id of a worker's main part: SRS's main loop has 100. */
export const mainCid = (slot: number): number => 101 + slot;

const socketPath = (runtimeDirectory: string, backSource: number): string =>
  join(runtimeDirectory, `back-source-${backSource}.sock`);

const outputsPath = (runtimeDirectory: string, backSource: number): string =>
  join(runtimeDirectory, `outputs-${backSource}.sock`);

/** The environment of a worker that is a process. */
export function processEnvironment(start: WorkerStart): WorkerEnvironment {
  const { log: logOptions } = start.config;
  const processLog = openProcessLog(logOptions, mainCid(start.slot));
  const settings = new LiveSettings(start.config, start.listeners);
  const doorbell = new SocketDoorbell(start.doorbellReadFd, start.doorbellWriteFds);
  const statusArena = openSharedArena(start.statusFd, STATUS_BOARD_BYTES);
  return {
    role: start.role,
    slot: start.slot,
    instanceId: start.instanceId,
    backSource: start.backSource,
    get config() {
      return settings.config;
    },
    log: processLog.log,
    processLog,
    arenas: start.arenas.map(({ fd, sizeBytes }) => openSharedArena(fd, sizeBytes)),
    status: new StatusBoard(statusArena.region(0, STATUS_BOARD_BYTES), start.slot),
    doorbell,
    listeners: start.listeners,
    privateHost: start.privateHost,
    privatePort: start.privatePort,
    living: start.living,
    configure: (request) => {
      const fds = request.parcel === undefined ? [] : receiveDescriptors(start.parcelFd, request.parcel);
      const fdOf = (index: number): number => fds[index]!;
      const change = settings.update(request, fdOf, closeFd);
      for (const { slot, fd } of request.doorbells) doorbell.add(slot, fdOf(fd));
      const problems: string[] = [];
      try {
        processLog.configure(change.previous.log, change.config.log);
      } catch (error) {
        problems.push(`log file ${change.config.log.file} cannot be opened: ${describeError(error)}`);
      }
      return { change, problems };
    },
    connectBackSource: (backSource) => connectLink(socketPath(start.runtimeDirectory, backSource)),
    askOutputs: askOutputsBy((backSource) => outputsPath(start.runtimeDirectory, backSource)),
    serveOutputs: (answer) => serveOutputs(outputsPath(start.runtimeDirectory, start.backSource), answer),
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
