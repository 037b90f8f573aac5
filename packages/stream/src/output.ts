/** What is made of published streams beside playing them: recordings, HLS, forwarding. Each kind is a feature that knows nothing of the others. */
import type { VhostConfig } from '@srs/config';
import type { PublisherInfo } from '@srs/control';
import type { FrameType, Log } from '@srs/kernel';

/** A published stream, as what is made of it sees it. */
export interface OutputStream {
  /** `vhost/app/stream`. */
  readonly streamId: string;
  readonly vhost: VhostConfig;
  readonly app: string;
  readonly name: string;
  readonly publisher: PublisherInfo;
  /** Parameters of the publisher, from the `?` on; may hold secrets. */
  readonly param: string;
  /** It comes from another server, for viewers here. */
  readonly isPulled: boolean;
  /** Names of the servers that it has passed through before this one. */
  readonly hops: readonly string[];
  /** Its lines carry the publisher's trackable id. */
  readonly log: Log;
  /** Disconnects the publisher. */
  dismissPublisher(reason: string): void;
  /** The consumer is not full any more. @param from where to go on: at the next frame, or past all that waits, at the newest key frame */
  resume(from: 'next' | 'newest'): void;
}

/** Why a consumer gets nothing more: the publish is over, a reload wants something else, the server ends, or it has thrown. */
export type OutputEnd = 'unpublished' | 'reconfigured' | 'stopping' | 'failed';

/** Reads one stream from the beginning to the end of one publish. */
export interface FrameConsumer {
  /**
   * It takes nothing at the moment: what comes waits in the ring, where it may be overtaken (`onGap`), until `resume` is called or the
   * publish is over. Looked at before a run of frames that ends after 1 MiB at most. Absent for one that takes everything.
   */
  readonly isFull?: boolean;
  /**
   * First come the headers and metadata that are kept, then media from a key frame on, or all media when the publish has just begun.
   * Hot path.
   * @param flags `frameFlags`
   * @param timestampMs of decoding, 31 bits
   * @param wallMs when it arrived, modulo 2^32
   * @param payload the body of an FLV tag, valid during the call only
   * @throws anything: the output then ends as `failed` until the next publish
   */
  onFrame(type: FrameType, flags: number, timestampMs: number, wallMs: number, payload: Buffer): void;
  /** Frames were lost, because this process or the consumer was too slow; the headers and a key frame come next. */
  onGap(lostFrames: number): void;
  /** Nothing follows. Resolves when everything has been written. */
  onEnd(reason: OutputEnd): Promise<void>;
}

/** A viewer asks for something that was made of a stream. */
export interface OutputRequest {
  /** The one that serves. */
  readonly vhost: string;
  /** Below the root of its URLs, decoded: `live/one.m3u8`. */
  readonly path: string;
  /** Without the `?`. */
  readonly query: string;
  /** The viewer has gone. */
  readonly signal: AbortSignal;
}

export type OutputAnswer =
  | {
      readonly status: 200;
      readonly contentType: string;
      /** Is not changed any more. */
      readonly body: Buffer;
      /** How long the same request has the same answer. */
      readonly maxAgeSeconds: number;
    }
  | { readonly status: 400 | 404 | 503; readonly reason: string };

/** One kind of output. */
export interface Feature<Section = unknown> {
  readonly name: string;
  /** What is wanted of it for a stream of the vhost; null for nothing. Asked again later, equal sections leave what runs alone. */
  select(vhost: VhostConfig, streamId: string): Section | null;
  /** A publish has begun, or this was switched on meanwhile. Undefined when this stream is to be left out. */
  open(stream: OutputStream, section: Section): FrameConsumer | undefined;
  /** What it keeps in memory, by its URL; 404 for all else. Absent when it writes files only. May take until something has been made. */
  answer?(request: OutputRequest): Promise<OutputAnswer>;
  /** The server ends; all consumers have ended before. */
  close(): Promise<void>;
}
