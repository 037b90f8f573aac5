/** Keeps players waiting until their stream is there and has shown which tracks it has. */
import type { VhostConfig } from '@srs/config';
import { describeError, type Log } from '@srs/kernel';
import { type FoundTracks, findTracks, type LiveStream, type LiveStreams, type StreamConsumer } from '@srs/stream';
import { type LiveTracks, letThrough } from './live-format.ts';

/** What somebody waits for. One of the two is called, once. */
export interface LiveWait {
  readonly streamId: string;
  /** Of the viewer, from the `?` on; an origin may want them. */
  readonly param: string;
  readonly vhost: VhostConfig;
  readonly onOpen: (tracks: LiveTracks) => void;
  /** Nobody publishes the stream. Absent for who waits until somebody does. */
  readonly onAbsent?: () => void;
}

export interface LiveGatesOptions {
  readonly liveStreams: LiveStreams;
  readonly log: Log;
  /** This process's slot: the bit that asks writers for a wake-up. */
  readonly slot: number;
}

export class LiveGates {
  readonly #options: LiveGatesOptions;
  readonly #gates = new Map<string, LiveGate>();

  constructor(options: LiveGatesOptions) {
    this.#options = options;
  }

  /** @returns what stops the waiting. Something may be called before */
  wait(wait: LiveWait): () => void {
    const { streamId, param } = wait;
    let gate = this.#gates.get(streamId);
    if (gate === undefined) {
      const stream = this.#options.liveStreams.follow(streamId, param);
      gate = new LiveGate(stream, this.#options, () => this.#gates.delete(streamId));
      this.#gates.set(streamId, gate);
      gate.add(wait);
      gate.begin();
    } else gate.add(wait);
    const waited = gate;
    return () => waited.remove(wait);
  }
}

/** Of one stream, while somebody waits for it. */
class LiveGate implements StreamConsumer {
  readonly #stream: LiveStream;
  readonly #options: LiveGatesOptions;
  readonly #onEmpty: () => void;
  readonly #waiting = new Set<LiveWait>();
  #immediate: NodeJS.Immediate | undefined;

  constructor(stream: LiveStream, options: LiveGatesOptions, onEmpty: () => void) {
    this.#stream = stream;
    this.#options = options;
    this.#onEmpty = onEmpty;
  }

  begin(): void {
    this.#stream.attach(this);
    // Without a source nothing is said at that.
    this.#look();
  }

  add(wait: LiveWait): void {
    this.#waiting.add(wait);
    if (this.#stream.source === undefined) this.#look();
  }

  remove(wait: LiveWait): void {
    if (this.#waiting.delete(wait) && this.#waiting.size === 0) this.#end();
  }

  onSource(): void {
    this.#look();
  }

  onWake(): void {
    this.#look();
  }

  #look(): void {
    const { source, isKnown } = this.#stream;
    if (this.#waiting.size === 0) return;
    if (source === undefined) {
      if (isKnown) this.#dismissUnheld();
      return;
    }
    let tracks: FoundTracks;
    try {
      const reader = source.openReader();
      tracks = findTracks(reader);
      if (!tracks.isCertain) {
        clearImmediate(this.#immediate);
        if (!reader.arm(this.#options.slot)) this.#immediate = setImmediate(() => this.#look());
        return;
      }
    } catch (error) {
      this.#options.log.error(`stream ${this.#stream.streamId}: ${describeError(error)}`);
      return;
    }
    const waiting = Array.from(this.#waiting);
    this.#waiting.clear();
    // First those who waited join the stream, so that it is not let go of and followed anew.
    for (const { vhost, onOpen } of waiting) onOpen(tracksFor(tracks, vhost));
    if (this.#waiting.size === 0) this.#end();
  }

  #dismissUnheld(): void {
    for (const wait of this.#waiting) {
      if (wait.onAbsent === undefined) continue;
      this.#waiting.delete(wait);
      wait.onAbsent();
    }
    if (this.#waiting.size === 0) this.#end();
  }

  #end(): void {
    clearImmediate(this.#immediate);
    this.#onEmpty();
    this.#stream.detach(this);
  }
}

/** By `guess_has_av off` a header tells what the vhost says, whatever the stream has. */
function tracksFor(found: LiveTracks, vhost: VhostConfig): LiveTracks {
  const { guessHasAv, hasAudio, hasVideo } = vhost.httpRemux;
  const tracks = letThrough(found, vhost);
  return guessHasAv ? tracks : { ...tracks, hasAudio, hasVideo };
}
