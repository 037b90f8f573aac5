/** The files of one playlist over all publishes: work on them is done in order, and what is over is removed in its time. */
import { type Clock, describeError, type Log } from '@srs/kernel';
import { LingeringFiles } from './lingering-files.ts';
import { emptyPlaylist, filesOf, type Playlist, type PlaylistState } from './playlist.ts';
import { keepPresent, restorePlaylist } from './playlist-restore.ts';
import type { SegmentNames } from './segment-names.ts';
import type { HlsStore } from './store.ts';

const EPOCH_2026_SECONDS = Date.UTC(2026, 0, 1) / 1000;

export interface StreamFilesOptions {
  readonly store: HlsStore;
  readonly clock: Clock;
  readonly log: Log;
  /**
   * Nothing outlives the process: the list is remembered here, and begins with this number where nothing is, for what an earlier process has
   * told players is not known.
   */
  readonly firstNumber?: () => number;
  /** The numbers of a playlist that is removed may come again: those of the next publish are told by its encoder. */
  readonly forgetsNumbers?: boolean;
  /** The playlist is removed. @returns what has to go with it beside what it lists as segments */
  readonly onDispose?: () => readonly string[];
}

export class StreamFiles {
  readonly #options: StreamFilesOptions;
  readonly #lingering: LingeringFiles;
  #tail: Promise<unknown> = Promise.resolve();
  #jobs = 0;
  #disposal: NodeJS.Timeout | undefined;
  #expiry: NodeJS.Timeout | undefined;
  /** What the last publish has listed, where nothing else remembers it. */
  #remembered: PlaylistState | undefined;
  /** Below this no number goes again, although the files that told of it may be gone. */
  #floor: PlaylistState = emptyPlaylist;
  /** What is listed at the place of this has been told of by another list since. */
  #isSuperseded = false;

  constructor(options: StreamFilesOptions) {
    this.#options = options;
    this.#lingering = new LingeringFiles(options.clock, (paths) => this.#removeLater(paths));
  }

  /** Nothing is going on or will be. */
  get isIdle(): boolean {
    return this.#jobs === 0 && this.#disposal === undefined && this.#lingering.isEmpty;
  }

  /** This alone knows how far the numbers have come, for the files are gone. */
  get isRemembered(): boolean {
    return this.#floor !== emptyPlaylist || this.#remembered !== undefined;
  }

  /** The numbers that come next in a list that begins anew; undefined where files tell of them. */
  get reached(): PlaylistState | undefined {
    return this.#remembered === undefined ? undefined : withoutSegments(this.#remembered);
  }

