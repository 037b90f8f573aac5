/** One publish of one connection: the lease on the stream and the writer of its ring. */
import type { VhostConfig } from '@srs/config';
import type { Lease, PublishAnswer, RevokeReason } from '@srs/control';
import { describeError, type FrameType, type Log, SrsError } from '@srs/kernel';
import { type HeldLease, StreamWriter, type StreamWriterSettings, type StreamWriterStatistics } from '@srs/stream';
import { metadataProperties, type PublishServices } from './publish-services.ts';

export interface PublishingOptions {
  readonly services: PublishServices;
  readonly vhost: VhostConfig;
  readonly streamId: string;
  /** Parameters of the publisher, for whoever is told of what is made of the stream. */
  readonly param: string;
  /** As the publisher wrote it. */
  readonly tcUrl: string;
  /** Names of the servers that the stream has passed through before this one. */
  readonly hops: readonly string[];
  readonly log: Log;
  readonly ip: string;
  /** Somebody else publishes now, or the server closed the stream. */
  onRevoked(reason: RevokeReason, detail: string): void;
}

export class Publishing implements HeldLease {
  readonly streamId: string;
  readonly #options: PublishingOptions;
  #vhost: VhostConfig;
  readonly #writer: StreamWriter;
  #lease: Lease;
  #hasMedia = false;
  #isEnded = false;

  private constructor(options: PublishingOptions, answer: PublishAnswer & { readonly isGranted: true }) {
    const { services, vhost } = options;
    this.#options = options;
    this.#vhost = vhost;
    this.streamId = options.streamId;
    this.#lease = answer.lease;
    this.#writer = new StreamWriter({
      arenas: services.arenas,
      ring: answer.lease.ring,
      writer: { slot: services.slot, pid: services.pid },
      clock: services.clock,
      log: options.log,
      ...settingsOf(vhost),
      startTimestampMs: answer.startTimestampMs,
      serverProperties: metadataProperties(services.identity),
      ringDoorbell: (slot) => services.ringDoorbell(slot),
      onOutgrown: (capacityBytes) => void this.#grow(capacityBytes),
    });
    services.directory.hold(this);
  }

  /** @returns the refusal when the stream has a publisher already, or there is no memory for it */
  static async open(options: PublishingOptions): Promise<Publishing | (PublishAnswer & { readonly isGranted: false })> {
    const answer = await options.services.directory.publish({
      streamId: options.streamId,
      cid: options.log.cid,
      ip: options.ip,
      param: options.param,
      tcUrl: options.tcUrl,
      hops: options.hops,
      busy: options.vhost.publish.busy,
    });
    return answer.isGranted ? Publishing.begin(options, answer) : answer;
  }

  /** With a lease that was asked for already. */
  static begin(options: PublishingOptions, answer: PublishAnswer & { readonly isGranted: true }): Publishing {
    return new Publishing(options, answer);
  }

  get lease(): Lease {
    return this.#lease;
  }

  get statistics(): StreamWriterStatistics {
    return this.#writer.statistics;
  }

  /** A reload: goes on under these settings. */
  configure(vhost: VhostConfig): void {
    if (vhost === this.#vhost) return;
    this.#vhost = vhost;
    this.#writer.configure(settingsOf(vhost));
  }

  lastTimestampMs(): number {
    return this.#writer.lastTimestampMs;
  }

  onRevoked(reason: RevokeReason, detail: string): void {
    this.#options.onRevoked(reason, detail);
  }

  /** Hot path. @throws SrsError for a decoder configuration or metadata that cannot be read */
  write(type: FrameType, timestampMs: number, payload: Buffer): void {
    this.#hasMedia = true;
    this.#writer.write(type, timestampMs, payload);
  }

  /** The frames that came together have been written: wakes who waits for them. */
  flush(): void {
    this.#writer.flush();
  }

  /** How long this publisher can surely go on if it stays silent, and must then be looked at again; 0 or less: it is to be given up. */
  patienceMs(): number {
    const { firstPacketTimeoutMs, normalTimeoutMs } = this.#vhost.publish;
    const limitMs = this.#hasMedia ? normalTimeoutMs : firstPacketTimeoutMs;
    // No longer than the normal time-out: the first media, which makes that one count, may come at any moment.
    return Math.min(this.#writer.lastArrivalMs + limitMs - this.#options.services.clock.nowMs(), normalTimeoutMs);
  }

  /** The error of a publisher whose patience has run out. */
  silence(): SrsError {
    const { firstPacketTimeoutMs, normalTimeoutMs } = this.#vhost.publish;
    return this.#hasMedia
      ? new SrsError('SocketTimeout', `publisher sent no media for ${normalTimeoutMs} ms (publish normal_timeout)`)
      : new SrsError('SocketTimeout', `publisher sent no media within ${firstPacketTimeoutMs} ms (publish firstpkt_timeout)`);
  }

  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#writer.end();
    this.#options.services.directory.unpublish(this.#lease, this.#writer.lastTimestampMs);
    this.#options.log.trace('cleanup when unpublish');
  }

  async #grow(capacityBytes: number): Promise<void> {
    const { directory } = this.#options.services;
    try {
      const ring = await directory.grow(this.#lease, capacityBytes);
      if (this.#isEnded) return;
      if (ring === null) {
        this.#options.log.warn(
          `stream ${this.streamId}: no bigger ring than ${this.#lease.ring.sizeBytes} bytes (ring max_size)`,
        );
        this.#writer.stay();
        return;
      }
      this.#writer.moveTo(ring);
      this.#lease = { ...this.#lease, ring };
      directory.moved(this.#lease);
      this.#options.log.trace(`stream ${this.streamId}: ring grows to ${ring.sizeBytes} bytes`);
    } catch (error) {
      this.#options.log.warn(`stream ${this.streamId}: ring does not grow: ${describeError(error)}`);
      if (!this.#isEnded) this.#writer.stay();
    }
  }
}

function settingsOf({ timeJitter, atc, atcAuto, publish }: VhostConfig): StreamWriterSettings {
  return { timeJitter, atc, atcAuto, parseHeaders: publish.parseSps };
}
