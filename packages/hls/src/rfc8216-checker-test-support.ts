/**
 * Holds the versions of a live media playlist to RFC 8216: each by itself, and each against the one before it. It reads the text with a
 * reader of its own.
 */

export interface PlaylistVersion {
  readonly text: string;
  /** When it was made available. */
  readonly atMs: number;
  /** A publish or a server has begun anew since the version before: the target duration may fall, and what is lost may leave early. */
  readonly isNewPublish?: boolean;
  /** The server has begun anew and knows nothing of the version before: only the numbers must not fall. */
  readonly isForgetful?: boolean;
}

export type RuleName =
  | 'syntax'
  | 'version'
  | 'target-duration'
  | 'target-duration-changed'
  | 'media-sequence'
  | 'segment-changed'
  | 'discontinuity-sequence'
  | 'date'
  | 'too-short'
  | 'early'
  | 'late';

export interface BrokenRule {
  readonly rule: RuleName;
  /** Index of the version. */
  readonly version: number;
  readonly detail: string;
}

interface Segment {
  readonly sequence: number;
  readonly uri: string;
  readonly durationMs: number;
  readonly isDiscontinuity: boolean;
  readonly key: string;
  readonly init: string;
  /** Said or following from the segment before it. */
  readonly dateMs: number | undefined;
}

interface Reading {
  readonly target: number;
  readonly mediaSequence: number;
  readonly discontinuitySequence: number;
  readonly segments: readonly Segment[];
}

type Report = (rule: RuleName, detail: string) => void;

export function checkPlaylists(versions: readonly PlaylistVersion[]): readonly BrokenRule[] {
  const broken: BrokenRule[] = [];
  let before: { readonly reading: Reading; readonly atMs: number } | undefined;
  for (const [version, { text, atMs, isNewPublish = false, isForgetful = false }] of versions.entries()) {
    const report: Report = (rule, detail) => broken.push({ rule, version, detail });
    const reading = read(text, report);
    checkAlone(reading, report);
    if (before !== undefined && isForgetful) {
      checkNumbers(before.reading, reading, report);
    } else if (before !== undefined) {
      checkChange(before.reading, reading, isNewPublish, report);
      if (!isNewPublish) checkPace(before.reading.target, atMs - before.atMs, report);
    }
    before = { reading, atMs };
  }
  return broken;
}

const datePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)$/;

