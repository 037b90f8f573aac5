/** nginx as a server of files, with what Debian's own configuration says about that. */
import { findNginx, nginxMain, startNginx } from './nginx-program.ts';
import type { Peer, RunningPeer } from './peer.ts';
import type { Workbench } from './workbench.ts';

export function nginxFilesConfig(port: number, directory: string, isRoot: boolean): string {
  return `${nginxMain(isRoot)}http {
    access_log off;
    sendfile on;
    tcp_nopush on;
    types { application/vnd.apple.mpegurl m3u8; video/mp2t ts; }
    server {
        listen 127.0.0.1:${port};
        root ${directory};
    }
}
`;
}

export class NginxFilesPeer implements Peer {
  readonly name = 'nginx';
  readonly title = 'nginx';
  readonly #directory: string;
  #program = '';

  constructor(directory: string) {
    this.#directory = directory;
  }

  async prepare(): Promise<string> {
    const { path, version } = await findNginx('nginx');
    this.#program = path;
    return version;
  }

  start(bench: Workbench, port: number): Promise<RunningPeer> {
    return startNginx(bench, {
      name: 'nginx-files',
      program: this.#program,
      config: nginxFilesConfig(port, this.#directory, process.getuid?.() === 0),
      port,
      url: (path) => `http://127.0.0.1:${port}/${path}`,
    });
  }
}
