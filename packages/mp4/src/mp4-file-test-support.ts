/** Writes MP4 files in all the ways that the standard allows, box by box. */
import { aacConfig, avcRecord, hex } from './mp4-test-support.ts';

export function testBox(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(body.length + 8);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, body]);
}

/** A box whose size has 64 bits. */
export function longBox(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(16);
  head.writeUInt32BE(1);
  head.write(type, 4, 'latin1');
  head.writeBigUInt64BE(BigInt(body.length + 16), 8);
  return Buffer.concat([head, body]);
}

export function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => {
    bytes.writeUInt32BE(value < 0 ? value + 2 ** 32 : value, i * 4);
  });
  return bytes;
}

function longs(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 8);
  values.forEach((value, i) => {
    bytes.writeBigInt64BE(BigInt(value), i * 8);
  });
  return bytes;
}

export interface FileSample {
  readonly data: Buffer;
  readonly duration: number;
  readonly compositionOffset: number;
  readonly isSync: boolean;
}

interface FileEdit {
  /** Ticks of the movie, a thousand a second. */
  readonly duration: number;
  /** Ticks of the media, -1 for an empty edit. */
  readonly mediaTime: number;
}

export interface FileTrack {
  readonly trackId: number;
  readonly timescale: number;
  readonly samples: readonly FileSample[];
  /** Samples in each chunk, the last number again and again. */
  readonly chunks?: readonly number[];
  readonly edits?: readonly FileEdit[];
  /** The entry of stsd; that of 320x180 H.264 unless told. */
  readonly entry?: Buffer;
  /** Boxes that stand in place of those of the same type; an empty buffer leaves one out. */
  readonly replaced?: Readonly<Record<string, Buffer>>;
}

export interface FileOptions {
  readonly tracks: readonly FileTrack[];
  readonly isMoovFirst?: boolean;
  /** co64, and version 1 of tkhd, mdhd, mvhd and elst. */
  readonly isLong?: boolean;
  /** stz2 with fields of so many bits instead of stsz. */
  readonly compactSizeBits?: 4 | 8 | 16;
  readonly compositionVersion?: 0 | 1;
  /** Boxes at the end of moov. */
  readonly moovTail?: readonly Buffer[];
}

export const avcEntry = testBox(
  'avc1',
  hex('000000000000 0001'),
  Buffer.alloc(16),
  hex('0140 00b4 00480000 00480000 00000000 0001'),
  Buffer.alloc(32),
  hex('0018 ffff'),
  testBox('avcC', avcRecord),
);

export function hevcEntry(type: 'hvc1' | 'hev1', record: Buffer): Buffer {
  return testBox(type, avcEntry.subarray(8, 86), testBox('btrt', Buffer.alloc(12)), testBox('hvcC', record));
}

/** An esds with sizes of one byte. */
export function esds(objectType: number, specificInfo: Buffer): Buffer {
  const info = specificInfo.length === 0 ? specificInfo : Buffer.concat([Buffer.from([5, specificInfo.length]), specificInfo]);
  const decoder = Buffer.concat([Buffer.from([4, 13 + info.length, objectType, 0x15]), Buffer.alloc(11), info]);
  return testBox('esds', words(0), Buffer.from([3, 3 + decoder.length + 3, 0, 2, 0]), decoder, Buffer.from([6, 1, 2]));
}

export const aacEntry = testBox(
  'mp4a',
  hex('000000000000 0001 0000000000000000 0002 0010 0000 0000 ac440000'),
  esds(0x40, aacConfig),
);

/** ftyp, moov and mdat; the chunks of the tracks take turns. */
export function buildFile(options: FileOptions): Buffer {
  const ftyp = testBox('ftyp', Buffer.from('isom'), words(512), Buffer.from('isomiso2mp41'));
  const chunksOf = options.tracks.map((track) => splitIntoChunks(track));
  const mdatBody: Buffer[] = [];
  const relative = chunksOf.map((chunks) => chunks.map(() => 0));
  let mediaBytes = 0;
  for (let i = 0; i < Math.max(0, ...chunksOf.map((chunks) => chunks.length)); i++) {
    chunksOf.forEach((chunks, t) => {
      const chunk = chunks[i];
      if (chunk === undefined) return;
      relative[t]![i] = mediaBytes;
      for (const { data } of chunk) {
        mdatBody.push(data);
        mediaBytes += data.length;
      }
    });
  }
  const mdat = Buffer.concat(mdatBody);
  const mdatBox = options.isLong === true ? longBox('mdat', mdat) : testBox('mdat', mdat);
  const mdatHead = mdatBox.length - mdat.length;
  const moovAt = (base: number) =>
    buildMoov(
      options,
      chunksOf,
      relative.map((offsets) => offsets.map((offset) => base + offset)),
    );
  if (options.isMoovFirst !== true) return Buffer.concat([ftyp, mdatBox, moovAt(ftyp.length + mdatHead)]);
  const moovBytes = moovAt(0).length;
  return Buffer.concat([ftyp, moovAt(ftyp.length + moovBytes + mdatHead), mdatBox]);
}

function splitIntoChunks({ samples, chunks = [1] }: FileTrack): FileSample[][] {
  const split: FileSample[][] = [];
  let next = 0;
  for (let i = 0; next < samples.length; i++) {
    const count = chunks[Math.min(i, chunks.length - 1)]!;
    split.push(samples.slice(next, next + count));
    next += count;
  }
  return split;
}

