/** nginx with its rtmp module, as Debian packages it. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { findNginx, nginxMain, startNginx } from './nginx-program.ts';
import { type Peer, PeerMissing, type RunningPeer } from './peer.ts';
import type { Workbench } from './workbench.ts';

const run = promisify(execFile);
const moduleFiles: readonly string[] = [
  '/usr/lib/nginx/modules/ngx_rtmp_module.so',
  '/usr/lib64/nginx/modules/ngx_rtmp_module.so',
  '/usr/local/lib/nginx/modules/ngx_rtmp_module.so',
];
const modulePackage = 'libnginx-mod-rtmp';

/** Chunk size and output queue are the module's defaults. */
export function nginxConfig(port: number, moduleFile: string, isRoot: boolean): string {
  return `load_module ${moduleFile};
${nginxMain(isRoot)}rtmp {
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
    const { path, version } = await findNginx(`nginx ${modulePackage}`);
    const moduleFile = moduleFiles.find((file) => existsSync(file));
    if (moduleFile === undefined) {
      throw new PeerMissing(`nginx has no rtmp module (${moduleFiles.join(', ')}); Debian: apt-get install ${modulePackage}`);
    }
    this.#program = path;
    this.#moduleFile = moduleFile;
    return `${version} with ${modulePackage} ${await packageVersion(modulePackage)}`;
  }

  start(bench: Workbench, port: number): Promise<RunningPeer> {
    return startNginx(bench, {
      name: this.name,
      program: this.#program,
      config: nginxConfig(port, this.#moduleFile, process.getuid?.() === 0),
      port,
      url: (stream) => `rtmp://127.0.0.1:${port}/live/${stream}`,
    });
  }
}

async function packageVersion(name: string): Promise<string> {
  // Only Debian and its like know; elsewhere the version stays unknown.
  const { stdout } = await run('dpkg-query', ['--status', name]).catch(() => ({ stdout: '' }));
  return /^Version: (.+)$/m.exec(stdout)?.[1] ?? 'of unknown version';
}