  /** Players have been told these numbers since by a list in another place: the next publish goes on behind them. */
  supersede(reached: PlaylistState): void {
    if (reached.nextSequence <= this.#floor.nextSequence) return;
    this.#floor = reached;
    this.#isSuperseded = true;
  }

  /** Whether a file that is to be removed has this path. */
  isLingering(path: string): boolean {
    return this.#lingering.has(path);
  }

  /** Runs `job` after those before it. */
  async run<T>(job: () => Promise<T>): Promise<T> {
    this.#jobs += 1;
    const result = this.#tail.then(job);
    this.#tail = result.catch(() => {});
    try {
      return await result;
    } finally {
      this.#jobs -= 1;
    }
  }

  /**
   * A publish begins: what the last one has left is listed on, what a killed process has left is removed.
   * @throws SrsError when the disk cannot be read or written
   */
  async begin(names: SegmentNames, log: Log): Promise<PlaylistState> {
    clearTimeout(this.#disposal);
    this.#disposal = undefined;
    return await this.run(async () => {
      const state = await this.#restore(names, log);
      const { directory, isLeftover } = names.leftovers(this.#options.clock.wallMs());
      await this.#options.store.removeLeftovers(directory, isLeftover);
      return state;
    });
  }

  /** These files are not listed any more. */
  linger(paths: readonly string[], forMs: number): void {
    this.#lingering.add(paths, forMs);
  }

  /** Removes the playlist, and nothing else, unless this is called again within `afterMs`. */
  expire(playlistPath: string, afterMs: number): void {
    clearTimeout(this.#expiry);
    this.#expiry = setTimeout(() => this.#removeLater([playlistPath]), afterMs).unref();
  }

  /** The publish is over. After `disposeMs` without another one, everything is removed; 0 keeps it. */
  end(playlistPath: string, playlist: Playlist, disposeMs: number): void {
    const { nextSequence, discontinuitySequence, segments } = playlist;
    if (this.#options.firstNumber !== undefined) {
      this.#remembered = { nextSequence, discontinuitySequence, segments: [...segments] };
    }
    if (disposeMs <= 0) return;
    clearTimeout(this.#disposal);
    this.#disposal = setTimeout(() => {
      this.#disposal = undefined;
      this.#dispose(playlistPath, playlist);
    }, disposeMs).unref();
  }

  /** The server ends. Resolves when all work is done. */
  async close(): Promise<void> {
    clearTimeout(this.#expiry);
    clearTimeout(this.#disposal);
    this.#disposal = undefined;
    const paths = this.#lingering.take();
    if (paths.length > 0) this.#removeLater(paths);
    await this.#tail;
  }

  async #restore(names: SegmentNames, log: Log): Promise<PlaylistState> {
    const { store, firstNumber } = this.#options;
    if (firstNumber !== undefined) return this.#remembered ?? numbersFrom(firstNumber());
    const isSuperseded = this.#isSuperseded;
    this.#isSuperseded = false;
    const text = await store.readPlaylist(names.playlistPath);
    if (text === undefined) return this.#floor;
    const { state, problem } = restorePlaylist(text, names);
    if (problem !== undefined) log.warn(`hls playlist ${names.playlistPath} cannot be gone on with: ${describeError(problem)}`);
    const needed = new Set(state.segments.flatMap(({ path, init }) => (init === undefined ? [path] : [path, init.path])));
    const present = await store.present([...needed]);
    const kept = keepPresent(state, (path) => present.has(path));
    if (kept.nextSequence >= this.#floor.nextSequence) return kept;
    // Its segments would get other numbers. Somebody has put an older playlist there; or players have had a newer one, and must not see it again.
    if (isSuperseded) await store.remove([names.playlistPath]);
    return this.#floor;
  }

  #dispose(playlistPath: string, playlist: Playlist): void {
    const { segments } = playlist;
    const forgetsNumbers = this.#options.forgetsNumbers === true;
    this.#floor = forgetsNumbers ? emptyPlaylist : withoutSegments(playlist);
    if (forgetsNumbers) this.#remembered = undefined;
    else if (this.#remembered !== undefined) this.#remembered = this.#floor;
    const files = [...filesOf(segments, undefined), ...(this.#options.onDispose?.() ?? [])];
    // The playlist goes first: it must not name what is gone.
    this.#removeLater([playlistPath]);
    this.#removeLater([...new Set([...files, ...this.#lingering.take()])]);
    this.#options.log.trace(`hls playlist ${playlistPath} and ${segments.length} segments are removed, nobody publishes them`);
  }

  #removeLater(paths: readonly string[]): void {
    const { store, log } = this.#options;
    this.run(() => store.remove(paths)).catch((error: unknown) => log.warn(`hls: ${describeError(error)}`));
  }
}

function withoutSegments({ nextSequence, discontinuitySequence, segments }: PlaylistState): PlaylistState {
  const breaks = segments.filter((segment) => segment.isDiscontinuity).length;
  return { nextSequence, discontinuitySequence: discontinuitySequence + breaks, segments: [] };
}

/** Players such as hls.js keep lists as long as the number of discontinuities: it grows with the minutes, which are enough. */
function numbersFrom(unixSeconds: number): PlaylistState {
  const discontinuitySequence = Math.max(0, Math.floor((unixSeconds - EPOCH_2026_SECONDS) / 60));
  return { nextSequence: unixSeconds, discontinuitySequence, segments: [] };
}
