/** Tells an API server at an interval that this server is alive. Whatever that one does, nothing else notices. */
import { describeError, type Log, redact } from '@srs/kernel';
import { deviceAddress, localAddresses } from '@srs/native';
import { postJson } from './heartbeat-post.ts';

/** `heartbeat { }`. */
export interface HeartbeatSettings {
  readonly enabled: boolean;
  readonly intervalMs: number;
  readonly url: string;
  readonly deviceId: string;
  readonly summaries: boolean;
  readonly ports: boolean;
}

export interface HeartbeatOptions {
  /** In force, asked for at each beat, so that a reload counts for the next one. */
  settings(): HeartbeatSettings;
  /** `stats { network }`. */
  network(): number;
  /** The whole answer of `/api/v1/summaries`. */
  summaries(): Promise<unknown>;
  /** Ports by service: `rtmp`, `api`, `http`. */
  ports(): Readonly<Record<string, readonly string[]>>;
  /** Whether it is this process's turn: of several with the same settings one beats. */
  isOurs(): Promise<boolean>;
  readonly version: string;
  readonly log: Log;
}

/** How often it is looked whether heartbeats have been switched on. */
const OFF_LOOK_MS = 1_000;
/** A failure that goes on is told again after this time. */
const REPEAT_LOG_MS = 300_000;

/** Beats at once and then at the interval, never two at a time, until it is stopped. Keeps no process alive. */
export function startHeartbeat(options: HeartbeatOptions): { stop(): void } {
  const heartbeat = new Heartbeat(options);
  heartbeat.start();
  return heartbeat;
}

class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #end = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #toldFailure = '';
  #toldMs = 0;
  #warnedNetwork: number | undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  start(): void {
    const { enabled, intervalMs } = this.#options.settings();
    const startMs = performance.now();
    const next = (): void => {
      if (this.#end.signal.aborted) return;
      const waitMs = enabled ? Math.max(0, startMs + intervalMs - performance.now()) : OFF_LOOK_MS;
      this.#timer = setTimeout(() => this.start(), waitMs).unref();
    };
    if (!enabled) next();
    else void this.#beat().finally(next);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#end.abort();
  }

  /** Never rejects. */
  async #beat(): Promise<void> {
    const { version } = this.#options;
    const { url } = this.#options.settings();
    try {
      if (!(await this.#options.isOurs())) return;
      const body = await this.#body();
      await postJson({ url, body, userAgent: `SRS(Simple RTMP Server)${version}`, signal: this.#end.signal });
      this.#noteSuccess(url);
    } catch (error) {
      if (!this.#end.signal.aborted) this.#noteFailure(url, describeError(error));
    }
  }

  async #body(): Promise<object> {
    const options = this.#options;
    const { deviceId, summaries, ports } = options.settings();
    const network = options.network();
    this.#checkNetwork(network);
    return {
      device_id: deviceId,
      ip: deviceAddress(network),
      ...(ports ? options.ports() : {}),
      ...(summaries ? { summaries: await options.summaries() } : {}),
    };
  }

  #checkNetwork(network: number): void {
    const addresses = localAddresses();
    if (network < addresses.length || this.#warnedNetwork === network) return;
    this.#warnedNetwork = network;
    const found = addresses.length === 0 ? 'only the loopback' : `${addresses.length} address(es), ${addresses.join(' ')}`;
    this.#options.log.warn(`stats network ${network}: this machine has ${found}; ${deviceAddress(network)} is used`);
  }

  #noteSuccess(url: string): void {
    if (this.#failures > 0)
      this.#options.log.trace(`heartbeat to ${redact(url)} is taken again, after ${this.#failures} failures`);
    this.#failures = 0;
    this.#toldFailure = '';
  }

  /** Once when it begins or changes, and then now and then: an interval may be a tenth of a second. */
  #noteFailure(url: string, reason: string): void {
    this.#failures += 1;
    const nowMs = performance.now();
    if (reason === this.#toldFailure && nowMs - this.#toldMs < REPEAT_LOG_MS) return;
    this.#toldFailure = reason;
    this.#toldMs = nowMs;
    this.#options.log.warn(`heartbeat to ${redact(url)} failed, ${this.#failures} in a row: ${reason}`);
  }
}
