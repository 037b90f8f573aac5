/** The streams that a worker follows: one subscription and one wake-up per stream, whatever the number of its readers. */
import type { PublisherInfo, RingRef, StreamState } from '@srs/control';
import type { Arena, Log } from '@srs/kernel';
import type { Subscriber } from './directory-client.ts';
import { RingSource } from './ring-source.ts';

/** Somebody in this worker who reads a stream: the fan-out of one format, a feature. */
export interface StreamConsumer {
  /** The stream got a (new) ring. Older rings are still to be read to their end first. */
  onSource(source: RingSource): void;
  /** There may be something new in the rings. */
  onWake(): void;
}

/** Where streams are found, and who is told which rings are looked at. */
export interface StreamDirectory {
  /** One subscriber per stream. It hears the state now (as soon as it is known) and at every change. */
  subscribe(streamId: string, subscriber: Subscriber): void;
  unsubscribe(streamId: string): void;
  /** This process looks at the ring: its memory must stay. */
  holdRing(ring: RingRef): void;
  /** The last reader of this process has left the ring. */
  releaseRing(ring: RingRef): void;
}

export interface LiveStreamsOptions {
  readonly directory: StreamDirectory;
  readonly arenas: readonly Arena[];
  readonly log: Log;
}

/** A stream that somebody in this worker reads. */
export class LiveStream implements Subscriber {
  readonly streamId: string;
  readonly param: string;
  readonly #streams: LiveStreams;
  readonly #consumers = new Set<StreamConsumer>();
  #source: RingSource | undefined;
  /** The source before the one to come, for players that have not read it to its end; not kept in use by this. */
  #lastSource: RingSource | undefined;
  #publisher: PublisherInfo | null = null;
  #lastTimestampMs = 0;
  #isKnown = false;

  constructor(streamId: string, param: string, streams: LiveStreams) {
    this.streamId = streamId;
    this.param = param;
    this.#streams = streams;
  }

  /** The newest ring; undefined while nobody publishes. */
  get source(): RingSource | undefined {
    return this.#source;
  }

  /** The directory has said how the stream stands: without a source nobody publishes it. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  get publisher(): PublisherInfo | null {
    return this.#publisher;
  }

  attach(consumer: StreamConsumer): void {
    this.#consumers.add(consumer);
    if (this.#source !== undefined) consumer.onSource(this.#source);
  }

  detach(consumer: StreamConsumer): void {
    if (!this.#consumers.delete(consumer) || this.#consumers.size > 0) return;
    this.#streams.forget(this);
    this.#source?.release();
    this.#source = undefined;
  }

  wake(): void {
    for (const consumer of this.#consumers) consumer.onWake();
  }

  /** Of the newest frame of the newest ring, whether it is still written or not; 0 before the first publish. */
  get lastTimestampMs(): number {
    if (this.#source !== undefined) this.#noteTime(this.#source);
    return this.#lastTimestampMs;
  }

  /** The directory's word on the stream. */
  onState(state: StreamState): void {
    const { ring } = state;
    const wasAwaited = this.#isKnown;
    this.#isKnown = true;
    this.#publisher = state.publisher;
    const previous = this.#source;
    if (ring === null) {
      if (previous !== undefined) this.#noteTime(previous);
      // Who still reads the old ring keeps it; new readers wait for the next publish.
      previous?.release();
      this.#source = undefined;
      this.wake();
      return;
    }
    if (previous?.isSame(ring)) return;
    const last = this.#lastSource;
    // Told to be over and then not, as by a back-source that heard of the publisher late: it must not follow upon itself.
    const isBack = last?.isSame(ring) === true && last.isInUse;
    const source = (isBack ? last : this.#streams.openSource(ring, state.publisher, wasAwaited)).retain();
    if (!isBack) last?.setNext(source);
    this.#source = source;
    this.#lastSource = source;
    previous?.release();
    for (const consumer of this.#consumers) consumer.onSource(source);
  }

  #noteTime(source: RingSource): void {
    const newestMs = source.newestTimestampMs();
    if (newestMs !== undefined) this.#lastTimestampMs = newestMs;
  }
}

export class LiveStreams {
  readonly #options: LiveStreamsOptions;
  readonly #streams = new Map<string, LiveStream>();

  constructor(options: LiveStreamsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#streams.size;
  }

  values(): IterableIterator<LiveStream> {
    return this.#streams.values();
  }

  /** The stream, subscribed if it was not; it is forgotten when its last consumer leaves. @param param of the viewer for whom */
  follow(streamId: string, param = ''): LiveStream {
    let stream = this.#streams.get(streamId);
    if (stream === undefined) {
      stream = new LiveStream(streamId, param, this);
      const followed = stream;
      this.#streams.set(streamId, stream);
      this.#options.directory.subscribe(streamId, followed);
    }
    return stream;
  }

  /** The process was woken: some ring has news. */
  wake(): void {
    for (const stream of this.#streams.values()) stream.wake();
  }

  forget(stream: LiveStream): void {
    if (this.#streams.get(stream.streamId) !== stream) return;
    this.#streams.delete(stream.streamId);
    this.#options.directory.unsubscribe(stream.streamId);
  }

  openSource(ring: NonNullable<StreamState['ring']>, publisher: PublisherInfo | null, wasAwaited: boolean): RingSource {
    const { directory, arenas } = this.#options;
    directory.holdRing(ring);
    return new RingSource({
      ring,
      arena: arenas[ring.arena]!,
      publisher,
      wasAwaited,
      onReleased: () => directory.releaseRing(ring),
    });
  }
}
