/** Completes fragmented MP4 files that were interrupted. Reads whole files and waits for the disk: not for the event loop. */
import { ftruncateSync } from 'node:fs';
import { SrsError, TIMESTAMP_MASK } from '@srs/kernel';
import type { FileWindow } from './file-window.ts';
import type { MediaTimes } from './media-span.ts';
import { BOX_HEAD_BYTES, type Box, boxesIn, findBox, movieDurationPosition, typeAt } from './mp4-boxes.ts';
import type { FileSummary } from './recording.ts';
import { repairFile, writePatch } from './repair-file.ts';

/** What is not media is small; a box that says otherwise is none. */
const MAX_TABLE_BYTES = 64 * 1024 * 1024;

/**
 * Cuts off what follows the last whole fragment, and writes the duration. Does no harm to a file that is complete.
 * @returns undefined when there is no whole fragment in it
 * @throws SrsError FileOpen, FileRead or FileWrite, with the system's error as cause; Mp4File when it is no MP4 at all
 */
export function repairMp4(path: string): FileSummary | undefined {
  return repairFile(path, { find: readFile, complete, summarise });
}

interface Found {
  /** ftyp and moov, with the duration they had when the recording began. */
  readonly head: Buffer;
  readonly sizeBytes: number;
  readonly times: MediaTimes;
}

function readFile(file: FileWindow): Found | undefined {
  const types = ['ftyp', 'moov'];
  const heads: Buffer[] = [];
  let position = 0;
  for (const type of types) {
    const bytes = readBox(file, position);
    if (bytes === undefined) return undefined;
    const found = typeAt(bytes, 0);
    if (found !== type) throw new SrsError('Mp4File', `mp4 box ${JSON.stringify(found)} at ${position} must be ${type}`);
    heads.push(Buffer.from(bytes));
    position += bytes.length;
  }
  const head = Buffer.concat(heads);
  const durationPosition = movieDurationPosition(head);
  if (durationPosition !== undefined) head.writeUInt32BE(0, durationPosition);
  const clock = new FragmentClock(timescalesOf(head));
  for (;;) {
    const end = readFragment(file, position, clock);
    if (end === undefined) break;
    position = end;
  }
  const { times } = clock;
  return times === undefined ? undefined : { head, sizeBytes: position, times };
}

/** @returns where the fragment ends; undefined when none is whole at this place */
function readFragment(file: FileWindow, position: number, clock: FragmentClock): number | undefined {
  const tables = readBox(file, position);
  if (tables === undefined || typeAt(tables, 0) !== 'moof') return undefined;
  const mediaPosition = position + tables.length;
  const copy = Buffer.from(tables);
  const head = file.read(mediaPosition, BOX_HEAD_BYTES);
  if (head === undefined || typeAt(head, 0) !== 'mdat') return undefined;
  const end = mediaPosition + head.readUInt32BE(0);
  if (end < mediaPosition + BOX_HEAD_BYTES || end > file.sizeBytes) return undefined;
  clock.add(copy);
  return end;
}

/** @returns the box with its head, valid until the next read; undefined when it is not whole */
function readBox(file: FileWindow, position: number): Buffer | undefined {
  const head = file.read(position, BOX_HEAD_BYTES);
  if (head === undefined) return undefined;
  const size = head.readUInt32BE(0);
  if (size < BOX_HEAD_BYTES || size > MAX_TABLE_BYTES) return undefined;
  return file.read(position, size);
}

/** Ticks per second of each track, by its id. */
function timescalesOf(head: Buffer): ReadonlyMap<number, number> {
  const timescales = new Map<number, number>();
  const movie = findBox(head, { start: 0, end: head.length }, 'moov');
  if (movie === undefined) return timescales;
  for (const track of boxesIn(head, movie.start, movie.end)) {
    if (track.type !== 'trak') continue;
    const trackHeader = findBox(head, track, 'tkhd');
    const mediaHeader = findBox(head, track, 'mdia', 'mdhd');
    // Both in version 0: flags, two dates, then the number.
    if (trackHeader !== undefined && mediaHeader !== undefined) {
      timescales.set(head.readUInt32BE(trackHeader.start + 12), head.readUInt32BE(mediaHeader.start + 12));
    }
  }
  return timescales;
}

/** From when to when the fragments last. */
class FragmentClock {
  readonly #timescales: ReadonlyMap<number, number>;
  #startMs = Number.POSITIVE_INFINITY;
  #endMs = Number.NEGATIVE_INFINITY;

  constructor(timescales: ReadonlyMap<number, number>) {
    this.#timescales = timescales;
  }

  get times(): MediaTimes | undefined {
    if (this.#startMs > this.#endMs) return undefined;
    const firstMs = Math.round(this.#startMs);
    const lastMs = Math.round(this.#endMs);
    return {
      firstTimestampMs: firstMs & TIMESTAMP_MASK,
      lastTimestampMs: lastMs & TIMESTAMP_MASK,
      durationMs: lastMs - firstMs,
    };
  }

  /** @param fragment its moof */
  add(fragment: Buffer): void {
    const whole = findBox(fragment, { start: 0, end: fragment.length }, 'moof');
    if (whole === undefined) return;
    for (const run of boxesIn(fragment, whole.start, whole.end)) if (run.type === 'traf') this.#addRun(fragment, run);
  }

  /** tfhd: flags, track; tfdt: version 1, flags, time of 64 bits; trun: flags, count, data offset, then the samples. */
  #addRun(fragment: Buffer, run: Box): void {
    const trackHeader = findBox(fragment, run, 'tfhd');
    const decodeTime = findBox(fragment, run, 'tfdt');
    const samples = findBox(fragment, run, 'trun');
    if (trackHeader === undefined || decodeTime === undefined || samples === undefined) return;
    const timescale = this.#timescales.get(fragment.readUInt32BE(trackHeader.start + 4));
    if (timescale === undefined || timescale === 0) return;
    const begin = Number(fragment.readBigUInt64BE(decodeTime.start + 4));
    const count = fragment.readUInt32BE(samples.start + 4);
    const table = samples.start + 12;
    const sampleBytes = (samples.end - table) / Math.max(1, count);
    let ticks = 0;
    for (let i = 0; i < count && sampleBytes >= 4; i++) ticks += fragment.readUInt32BE(table + i * sampleBytes);
    this.#startMs = Math.min(this.#startMs, (begin * 1000) / timescale);
    this.#endMs = Math.max(this.#endMs, ((begin + ticks) * 1000) / timescale);
  }
}

function complete(fd: number, { head, sizeBytes, times }: Found, fileBytes: number): void {
  if (fileBytes > sizeBytes) ftruncateSync(fd, sizeBytes);
  const position = movieDurationPosition(head);
  if (position === undefined) return;
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(Math.min(times.durationMs, 0xffffffff));
  writePatch(fd, { position, bytes });
}

function summarise({ head, sizeBytes, times }: Found, fileBytes: number): FileSummary {
  return { ...times, sizeBytes, cutBytes: Math.max(0, fileBytes - sizeBytes), mp4: { head: new Uint8Array(head) } };
}
