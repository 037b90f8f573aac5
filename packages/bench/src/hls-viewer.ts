/** What a viewer of HLS asks for and when, and what it finds wrong: no socket, no clock. */
import { SrsError } from '@srs/kernel';
import { type HlsSegment, type MediaPlaylist, parsePlaylist } from './hls-playlist.ts';
import { type HttpTarget, parseHttpUrl } from './http-target.ts';

export interface HlsRequest {
  readonly kind: 'playlist' | 'segment';
  /** Path and query. */
  readonly path: string;
  /** Only whole packets of a transport stream are right. */
  readonly isPlainTs: boolean;
}

/** What becomes of a viewer. */
export interface HlsObserver {
  /** It has the first list of segments. Once. */
  onStarted(): void;
  /** So many segments left the playlist before they could be asked for. */
  onGap(segments: number): void;
  /** A playlist that cannot be read, or contradicts the one before. */
  onWrong(what: string): void;
  /** For too long no segment has been added. Once until one is. */
  onFrozen(): void;
}

interface Wanted extends HlsRequest {
  readonly dueMs: number;
}

const NONE = -1;
/** A live viewer starts so many segments before the end (RFC 8216, 6.3.3), one of a recording keeps so much in store. */
const STORED_SEGMENTS = 3;
/**
 * In target durations. A server adds a segment after 1.5 at the latest (6.2.1), and a viewer sees it at most half of one later; the
 * rest is for requests and timers that are late.
 */
const MAX_STANDSTILL = 2.25;
/** Whatever a playlist says. */
const MIN_PAUSE_MS = 100;

/**
 * Call `next`, do what it says, tell the outcome, and so on. A recording is played in a loop.
 */
export class HlsViewer {
  readonly #observer: HlsObserver;
  readonly #target: HttpTarget;
  #playlistUrl: string;
  #isStarted = false;
  #last: MediaPlaylist | undefined;
  #targetMs = 1000;
  #wanted: Wanted[] = [];
  #nextSequence = NONE;
  #mapUri: string | undefined;
  #reloadMs = 0;
  #advancedMs = 0;
  #isFrozen = false;
  /** When everything that was asked for of a recording has been played. */
  #playedMs = 0;

  /** @throws SrsError RequestUri when the text is no address */
  constructor(url: string, observer: HlsObserver) {
    this.#target = parseHttpUrl(url);
    this.#playlistUrl = url;
    this.#observer = observer;
  }

