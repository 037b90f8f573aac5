/** Lists the segments of one publish: each file is complete before the playlist names it, and goes after the playlist has let go of it. */
import { describeError, type Log, SrsError } from '@srs/kernel';
import { filesOf, type InitSection, type ListedSegment, lingerMs, type Playlist } from './playlist.ts';
import { playlistText } from './playlist-text.ts';
import type { OpenSegment, SegmentDetails, SegmentFiles } from './segment-files.ts';
import type { FileName, SegmentFacts, SegmentNames } from './segment-names.ts';
import type { HlsStore, SegmentSink } from './store.ts';
import type { StreamFiles } from './stream-files.ts';

/** So many complete segments may wait for the disk, as they do after a burst, and so much of them; it would never catch up with more. */
const MAX_WAITING_SEGMENTS = 100;
const MAX_WAITING_BYTES = 32 * 1024 * 1024;

/** A playlist to which nothing has been added for so many target durations tells players nothing new. */
const STALE_TARGETS = 1.5;

export interface PlaylistFilesOptions {
  readonly files: StreamFiles;
  readonly log: Log;
  readonly store: HlsStore;
  readonly names: SegmentNames;
  readonly playlist: Playlist;
  /** Delete what has left the playlist. */
  readonly cleanup: boolean;
  /**
   * Another server has the same playlist, and is asked when this one has none: it is there only while it is full and goes on.
   */
  readonly isBackedUp: boolean;
  /** A segment is complete and listed. */
  readonly onListed: (segment: ListedSegment, name: FileName) => void;
  /** Called once: nothing is written any more. */
  readonly onError: (error: unknown) => void;
}

export class PlaylistFiles implements SegmentFiles {
  readonly #options: PlaylistFilesOptions;
  /** Keys and init segments that no listed segment has. */
  readonly #unnamed = new Set<string>();
  /** Paths of segments that are not listed yet. */
  readonly #unlisted = new Set<string>();
  /** Segments that are complete and not listed yet. */
  readonly #waiting = new Set<SegmentSink>();
  #hasFailed = false;

  constructor(options: PlaylistFilesOptions) {
    this.#options = options;
  }

  openSegment(facts: SegmentFacts): OpenSegment {
    const { names, store } = this.#options;
    const name = names.segment(facts, this.#isTaken);
    this.#unlisted.add(name.path);
    return { facts, name, sink: store.openSegment(name.path, (error) => this.#fail(error)) };
  }

  storeKey(path: string, bytes: Buffer): void {
    this.#storeBeside(path, bytes);
  }

  storeInit(bytes: Buffer, facts: SegmentFacts): InitSection {
    const { path, uri } = this.#options.names.init(facts);
    this.#storeBeside(path, bytes);
    return { path, uri };
  }

  isKeyTaken(path: string): boolean {
    const { playlist, files } = this.#options;
    return this.#unnamed.has(path) || files.isLingering(path) || playlist.segments.some(({ key }) => key?.path === path);
  }

  discardSegment({ sink, name }: OpenSegment): void {
    this.#unlisted.delete(name.path);
    void this.#options.files.run(() => sink.discard());
  }

  listSegment(open: OpenSegment, details: SegmentDetails): void {
    const name = this.#finalName(open, details.durationMs);
    this.#waiting.add(open.sink);
    this.#checkWaiting(name.path);
    void this.#options.files.run(async () => {
      try {
        if (this.#hasFailed) await open.sink.discard();
        else await this.#list(open, name, { ...details, sequence: open.facts.sequence, uri: name.uri, path: name.path });
      } catch (error) {
        this.#fail(error);
        await open.sink.discard();
      } finally {
        this.#waiting.delete(open.sink);
        this.#unlisted.delete(name.path);
      }
    });
  }

  /** The publish is over. Resolves when all that was given so far is written, or given up. */
  async settle(): Promise<void> {
    const { files, store, log } = this.#options;
    await files.run(async () => {
      try {
        await store.remove([...this.#unnamed]);
      } catch (error) {
        log.warn(`hls: ${describeError(error)}`);
      }
    });
  }

  #checkWaiting(path: string): void {
    const segments = this.#waiting.size;
    let bytes = 0;
    for (const sink of this.#waiting) bytes += sink.pendingBytes;
    if (segments <= MAX_WAITING_SEGMENTS && bytes <= MAX_WAITING_BYTES) return;
    const limits = `at most ${MAX_WAITING_SEGMENTS} and ${MAX_WAITING_BYTES} bytes may`;
    const slow = `the disk is too slow: ${segments} segments with ${bytes} bytes wait to be written up to ${path}, ${limits}`;
    this.#fail(new SrsError('FileWrite', slow));
  }

  readonly #isTaken = (path: string): boolean => {
    const { playlist, files } = this.#options;
    return this.#unlisted.has(path) || files.isLingering(path) || playlist.segments.some((segment) => segment.path === path);
  };

  /** Its length may stand in the name of a segment. */
  #finalName({ facts, name }: OpenSegment, durationMs: number): FileName {
    const { names } = this.#options;
    this.#unlisted.delete(name.path);
    const final = names.segment({ ...facts, durationMs }, this.#isTaken);
    this.#unlisted.add(final.path);
    return final;
  }

  async #list({ sink }: OpenSegment, name: FileName, segment: ListedSegment): Promise<void> {
    const { playlist, store, names, cleanup, files, onListed, isBackedUp } = this.#options;
    await sink.commit(segment.path);
    const left = [...playlist.skipTo(segment.sequence), ...playlist.add(segment)];
    for (const path of filesOf([segment], undefined)) this.#unnamed.delete(path);
    if (isBackedUp && !playlist.isFull) await store.remove([names.playlistPath]);
    else await store.replace(names.playlistPath, playlistText(playlist));
    if (isBackedUp) files.expire(names.playlistPath, STALE_TARGETS * playlist.targetSeconds * 1000);
    if (cleanup && left.length > 0) files.linger(filesOf(left, playlist.segments[0]), lingerMs(playlist, left));
    onListed(segment, name);
  }

  #storeBeside(path: string, bytes: Buffer): void {
    this.#unnamed.add(path);
    void this.#options.files.run(async () => {
      if (this.#hasFailed) return;
      await this.#options.store.replace(path, bytes).catch((error: unknown) => this.#fail(error));
    });
  }

  #fail(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#options.onError(error);
  }
}
