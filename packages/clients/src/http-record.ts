/** What is told of a client that came with an HTTP request: while it is there, and when it has left. */
import type { Clock, Kbps } from '@srs/kernel';
import type { AdmittedStream } from './admitted-stream.ts';
import type { ClientDescription } from './client-description.ts';
import type { ClientEnd, Departure } from './departures.ts';
import type { HttpIdentity } from './http-admission.ts';

/** The client as it is now. */
interface HttpClientState {
  readonly type: 'publish' | 'play';
  readonly target: AdmittedStream;
  readonly pendingBytes: number;
  readonly traffic: {
    readonly sendBytes: number;
    readonly recvBytes: number;
    readonly sendKbps: Kbps;
    readonly recvKbps: Kbps;
  };
}

/** What differs between those who publish and those who play in one way or another. */
type HttpClientFacts = Pick<
  ClientDescription,
  'protocol' | 'source' | 'isInStep' | 'isPaused' | 'cuts' | 'droppedFrames' | 'lagBytes'
>;

export class HttpRecord {
  readonly identity: HttpIdentity;
  readonly #clock: Clock;
  readonly #startedMs: number;
  #end: ClientEnd | undefined;

  /** The client is there from now on. */
  constructor(identity: HttpIdentity, clock: Clock) {
    this.identity = identity;
    this.#clock = clock;
    this.#startedMs = clock.nowMs();
  }

  /** It has been said why the client leaves. */
  get isEnded(): boolean {
    return this.#end !== undefined;
  }

  get elapsedMs(): number {
    return Math.round(this.#clock.nowMs() - this.#startedMs);
  }

  /** What was said first counts. */
  end(reason: string, isRefused = false): void {
    this.#end ??= { isRefused, reason };
  }

  describe({ type, target, pendingBytes, traffic }: HttpClientState, facts: HttpClientFacts): ClientDescription {
    const { cid, ip, app, tcUrl, pageUrl, userAgent, server } = this.identity;
    const { sendBytes, recvBytes, sendKbps, recvKbps } = traffic;
    return {
      id: cid,
      ip,
      type,
      dialect: '',
      vhost: target.vhost.name,
      app,
      stream: target.stream,
      streamId: target.streamId,
      tcUrl,
      pageUrl,
      swfUrl: '',
      flashVer: userAgent,
      ...(server === undefined ? {} : { server }),
      aliveSeconds: this.#aliveSeconds,
      sendBytes,
      recvBytes,
      sendKbps,
      recvKbps,
      pendingBytes,
      ...facts,
    };
  }

  departure({ type, target }: Pick<HttpClientState, 'type' | 'target'>): Omit<Departure, 'agoSeconds'> {
    const { cid, ip } = this.identity;
    const end = this.#end ?? { isRefused: false, reason: 'disconnected' };
    return { id: cid, ip, type, streamId: target.streamId, aliveSeconds: this.#aliveSeconds, ...end };
  }

  get #aliveSeconds(): number {
    return Math.round((this.#clock.nowMs() - this.#startedMs) / 1000);
  }
}
