/** A stream of records, and players who get it from lines of their own or with all others. */
import type { FrameType } from '@srs/kernel';
import { LiveTsLine, type LiveTsOptions } from './live-line.ts';
import { LiveStarts } from './live-place.ts';
import { aacFrame, aacHeader, audio, avcHeader, avcUnit, noise, video, videoFrame } from './mpegts-test-support.ts';

export interface LiveRecord {
  readonly type: FrameType;
  readonly timestampMs: number;
  readonly payload: Buffer;
  readonly isHeader: boolean;
  readonly isKey: boolean;
}

export interface StreamOptions {
  readonly pictures?: number;
  readonly gop?: number;
  readonly startMs?: number;
  readonly hasVideo?: boolean;
  readonly hasAudio?: boolean;
}

/** Headers, then 25 pictures a second, each with two sounds. */
export function recordsOf({
  pictures = 100,
  gop = 25,
  startMs = 0,
  hasVideo = true,
  hasAudio = true,
}: StreamOptions = {}): LiveRecord[] {
  const records: LiveRecord[] = [];
  const add = (type: FrameType, timestampMs: number, payload: Buffer, isHeader = false, isKey = false) => {
    if (type === video ? hasVideo : hasAudio)
      records.push({ type, timestampMs: timestampMs & 0x7fffffff, payload, isHeader, isKey });
  };
  add(video, startMs, avcHeader(), true);
  add(audio, startMs, aacHeader(), true);
  for (let index = 0; index < pictures; index++) {
    const isKey = index % gop === 0;
    const timestampMs = startMs + index * 40;
    const unit = avcUnit(isKey ? 5 : 1, isKey ? 2000 : 100 + ((index * 37) % 500), index);
    add(video, timestampMs, videoFrame('legacy 7', [unit], { isKey, compositionMs: 40 }), false, isKey);
    for (const later of [0, 21]) add(audio, timestampMs + later, aacFrame(noise(90 + (index % 7), index)));
  }
  return records;
}

/** Writes the records from `from` to before `to`. @param sequence of the first record of all */
export function writeRecords(
  line: LiveTsLine,
  records: readonly LiveRecord[],
  from: number,
  to: number = records.length,
  sequence = 0,
): Buffer {
  const written = records.slice(from, to).map(({ type, timestampMs, payload }, index) => {
    const bytes = Buffer.alloc(line.encodedBytes(type, timestampMs, payload, sequence + from + index), 0xee);
    line.encode(bytes, 0);
    return bytes;
  });
  return Buffer.concat(written);
}

/** One stream, as its viewers in one process share it. */
export class LiveStage {
  readonly dropped: string[] = [];
  readonly #options: LiveTsOptions;
  readonly #records: readonly LiveRecord[];
  /** That of those in step. */
  main: LiveTsLine;

  constructor(records: readonly LiveRecord[], options: Partial<LiveTsOptions> = {}) {
    this.#records = records;
    this.#options = {
      hasAudio: true,
      hasVideo: true,
      starts: new LiveStarts(),
      onDropped: (error) => this.dropped.push(error instanceof Error ? error.message : String(error)),
      ...options,
    };
    this.main = this.open();
  }

  open(from?: LiveTsLine): LiveTsLine {
    return new LiveTsLine(this.#options, from);
  }

  /** Those in step get the records up to `to`. */
  write(from: number, to: number = this.#records.length): Buffer {
    return writeRecords(this.main, this.#records, from, to);
  }

  /** A player by itself. */
  writeAlone(line: LiveTsLine, from: number, to: number = this.#records.length): Buffer {
    return writeRecords(line, this.#records, from, to);
  }

  /** As a player is led in: the headers, with the number of the record that it begins with. */
  leadIn(line: LiveTsLine, at: number): void {
    for (const { type, payload } of this.#records.filter(({ isHeader }) => isHeader))
      line.encodedBytes(type, this.#records[at]!.timestampMs, payload, at);
  }

  /** Into step: what it is given for that, if anything. */
  join(line: LiveTsLine): Buffer {
    return line.bridgeTo(this.main) ?? Buffer.alloc(0);
  }
}
