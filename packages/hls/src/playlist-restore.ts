/** Goes on with the playlist that an earlier process, or an earlier publish, has left behind. */
import { emptyPlaylist, type ListedSegment, MAX_LISTED_SEGMENTS, type PlaylistState } from './playlist.ts';
import { type ParsedPlaylist, type ParsedSegment, parsePlaylist } from './playlist-text.ts';

/** Where the files are that a playlist names by URI; undefined for what is not below the directories of the stream. */
export interface UriLocator {
  segmentPathOf(uri: string): string | undefined;
  keyPathOf(uri: string): string | undefined;
}

export interface RestoredPlaylist {
  readonly state: PlaylistState;
  /** Why the text could not be read, so that only its numbers go on. */
  readonly problem?: unknown;
}

/** What a playlist lists, as far as it can be told where the files are. Anything may stand in `text`. */
export function restorePlaylist(text: string, locator: UriLocator): RestoredPlaylist {
  let parsed: ParsedPlaylist;
  try {
    parsed = parsePlaylist(text);
    checkNumbers(parsed);
  } catch (problem) {
    return { state: { ...emptyPlaylist, ...numbersIn(text) }, problem };
  }
  const { mediaSequence, discontinuitySequence } = parsed;
  const segments = withDates(parsed.segments).map((segment) => locate(segment, locator));
  const nextSequence = mediaSequence + segments.length;
  return { state: withoutLost({ nextSequence, discontinuitySequence, segments }, () => true) };
}

/**
 * Leaves out the segments that are gone. Numbers are places in the list, which cannot have a hole: what was listed before a lost segment goes
 * with it.
 */
export function keepPresent(state: PlaylistState, isPresent: (path: string) => boolean): PlaylistState {
  return withoutLost(state, ({ path, init }) => isPresent(path) && (init === undefined || isPresent(init.path)));
}

interface UnlocatedSegment extends Omit<ListedSegment, 'path'> {
  readonly path: string | undefined;
}

function locate({ keyUri, initUri, ...segment }: ParsedSegment, locator: UriLocator): UnlocatedSegment {
  const key = keyUri === undefined ? undefined : { uri: keyUri, path: locator.keyPathOf(keyUri) };
  const path = locator.segmentPathOf(segment.uri);
  if (initUri === undefined) return { ...segment, path, key };
  const initPath = locator.segmentPathOf(initUri);
  // A segment whose init segment is nowhere cannot be played.
  return initPath === undefined
    ? { ...segment, path: undefined, key }
    : { ...segment, path, key, init: { uri: initUri, path: initPath } };
}

interface UnlocatedPlaylist extends Omit<PlaylistState, 'segments'> {
  readonly segments: readonly UnlocatedSegment[];
}

function withoutLost(state: UnlocatedPlaylist, isKept: (segment: ListedSegment) => boolean): PlaylistState {
  const { nextSequence, discontinuitySequence, segments } = state;
  const isThere = (segment: UnlocatedSegment): segment is ListedSegment => isLocated(segment) && isKept(segment);
  const lastLost = segments.findLastIndex((segment) => !isThere(segment));
  const first = Math.max(lastLost + 1, segments.length - MAX_LISTED_SEGMENTS);
  const left = segments.slice(0, first);
  return {
    nextSequence,
    discontinuitySequence: discontinuitySequence + left.filter((segment) => segment.isDiscontinuity).length,
    segments: segments.slice(first).filter(isThere),
  };
}

function isLocated(segment: UnlocatedSegment): segment is ListedSegment {
  return segment.path !== undefined;
}

/** A date stands at the first segment and behind each discontinuity; those between follow from the durations. */
function withDates(segments: readonly ParsedSegment[]): readonly ParsedSegment[] {
  let next: number | undefined;
  return segments.map((segment) => {
    const programDateTimeMs = segment.programDateTimeMs ?? (segment.isDiscontinuity ? undefined : next);
    next = programDateTimeMs === undefined ? undefined : programDateTimeMs + segment.durationMs;
    return { ...segment, programDateTimeMs };
  });
}

/** No server counts so far; beyond it, numbers would no longer be exact after some time. */
const MAX_SEQUENCE = 2 ** 52;

function checkNumbers({ mediaSequence, discontinuitySequence, segments }: ParsedPlaylist): void {
  for (const number of [mediaSequence, discontinuitySequence]) {
    if (!Number.isInteger(number) || number < 0 || number > MAX_SEQUENCE) {
      throw new Error(`sequence number ${number} must be 0..${MAX_SEQUENCE}`);
    }
  }
  const wrong = segments.find(({ durationMs }) => !(durationMs >= 0));
  if (wrong !== undefined) throw new Error(`segment ${wrong.uri} has no duration`);
}

/** The numbers of a text that is no playlist any more: players have seen them, so they must not fall. */
function numbersIn(text: string): { readonly nextSequence: number; readonly discontinuitySequence: number } {
  const numberOf = (tag: string): number => {
    const number = Number(new RegExp(`^#${tag}:(\\d{1,15})\\s*$`, 'm').exec(text)?.[1] ?? 0);
    return Math.min(number, MAX_SEQUENCE);
  };
  const listed = text.match(/^#EXTINF:/gm)?.length ?? 0;
  const breaks = text.match(/^#EXT-X-DISCONTINUITY\s*$/gm)?.length ?? 0;
  return {
    nextSequence: numberOf('EXT-X-MEDIA-SEQUENCE') + listed,
    discontinuitySequence: numberOf('EXT-X-DISCONTINUITY-SEQUENCE') + breaks,
  };
}
