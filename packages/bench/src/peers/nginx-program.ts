/** nginx as a program, whatever it serves. */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ChildRun } from './child-run.ts';
import { findProgram } from './find-program.ts';
import { ensurePortIsFree, MAX_CLIENTS, PeerMissing, type RunningPeer, waitUntilAccepting } from './peer.ts';
import type { Workbench } from './workbench.ts';

const run = promisify(execFile);
/** Descriptors a worker needs beside those of its clients. */
const SPARE_DESCRIPTORS = 64;

/** One worker in the foreground; only what limits the number of clients is raised. */
export function nginxMain(isRoot: boolean): string {
  return `${isRoot ? 'user root;\n' : ''}daemon off;
worker_processes 1;
worker_rlimit_nofile ${MAX_CLIENTS + SPARE_DESCRIPTORS};
pid nginx.pid;
error_log stderr error;
events {
    worker_connections ${MAX_CLIENTS + SPARE_DESCRIPTORS};
}
`;
}

export interface NginxProgram {
  readonly path: string;
  readonly version: string;
}

/** @throws PeerMissing when there is none */
export async function findNginx(packages: string): Promise<NginxProgram> {
  const path = findProgram('nginx');
  if (path === undefined) throw new PeerMissing(`there is no nginx; Debian: apt-get install ${packages}`);
  // nginx prints its version on standard error.
  const { stderr } = await run(path, ['-v']);
  return { path, version: /nginx\/(\S+)/.exec(stderr)?.[1] ?? 'of unknown version' };
}

export interface NginxStart {
  readonly name: string;
  readonly program: string;
  readonly config: string;
  readonly port: number;
  url(path: string): string;
}

/** Starts it afresh in a folder of its own, and waits until it accepts. */
export async function startNginx(bench: Workbench, start: NginxStart): Promise<RunningPeer> {
  const { name, port } = start;
  await ensurePortIsFree(port);
  const place = bench.newPlace(name);
  const configFile = join(place, 'nginx.conf');
  writeFileSync(configFile, start.config);
  const program = await ChildRun.start({
    name,
    command: [start.program, '-p', place, '-c', configFile, '-e', 'stderr'],
    cwd: place,
    cores: bench.serverCores,
  });
  try {
    await waitUntilAccepting(program, port, bench.signal);
    const workers = childrenOf(program.pid);
    return {
      processes: [
        { pid: program.pid, label: 'master', isServing: false },
        ...workers.map((pid, index) => ({ pid, label: `worker-${index}`, isServing: true })),
      ],
      url: (path) => start.url(path),
      [Symbol.asyncDispose]: async () => void (await program.stop()),
    };
  } catch (thrown) {
    await program.stop();
    throw thrown;
  }
}

/** The processes that one has forked and that live. */
function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}
