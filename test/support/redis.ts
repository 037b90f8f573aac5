/** A Redis server of a test: on a port of its own, without files, killed and started again as the test likes. */
import { createServer } from 'node:net';
import { ChildProgram } from './child-program.ts';
import { findProgram } from './programs.ts';

const READY_LIMIT_MS = 10_000;

export class RedisServer implements AsyncDisposable {
  readonly port: number;
  readonly #args: readonly string[];
  #program: ChildProgram;

  private constructor(port: number, args: readonly string[], program: ChildProgram) {
    this.port = port;
    this.#args = args;
    this.#program = program;
  }

  /** @param more arguments, such as `--requirepass` */
  static async start(more: readonly string[] = []): Promise<RedisServer> {
    const port = await freePort();
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', '/tmp', ...more];
    return new RedisServer(port, args, await startProgram(args));
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
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
