/** nginx with its rtmp module, as Debian packages it. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ChildRun } from './child-run.ts';
import { findProgram } from './find-program.ts';
import { ensurePortIsFree, MAX_CLIENTS, type Peer, PeerMissing, type RunningPeer, waitUntilAccepting } from './peer.ts';
import type { Workbench } from './workbench.ts';

const run = promisify(execFile);
const moduleFiles: readonly string[] = [
  '/usr/lib/nginx/modules/ngx_rtmp_module.so',
  '/usr/lib64/nginx/modules/ngx_rtmp_module.so',
  '/usr/local/lib/nginx/modules/ngx_rtmp_module.so',
];
const modulePackage = 'libnginx-mod-rtmp';
/** Descriptors a worker needs beside those of its clients. */
const SPARE_DESCRIPTORS = 64;

/** Chunk size and output queue are the module's defaults; only what limits the number of clients is raised. */
export function nginxConfig(port: number, moduleFile: string, isRoot: boolean): string {
  return `load_module ${moduleFile};
${isRoot ? 'user root;\n' : ''}daemon off;
worker_processes 1;
worker_rlimit_nofile ${MAX_CLIENTS + SPARE_DESCRIPTORS};
pid nginx.pid;
error_log stderr error;
events {
    worker_connections ${MAX_CLIENTS + SPARE_DESCRIPTORS};
}
rtmp {
    access_log off;
    server {
        listen 127.0.0.1:${port};
        application live {
            live on;
            record off;
        }
    }
}
`;
}

export class NginxPeer implements Peer {
  readonly name = 'nginx';
  readonly title = 'nginx-rtmp';
  #program = '';
  #moduleFile = '';

  async prepare(): Promise<string> {
    const program = findProgram('nginx');
    if (program === undefined) throw new PeerMissing('there is no nginx; Debian: apt-get install nginx libnginx-mod-rtmp');
    const moduleFile = moduleFiles.find((path) => existsSync(path));
    if (moduleFile === undefined) {
      throw new PeerMissing(`nginx has no rtmp module (${moduleFiles.join(', ')}); Debian: apt-get install ${modulePackage}`);
    }
    this.#program = program;
    this.#moduleFile = moduleFile;
    // nginx prints its version on standard error.
    const { stderr } = await run(program, ['-v']);
    const version = /nginx\/(\S+)/.exec(stderr)?.[1] ?? 'of unknown version';
    return `${version} with ${modulePackage} ${await packageVersion(modulePackage)}`;
  }

  async start(bench: Workbench, port: number): Promise<RunningPeer> {
    await ensurePortIsFree(port);
    const place = bench.newPlace(this.name);
    const configFile = join(place, 'nginx.conf');
    writeFileSync(configFile, nginxConfig(port, this.#moduleFile, process.getuid?.() === 0));
    const program = await ChildRun.start({
      name: this.name,
      command: [this.#program, '-p', place, '-c', configFile, '-e', 'stderr'],
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
        url: (stream) => `rtmp://127.0.0.1:${port}/live/${stream}`,
        [Symbol.asyncDispose]: async () => void (await program.stop()),
      };
    } catch (thrown) {
      await program.stop();
      throw thrown;
    }
  }
}

/** The processes that one has forked and that live. */
function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

async function packageVersion(name: string): Promise<string> {
  // Only Debian and its like know; elsewhere the version stays unknown.
  const { stdout } = await run('dpkg-query', ['--status', name]).catch(() => ({ stdout: '' }));
  return /^Version: (.+)$/m.exec(stdout)?.[1] ?? 'of unknown version';
}
