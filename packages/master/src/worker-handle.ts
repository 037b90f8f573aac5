/** A started worker as the master holds it, whether it is a process or a part of the master's own. */
import { fork } from 'node:child_process';
import { Channel, ForkLink, type Link, linkPair } from '@srs/control';
import { closeFd, createDescriptorPipe, sendDescriptors } from '@srs/native';
import type { MasterProtocol, MasterRequests, WorkerEnvironment, WorkerStart } from '@srs/worker';
import { serveWorker, workerEntryPath } from '@srs/worker';

export interface WorkerHandle {
  readonly pid: number;
  readonly channel: Channel<MasterProtocol>;
  /** Resolves when the process is dead, with the reason in words (`exit code 1`, `signal SIGKILL`). */
  readonly ended: Promise<string>;
  /** The last resort. */
  kill(): void;
  /**
   * Gives copies of descriptors to the worker, which asks for them by the number that is returned. Absent for a worker inside this
   * process: it has them already.
   * @throws SrsError SocketWrite when the worker is dead, or does not take what it was given before
   */
  readonly passDescriptors?: (fds: readonly number[]) => number;
}

/**
 * V8 lets the memory for new objects grow to 16 MiB and more, three times over, and a rush of clients fills all of it. With 4 MiB a player
 * added costs less than half as much memory, and nothing that can be measured in processor time. Who has told Node otherwise is heard.
 */
const YOUNG_GENERATION_FLAG = '--max-semi-space-size';
const YOUNG_GENERATION_MIB = 4;

function workerArguments(): string[] {
  const isTold = [process.env.NODE_OPTIONS ?? '', ...process.execArgv].some((text) => text.includes(YOUNG_GENERATION_FLAG));
  return isTold ? process.execArgv : [...process.execArgv, `${YOUNG_GENERATION_FLAG}=${YOUNG_GENERATION_MIB}`];
}

/**
 * @param fds descriptors the child inherits; it finds them as 4, 5, 6 ... in this order (see `childFd`), and behind them what later ones come
 *   in by
 * @param requests what the worker may ask of its master
 */
export function forkWorker(fds: readonly number[], requests: MasterRequests): WorkerHandle {
  const pipe = createDescriptorPipe();
  const child = fork(workerEntryPath, [], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...fds, pipe.receiveFd],
    serialization: 'advanced',
    execArgv: workerArguments(),
  });
  closeFd(pipe.receiveFd);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
  let sendFd = pipe.sendFd;
  void ended.then(() => {
    closeFd(sendFd);
    sendFd = -1;
  });
  let ticket = 0;
  return {
    pid: child.pid ?? 0,
    channel: new Channel<MasterProtocol>(new ForkLink(child), { requests }),
    ended,
    kill: () => child.kill('SIGKILL'),
    passDescriptors: (fds) => {
      ticket += 1;
      sendDescriptors(sendFd, ticket, fds);
      return ticket;
    },
  };
}

const FIRST_CHILD_FD = 4;

/** The number under which a child finds the descriptor that stands at `index` of `forkWorker`'s list. */
export const childFd = (index: number): number => FIRST_CHILD_FD + index;

/** A worker inside this process. It shares the master's pid and dies only with it. */
export function runLocalWorker(environmentOf: (start: WorkerStart) => WorkerEnvironment, requests: MasterRequests): WorkerHandle {
  const [near, far]: [Link, Link] = linkPair();
  const ended = Promise.withResolvers<string>();
  serveWorker(far, { environmentOf, onEnd: () => ended.resolve('exit code 0') });
  const channel = new Channel<MasterProtocol>(near, { requests });
  return { pid: process.pid, channel, ended: ended.promise, kill: () => {} };
}
