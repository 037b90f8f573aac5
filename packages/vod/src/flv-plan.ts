/**
 * How an FLV file is cut, as far as that can be told at once: a large file by what its metadata say of key frames, if they are
 * right. A file without such an index, and a small one, is looked through as a whole.
 */
import { AmfObject, type AmfValue, decodeAmf0 } from '@srs/amf';
import { classifyFrame } from '@srs/codec';
import { frameFlags, frameTypes, SrsError, timestampDelta } from '@srs/kernel';
import type { FileWindow } from './file-window.ts';
import {
  endOfMedia,
  type FlvCut,
  type FlvMark,
  FlvScanner,
  type FlvScanState,
  isPicture,
  isSound,
  newScanState,
} from './flv-scan.ts';
import { classifiablePart, findFirstTag, findTag, type PlacedTag, readPayload } from './flv-tags.ts';
import {
  FULL_SEGMENT_BYTES,
  MAX_INDEX_GAP_MS,
  MAX_INDEX_TAIL_BYTES,
  MAX_SEGMENT_BYTES,
  MAX_SEGMENTS,
  SEGMENT_MS,
  SEGMENT_TOLERANCE_MS,
} from './limits.ts';

export interface FlvPlan {
  /** Where the segments begin, and when the last one ends; undefined when the file must be looked through to tell. */
  readonly index: FlvIndex | undefined;
  /** What has been looked through so far. */
  readonly state: FlvScanState;
  readonly cuts: readonly FlvCut[];
}

export interface FlvIndex {
  readonly marks: readonly FlvMark[];
  readonly endMs: number;
  readonly hasForcedCut: boolean;
}

/** An entry of the list in the metadata. */
interface Entry {
  readonly position: number;
  readonly timeMs: number;
}

/** Pictures and sounds come soon behind the headers. */
const MAX_TAGS_BEFORE_MEDIA = 1000;
/** The times of the list are those of the tags, perhaps rounded. */
const MAX_TIME_ERROR_MS = 200;

/**
 * @param places a window that reads little at once
 * @param scannedBytes a file up to this size is not looked up in its metadata
 * @throws SrsError FlvHeader, HlsDecode when there are too many segments
 */
export function planFlv(window: FileWindow, places: FileWindow, scannedBytes: number): FlvPlan {
  const firstTag = findFirstTag(window);
  const marks = window.sizeBytes > scannedBytes ? marksOfMetadata(window, places, firstTag) : undefined;
  const state = newScanState(firstTag);
  if (marks === undefined) return { index: undefined, state, cuts: [] };
  const index = withTail(window, marks);
  const cuts = new FlvScanner(window, state, index.marks).run(({ cutCount }) => cutCount < 2);
  return { index, state, cuts };
}

/** @returns undefined when there is no list, or it is not right */
function marksOfMetadata(window: FileWindow, places: FileWindow, firstTag: number): FlvMark[] | undefined {
  const entries = readEntries(window, firstTag);
  const originMs = findOrigin(window, firstTag);
  if (entries === undefined || originMs === undefined) return undefined;
  // Some writers list the sequence header as well.
  const first = entries.findIndex(({ position }, index) => index > 1 || keyFrameAt(places, position) !== undefined);
  if (first < 0) return undefined;
  return selectMarks(places, entries.slice(first), { position: firstTag, timeMs: 0 }, originMs);
}

/** Looks at each key frame that is to begin a segment: there must be one, and of that time. */
function selectMarks(places: FileWindow, entries: readonly Entry[], begin: FlvMark, originMs: number): FlvMark[] | undefined {
  const marks = [begin];
  let rawMs = originMs;
  let known: Entry | undefined;
  let timeMs = 0;
  for (const entry of entries) {
    const last = marks.at(-1)!;
    const expectedMs = known === undefined ? undefined : timeMs + entry.timeMs - known.timeMs;
    const sizeBytes = entry.position - last.position;
    if (expectedMs !== undefined) {
      const isLong = expectedMs - last.timeMs >= SEGMENT_MS - SEGMENT_TOLERANCE_MS;
      if (!isLong && sizeBytes < FULL_SEGMENT_BYTES) continue;
    }
    const tag = keyFrameAt(places, entry.position);
    if (tag === undefined) return undefined;
    timeMs += timestampDelta(rawMs, tag.timestampMs);
    rawMs = tag.timestampMs;
    known = entry;
    const lengthMs = timeMs - last.timeMs;
    if (expectedMs !== undefined && Math.abs(timeMs - expectedMs) > MAX_TIME_ERROR_MS) return undefined;
    if (lengthMs < 0 || lengthMs > MAX_INDEX_GAP_MS || sizeBytes > MAX_SEGMENT_BYTES) return undefined;
    if (lengthMs >= SEGMENT_MS - SEGMENT_TOLERANCE_MS || (sizeBytes >= FULL_SEGMENT_BYTES && lengthMs > 0)) {
      marks.push({ position: entry.position, timeMs });
      if (marks.length > MAX_SEGMENTS) throw tooMany();
    }
  }
  const isUsable = marks.length > 1 && places.sizeBytes - marks.at(-1)!.position <= MAX_INDEX_TAIL_BYTES;
  return isUsable ? marks : undefined;
}

