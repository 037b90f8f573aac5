/** Node-Media-Server, from npm: a server of RTMP of another maker. */
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ChildProgram } from './child-program.ts';
import { eventually } from './deadline.ts';
import { claimPorts, type PortBlock } from './ports.ts';

const START_LIMIT_MS = 10_000;
/** No foreign program runs longer, so that a test that fails ends. */
const RUN_LIMIT_MS = 300_000;
const SECRET = 'of-this-test-only';

export interface Relay {
  readonly mode: 'pull' | 'push';
  /** The stream at the other server. */
  readonly url: string;
  /** Here, such as `/live/one`. */
  readonly streamPath: string;
}

export class NodeMediaServer {
  readonly place: { readonly host: '127.0.0.1'; readonly rtmpPort: number; readonly httpPort: number };
  readonly #api: string;
  readonly #directory: string;
  readonly #ports: PortBlock;
  readonly #program: ChildProgram;

  private constructor(directory: string, ports: PortBlock, program: ChildProgram) {
    this.place = { host: '127.0.0.1', rtmpPort: ports.first, httpPort: ports.first + 1 };
    this.#api = `http://127.0.0.1:${this.place.httpPort}/api/v1`;
    this.#directory = directory;
    this.#ports = ports;
    this.#program = program;
  }

  static async start(): Promise<NodeMediaServer> {
    const ports = await claimPorts();
    const directory = mkdtempSync(join(tmpdir(), 'srs-nms-'));
    const configFile = join(directory, 'config.json');
    const config = {
      bind: '127.0.0.1',
      rtmp: { port: ports.first },
      http: { port: ports.first + 1 },
      auth: { play: false, publish: false, jwt: { secret: SECRET } },
      store: { path: join(directory, 'data') },
    };
    writeFileSync(configFile, JSON.stringify(config));
    const app = join(dirname(fileURLToPath(import.meta.resolve('node-media-server'))), '../bin/app.js');
    const program = await ChildProgram.start(process.execPath, [app, '-c', configFile], {
      cwd: directory,
      limitMs: RUN_LIMIT_MS,
    });
    const server = new NodeMediaServer(directory, ports, program);
    await eventually(
      () =>
        fetch(`${server.#api}/health`).then(
          ({ ok }) => ok,
          () => false,
        ),
      START_LIMIT_MS,
      () => `Node-Media-Server does not start\n${program.tail()}`,
    );
    return server;
  }

  /** It fetches a stream from another server, or sends it there, and tries again until it can. */
  async relay(task: Relay): Promise<void> {
    const answer = await fetch(`${this.#api}/relay`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token()}` },
      body: JSON.stringify({ ...task, reconnectInterval: 200 }),
    });
    if (!answer.ok) throw new Error(`Node-Media-Server does not relay: ${answer.status} ${await answer.text()}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program.stop();
    this.#ports.release();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** A JSON web token (RFC 7519) that lets in whoever knows the secret. */
function token(): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ username: 'test', exp: Math.floor(Date.now() / 1000) + 3600 })}`;
  return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`;
}