  /** What to ask for now, or the time to ask again. */
  next(nowMs: number): HlsRequest | number {
    if (this.#last?.isEnded === true && this.#wanted.length === 0) this.#startOver(this.#last, nowMs);
    if (this.#last?.isEnded !== true && this.#reloadMs <= nowMs) {
      return { kind: 'playlist', path: parseHttpUrl(this.#playlistUrl).path, isPlainTs: false };
    }
    const [wanted] = this.#wanted;
    if (wanted === undefined) return this.#reloadMs;
    if (wanted.dueMs > nowMs) return wanted.dueMs;
    this.#wanted.shift();
    return wanted;
  }

  /** @param askedMs when it was asked for: reloads are counted from there */
  onPlaylist(text: string, askedMs: number, nowMs: number): void {
    try {
      const playlist = parsePlaylist(text);
      if (playlist.kind === 'media') this.#onMedia(playlist, askedMs, nowMs);
      else if (this.#isStarted) throw new SrsError('HlsDecode', 'playlist of segments has become a choice of playlists');
      else this.#choose(playlist.variants[0]);
    } catch (thrown) {
      if (!(thrown instanceof SrsError)) throw thrown;
      this.#observer.onWrong(thrown.message);
      this.onNoPlaylist(askedMs, nowMs);
    }
  }

  /** The playlist could not be had, or not be read. */
  onNoPlaylist(askedMs: number, nowMs: number): void {
    this.#reloadAfter(askedMs, this.#targetMs / 2);
    this.#judgeStandstill(nowMs);
  }

  #choose(variant: string): void {
    const url = this.#resolve(variant);
    if (url === this.#playlistUrl) throw new SrsError('HlsDecode', 'playlist chooses itself');
    this.#playlistUrl = url;
    this.#reloadMs = 0;
  }

  #onMedia(playlist: MediaPlaylist, askedMs: number, nowMs: number): void {
    const { segments, targetDurationMs, isEnded } = playlist;
    this.#targetMs = targetDurationMs;
    if (!this.#isStarted) {
      this.#isStarted = true;
      this.#playedMs = nowMs;
      this.#advancedMs = nowMs;
      const start = isEnded ? 0 : Math.max(0, segments.length - STORED_SEGMENTS);
      this.#nextSequence = segments[start]?.sequence ?? NONE;
      this.#observer.onStarted();
    } else if (this.#last !== undefined) {
      this.#compare(this.#last, playlist);
    }
    this.#last = playlist;
    const added = this.#addNew(segments, nowMs, isEnded);
    this.#reloadAfter(askedMs, added > 0 ? targetDurationMs : targetDurationMs / 2);
    if (added === 0) {
      this.#judgeStandstill(nowMs);
    } else {
      this.#advancedMs = nowMs;
      this.#isFrozen = false;
    }
  }

  /** Numbers only grow, and the same number is the same segment (6.2.2, 6.3.4). */
  #compare(before: MediaPlaylist, now: MediaPlaylist): void {
    const first = now.segments[0];
    const firstBefore = before.segments[0];
    const last = now.segments.at(-1);
    const lastBefore = before.segments.at(-1);
    if (first === undefined || last === undefined || firstBefore === undefined || lastBefore === undefined) return;
    if (first.sequence < firstBefore.sequence || last.sequence < lastBefore.sequence) {
      this.#observer.onWrong('sequence numbers of a playlist went back');
      this.#nextSequence = now.segments[Math.max(0, now.segments.length - STORED_SEGMENTS)]!.sequence;
      return;
    }
    const renamed = before.segments.find(({ sequence, uri }) => {
      const same = now.segments[sequence - first.sequence];
      return same !== undefined && same.uri !== uri;
    });
    if (renamed !== undefined) this.#observer.onWrong('segment of a playlist has got another address');
  }

  #addNew(segments: readonly HlsSegment[], nowMs: number, isEnded: boolean): number {
    const first = segments[0];
    if (first === undefined) return 0;
    if (this.#nextSequence === NONE) this.#nextSequence = first.sequence;
    if (first.sequence > this.#nextSequence) {
      this.#observer.onGap(first.sequence - this.#nextSequence);
      this.#nextSequence = first.sequence;
    }
    const added = segments.slice(this.#nextSequence - first.sequence);
    for (const segment of added) {
      this.#nextSequence += 1;
      this.#add(segment, isEnded ? this.#playedMs - STORED_SEGMENTS * this.#targetMs : nowMs);
    }
    return added.length;
  }

  #add({ uri, mapUri, durationMs, isEncrypted }: HlsSegment, dueMs: number): void {
    if (mapUri !== undefined && mapUri !== this.#mapUri) {
      this.#mapUri = mapUri;
      this.#wanted.push({ kind: 'segment', path: this.#pathOf(mapUri), isPlainTs: false, dueMs });
    }
    const path = this.#pathOf(uri);
    const isPlainTs = !isEncrypted && path.split('?', 1)[0]!.endsWith('.ts');
    this.#wanted.push({ kind: 'segment', path, isPlainTs, dueMs });
    this.#playedMs += durationMs;
  }

  #startOver({ segments }: MediaPlaylist, nowMs: number): void {
    // What took longer to come than to play does not have to be made up for.
    this.#playedMs = Math.max(this.#playedMs, nowMs);
    this.#nextSequence = segments[0]?.sequence ?? NONE;
    if (this.#addNew(segments, nowMs, true) === 0) this.#reloadMs = nowMs + Math.max(MIN_PAUSE_MS, this.#targetMs);
  }

  #judgeStandstill(nowMs: number): void {
    const isTooLong = nowMs - this.#advancedMs > MAX_STANDSTILL * this.#targetMs;
    if (!this.#isStarted || this.#isFrozen || !isTooLong || this.#last?.isEnded === true) return;
    this.#isFrozen = true;
    this.#observer.onFrozen();
  }

  #reloadAfter(askedMs: number, pauseMs: number): void {
    this.#reloadMs = askedMs + Math.max(MIN_PAUSE_MS, pauseMs);
  }

  #pathOf(uri: string): string {
    return parseHttpUrl(this.#resolve(uri)).path;
  }

  /** @throws SrsError HlsDecode for another server: only the one that was named is loaded */
  #resolve(uri: string): string {
    const resolved = URL.canParse(uri, this.#playlistUrl) ? new URL(uri, this.#playlistUrl).href : undefined;
    if (resolved === undefined || parseHttpUrl(resolved).authority !== this.#target.authority) {
      throw new SrsError('HlsDecode', `playlist names ${JSON.stringify(uri.split('?', 1)[0])}, which is not on its own server`);
    }
    return resolved;
  }
}