/** 4.1: UTF-8 lines that are blank, comments, tags or URIs. 4.3: the tags. */
function read(text: string, report: Report): Reading {
  if (!text.startsWith('#EXTM3U\n')) report('syntax', 'the first line must be #EXTM3U');
  if (!text.endsWith('\n')) report('syntax', 'the last line has no end');
  const once = new Map<string, string>();
  const segments: Segment[] = [];
  let pending = { extinf: '', isDiscontinuity: false, date: '' };
  let key = '';
  let init = '';
  let dateMs: number | undefined;
  const number = (tag: string): number => Number(once.get(tag) ?? 0);

  for (const line of text.split('\n').slice(1)) {
    if (line === '') continue;
    const [, tag = '', value = ''] = /^#(EXT[A-Z0-9-]*)(?::(.*))?$/.exec(line) ?? [];
    switch (tag) {
      case '':
        if (line.startsWith('#')) break;
        if (pending.extinf === '') report('syntax', `${line} has no EXTINF`);
        if (/[\s"<>\\^`{|}]/.test(line)) report('syntax', `${line} is no URI`);
        if (pending.date !== '') dateMs = Date.parse(pending.date);
        else if (pending.isDiscontinuity) dateMs = undefined;
        segments.push({
          sequence: number('EXT-X-MEDIA-SEQUENCE') + segments.length,
          uri: line,
          durationMs: Math.round(Number.parseFloat(pending.extinf) * 1000),
          isDiscontinuity: pending.isDiscontinuity,
          key,
          init,
          dateMs,
        });
        if (dateMs !== undefined) dateMs += Math.round(Number.parseFloat(pending.extinf) * 1000);
        pending = { extinf: '', isDiscontinuity: false, date: '' };
        break;
      case 'EXTINF':
        if (!/^\d+(?:\.\d+)?,/.test(value)) report('syntax', `EXTINF:${value} must be a number and a comma`);
        pending.extinf = value;
        break;
      case 'EXT-X-DISCONTINUITY':
        pending.isDiscontinuity = true;
        break;
      case 'EXT-X-PROGRAM-DATE-TIME':
        if (!datePattern.test(value)) report('syntax', `${value} is no date with a zone`);
        pending.date = value;
        break;
      case 'EXT-X-KEY':
        if (!/^METHOD=NONE$/.test(value) && !/^METHOD=AES-128,URI="[^"]+"/.test(value)) report('syntax', `EXT-X-KEY:${value}`);
        key = value === 'METHOD=NONE' ? '' : value;
        break;
      case 'EXT-X-MAP':
        if (!/^URI="[^"]+"$/.test(value)) report('syntax', `EXT-X-MAP:${value}`);
        // 4.3.2.4: what comes behind a key is encrypted with it, and init segments are not.
        if (key !== '') report('syntax', `EXT-X-MAP:${value} stands behind a key`);
        if (number('EXT-X-VERSION') < 6) report('version', 'EXT-X-MAP needs version 6');
        init = value;
        break;
      case 'EXT-X-PART':
      case 'EXT-X-PRELOAD-HINT':
      case 'EXT-X-PART-INF':
      case 'EXT-X-SERVER-CONTROL':
        // See the checker of low-latency playlists.
        break;
      case 'EXT-X-ENDLIST':
        report('syntax', 'a live playlist has no end');
        break;
      default:
        if (once.has(tag)) report('syntax', `${tag} stands there twice`);
        if (segments.length > 0 || pending.isDiscontinuity) report('syntax', `${tag} must stand before the first segment`);
        if (!/^(?:\d+|NO|YES)$/.test(value)) report('syntax', `${tag}:${value}`);
        once.set(tag, value);
    }
  }
  if (pending.extinf !== '') report('syntax', 'an EXTINF has no URI');
  if (!once.has('EXT-X-TARGETDURATION')) report('target-duration', 'there is none');
  if (number('EXT-X-VERSION') < 3 && /EXTINF:\d+\./.test(text)) report('version', 'fractions need version 3');
  return {
    target: number('EXT-X-TARGETDURATION'),
    mediaSequence: number('EXT-X-MEDIA-SEQUENCE'),
    discontinuitySequence: number('EXT-X-DISCONTINUITY-SEQUENCE'),
    segments,
  };
}

function checkAlone({ target, segments }: Reading, report: Report): void {
  for (const { uri, durationMs } of segments) {
    // 4.3.3.1.
    if (Math.round(durationMs / 1000) > target) report('target-duration', `${uri} lasts ${durationMs} ms, more than ${target} s`);
  }
  const uris = segments.map((segment) => segment.uri);
  if (new Set(uris).size < uris.length) report('segment-changed', 'a URI is listed twice');
}

/** 6.2.2: a player that knows the playlist takes what has a lower number for what it has seen. */
function checkNumbers(before: Reading, now: Reading, report: Report): void {
  const end = before.mediaSequence + before.segments.length;
  if (now.mediaSequence < end) report('media-sequence', `goes on with ${now.mediaSequence}, there was ${end - 1}`);
  if (now.discontinuitySequence < before.discontinuitySequence) report('discontinuity-sequence', 'has fallen');
  if (now.segments[0]?.isDiscontinuity === false) report('segment-changed', 'the first one must be a discontinuity');
}

/** 6.2.1 and 6.2.2. */
function checkChange(before: Reading, now: Reading, isNewPublish: boolean, report: Report): void {
  const endBefore = before.mediaSequence + before.segments.length;
  const end = now.mediaSequence + now.segments.length;
  if (now.mediaSequence < before.mediaSequence) {
    report('media-sequence', `fell from ${before.mediaSequence} to ${now.mediaSequence}`);
    return;
  }
  if (end < endBefore) report('media-sequence', `segment ${endBefore - 1} is gone before it was the oldest`);
  if (now.mediaSequence > endBefore) report('media-sequence', `segment ${endBefore} was never listed`);

  const removed = before.segments.filter((segment) => segment.sequence < now.mediaSequence);
  const removedBreaks = removed.filter((segment) => segment.isDiscontinuity).length;
  if (now.discontinuitySequence !== before.discontinuitySequence + removedBreaks) {
    const numbers = `${before.discontinuitySequence} and ${now.discontinuitySequence}`;
    report('discontinuity-sequence', `${removedBreaks} discontinuities have left between ${numbers}`);
  }
  for (const segment of now.segments) {
    const known = before.segments.find((each) => each.sequence === segment.sequence);
    if (known !== undefined) checkSame(known, segment, report);
  }
  checkTarget(before, now, isNewPublish, report);
  const listedMs = now.segments.reduce((sum, segment) => sum + segment.durationMs, 0);
  if (removed.length > 0 && !isNewPublish && listedMs < 3 * now.target * 1000) {
    report('too-short', `${listedMs} ms are left of a playlist with the target ${now.target} s`);
  }
}

function checkSame(before: Segment, now: Segment, report: Report): void {
  const differences = (['uri', 'durationMs', 'isDiscontinuity', 'key', 'init'] as const).filter(
    (name) => before[name] !== now[name],
  );
  for (const name of differences) {
    report('segment-changed', `${name} of ${now.sequence}: ${String(before[name])} became ${String(now[name])}`);
  }
  if (before.dateMs !== undefined && before.dateMs !== now.dateMs) {
    report('date', `${now.sequence} began at ${before.dateMs}, now at ${now.dateMs}`);
  }
}

function checkTarget(before: Reading, now: Reading, isNewPublish: boolean, report: Report): void {
  const isNeeded = now.segments.some((segment) => Math.round(segment.durationMs / 1000) === now.target);
  if (now.target > before.target && !isNeeded && !isNewPublish) report('target-duration-changed', `raised to ${now.target} s`);
  if (now.target < before.target && !isNewPublish) report('target-duration-changed', `lowered to ${now.target} s`);
}

/** 6.2.1: a new version comes after half to one and a half target durations. */
function checkPace(target: number, elapsedMs: number, report: Report): void {
  if (elapsedMs < target * 500) report('early', `${elapsedMs} ms after the version before, with the target ${target} s`);
  if (elapsedMs > target * 1500) report('late', `${elapsedMs} ms after the version before, with the target ${target} s`);
}
