/** Makes the bytes of segments from frames. */
import { type FrameType, frameTypes } from '@srs/kernel';
import { FlvToMp4 } from '@srs/mp4';
import { FlvToTs, type TimelinePlace } from '@srs/mpegts';

/** What has to stand before segments for them to be played. */
interface InitBytes {
  /** Another number for each configuration. */
  readonly version: number;
  readonly bytes: Buffer;
}

export interface SegmentMuxer {
  /** A segment begins with the next frame, or with the one that has changed the configuration; the one before it has ended. */
  begin(): void;
  /** Decoder configuration for what follows. @throws SrsError HlsDecode */
  onHeader(type: FrameType, payload: Buffer): void;
  /** Hot path. @param payload valid during the call only. @throws SrsError HlsDecode */
  onFrame(type: FrameType, timestampMs: number, payload: Buffer): void;
  /** The last frame needs another init segment than those before it in the segment; `end` leaves it to the next. */
  readonly hasChanged: boolean;
  /**
   * Gives out everything that belongs to the segment, or to the part, and has been held back.
   * @param nextTimestampMs of the frame that comes next, when it is known
   */
  end(nextTimestampMs: number | undefined): void;
  /** What the frames that were given out need; undefined when nothing. */
  init(): InitBytes | undefined;
}

/**
 * @param output is given the bytes of the segment, its own from then on
 * @param alone it makes one segment, whose bytes follow from its frames and this begin alone; only of MPEG-TS
 */
export type CreateMuxer = (output: (bytes: Buffer) => void, alone?: TimelinePlace) => SegmentMuxer;

/** MPEG-TS: each segment begins with its tables, and can be played alone. */
export const createTsMuxer: CreateMuxer = (output, alone) => {
  const muxer = new FlvToTs({ output, alone });
  return {
    hasChanged: false,
    begin: () => muxer.beginFile(),
    onHeader: (type, payload) => muxer.onHeader(type, payload),
    onFrame: (type, timestampMs, payload) => muxer.onFrame(type, timestampMs, payload),
    end: () => muxer.flush(),
    init: () => undefined,
  };
};

/**
 * A fragment with so much ends before the next picture, and one with twice as much in any case; a segment may have several. It waits in memory, for
 * ever where time stands still, and a file takes no more at once than may wait for the disk.
 */
const FULL_FRAGMENT_BYTES = 4 * 1024 * 1024;

/** Fragmented MP4: the configuration stands in an init segment. */
export const createMp4Muxer: CreateMuxer = (output) => new Mp4Muxer(output);

class Mp4Muxer implements SegmentMuxer {
  readonly #output: (bytes: Buffer) => void;
  readonly #muxer = new FlvToMp4();
  #init: InitBytes | undefined;
  /** Frames that have not been given out, up to one that has changed the configuration. */
  #frames = 0;
  #bytes = 0;

  constructor(output: (bytes: Buffer) => void) {
    this.#output = output;
  }

  get hasChanged(): boolean {
    return this.#init !== undefined && this.#init.version !== this.#muxer.initVersion;
  }

  begin(): void {
    if (!this.hasChanged) return;
    this.#init = undefined;
    this.#frames = 1;
    this.#bytes = 0;
  }

  onHeader(type: FrameType, payload: Buffer): void {
    this.#muxer.onHeader(type, payload);
  }

  onFrame(type: FrameType, timestampMs: number, payload: Buffer): void {
    // MP3 has no header: any frame may be of another kind, and the init segment of those before it can be had until then only.
    if (type === frameTypes.audio && this.#muxer.audioCodec === 'mp3') this.init();
    const isVideo = type === frameTypes.video;
    if (this.#bytes >= (isVideo ? 1 : 2) * FULL_FRAGMENT_BYTES) this.end(isVideo ? timestampMs : undefined);
    this.#muxer.onFrame(type, timestampMs, payload);
    if (this.hasChanged) return;
    this.#frames += 1;
    this.#bytes += payload.length;
  }

  end(nextTimestampMs: number | undefined): void {
    if (this.#frames === 0) return;
    this.#frames = 0;
    this.#bytes = 0;
    const fragment = this.#muxer.takeFragment(this.hasChanged ? undefined : nextTimestampMs);
    if (fragment !== undefined) this.#output(fragment);
  }

  init(): InitBytes {
    this.#init ??= { version: this.#muxer.initVersion, bytes: this.#muxer.initSegment() };
    return this.#init;
  }
}
