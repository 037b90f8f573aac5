/** nginx, with its rtmp module or as a proxy, as Debian packages it. A test that uses it calls `requiresNginx` first. */
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

/** What both kinds have: one process, which serves by itself. */
function head(directory: string): string {
  return `${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off;
master_process off;
worker_processes 1;
pid ${join(directory, 'nginx.pid')};
error_log stderr notice;
events { worker_connections 512; }
`;
}

/** nginx that is running. */
class Nginx {
  readonly port: number;
  readonly #directory: string;
  readonly #ports: PortBlock;
  readonly #program: ChildProgram;

  private constructor(directory: string, ports: PortBlock, program: ChildProgram) {
    this.port = ports.first;
    this.#directory = directory;
    this.#ports = ports;
    this.#program = program;
  }

  /** @param config the text behind the head, for a server on this port with files of its own in this directory */
  static async start(config: (port: number, directory: string) => string, load = ''): Promise<Nginx> {
    const ports = await claimPorts();
    const directory = mkdtempSync(join(tmpdir(), 'srs-nginx-'));
    mkdirSync(join(directory, 'logs'));
    const file = join(directory, 'nginx.conf');
    writeFileSync(file, `${load}${head(directory)}${config(ports.first, directory)}`);
    const program = await startForeign('nginx', ['-p', directory, '-c', file], { limitMs: 300_000 });
    const nginx = new Nginx(directory, ports, program);
    await eventually(
      () => nginx.#accepts(),
      START_LIMIT_MS,
      () => `nginx does not start\n${program.tail()}`,
    );
    return nginx;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program.stop('SIGQUIT');
    this.#ports.release();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #accepts(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(this.port, '127.0.0.1');
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
  }
}

export class NginxRtmp {
  readonly place: { readonly host: '127.0.0.1'; readonly rtmpPort: number };
  readonly #nginx: Nginx;

  private constructor(nginx: Nginx) {
    this.place = { host: '127.0.0.1', rtmpPort: nginx.port };
    this.#nginx = nginx;
  }

  /** @param application the inside of `application live { }`, beside `live on;` */
  static async start(application = ''): Promise<NginxRtmp> {
    const config = (port: number): string => `rtmp {
  access_log off;
  server {
    listen 127.0.0.1:${port};
    application live { live on; record off; ${application} }
  }
}
`;
    return new NginxRtmp(await Nginx.start(config, `load_module ${moduleFile};\n`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#nginx[Symbol.asyncDispose]();
  }
}

/** A proxy that asks any of its servers for each request, and the next one when it has no answer. */
export class NginxProxy {
  readonly origin: string;
  readonly #nginx: Nginx;

  private constructor(nginx: Nginx) {
    this.origin = `http://127.0.0.1:${nginx.port}`;
    this.#nginx = nginx;
  }

  /** @param servers `host:port` */
  static async start(servers: readonly string[]): Promise<NginxProxy> {
    const config = (port: number, directory: string): string => `http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${join(directory, kind)};`).join(' ')}
  upstream pair { random; ${servers.map((server) => `server ${server} max_fails=0;`).join(' ')} }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://pair;
      proxy_next_upstream error timeout http_404 http_502 http_503;
      proxy_connect_timeout 1s;
      proxy_read_timeout 3s;
    }
  }
}
`;
    return new NginxProxy(await Nginx.start(config));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#nginx[Symbol.asyncDispose]();
  }
}
