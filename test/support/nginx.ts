/** nginx with its rtmp module, as Debian packages it. A test that uses it calls `requiresNginx` first. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach } from 'vitest';
import type { ChildProgram } from './child-program.ts';
import { eventually } from './deadline.ts';
import { startForeign } from './foreign.ts';
import { claimPorts, type PortBlock } from './ports.ts';
import { findProgram, MISSING_PREFIX } from './programs.ts';

const moduleFile = '/usr/lib/nginx/modules/ngx_rtmp_module.so';
const START_LIMIT_MS = 10_000;

/** As `requires`, for the module too. */
export function requiresNginx(): boolean {
  const isThere = findProgram('nginx') !== undefined && existsSync(moduleFile);
  beforeEach((context) => {
    context.skip(!isThere, `${MISSING_PREFIX}nginx with its rtmp module: apt-get install nginx libnginx-mod-rtmp`);
  });
  return isThere;
}

export class NginxRtmp {
  readonly place: { readonly host: '127.0.0.1'; readonly rtmpPort: number };
  readonly #directory: string;
  readonly #ports: PortBlock;
  readonly #program: ChildProgram;

  private constructor(directory: string, ports: PortBlock, program: ChildProgram) {
    this.place = { host: '127.0.0.1', rtmpPort: ports.first };
    this.#directory = directory;
    this.#ports = ports;
    this.#program = program;
  }

  /** @param application the inside of `application live { }`, beside `live on;` */
  static async start(application = ''): Promise<NginxRtmp> {
    const ports = await claimPorts();
    const directory = mkdtempSync(join(tmpdir(), 'srs-nginx-'));
    mkdirSync(join(directory, 'logs'));
    const config = join(directory, 'nginx.conf');
    writeFileSync(
      config,
      `load_module ${moduleFile};
${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off;
master_process off;
worker_processes 1;
pid ${join(directory, 'nginx.pid')};
error_log stderr notice;
events { worker_connections 512; }
rtmp {
  access_log off;
  server {
    listen 127.0.0.1:${ports.first};
    application live { live on; record off; ${application} }
  }
}
`,
    );
    const program = await startForeign('nginx', ['-p', directory, '-c', config], { limitMs: 300_000 });
    const server = new NginxRtmp(directory, ports, program);
    await eventually(
      () => server.#accepts(),
      START_LIMIT_MS,
      () => `nginx does not start\n${program.tail()}`,
    );
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program.stop('SIGQUIT');
    this.#ports.release();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #accepts(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(this.place.rtmpPort, this.place.host);
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
  }
}