function buildMoov(options: FileOptions, chunksOf: readonly FileSample[][][], offsetsOf: readonly number[][]): Buffer {
  const isLong = options.isLong === true;
  const mvhd = testBox('mvhd', isLong ? words(0x0100_0000, 0, 0, 0, 0, 1000, 0, 0) : words(0, 0, 0, 1000, 0), Buffer.alloc(80));
  const traks = options.tracks.map((track, i) => buildTrak(track, options, chunksOf[i]!, offsetsOf[i]!));
  return testBox('moov', mvhd, ...traks, ...(options.moovTail ?? []));
}

function buildTrak(track: FileTrack, options: FileOptions, chunks: readonly FileSample[][], offsets: readonly number[]): Buffer {
  const { trackId, timescale, edits, replaced = {} } = track;
  const isLong = options.isLong === true;
  const tkhd = testBox('tkhd', isLong ? words(0x0100_0007, 0, 0, 0, 0, trackId) : words(7, 0, 0, trackId), Buffer.alloc(68));
  const mdhd = testBox('mdhd', isLong ? words(0x0100_0000, 0, 0, 0, 0, timescale, 0, 0) : words(0, 0, 0, timescale, 0), words(0));
  const named: Record<string, Buffer> = { ...tables(track, options, chunks, offsets), tkhd, mdhd, ...replaced };
  const stblBoxes = ['stsd', 'stts', 'ctts', 'stss', 'stsc', 'sizes', 'offsets'].map((name) => named[name]!);
  const edts = edits === undefined ? [] : [testBox('edts', editList(edits, isLong))];
  return testBox(
    'trak',
    named.tkhd!,
    ...(named.edts === undefined ? edts : [named.edts]),
    testBox('mdia', named.mdhd!, testBox('minf', testBox('stbl', ...stblBoxes))),
  );
}

export function editList(edits: readonly FileEdit[], isLong = false): Buffer {
  const entries = edits.map(({ duration, mediaTime }) =>
    Buffer.concat([isLong ? longs(duration, mediaTime) : words(duration, mediaTime), words(0x0001_0000)]),
  );
  return testBox('elst', words(isLong ? 0x0100_0000 : 0, edits.length), ...entries);
}

function tables(
  track: FileTrack,
  options: FileOptions,
  chunks: readonly FileSample[][],
  offsets: readonly number[],
): Record<string, Buffer> {
  const { samples } = track;
  const durations = runs(samples.map(({ duration }) => duration));
  const compositions = runs(samples.map(({ compositionOffset }) => compositionOffset));
  const syncs = samples.flatMap(({ isSync }, i) => (isSync ? [i + 1] : []));
  const perChunk = runs(chunks.map((chunk) => chunk.length));
  let firstChunk = 1;
  const chunkRuns = perChunk.map(([count, length]) => {
    const run = words(firstChunk, length, 1);
    firstChunk += count;
    return run;
  });
  const hasCompositions = samples.some(({ compositionOffset }) => compositionOffset !== 0);
  return {
    stsd: testBox('stsd', words(0, 1), track.entry ?? avcEntry),
    stts: testBox('stts', words(0, durations.length, ...durations.flat())),
    ctts: hasCompositions
      ? testBox('ctts', words((options.compositionVersion ?? 1) * 2 ** 24, compositions.length, ...compositions.flat()))
      : Buffer.alloc(0),
    stss: syncs.length === samples.length ? Buffer.alloc(0) : testBox('stss', words(0, syncs.length, ...syncs)),
    stsc: testBox('stsc', words(0, chunkRuns.length), ...chunkRuns),
    sizes: sizesBox(samples, options.compactSizeBits),
    offsets:
      options.isLong === true
        ? testBox('co64', words(0, offsets.length), longs(...offsets))
        : testBox('stco', words(0, offsets.length, ...offsets)),
  };
}

function sizesBox(samples: readonly FileSample[], compactSizeBits: 4 | 8 | 16 | undefined): Buffer {
  const sizes = samples.map(({ data }) => data.length);
  if (compactSizeBits !== undefined) {
    const fields = Buffer.alloc(Math.ceil((sizes.length * compactSizeBits) / 8));
    sizes.forEach((size, i) => {
      if (compactSizeBits === 16) fields.writeUInt16BE(size, i * 2);
      else if (compactSizeBits === 8) fields[i] = size;
      else fields[i >>> 1]! |= i % 2 === 0 ? size << 4 : size;
    });
    return testBox('stz2', words(0, compactSizeBits, sizes.length), fields);
  }
  const isCommon = (sizes[0] ?? 0) > 0 && sizes.every((size) => size === sizes[0]);
  return isCommon ? testBox('stsz', words(0, sizes[0]!, sizes.length)) : testBox('stsz', words(0, 0, sizes.length, ...sizes));
}

/** `[how many, of what]` for each run of equal values. */
function runs(values: readonly number[]): [number, number][] {
  const all: [number, number][] = [];
  for (const value of values) {
    const last = all.at(-1);
    if (last?.[1] === value) last[0] += 1;
    else all.push([1, value]);
  }
  return all;
}
