/** Unfolds the tables of stbl, which say runs of equal things once, into one row for each sample (ISO/IEC 14496-12, 8.6 and 8.7). */
import { SrsError } from '@srs/kernel';
import { BoxFields, findBox, requireBox } from './box-reader.ts';
import type { SampleTable } from './sample-table.ts';

const RUN_BYTES = 8;
const CHUNK_RUN_BYTES = 12;

export interface SampleTablesContext {
  readonly trackId: number;
  readonly fileBytes: number;
  /** Sound needs no key frames: all its samples are such, whatever stss says. */
  readonly isAudio: boolean;
}

/**
 * @param stbl body of the box
 * @throws SrsError Mp4File when the tables are malformed or do not agree, or a sample lies beyond the end of the file
 */
export function readSampleTables(stbl: Buffer, table: SampleTable, context: SampleTablesContext): void {
  readSizes(stbl, table, context);
  if (table.count === 0) return;
  readOffsets(stbl, table, context);
  readDecodingTimes(stbl, table, context);
  readCompositionOffsets(stbl, table);
  readSyncSamples(stbl, table, context);
}

function readSizes(stbl: Buffer, table: SampleTable, context: SampleTablesContext): void {
  const stsz = findBox(stbl, 'stsz');
  if (stsz === undefined) readCompactSizes(requireBox(stbl, 'stz2'), table);
  else readFullSizes(stsz, table, context);
}

function readFullSizes(stsz: Buffer, table: SampleTable, context: SampleTablesContext): void {
  const fields = new BoxFields('stsz', stsz);
  fields.skip(4);
  const commonSize = fields.u32();
  const count = fields.u32();
  if (commonSize === 0) {
    const sizes = fields.table(count, 4);
    table.extend(count);
    for (let i = 0; i < count; i++) table.sizes[i] = sizes.readUInt32BE(i * 4);
    return;
  }
  // Here no table vouches for the count, but the samples must be in the file.
  if (count * commonSize > context.fileBytes) {
    throw new SrsError(
      'Mp4File',
      `mp4 track ${context.trackId} has ${count} samples of ${commonSize} bytes, the file ${context.fileBytes}`,
    );
  }
  table.extend(count);
  table.sizes.fill(commonSize, 0, count);
}

/** stz2: sizes of 4, 8 or 16 bits. */
function readCompactSizes(stz2: Buffer, table: SampleTable): void {
  const fields = new BoxFields('stz2', stz2);
  fields.skip(4 + 3);
  const bits = fields.u8();
  const count = fields.u32();
  if (bits !== 4 && bits !== 8 && bits !== 16)
    throw new SrsError('Mp4File', `mp4 box stz2 field size ${bits} must be 4, 8 or 16`);
  const sizes = fields.table(Math.ceil((count * bits) / 8), 1);
  table.extend(count);
  for (let i = 0; i < count; i++) {
    if (bits === 16) table.sizes[i] = sizes.readUInt16BE(i * 2);
    else if (bits === 8) table.sizes[i] = sizes[i]!;
    else table.sizes[i] = i % 2 === 0 ? sizes[i >>> 1]! >>> 4 : sizes[i >>> 1]! & 0x0f;
  }
}

/** stco or co64 says where chunks begin, stsc how many samples are in each. */
function readOffsets(stbl: Buffer, table: SampleTable, context: SampleTablesContext): void {
  const chunks = readChunkOffsets(stbl);
  const fields = new BoxFields('stsc', requireBox(stbl, 'stsc'));
  fields.skip(4);
  const runCount = fields.u32();
  const runs = fields.table(runCount, CHUNK_RUN_BYTES);
  let row = 0;
  let firstChunk = 1;
  for (let i = 0; i < runCount && row < table.count; i++) {
    const at = i * CHUNK_RUN_BYTES;
    if (runs.readUInt32BE(at) !== firstChunk) {
      throw new SrsError(
        'Mp4File',
        `mp4 track ${context.trackId} has chunk ${runs.readUInt32BE(at)} where ${firstChunk} must be`,
      );
    }
    const samplesPerChunk = runs.readUInt32BE(at + 4);
    const nextFirst = i + 1 < runCount ? runs.readUInt32BE(at + CHUNK_RUN_BYTES) : chunks.length + 1;
    if (nextFirst <= firstChunk || nextFirst > chunks.length + 1) {
      throw new SrsError(
        'Mp4File',
        `mp4 track ${context.trackId} has chunk ${nextFirst}, must be ${firstChunk + 1}..${chunks.length + 1}`,
      );
    }
    for (let chunk = firstChunk; chunk < nextFirst && row < table.count; chunk++) {
      row = fillChunk(table, row, samplesPerChunk, chunks[chunk - 1]!, context);
    }
    firstChunk = nextFirst;
  }
  if (row < table.count) throw tooFew('stsc', row, table.count, context);
}

