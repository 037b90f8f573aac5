/** One stream on its way to another server, from the beginning to the end of a publish. */
import type { AmfObject } from '@srs/amf';
import { FailureNotes, type PushRetry, RtmpRefusal, type RtmpTarget, StreamPush, type StreamPushState } from '@srs/client';
import { formatAddress } from '@srs/config';
import { type Clock, describeError, type FrameType } from '@srs/kernel';
import { statusCodes } from '@srs/rtmp';
import type { FrameConsumer, OutputStream } from '@srs/stream';

/** Who wants it: the configuration, the answer of the backend, or a request. */
export type ForwardSource = 'config' | 'backend' | 'api';

/** What is told of one destination of one stream. */
export interface ForwardView {
  readonly streamId: string;
  readonly kind: 'forward' | 'edge push';
  readonly source: ForwardSource;
  /** `host:port`, or the URL with its variables as they were written and without its secrets. */
  readonly destination: string;
  readonly state: StreamPushState;
  /** How often a server has started the publish. */
  readonly connects: number;
  readonly sentFrames: number;
  readonly sentBytes: number;
  /** Overtaken while the server was slow, or away after it had been there. */
  readonly droppedFrames: number;
  /** Why the last try or connection ended; empty when none has. */
  readonly lastError: string;
}

export interface ForwardOutputOptions {
  readonly stream: OutputStream;
  /** A server that an edge belongs to has the last word: when it refuses the stream, so does this one. */
  readonly kind: ForwardView['kind'];
  /** Tried in turn; one at least. */
  readonly targets: readonly RtmpTarget[];
  /** Names them all; unless told, each goes by its address. */
  readonly shown?: string;
  /** May change meanwhile. */
  readonly source: () => ForwardSource;
  /** What may wait in the ring before it is skipped. */
  readonly queueLengthMs: number;
  /** For the other server. */
  readonly connectArguments: AmfObject;
  /** They say who this server is. */
  readonly showsIdentity: boolean;
  readonly clock: Clock;
  readonly random: () => number;
  readonly retry: PushRetry;
  readonly onEnd: (output: ForwardOutput) => void;
}

const CONNECT_TIMEOUT_MS = 3_000;
/** A server that shakes hands and then says nothing. */
const START_TIMEOUT_MS = 10_000;
/** A server that has taken nothing for so long is tried anew: the system alone would wait for it for a quarter of an hour. */
const STANDSTILL_MS = 10_000;
const CHUNK_SIZE = 60_000;
/** An origin that refuses for so long means it: what it still had of a publish just before this one is gone by then. */
const REFUSAL_MS = 1_500;

export class ForwardOutput implements FrameConsumer {
  readonly #options: ForwardOutputOptions;
  readonly #push: StreamPush;
  readonly #notes: FailureNotes;
  #lastWallMs = 0;
  #droppedFrames = 0;
  #lastError = '';
  /** Since then every answer has been a no. */
  #refusedAtMs: number | undefined;

  constructor(options: ForwardOutputOptions) {
    const { stream, kind, connectArguments, showsIdentity, retry, random, targets } = options;
    this.#options = options;
    this.#notes = new FailureNotes(options.clock);
    this.#push = new StreamPush({
      targets,
      connection: {
        connectTimeoutMs: CONNECT_TIMEOUT_MS,
        startTimeoutMs: START_TIMEOUT_MS,
        standstillTimeoutMs: STANDSTILL_MS,
        chunkSize: CHUNK_SIZE,
        publishStyle: 'flash',
        args: connectArguments,
      },
      retry,
      random,
      handler: {
        onReady: (target, connected) => {
          const peer = connected?.peer;
          stream.log.trace(
            `${kind} of ${stream.streamId} to ${this.#nameOf(target)}: connected, version=${peer?.version ?? ''}, ip=${peer?.serverIp ?? ''}, pid=${peer?.pid ?? 0}, id=${peer?.id ?? 0}, dsu=${showsIdentity ? 1 : 0}`,
          );
          this.#notes.clear();
          this.#refusedAtMs = undefined;
          stream.resume('newest');
        },
        onDrained: () => stream.resume(this.#isTooLate ? 'newest' : 'next'),
        onLost: (target, reason, waitMs) => this.#onLost(this.#nameOf(target), reason, waitMs),
      },
    });
    this.#push.start();
  }

  get isFull(): boolean {
    return this.#push.isFull;
  }

  get view(): ForwardView {
    const { stream, kind, source } = this.#options;
    const { state, target, connects, sentFrames, sentBytes } = this.#push;
    return {
      streamId: stream.streamId,
      kind,
      source: source(),
      destination: this.#nameOf(target),
      state,
      connects,
      sentFrames,
      sentBytes,
      droppedFrames: this.#droppedFrames,
      lastError: this.#lastError,
    };
  }

  /** Hot path. */
  onFrame(type: FrameType, _flags: number, timestampMs: number, wallMs: number, payload: Buffer): void {
    this.#lastWallMs = wallMs;
    this.#push.write(type, timestampMs, payload);
  }

  onGap(lostFrames: number): void {
    // What came while the first connection was made was never to be sent.
    if (this.#push.sentFrames === 0) return;
    this.#droppedFrames += lostFrames;
  }

  async onEnd(): Promise<void> {
    await this.#push.close();
    this.#options.onEnd(this);
  }

  /** The newest frame that was sent came so long ago. */
  get #isTooLate(): boolean {
    const { clock, queueLengthMs } = this.#options;
    return ((clock.wallMs() - this.#lastWallMs) | 0) > queueLengthMs;
  }

  #nameOf(target: RtmpTarget): string {
    return this.#options.shown ?? formatAddress(target);
  }

  #onLost(destination: string, reason: unknown, waitMs: number): void {
    const { stream, kind, clock } = this.#options;
    const text = describeError(reason);
    this.#lastError = text;
    if (this.#notes.isNews(text))
      stream.log.warn(`${kind} of ${stream.streamId} to ${destination}: ${text}; next try in ${waitMs} ms`);
    const nowMs = clock.nowMs();
    if (!(reason instanceof RtmpRefusal)) return;
    this.#refusedAtMs ??= nowMs;
    // Another try would have the same answer for as long as the stream lasts.
    if (reason.rejection.code === statusCodes.publishLoop) void this.#push.close();
    else if (kind === 'edge push' && nowMs - this.#refusedAtMs >= REFUSAL_MS) stream.dismissPublisher(text);
  }
}
