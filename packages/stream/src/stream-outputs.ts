/** The outputs of all streams that are published: which features want which stream, from its publish to its end. */
import { type Config, isSameConfig, splitStreamId, type VhostConfig } from '@srs/config';
import type { Lease } from '@srs/control';
import { describeError, type Log } from '@srs/kernel';
import type { LiveStreams } from './live-stream.ts';
import type { Feature, OutputStream } from './output.ts';
import { OutputReader } from './output-reader.ts';

export interface StreamOutputsOptions {
  /** All that may want a stream of the vhost; asked for at each publish and reload. The same object stands for the same output. */
  readonly features: (vhost: VhostConfig, streamId: string) => readonly Feature[];
  /** Ends what all of them keep; every output has ended before. */
  readonly closeFeatures: () => Promise<void>;
  readonly liveStreams: LiveStreams;
  readonly config: () => Config;
  readonly log: Log;
  readonly slot: number;
  /** Disconnects who publishes the stream. */
  readonly dismiss: (streamId: string, reason: string) => void;
}

/** One stream from its publish to its end. */
interface Published {
  readonly lease: Lease;
  readonly outputs: Map<Feature, Output>;
}

interface Output {
  readonly section: unknown;
  /** Undefined while the one before it is being written, when the feature leaves the stream out, and when it has ended. */
  reader: OutputReader | undefined;
}

export class StreamOutputs {
  readonly #options: StreamOutputsOptions;
  readonly #published = new Map<string, Published>();
  /**
   * By feature and stream: resolves when the newest output has been written. The next one writes to the same place, and waits for it:
   * a publish may begin while the last frames of the one before are still being read.
   */
  readonly #tails = new Map<string, Promise<void>>();
  #isClosed = false;

  constructor(options: StreamOutputsOptions) {
    this.#options = options;
  }

  /**
   * Somebody publishes the stream.
   * @param isFresh the publish begins; otherwise it has been running and this process has just come to know of it
   */
  begin(lease: Lease, isFresh: boolean): void {
    const { streamId } = lease;
    const published: Published = { lease, outputs: new Map() };
    this.#published.set(streamId, published);
    const vhost = this.#vhostOf(streamId);
    if (vhost === undefined) return;
    for (const feature of this.#options.features(vhost, streamId)) {
      this.#plan(streamId, published, feature, feature.select(vhost, streamId), isFresh);
    }
  }

  /** The publish is over: what runs reads its ring to the end, and then ends by itself. */
  end(streamId: string): void {
    this.#published.delete(streamId);
  }

  /** A reload: outputs whose section is the same go on, others end and begin anew. */
  configure(): void {
    for (const [streamId, published] of this.#published) this.#reselect(streamId, published);
  }

  /** A feature wants something else of one stream than before: the same as a reload, for it alone. @returns false when nobody publishes it */
  reselect(streamId: string): boolean {
    const published = this.#published.get(streamId);
    if (published !== undefined) this.#reselect(streamId, published);
    return published !== undefined;
  }

  /** Of the publish that runs. */
  leaseOf(streamId: string): Lease | undefined {
    return this.#published.get(streamId)?.lease;
  }

  /** Ends everything, and resolves when all has been written. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { outputs } of this.#published.values()) for (const { reader } of outputs.values()) reader?.close('stopping');
    this.#published.clear();
    await Promise.all(this.#tails.values());
    await this.#options.closeFeatures();
  }

  #reselect(streamId: string, published: Published): void {
    const vhost = this.#vhostOf(streamId);
    const wanted = vhost === undefined ? [] : this.#options.features(vhost, streamId);
    for (const feature of new Set([...published.outputs.keys(), ...wanted])) {
      const isWanted = vhost !== undefined && wanted.includes(feature);
      const section = isWanted ? feature.select(vhost, streamId) : null;
      const output = published.outputs.get(feature);
      if (isSameConfig(output?.section ?? null, section)) continue;
      published.outputs.delete(feature);
      output?.reader?.close('reconfigured');
      this.#plan(streamId, published, feature, section, false);
    }
  }

  #plan(streamId: string, published: Published, feature: Feature, section: unknown, isFresh: boolean): void {
    if (section === null) return;
    const output: Output = { section, reader: undefined };
    published.outputs.set(feature, output);
    const key = `${feature.name} ${streamId}`;
    const before = this.#tails.get(key);
    if (before === undefined) {
      void this.#open(key, streamId, published, feature, output, isFresh);
      return;
    }
    this.#setTail(
      key,
      before.then(() => {
        const isPublished = this.#published.get(streamId) === published;
        const isWanted = isPublished && !this.#isClosed && published.outputs.get(feature) === output;
        return isWanted ? this.#open(key, streamId, published, feature, output, isFresh) : undefined;
      }),
    );
  }

  /** @returns what resolves when the output has been written */
  #open(
    key: string,
    streamId: string,
    published: Published,
    feature: Feature,
    output: Output,
    isFresh: boolean,
  ): Promise<void> | undefined {
    const { liveStreams, slot, log } = this.#options;
    const name = `${feature.name} of ${streamId}`;
    const stream = this.#describe(published.lease, output);
    if (stream === undefined) return undefined;
    try {
      const consumer = feature.open(stream, output.section);
      if (consumer === undefined) return undefined;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#setTail(key, promise);
      output.reader = new OutputReader({
        name,
        stream: liveStreams.follow(streamId),
        consumer,
        isFresh,
        log: stream.log,
        slot,
        onWritten: resolve,
      });
      return promise;
    } catch (error) {
      log.error(`${name} ends until the next publish: ${describeError(error)}`);
      return undefined;
    }
  }

  #setTail(key: string, tail: Promise<void>): void {
    this.#tails.set(key, tail);
    void tail.then(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    });
  }

  #describe({ streamId, publisher, param, isPulled, hops }: Lease, output: Output): OutputStream | undefined {
    const vhost = this.#vhostOf(streamId);
    if (vhost === undefined) return undefined;
    const { app, stream } = splitStreamId(streamId);
    const { log, dismiss } = this.#options;
    return {
      streamId,
      vhost,
      app,
      name: stream,
      publisher,
      param,
      isPulled,
      hops,
      log: log.child(publisher.cid),
      dismissPublisher: (reason) => dismiss(streamId, reason),
      resume: (from) => output.reader?.resume(from),
    };
  }

  #vhostOf(streamId: string): VhostConfig | undefined {
    return this.#options.config().vhosts.get(splitStreamId(streamId).vhost);
  }
}
