/** An object store under the control of a test: a real S3 server behind a front that keeps what was asked, checks bodies, and fails when it is told to. */
import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { Agent, createServer, type IncomingMessage, request as requestPlain, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import S3rver from '@20minutes/s3rver';
import { within } from '../../../test/support/deadline.ts';
import type { UploadSettings } from './upload-settings.ts';

export interface StoreRequest {
  /** `PUT live/a.flv`, with the names of its parameters: `PUT live/a.flv?partNumber&uploadId`. */
  readonly name: string;
  readonly headers: IncomingMessage['headers'];
}

/**
 * What a request meets instead of the S3 server: a whole answer; `drop`, its connection is cut when its body has come; `hang`, no answer; `corrupt`, its
 * body is another one when it arrives.
 */
type Fault = { readonly status: number; readonly body?: string } | 'drop' | 'hang' | 'corrupt';

/** Headers that are put into an answer of the S3 server. */
type Addition = (request: StoreRequest) => Readonly<Record<string, string>>;

const WAIT_LIMIT_MS = 20_000;
const BUCKET = 'recordings';

export class TestStore {
  readonly requests: StoreRequest[] = [];
  fault: (request: StoreRequest) => Fault | undefined = () => undefined;
  addition: Addition = () => ({});
  /** Bodies at once, at most. */
  mostBodies = 0;
  readonly #directory: string;
  readonly #s3: S3rver;
  readonly #s3Port: number;
  /** Its connections to the S3 server, which would wait for them at its end. */
  readonly #agent = new Agent({ keepAlive: true });
  readonly #front: Server;
  readonly #scheme: string;
  readonly #events = new EventEmitter<{ request: [] }>();
  readonly #serving = new Set<Promise<void>>();
  #bodies = 0;

  private constructor(o: { directory: string; s3: S3rver; s3Port: number; front: Server; scheme: string }) {
    this.#directory = o.directory;
    this.#s3 = o.s3;
    this.#s3Port = o.s3Port;
    this.#front = o.front;
    this.#scheme = o.scheme;
    this.#events.setMaxListeners(0);
    o.front.on('request', (request: IncomingMessage, response: ServerResponse) => {
      request.on('error', () => {});
      response.on('error', () => {});
      const served = this.#serve(request, response).catch(() => {
        response.destroy();
      });
      this.#serving.add(served);
      void served.then(() => this.#serving.delete(served));
    });
  }

  static async start(tls?: { readonly key: string; readonly cert: string }): Promise<TestStore> {
    const directory = mkdtempSync(join(tmpdir(), 'srs-s3-'));
    const s3 = new S3rver({ address: '127.0.0.1', port: 0, silent: true, directory, configureBuckets: [{ name: BUCKET }] });
    const { port } = await s3.run();
    const front = tls === undefined ? createServer() : createTlsServer(tls);
    front.listen(0, '127.0.0.1');
    await once(front, 'listening');
    return new TestStore({ directory, s3, s3Port: port, front, scheme: tls === undefined ? 'http' : 'https' });
  }

  get endpoint(): string {
    return `${this.#scheme}://127.0.0.1:${(this.#front.address() as AddressInfo).port}`;
  }

  settings(more: Partial<UploadSettings> = {}): UploadSettings {
    return {
      endpoint: this.endpoint,
      region: 'us-east-1',
      bucket: BUCKET,
      prefix: '',
      accessKey: 'S3RVER',
      secretKey: 'S3RVER',
      deleteAfter: false,
      ...more,
    };
  }

  /** Keys of what is in the bucket. */
  keys(): string[] {
    const ending = '._S3rver_object';
    return readdirSync(join(this.#directory, BUCKET), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith(ending))
      .map((path) => path.slice(0, -ending.length))
      .sort();
  }

  object(key: string): Buffer {
    return readFileSync(join(this.#directory, BUCKET, `${key}._S3rver_object`));
  }

  /** Uploads in parts that have begun and not ended. */
  unfinished(): string[] {
    const directory = join(this.#directory, BUCKET, '._S3rver_uploads');
    return existsSync(directory) ? readdirSync(directory) : [];
  }

  names(method = ''): string[] {
    return this.requests.map(({ name }) => name).filter((name) => name.startsWith(method));
  }

  async waitFor(matches: (request: StoreRequest) => boolean, count = 1): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => {
      if (this.requests.filter(matches).length >= count) resolve();
    };
    this.#events.on('request', look);
    look();
    try {
      await within(promise, WAIT_LIMIT_MS, () => `the store is asked (so far ${this.names().join(', ')})`);
    } finally {
      this.#events.off('request', look);
    }
  }

  async close(): Promise<void> {
    this.#front.close();
    this.#front.closeAllConnections();
    await Promise.all(this.#serving);
    this.#agent.destroy();
    await this.#s3.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://front');
    const key = decodeURIComponent(url.pathname.slice(`/${BUCKET}/`.length));
    const parameters = Array.from(url.searchParams.keys()).join('&');
    const asked = { name: `${request.method} ${key}${parameters === '' ? '' : `?${parameters}`}`, headers: request.headers };
    const fault = this.fault(asked);
    this.requests.push(asked);
    this.#events.emit('request');
    if (fault === 'hang') return;
    const body = await this.#read(request);
    if (fault === 'drop') {
      request.socket.destroy();
    } else if (typeof fault === 'object') {
      answer(response, fault.status, fault.body ?? '');
    } else if (request.method === 'DELETE' && url.searchParams.has('uploadId')) {
      // This the S3 server does not do.
      const upload = join(this.#directory, BUCKET, '._S3rver_uploads', url.searchParams.get('uploadId') ?? '');
      const isThere = existsSync(upload);
      rmSync(upload, { recursive: true, force: true });
      answer(response, isThere ? 204 : 404, '');
    } else {
      const came = fault === 'corrupt' ? corrupted(body) : body;
      const problem = digestProblem(request, came);
      if (problem === undefined) await this.#pass(request, came, response, this.addition(asked));
      else answer(response, 400, `<Error><Code>${problem}</Code><Message>It is another one.</Message></Error>`);
    }
  }

  async #read(request: IncomingMessage): Promise<Buffer> {
    const hasBody = Number(request.headers['content-length'] ?? 0) > 0;
    if (hasBody) this.#bodies += 1;
    this.mostBodies = Math.max(this.mostBodies, this.#bodies);
    try {
      return Buffer.concat((await request.toArray()) as Buffer[]);
    } finally {
      if (hasBody) this.#bodies -= 1;
    }
  }

  async #pass(
    request: IncomingMessage,
    body: Buffer,
    response: ServerResponse,
    more: Readonly<Record<string, string>>,
  ): Promise<void> {
    const { method = '', url: path = '/', headers } = request;
    const passed = requestPlain({ host: '127.0.0.1', port: this.#s3Port, method, path, headers, agent: this.#agent });
    passed.end(body);
    const [answered] = (await once(passed, 'response')) as [IncomingMessage];
    // To its end, whether somebody is still there or not.
    const content = Buffer.concat((await answered.toArray()) as Buffer[]);
    response.writeHead(answered.statusCode ?? 500, { ...answered.headers, ...more }).end(content);
  }
}

/** What S3 itself checks, and this server does not. */
function digestProblem({ headers }: IncomingMessage, body: Buffer): string | undefined {
  const md5 = headers['content-md5'];
  if (md5 !== undefined && md5 !== createHash('md5').update(body).digest('base64')) return 'BadDigest';
  const sha256 = headers['x-amz-content-sha256'];
  return sha256 === createHash('sha256').update(body).digest('hex') ? undefined : 'XAmzContentSHA256Mismatch';
}

function corrupted(body: Buffer): Buffer {
  const copy = Buffer.from(body);
  copy[0] = (copy[0] ?? 0) ^ 1;
  return copy;
}

function answer(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(body) }).end(body);
}
