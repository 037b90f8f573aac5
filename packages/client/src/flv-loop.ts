/** Publishes a clip in real time for ever, whatever becomes of the server. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Clock, describeError, systemClock } from '@srs/kernel';
import { BackOff } from './back-off.ts';
import { type ConnectionOptions, describeCloseReason } from './client-options.ts';
import { ClipPlayout } from './clip-playout.ts';
import type { FlvClip } from './flv-clip.ts';
import { RtmpPublisher } from './rtmp-publisher.ts';
import { parseRtmpUrl, type RtmpTarget } from './rtmp-target.ts';

const RETRY_FIRST_MS = 200;
const RETRY_MAX_MS = 5_000;
/** A publish that lasted this long was not refused: the next retry comes soon again. */
const STABLE_MS = 5_000;

export interface FlvLoopOptions {
  readonly clip: FlvClip;
  readonly target: RtmpTarget | string;
  readonly connection?: Omit<ConnectionOptions, 'signal'>;
  readonly clock?: Clock;
  /** For the spread of retries. */
  readonly random?: () => number;
  /** The server has started the publish; the clip begins from its start. */
  onPublishing?(): void;
  /** The publish could not be started, or has ended. */
  onLost?(reason: string, retryMs: number): void;
}

export class FlvLoop {
  readonly #options: FlvLoopOptions;
  readonly #target: RtmpTarget;
  readonly #clock: Clock;
  readonly #backOff: BackOff;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;

  private constructor(options: FlvLoopOptions) {
    const { target, clock = systemClock, random = Math.random } = options;
    this.#options = options;
    this.#target = typeof target === 'string' ? parseRtmpUrl(target) : target;
    this.#clock = clock;
    this.#backOff = new BackOff({ firstMs: RETRY_FIRST_MS, maxMs: RETRY_MAX_MS, random });
    this.#ended = this.#run();
  }

  /** @throws SrsError RtmpTcUrl when the target is no address of a stream; all that comes later is told and tried again */
  static start(options: FlvLoopOptions): FlvLoop {
    return new FlvLoop(options);
  }

  /** Ends the publish in good order. May be called twice. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const reason = await this.#publishOnce(signal);
      if (signal.aborted) return;
      const retryMs = this.#backOff.next();
      this.#options.onLost?.(reason, retryMs);
      await delay(retryMs, undefined, { signal }).catch(() => {});
    }
  }

  /** @returns why it is over */
  async #publishOnce(signal: AbortSignal): Promise<string> {
    let publisher: RtmpPublisher;
    try {
      publisher = await RtmpPublisher.open(this.#target, { ...this.#options.connection, signal });
    } catch (error) {
      return describeError(error);
    }
    const startedMs = this.#clock.nowMs();
    const close = (): void => void publisher.close();
    signal.addEventListener('abort', close);
    if (signal.aborted) close();
    this.#options.onPublishing?.();
    const playout = new ClipPlayout(this.#options.clip, publisher, this.#clock);
    const reason = await publisher.closed;
    playout.stop();
    signal.removeEventListener('abort', close);
    if (this.#clock.nowMs() - startedMs >= STABLE_MS) this.#backOff.reset();
    return describeCloseReason(reason);
  }
}
