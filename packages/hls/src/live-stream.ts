/** Answers requests for the low-latency playlist of a stream, over all of its publishes, and for the part that comes next. */
import type { Clock } from '@srs/kernel';
import type { OutputAnswer } from '@srs/stream';
import { type DeliveryDirectives, readDirectives } from './delivery-directives.ts';
import { type HeldCount, HeldRequests } from './held-requests.ts';
import type { LowLatencyPlaylist } from './ll-playlist.ts';
import { lowLatencyText } from './ll-playlist-text.ts';
import { mediaAnswer, notFound, playlistAnswer } from './memory-answers.ts';

/** No more than so many segments ahead may be asked for, and parts for so many seconds or pieces (RFC 8216bis, 6.2.5.2). */
const MAX_SEGMENTS_AHEAD = 2;
const PARTS_AHEAD = 3;
/** What is held ends after so many target durations. */
const HELD_TARGETS = 3;
/** What is answered to a request that names a segment stays as it is; it is kept for players that come a little later. */
const BLOCKED_TARGETS = 6;

const ended: OutputAnswer = { status: 503, reason: 'the publish has ended' };
const stopped: OutputAnswer = { status: 503, reason: 'the server ends' };

export interface LiveStreamOptions {
  readonly clock: Clock;
  readonly count: HeldCount;
  /** The streams by the path of the part that each makes next. */
  readonly hints: Map<string, LiveStream>;
  /** Gives what is kept at a path. */
  readonly read: (path: string) => Buffer | undefined;
}

export class LiveStream {
  readonly #options: LiveStreamOptions;
  readonly #playlistHolds: HeldRequests;
  readonly #partHolds: HeldRequests;
  #playlist: LowLatencyPlaylist | undefined;
  /** The text of the playlist as it is, whole and as a delta. */
  readonly #texts = new Map<boolean, Buffer>();
  #hintPath: string | undefined;
  #isCheckDue = false;

  constructor(options: LiveStreamOptions) {
    const { clock, count } = options;
    this.#options = options;
    this.#playlistHolds = new HeldRequests(clock, count);
    this.#partHolds = new HeldRequests(clock, count);
  }

  /**
   * A publish begins with this playlist.
   * @returns the parts that the one before it has listed and this one does not
   */
  begin(playlist: LowLatencyPlaylist): readonly string[] {
    const left = this.#playlist?.partPaths() ?? [];
    this.#playlist = playlist;
    this.onChange(undefined);
    return left;
  }

  /**
   * The playlist lists something else than before, or another part comes next. Requests are answered when the caller is done: the last part of a
   * segment, its end and the beginning of the next are one change.
   */
  onChange(hintPath: string | undefined): void {
    const { hints } = this.#options;
    if (this.#hintPath !== undefined) hints.delete(this.#hintPath);
    if (hintPath !== undefined) hints.set(hintPath, this);
    this.#hintPath = hintPath;
    this.#texts.clear();
    if (this.#isCheckDue) return;
    this.#isCheckDue = true;
    queueMicrotask(() => this.#check());
  }

  /** Nothing comes until the next publish. */
  end(): void {
    this.#check();
    this.#playlistHolds.releaseAll(ended);
    this.#partHolds.releaseAll(notFound);
  }

  /**
   * The playlist is removed.
   * @returns the parts that it has listed
   */
  remove(): readonly string[] {
    const left = this.#playlist?.partPaths() ?? [];
    this.#playlist = undefined;
    this.onChange(undefined);
    this.#playlistHolds.releaseAll(notFound);
    this.#partHolds.releaseAll(notFound);
    return left;
  }

  close(): void {
    this.#playlistHolds.releaseAll(stopped);
    this.#partHolds.releaseAll(stopped);
  }

  async answerPlaylist(query: string, signal: AbortSignal): Promise<OutputAnswer> {
    const playlist = this.#playlist;
    if (playlist === undefined || isEmpty(playlist)) return notFound;
    const directives = readDirectives(query);
    if (directives === undefined)
      return { status: 400, reason: 'the delivery directives are no numbers, or _HLS_part is without _HLS_msn' };
    const problem = problemOf(playlist, directives);
    if (problem !== undefined) return { status: 400, reason: problem };
    const answer = (): OutputAnswer | undefined => {
      const current = this.#playlist;
      return current !== undefined && has(current, directives) ? this.#answerText(current, directives) : undefined;
    };
    return await this.#playlistHolds.hold(answer, heldMs(playlist), signal);
  }

  /** @param path of the part that is hinted at */
  async answerHinted(path: string, signal: AbortSignal): Promise<OutputAnswer> {
    const answer = (): OutputAnswer | undefined => {
      const bytes = this.#options.read(path);
      if (bytes !== undefined) return mediaAnswer(path, bytes);
      return this.#hintPath === path ? undefined : notFound;
    };
    return await this.#partHolds.hold(answer, this.#playlist === undefined ? 0 : heldMs(this.#playlist), signal);
  }

  #check(): void {
    this.#isCheckDue = false;
    this.#playlistHolds.check();
    this.#partHolds.check();
  }

  #answerText(playlist: LowLatencyPlaylist, { msn, isDelta }: DeliveryDirectives): OutputAnswer {
    let body = this.#texts.get(isDelta);
    if (body === undefined) {
      body = Buffer.from(lowLatencyText(playlist, isDelta));
      this.#texts.set(isDelta, body);
    }
    const { targetSeconds } = playlist.segments;
    return playlistAnswer(body, msn === undefined ? 0 : BLOCKED_TARGETS * targetSeconds);
  }
}

function isEmpty({ segments, open }: LowLatencyPlaylist): boolean {
  return segments.segments.length === 0 && open === undefined;
}

function heldMs({ segments }: LowLatencyPlaylist): number {
  return HELD_TARGETS * segments.targetSeconds * 1000;
}

function problemOf(playlist: LowLatencyPlaylist, { msn, part }: DeliveryDirectives): string | undefined {
  if (msn === undefined) return undefined;
  const next = playlist.segments.nextSequence;
  const maxMsn = next - 1 + MAX_SEGMENTS_AHEAD;
  if (msn > maxMsn) return `segment ${msn} is too far ahead, at most ${maxMsn} may be asked for`;
  if (part === undefined || msn < next) return undefined;
  const seconds = playlist.partTargetMs / 1000;
  const ahead = seconds < 1 ? Math.ceil(PARTS_AHEAD / seconds) : PARTS_AHEAD;
  const maxPart = (msn === next ? (playlist.open?.parts.length ?? 0) : 0) - 1 + ahead;
  return part > maxPart ? `part ${part} is too far ahead, at most ${maxPart} may be asked for` : undefined;
}

/** Whether the playlist has what is asked for. A part behind the last of a whole segment is the first of the next one. */
function has(playlist: LowLatencyPlaylist, { msn, part }: DeliveryDirectives): boolean {
  if (msn === undefined) return true;
  const { nextSequence } = playlist.segments;
  if (part === undefined) return msn < nextSequence;
  const parts = playlist.partsOf(msn);
  if (msn === nextSequence - 1 && parts !== undefined && part >= parts.length) return playlist.open !== undefined;
  return msn < nextSequence || (msn === nextSequence && part < (playlist.open?.parts.length ?? 0));
}