/** A list may end before the file, and does not tell when that ends. */
function withTail(window: FileWindow, marks: readonly FlvMark[]): FlvIndex {
  const last = marks.at(-1)!;
  const state = newScanState(last.position);
  const tag = findTag(window, last.position)!;
  state.cutCount = 1;
  state.video.hasFrames = true;
  state.video.lastMs = last.timeMs;
  state.time = { rawMs: tag.timestampMs, timeMs: last.timeMs };
  state.cutter.startMs = last.timeMs;
  const more = new FlvScanner(window, state, undefined).run(({ cutCount }) => marks.length + cutCount <= MAX_SEGMENTS);
  if (marks.length + more.length > MAX_SEGMENTS) throw tooMany();
  return {
    marks: [...marks, ...more.map(({ position, timeMs }) => ({ position, timeMs }))],
    endMs: endOfMedia(state),
    hasForcedCut: state.cutter.hasForcedCut,
  };
}

function tooMany(): SrsError {
  return new SrsError('HlsDecode', `flv segments must be at most ${MAX_SEGMENTS}`);
}

function readEntries(window: FileWindow, firstTag: number): Entry[] | undefined {
  const tag = findTag(window, firstTag);
  if (tag?.type !== frameTypes.data) return undefined;
  const keyFrames = fieldOf(readMetadata(readPayload(window, tag)), 'keyframes');
  const positions = fieldOf(keyFrames, 'filepositions');
  const times = fieldOf(keyFrames, 'times');
  if (!Array.isArray(positions) || !Array.isArray(times) || positions.length !== times.length) return undefined;
  const entries: Entry[] = [];
  let before = firstTag;
  for (let index = 0; index < positions.length; index++) {
    const position: unknown = positions[index];
    const seconds: unknown = times[index];
    if (typeof position !== 'number' || typeof seconds !== 'number' || !Number.isFinite(seconds)) return undefined;
    if (!Number.isSafeInteger(position) || position <= before || position >= window.sizeBytes) return undefined;
    before = position;
    entries.push({ position, timeMs: seconds * 1000 });
  }
  return entries;
}

function readMetadata(payload: Buffer): AmfValue | undefined {
  try {
    const values = decodeAmf0(payload);
    return values.find((value) => value instanceof AmfObject);
  } catch (error) {
    if (error instanceof SrsError) return undefined;
    throw error;
  }
}

function fieldOf(value: AmfValue | undefined, name: string): AmfValue | undefined {
  return value instanceof AmfObject ? value.get(name) : undefined;
}

/** The timestamp of the first picture or sound. */
function findOrigin(window: FileWindow, firstTag: number): number | undefined {
  let position = firstTag;
  for (let count = 0; count < MAX_TAGS_BEFORE_MEDIA; count++) {
    const tag = findTag(window, position);
    if (tag === undefined) return undefined;
    if (isMedia(window, tag)) return tag.timestampMs;
    position = tag.end;
  }
  return undefined;
}

function isMedia(window: FileWindow, tag: PlacedTag): boolean {
  if (tag.type !== frameTypes.video && tag.type !== frameTypes.audio) return false;
  const flags = classifyFrame(tag.type, classifiablePart(window, tag));
  return tag.type === frameTypes.video ? isPicture(flags, tag) : isSound(flags, tag);
}

function keyFrameAt(places: FileWindow, position: number): PlacedTag | undefined {
  const tag = findTag(places, position);
  if (tag?.type !== frameTypes.video) return undefined;
  const flags = classifyFrame(frameTypes.video, classifiablePart(places, tag));
  return (flags & frameFlags.keyFrame) !== 0 && isPicture(flags, tag) ? tag : undefined;
}
