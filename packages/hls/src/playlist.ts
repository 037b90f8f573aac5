/** What a media playlist lists: which segments, under which numbers, for how long. */

/** A key that segments are encrypted with. */
export interface SegmentKey {
  readonly uri: string;
  /** Where the key is stored; undefined when nothing tells. */
  readonly path: string | undefined;
}

/** What players need before the first byte of fragmented MP4: EXT-X-MAP. */
export interface InitSection {
  readonly uri: string;
  readonly path: string;
}

/** A segment that is complete. Nothing about it changes any more. */
export interface ListedSegment {
  /** Its media sequence number. */
  readonly sequence: number;
  readonly uri: string;
  /** Where it is stored. */
  readonly path: string;
  readonly durationMs: number;
  /** It does not go on where the segment before it ended: EXT-X-DISCONTINUITY. */
  readonly isDiscontinuity: boolean;
  /** When it began, ms since 1970; undefined when nobody knows. */
  readonly programDateTimeMs: number | undefined;
  readonly key: SegmentKey | undefined;
  /** Absent for MPEG-TS, which needs none. */
  readonly init?: InitSection | undefined;
}

/**
 * The files of segments that are not listed any more, and the keys and init segments that no other needs.
 * @param first the segment that is the first of the list now
 */
export function filesOf(left: readonly ListedSegment[], first: ListedSegment | undefined): readonly string[] {
  const paths = new Set<string>();
  for (const { path, key, init } of left) {
    paths.add(path);
    if (key?.path !== undefined && key.path !== first?.key?.path) paths.add(key.path);
    if (init !== undefined && init.path !== first?.init?.path) paths.add(init.path);
  }
  return [...paths];
}

/** Players may ask for so long at least for what a change of the format has taken off the list: they are in the middle of it. */
export const MIN_FORMAT_LINGER_MS = 60_000;

/**
 * How long files stay that are no longer listed: one target duration when they were the oldest, and as long as players keep behind the end when the
 * newest have gone with them.
 */
export function lingerMs(
  { segments, targetSeconds }: Pick<Playlist, 'segments' | 'targetSeconds'>,
  left: readonly ListedSegment[],
): number {
  const isNewest = left.length > 0 && segments.length <= 1;
  return isNewest ? Math.max(MIN_FORMAT_LINGER_MS, MIN_LISTED_TARGETS * targetSeconds * 1000) : targetSeconds * 1000;
}

/** What has to be known to go on with a playlist. */
export interface PlaylistState {
  /** The number the next segment gets. */
  readonly nextSequence: number;
  /** Of the first listed segment, before its own discontinuity is counted: EXT-X-DISCONTINUITY-SEQUENCE. */
  readonly discontinuitySequence: number;
  readonly segments: readonly ListedSegment[];
}

export const emptyPlaylist: PlaylistState = { nextSequence: 0, discontinuitySequence: 0, segments: [] };

export interface PlaylistOptions {
  /** What is listed lasts longer than this, in whole seconds, as soon as there is so much. */
  readonly windowMs: number;
  /** What segments are expected to last at most. */
  readonly targetMs: number;
}

/** Bounds the memory and the text of a very long window. */
export const MAX_LISTED_SEGMENTS = 10_000;
/** RFC 8216, 6.2.2: what stays listed must last so many target durations. */
const MIN_LISTED_TARGETS = 3;

export class Playlist {
  readonly #windowSeconds: number;
  readonly #segments: ListedSegment[];
  #listedMs = 0;
  #nextSequence: number;
  #discontinuitySequence: number;
  #targetSeconds: number;

  constructor(options: PlaylistOptions, state: PlaylistState = emptyPlaylist) {
    this.#windowSeconds = Math.floor(options.windowMs / 1000);
    this.#targetSeconds = Math.max(1, Math.ceil(options.targetMs / 1000));
    this.#segments = [...state.segments];
    this.#nextSequence = state.nextSequence;
    this.#discontinuitySequence = state.discontinuitySequence;
    for (const segment of this.#segments) this.#count(segment);
  }

  get segments(): readonly ListedSegment[] {
    return this.#segments;
  }

  /** EXT-X-MEDIA-SEQUENCE. */
  get mediaSequence(): number {
    return this.#nextSequence - this.#segments.length;
  }

  get nextSequence(): number {
    return this.#nextSequence;
  }

  get discontinuitySequence(): number {
    return this.#discontinuitySequence;
  }

  /** No listed segment is longer when rounded; only ever raised, for players take it as a promise. */
  get targetSeconds(): number {
    return this.#targetSeconds;
  }

  /** What is listed is as long as it gets: it begins with the same segment as any other list that has come so far. */
  get isFull(): boolean {
    return this.#isEnough(this.#listedMs);
  }

  /**
   * The next segment has this number. A list cannot have a hole: what is listed leaves when others would come between.
   * @param sequence at least `nextSequence`
   * @returns those that are no longer listed, oldest first
   */
  skipTo(sequence: number): readonly ListedSegment[] {
    if (sequence <= this.#nextSequence) return [];
    this.#nextSequence = sequence;
    return this.#drop(this.#segments.length);
  }

  /**
   * Lists a segment.
   * @returns those that are no longer listed because of it, oldest first
   */
  add(segment: ListedSegment): readonly ListedSegment[] {
    if (segment.sequence !== this.#nextSequence) {
      throw new Error(`segment ${segment.sequence} must be ${this.#nextSequence}, the next of its playlist`);
    }
    const left = this.dropOtherFormat(segment.init !== undefined);
    this.#segments.push(segment);
    this.#nextSequence += 1;
    this.#count(segment);
    return [...left, ...this.#dropSurplus()];
  }

  /**
   * The next segments need an init segment, or none: what does not go with them leaves. A playlist can begin to have one, and not cease to. What
   * was listed before stays so until then, for a publish of another format may end before it has made anything.
   * @returns those that are no longer listed, oldest first
   */
  dropOtherFormat(hasInit: boolean): readonly ListedSegment[] {
    return this.#drop(this.#segments.findLastIndex(({ init }) => (init !== undefined) !== hasInit) + 1);
  }

  #count(segment: ListedSegment): void {
    this.#listedMs += segment.durationMs;
    this.#targetSeconds = Math.max(this.#targetSeconds, Math.round(segment.durationMs / 1000));
  }

  #dropSurplus(): readonly ListedSegment[] {
    let surplus = 0;
    let restMs = this.#listedMs;
    while (this.#isSurplus(this.#segments.length - surplus, restMs - this.#segments[surplus]!.durationMs)) {
      restMs -= this.#segments[surplus]!.durationMs;
      surplus += 1;
    }
    return this.#drop(surplus);
  }

  /** @param restMs what would be left without the oldest */
  #isSurplus(listed: number, restMs: number): boolean {
    if (listed > MAX_LISTED_SEGMENTS) return true;
    return this.#isEnough(restMs);
  }

  #isEnough(ms: number): boolean {
    return Math.floor(ms / 1000) > this.#windowSeconds && ms >= MIN_LISTED_TARGETS * this.#targetSeconds * 1000;
  }

  /** Takes the oldest off the list, and off the sums. */
  #drop(count: number): readonly ListedSegment[] {
    const left = this.#segments.splice(0, count);
    for (const { durationMs, isDiscontinuity } of left) {
      this.#listedMs -= durationMs;
      if (isDiscontinuity) this.#discontinuitySequence += 1;
    }
    return left;
  }
}
