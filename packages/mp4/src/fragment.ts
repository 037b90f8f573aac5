/** Writes one fragment: moof with the tables of its samples, mdat with their bytes (ISO/IEC 14496-12, 8.8). */
import { box, fullBox, u32, u64, writeBoxHead } from './box.ts';
import type { SampleStore } from './sample-store.ts';

/** Flags of a sample (8.8.3.1): whether it depends on others, and whether it is no sync sample. */
export const sampleFlags = { sync: 0x0200_0000, notSync: 0x0101_0000 } as const;

/** tfhd: offsets count from the first byte of the moof. */
const DEFAULT_BASE_IS_MOOF = 0x02_0000;
/** trun: which fields each sample has. */
const runFlags = { dataOffset: 0x001, duration: 0x100, size: 0x200, flags: 0x400, compositionOffset: 0x800 } as const;
/** Version 1: composition offsets are signed, base media decode times have 64 bits. */
const RUN_VERSION = 1;
const DECODE_TIME_VERSION = 1;
const BOX_HEAD_BYTES = 8;

export interface TrackRun {
  readonly trackId: number;
  readonly store: SampleStore;
  /** Ticks of the last sample. */
  readonly lastTicks: number;
  /** Video: each sample has flags and a composition offset; else all are sync samples shown when they are decoded. */
  readonly hasPictures: boolean;
}

/**
 * ```
 * moof | mfhd | traf tfhd tfdt trun | traf tfhd tfdt trun
 * mdat | samples of the first run | samples of the second
 * ```
 *
 * @param runs in the order of their bytes, each with at least one sample
 */
export function writeFragment(sequenceNumber: number, runs: readonly TrackRun[]): Buffer {
  // Offsets have a fixed width, so a first moof with none tells the size of the true one.
  const tables = runs.map(sampleTable);
  const moofBytes = moof(sequenceNumber, runs, tables, 0).length;
  const head = moof(sequenceNumber, runs, tables, moofBytes + BOX_HEAD_BYTES);
  let mediaBytes = 0;
  for (const { store } of runs) mediaBytes += store.bytes.length;
  const fragment = Buffer.allocUnsafe(moofBytes + BOX_HEAD_BYTES + mediaBytes);
  let offset = head.copy(fragment);
  offset = writeBoxHead(fragment, offset, BOX_HEAD_BYTES + mediaBytes, 'mdat');
  for (const { store } of runs) offset += store.bytes.copy(fragment, offset);
  return fragment;
}

function moof(sequenceNumber: number, runs: readonly TrackRun[], tables: readonly Buffer[], firstOffset: number): Buffer {
  let dataOffset = firstOffset;
  const trafs: Buffer[] = [];
  runs.forEach((run, i) => {
    trafs.push(traf(run, tables[i]!, dataOffset));
    dataOffset += run.store.bytes.length;
  });
  return box('moof', fullBox('mfhd', 0, 0, u32(sequenceNumber)), ...trafs);
}

function traf(run: TrackRun, table: Buffer, dataOffset: number): Buffer {
  const { trackId, store, hasPictures } = run;
  const sampleFields = runFlags.duration | runFlags.size | (hasPictures ? runFlags.flags | runFlags.compositionOffset : 0);
  return box(
    'traf',
    fullBox('tfhd', 0, DEFAULT_BASE_IS_MOOF, u32(trackId)),
    fullBox('tfdt', DECODE_TIME_VERSION, 0, u64(store.samples[0]!.dts)),
    fullBox('trun', RUN_VERSION, runFlags.dataOffset | sampleFields, u32(store.count, dataOffset), table),
  );
}

/** `duration:32 | size:32 | [flags:32 | compositionOffset:32]` for each sample. */
function sampleTable(run: TrackRun): Buffer {
  const { samples, sizes } = run.store;
  const table = Buffer.allocUnsafe(samples.length * (run.hasPictures ? 16 : 8));
  let offset = 0;
  samples.forEach((sample, i) => {
    const next = samples[i + 1];
    offset = table.writeUInt32BE(next === undefined ? run.lastTicks : next.dts - sample.dts, offset);
    offset = table.writeUInt32BE(sizes[i]!, offset);
    if (!run.hasPictures) return;
    offset = table.writeUInt32BE(sample.isSync ? sampleFlags.sync : sampleFlags.notSync, offset);
    offset = table.writeInt32BE(sample.compositionOffset, offset);
  });
  return table;
}
