/** Servers that streams are forwarded to, in the test's own process: all names of streams on one port, and each does as its name says. */
import type { Socket } from 'node:net';
import { nodeRtmpCrypto, ServerSession } from '@srs/rtmp';
import { LoopbackServer, loopbackInfo } from '../support/loopback-server.ts';
import { SequenceChecker } from './stamped-media-test-support.ts';

/** `refuse-1` lets nobody publish, `slow-20-1` reads 20 kB in a second, all others take what comes. */
export class ForwardReceivers {
  /** One for each publish: who reads slowly is not at the end of one when the next has begun. */
  readonly publishes: { readonly streamName: string; readonly checker: SequenceChecker }[] = [];
  readonly #publishedAs: string;
  #server!: LoopbackServer;

  private constructor(publishedAs: string) {
    this.#publishedAs = publishedAs;
  }

  /** @param publishedAs the stream that all of them are made of */
  static async start(publishedAs: string, tls?: { readonly key: string; readonly cert: string }): Promise<ForwardReceivers> {
    const receivers = new ForwardReceivers(publishedAs);
    const onSocket = (socket: Socket): void => receivers.#serve(socket);
    receivers.#server = await LoopbackServer.start({ onSocket, ...(tls === undefined ? {} : { tls }) });
    return receivers;
  }

  get port(): number {
    return this.#server.port;
  }

  url(streamName: string): string {
    return this.#server.url(`live/${streamName}`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server.stop();
  }

  #serve(socket: Socket): void {
    let checker: SequenceChecker | undefined;
    let bytesPerMs = Number.POSITIVE_INFINITY;
    const session: ServerSession = new ServerSession(
      {
        onSend: (bytes) => void (socket.writable && socket.write(bytes)),
        onConnect: () => session.acceptConnect(loopbackInfo),
        onPublish: ({ streamName }) => {
          if (streamName.startsWith('refuse')) {
            session.reject('NetStream.Publish.BadName', 'not here');
            return;
          }
          bytesPerMs = Number(/^slow-(\d+)-/.exec(streamName)?.[1] ?? Number.POSITIVE_INFINITY);
          checker = new SequenceChecker(this.#publishedAs);
          this.publishes.push({ streamName, checker });
          session.acceptPublish();
        },
        onPlay: () => session.reject('NetStream.Play.Failed', 'not here'),
        onMedia: (type, timestampMs, payload) => checker?.accept(type, timestampMs, payload),
        onUnpublish: () => {},
        onPause: () => {},
        onStop: () => {},
        onCommand: () => true,
      },
      { crypto: nodeRtmpCrypto, unixSeconds: () => 0 },
    );
    socket.on('data', (bytes: Buffer) => {
      session.receive(bytes);
      if (bytesPerMs === Number.POSITIVE_INFINITY) return;
      socket.pause();
      setTimeout(() => socket.resume(), bytes.length / bytesPerMs);
    });
  }
}