function readChunkOffsets(stbl: Buffer): Float64Array {
  const stco = findBox(stbl, 'stco');
  const fields = stco === undefined ? new BoxFields('co64', requireBox(stbl, 'co64')) : new BoxFields('stco', stco);
  fields.skip(4);
  const count = fields.u32();
  const offsets = new BoxFields('co64', fields.table(count, stco === undefined ? 8 : 4));
  return Float64Array.from({ length: count }, () => (stco === undefined ? offsets.u64() : offsets.u32()));
}

function fillChunk(
  table: SampleTable,
  firstRow: number,
  samples: number,
  chunkOffset: number,
  context: SampleTablesContext,
): number {
  const end = Math.min(table.count, firstRow + samples);
  let offset = chunkOffset;
  for (let row = firstRow; row < end; row++) {
    table.offsets[row] = offset;
    offset += table.sizes[row]!;
  }
  if (offset > context.fileBytes) {
    throw new SrsError(
      'Mp4File',
      `mp4 track ${context.trackId} has samples up to ${offset}, the file has ${context.fileBytes} bytes`,
    );
  }
  return end;
}

function readDecodingTimes(stbl: Buffer, table: SampleTable, context: SampleTablesContext): void {
  const fields = new BoxFields('stts', requireBox(stbl, 'stts'));
  fields.skip(4);
  const runCount = fields.u32();
  const runs = fields.table(runCount, RUN_BYTES);
  let row = 0;
  let dts = 0;
  for (let i = 0; i < runCount; i++) {
    const end = Math.min(table.count, row + runs.readUInt32BE(i * RUN_BYTES));
    const delta = runs.readUInt32BE(i * RUN_BYTES + 4);
    for (; row < end; row++) {
      table.dts[row] = dts;
      dts += delta;
    }
  }
  if (row < table.count) throw tooFew('stts', row, table.count, context);
  if (dts > Number.MAX_SAFE_INTEGER) {
    throw new SrsError('Mp4File', `mp4 track ${context.trackId} ends at ${dts}, must be at most ${Number.MAX_SAFE_INTEGER}`);
  }
  table.endDts = dts;
}

/** Version 0 says unsigned and 1 signed; some writers of version 0 mean signed, and no true offset is as large as 2^31. */
function readCompositionOffsets(stbl: Buffer, table: SampleTable): void {
  const ctts = findBox(stbl, 'ctts');
  if (ctts === undefined) return;
  const fields = new BoxFields('ctts', ctts);
  fields.skip(4);
  const runCount = fields.u32();
  const runs = fields.table(runCount, RUN_BYTES);
  let row = 0;
  for (let i = 0; i < runCount; i++) {
    const end = Math.min(table.count, row + runs.readUInt32BE(i * RUN_BYTES));
    table.compositionOffsets.fill(runs.readInt32BE(i * RUN_BYTES + 4), row, end);
    row = end;
  }
}

/** Without stss all samples are sync samples. */
function readSyncSamples(stbl: Buffer, table: SampleTable, context: SampleTablesContext): void {
  const stss = findBox(stbl, 'stss');
  if (stss === undefined || context.isAudio) {
    table.isSync.fill(1, 0, table.count);
    return;
  }
  const fields = new BoxFields('stss', stss);
  fields.skip(4);
  const count = fields.u32();
  const numbers = fields.table(count, 4);
  for (let i = 0; i < count; i++) {
    const number = numbers.readUInt32BE(i * 4);
    if (number < 1 || number > table.count) {
      throw new SrsError('Mp4File', `mp4 track ${context.trackId} has sync sample ${number}, must be 1..${table.count}`);
    }
    table.isSync[number - 1] = 1;
  }
}

function tooFew(box: string, told: number, count: number, context: SampleTablesContext): SrsError {
  return new SrsError('Mp4File', `mp4 track ${context.trackId} has ${count} samples, ${box} tells of ${told}`);
}
