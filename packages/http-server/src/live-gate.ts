/** Keeps players waiting until their stream is there and has shown which tracks it has. */
import type { VhostConfig } from '@srs/config';
import { describeError, type Log } from '@srs/kernel';
import { type FoundTracks, findTracks, type LiveStream, type LiveStreams, type StreamConsumer } from '@srs/stream';

type Tracks = Omit<FoundTracks, 'isCertain'>;
type OnOpen = (tracks: Tracks) => void;

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

  /**
   * @param onOpen is called once, maybe before this returns
   * @returns what stops the waiting
   */
  wait(streamId: string, vhost: VhostConfig, onOpen: OnOpen): () => void {
    const { guessHasAv, hasAudio, hasVideo } = vhost.httpRemux;
    const open: OnOpen = (found) =>
      onOpen(
        guessHasAv ? { hasAudio: found.hasAudio && hasAudio, hasVideo: found.hasVideo && hasVideo } : { hasAudio, hasVideo },
      );
    let gate = this.#gates.get(streamId);
    if (gate === undefined) {
      const stream = this.#options.liveStreams.follow(streamId);
      gate = new LiveGate(stream, this.#options, () => this.#gates.delete(streamId));
      this.#gates.set(streamId, gate);
      gate.add(open);
      gate.begin();
    } else gate.add(open);
    const waited = gate;
    return () => waited.remove(open);
  }
}

/** Of one stream, while somebody waits for it. */
class LiveGate implements StreamConsumer {
  readonly #stream: LiveStream;
  readonly #options: LiveGatesOptions;
  readonly #onEmpty: () => void;
  readonly #waiting = new Set<OnOpen>();
  #immediate: NodeJS.Immediate | undefined;

  constructor(stream: LiveStream, options: LiveGatesOptions, onEmpty: () => void) {
    this.#stream = stream;
    this.#options = options;
    this.#onEmpty = onEmpty;
  }

  begin(): void {
    this.#stream.attach(this);
  }

  add(onOpen: OnOpen): void {
    this.#waiting.add(onOpen);
  }

  remove(onOpen: OnOpen): void {
    if (this.#waiting.delete(onOpen) && this.#waiting.size === 0) this.#end();
  }

  onSource(): void {
    this.#look();
  }

  onWake(): void {
    this.#look();
  }

  #look(): void {
    const { source } = this.#stream;
    if (source === undefined || this.#waiting.size === 0) return;
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
    for (const onOpen of waiting) onOpen(tracks);
    if (this.#waiting.size === 0) this.#end();
  }

  #end(): void {
    clearImmediate(this.#immediate);
    this.#onEmpty();
    this.#stream.detach(this);
  }
}
