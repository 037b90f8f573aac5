/** The HTTP server of files and streams over a directory of its own, on real sockets. */
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Config, loadConfig } from '@srs/config';
import { type Clock, type Log, type LogLine, memoryLog, systemClock } from '@srs/kernel';
import type { FastifyPluginAsync } from 'fastify';
import { HttpFront } from './http-front.ts';
import { createMediaServer, type MediaServer } from './media-server.ts';
import type { MediaServices, MediaTimes } from './media-services.ts';
import type { QuickService } from './quick-connection.ts';
import { QuickFiles } from './quick-files.ts';
import { QuickMedia, type QuickSource } from './quick-media.ts';

const HOST = '127.0.0.1';

export interface MediaAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  /** Undefined when it is no JSON. */
  readonly body: unknown;
}

export interface MediaQuestion {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface MediaOptions {
  /** The inside of `http_stream { }`; its directory is `DIR/www`. */
  readonly httpStream?: string;
  /** `DIR` stands for the directory of the test. */
  readonly vhosts?: string;
  readonly plugins?: readonly FastifyPluginAsync[];
  /** More of what the server consists of; comes before the files. */
  readonly parts?: (services: MediaServices, files: QuickFiles) => MediaParts;
  readonly times?: MediaTimes;
  readonly clock?: Clock;
}

export interface MediaParts {
  readonly plugins: readonly FastifyPluginAsync[];
  readonly sources: readonly QuickSource[];
  readonly hides?: MediaServices['hides'];
}

export class TestMedia {
  /** Holds `www`, which is served, and what else a test puts beside it. */
  readonly directory = mkdtempSync(join(tmpdir(), 'srs-media-'));
  readonly log: Log & { readonly lines: readonly LogLine[] } = memoryLog();
  readonly #options: MediaOptions;
  readonly #front: HttpFront;
  #config: Config;
  #server: MediaServer | undefined;
  #quick: QuickService | undefined;
  #connections = 0;
  #served = 0;

  private constructor(options: MediaOptions) {
    this.#options = options;
    this.#config = this.#load(options);
    this.#front = new HttpFront({
      log: this.log,
      serve: (incoming, response) => {
        this.#served += 1;
        this.#server?.serve(incoming, response);
      },
      quick: { answer: (asked, socket) => this.#quick?.answer(asked, socket) },
      claimConnection: () => {
        this.#connections += 1;
        return true;
      },
      releaseConnection: () => {
        this.#connections -= 1;
      },
      closeListener: (server) => {
        server.close();
        return [];
      },
    });
  }

  static async start(options: MediaOptions = {}): Promise<TestMedia> {
    const media = new TestMedia(options);
    mkdirSync(join(media.directory, 'www'));
    const services = {
      config: () => media.#config,
      identity: { version: '2.1.3' },
      clock: options.clock ?? systemClock,
      log: media.log,
      ...(options.times === undefined ? {} : { times: options.times }),
    };
    const files = new QuickFiles(services);
    const parts = options.parts?.(services, files);
    const hides = parts?.hides;
    const all = hides === undefined ? services : { ...services, hides };
    media.#server = await createMediaServer(all, [...(options.plugins ?? []), ...(parts?.plugins ?? [])]);
    media.#quick = new QuickMedia(services, [...(parts?.sources ?? []), files]);
    await media.#front.listen('media', { host: HOST, port: 0 });
    return media;
  }

  get port(): number {
    return this.#front.portOf('media');
  }

  /** Open on the side of the server. */
  get connections(): number {
    return this.#connections;
  }

  get config(): Config {
    return this.#config;
  }

  /** Requests that took the way of every request, and not the quick one. */
  get served(): number {
    return this.#served;
  }

  /** Another configuration is in force from now on. */
  reload(options: Pick<MediaOptions, 'httpStream' | 'vhosts'>): void {
    this.#config = this.#load({ ...this.#options, ...options });
  }

  /** @returns where it is */
  write(path: string, contents: string | Buffer): string {
    const full = join(this.directory, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, contents);
    return full;
  }

  ask(path: string, { method = 'GET', headers = {} }: MediaQuestion = {}): Promise<MediaAnswer> {
    return new Promise((resolve, reject) => {
      const asked = request({ host: HOST, port: this.port, path, method, headers, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const bytes = Buffer.concat(chunks);
          resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes, body: parsed(bytes) });
        });
      });
      asked.on('error', reject);
      asked.end();
    });
  }

  /** One connection for several requests. */
  async keepAlive(): Promise<KeptConnection> {
    return new KeptConnection(await this.connect(''));
  }

  /** A connection that has sent these bytes and reads nothing yet. */
  async connect(text: string): Promise<Socket> {
    const socket = connect(this.port, HOST);
    socket.pause();
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write(text, 'latin1');
    return socket;
  }

  /** All that comes back until the server closes the connection. */
  async talk(text: string): Promise<string> {
    return (await readAll(await this.connect(text))).toString('latin1');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#front.close(0);
    await this.#server?.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  #load({ httpStream = '', vhosts = 'vhost __defaultVhost__ { }' }: MediaOptions): Config {
    const text = `listen 1935; http_stream { enabled on; dir DIR/www; ${httpStream} } ${vhosts}`;
    return loadConfig(text.replaceAll('DIR', this.directory), { fileName: 'srs.conf' }).config;
  }
}

/** Asks one thing after the other, each when the one before is answered. */
export class KeptConnection {
  readonly socket: Socket;
  #chunks: Buffer[] = [];
  #length = 0;
  #onBytes: (() => void) | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.#chunks.push(bytes);
      this.#length += bytes.length;
      this.#onBytes?.();
    });
    socket.once('close', () => this.#onBytes?.());
    socket.resume();
  }

  /** @returns the head, and as many bytes behind it as it promises */
  async ask(text: string): Promise<{ readonly head: string; readonly body: Buffer }> {
    this.socket.write(text, 'latin1');
    const head = (await this.#take(() => this.#joined().indexOf('\r\n\r\n') + 4, 4)).toString('latin1');
    const hasBody = !text.startsWith('HEAD') && !head.startsWith('HTTP/1.1 304');
    const length = hasBody ? Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0) : 0;
    return { head, body: await this.#take(() => length, 0) };
  }

  /** The first bytes, when there are so many, and at least `least`. */
  async #take(length: () => number, least: number): Promise<Buffer> {
    while (length() < least || this.#length < length()) {
      if (this.socket.destroyed) throw new Error('the connection was closed');
      await new Promise<void>((resolve) => {
        this.#onBytes = resolve;
      });
    }
    const all = this.#joined();
    const taken = all.subarray(0, length());
    this.#chunks = [all.subarray(taken.length)];
    this.#length -= taken.length;
    return taken;
  }

  #joined(): Buffer {
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0]!;
  }
}

/** What comes until the end of the connection. */
export async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.resume();
  await once(socket, 'close');
  return Buffer.concat(chunks);
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}
