/** A small server on a loopback port, made of the server's half of the protocol: the tests say what it answers. */
import { EventEmitter, once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { FrameType } from '@srs/kernel';
import { type ConnectRequest, encodeMessage, MEDIA_STREAM_ID, nodeRtmpCrypto, type ServerInfo, ServerSession } from '@srs/rtmp';

export interface ReceivedFrame {
  readonly type: FrameType;
  readonly timestampMs: number;
  readonly payload: Buffer;
}

export const loopbackInfo: ServerInfo = {
  server: 'loopback',
  license: '',
  role: '',
  url: '',
  version: '1',
  site: '',
  email: '',
  copyright: '',
  primary: '',
  authors: '',
  serverIp: '127.0.0.1',
  pid: 7,
  id: 9,
};

type Request = 'connect' | 'publish' | 'play';

interface PeerEvents {
  frame: [frame: ReceivedFrame];
  request: [];
  unpublish: [];
  closed: [];
}

/** One client, as the server sees it. */
export class LoopbackPeer {
  readonly socket: Socket;
  readonly session: ServerSession;
  readonly frames: ReceivedFrame[] = [];
  readonly events = new EventEmitter<PeerEvents>();
  /** What the client asked for, in order. */
  readonly requests: string[] = [];
  readonly connects: ConnectRequest[] = [];
  isUnpublished = false;
  isClosed = false;

  constructor(socket: Socket, answer: (request: Request, peer: LoopbackPeer) => void) {
    this.socket = socket;
    this.session = new ServerSession(
      {
        onSend: (bytes) => void (socket.writable && socket.write(bytes)),
        onConnect: (request) => {
          this.#note(`connect ${request.tcUrl} ${request.app}`);
          this.connects.push(request);
          answer('connect', this);
        },
        onPublish: (request) => {
          this.#note(`publish ${request.streamName}`);
          answer('publish', this);
        },
        onPlay: (request) => {
          this.#note(`play ${request.streamName}`);
          answer('play', this);
        },
        onMedia: (type, timestampMs, payload) => {
          const frame = { type, timestampMs, payload: Buffer.from(payload) };
          this.frames.push(frame);
          this.events.emit('frame', frame);
        },
        onUnpublish: () => {
          this.isUnpublished = true;
          this.events.emit('unpublish');
        },
        onPause: (isPaused) => this.#note(`pause ${isPaused}`),
        onStop: () => {},
        onCommand: (command) => {
          this.#note(`command ${command.name}`);
          return true;
        },
      },
      { crypto: nodeRtmpCrypto, unixSeconds: () => 0 },
    );
    socket.on('data', (bytes: Buffer) => this.session.receive(bytes));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isClosed = true;
      this.events.emit('closed');
    });
  }

  /** Says yes. */
  accept(request: Request): void {
    if (request === 'connect') this.session.acceptConnect(loopbackInfo);
    else if (request === 'publish') this.session.acceptPublish();
    else this.session.acceptPlay();
  }

  sendFrame(type: FrameType, timestampMs: number, payload: Buffer): boolean {
    return this.socket.write(this.encodeFrame(type, timestampMs, payload));
  }

  /** For those who send it in a way of their own. */
  encodeFrame(type: FrameType, timestampMs: number, payload: Buffer): Buffer {
    return encodeMessage(6, type, timestampMs, MEDIA_STREAM_ID, payload, this.session.outChunkSize);
  }

  /** Waits until the client has asked for so much. */
  async requestCount(count: number): Promise<void> {
    while (this.requests.length < count) await once(this.events, 'request');
  }

  async frameCount(count: number): Promise<void> {
    while (this.frames.length < count) await once(this.events, 'frame');
  }

  async unpublished(): Promise<void> {
    if (!this.isUnpublished) await once(this.events, 'unpublish');
  }

  async closed(): Promise<void> {
    if (!this.isClosed) await once(this.events, 'closed');
  }

  #note(request: string): void {
    this.requests.push(request);
    this.events.emit('request');
  }
}

export interface LoopbackOptions {
  /** Instead of saying yes to everything. */
  readonly answer?: (request: Request, peer: LoopbackPeer) => void;
  /** Instead of speaking RTMP at all. */
  readonly onSocket?: (socket: Socket) => void;
  /** Speaks TLS with this key and certificate. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

export class LoopbackServer {
  readonly #server: Server;
  readonly #scheme: string;
  readonly #sockets = new Set<Socket>();
  readonly #peers: LoopbackPeer[] = [];
  readonly #events = new EventEmitter<{ peer: [] }>();

  private constructor(options: LoopbackOptions) {
    const { tls } = options;
    this.#scheme = tls === undefined ? 'rtmp' : 'rtmps';
    const serve = (socket: Socket): void => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      if (options.onSocket !== undefined) {
        socket.on('error', () => {});
        options.onSocket(socket);
        return;
      }
      this.#peers.push(new LoopbackPeer(socket, options.answer ?? ((request, peer) => peer.accept(request))));
      this.#events.emit('peer');
    };
    this.#server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);
  }

  static async start(options: LoopbackOptions = {}): Promise<LoopbackServer> {
    const server = new LoopbackServer(options);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections that are open now. */
  get connectionCount(): number {
    return this.#sockets.size;
  }

  url(path: string): string {
    return `${this.#scheme}://127.0.0.1:${this.port}/${path}`;
  }

  /** The nth client, from 0 on, waiting for it. */
  async peer(index = 0): Promise<LoopbackPeer> {
    while (this.#peers.length <= index) await once(this.#events, 'peer');
    return this.#peers[index]!;
  }

  /** Cuts all connections and listens no more. */
  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
