/** A Redis server of a test: on a port of its own, without files, killed and started again as the test likes. */
import { createServer } from 'node:net';
import { ChildProgram } from './child-program.ts';
import { findProgram } from './programs.ts';

const READY_LIMIT_MS = 10_000;

export class RedisServer implements AsyncDisposable {
  readonly port: number;
  readonly #scheme: 'redis' | 'rediss';
  readonly #args: readonly string[];
  #program: ChildProgram;

  private constructor(port: number, scheme: 'redis' | 'rediss', args: readonly string[], program: ChildProgram) {
    this.port = port;
    this.#scheme = scheme;
    this.#args = args;
    this.#program = program;
  }

  /** @param more arguments, such as `--requirepass` */
  static async start(more: readonly string[] = []): Promise<RedisServer> {
    const port = await freePort();
    return await RedisServer.#start(port, 'redis', ['--port', String(port), ...more]);
  }

  /** One that speaks TLS only. @param files paths of its key and certificate */
  static async startTls({ key, cert }: { readonly key: string; readonly cert: string }): Promise<RedisServer> {
    const port = await freePort();
    const material = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-auth-clients', 'no'];
    return await RedisServer.#start(port, 'rediss', ['--port', '0', '--tls-port', String(port), ...material]);
  }

  static async #start(port: number, scheme: 'redis' | 'rediss', own: readonly string[]): Promise<RedisServer> {
    const args = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', '/tmp', ...own];
    return new RedisServer(port, scheme, args, await startProgram(args));
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}`;
  }

  /** The process, to be stopped and continued: it accepts then, and never answers. */
  get pid(): number {
    return this.#program.pid;
  }

  /** Everything it knew is gone. */
  async stop(): Promise<void> {
    await this.#program.stop('SIGKILL');
  }

  async startAgain(): Promise<void> {
    this.#program = await startProgram(this.#args);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

async function startProgram(args: readonly string[]): Promise<ChildProgram> {
  const path = findProgram('redis-server');
  if (path === undefined) throw new Error('there is no redis-server');
  const program = await ChildProgram.start(path, args);
  await program.waitForLine('Ready to accept connections', { limitMs: READY_LIMIT_MS });
  return program;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
