/** Reads moof boxes, whose runs add samples to the tables of the tracks (ISO/IEC 14496-12, 8.8). */
import { SrsError } from '@srs/kernel';
import { BoxFields, boxesIn, findBox, requireBox } from './box-reader.ts';
import type { SampleBudget, SampleTable } from './sample-table.ts';

const headFlags = {
  baseDataOffset: 0x01,
  sampleDescriptionIndex: 0x02,
  duration: 0x08,
  size: 0x10,
  flags: 0x20,
  defaultBaseIsMoof: 0x02_0000,
} as const;
const runFlags = {
  dataOffset: 0x001,
  firstSampleFlags: 0x004,
  duration: 0x100,
  size: 0x200,
  flags: 0x400,
  compositionOffset: 0x800,
} as const;
const NOT_SYNC = 0x0001_0000;

/** What a run says when it says nothing. */
interface SampleDefaults {
  readonly duration: number;
  readonly size: number;
  readonly flags: number;
}

interface FragmentedTrack {
  readonly table: SampleTable;
  readonly isAudio: boolean;
}

export interface FragmentsContext {
  /** Body of the box, if the moov has one. */
  readonly mvex: Buffer | undefined;
  /** By id; samples of other tracks are passed over. */
  readonly tracks: ReadonlyMap<number, FragmentedTrack>;
  /** That of the tables of the tracks. */
  readonly budget: SampleBudget;
  readonly fileBytes: number;
}

const noDefaults: SampleDefaults = { duration: 0, size: 0, flags: 0 };

export class FragmentsReader {
  readonly #tracks: ReadonlyMap<number, FragmentedTrack>;
  readonly #budget: SampleBudget;
  readonly #fileBytes: number;
  readonly #defaults = new Map<number, SampleDefaults>();
  #isCut = false;

  constructor({ mvex, tracks, budget, fileBytes }: FragmentsContext) {
    this.#tracks = tracks;
    this.#budget = budget;
    this.#fileBytes = fileBytes;
    for (const box of boxesIn(mvex ?? Buffer.alloc(0))) {
      if (box.type === 'trex') this.#readDefaults(box.body);
    }
  }

  /** Samples were left out because the file ends before them. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /**
   * @param moof body of the box
   * @param moofOffset where the box begins in the file
   * @throws SrsError Mp4File
   */
  read(moof: Buffer, moofOffset: number): void {
    let dataEnd = moofOffset;
    for (const box of boxesIn(moof)) {
      if (box.type === 'traf') dataEnd = this.#readTrackFragment(box.body, moofOffset, dataEnd);
    }
  }

  #readDefaults(trex: Buffer): void {
    const fields = new BoxFields('trex', trex);
    fields.skip(4);
    const trackId = fields.u32();
    fields.skip(4); // default_sample_description_index
    this.#defaults.set(trackId, { duration: fields.u32(), size: fields.u32(), flags: fields.u32() });
  }

  /** @returns where the data of the fragment ends, and that of the next begins when nothing else is said */
  #readTrackFragment(traf: Buffer, moofOffset: number, previousEnd: number): number {
    const fields = new BoxFields('tfhd', requireBox(traf, 'tfhd'));
    fields.skip(1);
    const flags = fields.u24();
    const trackId = fields.u32();
    const base =
      (flags & headFlags.baseDataOffset) !== 0
        ? fields.u64()
        : (flags & headFlags.defaultBaseIsMoof) !== 0
          ? moofOffset
          : previousEnd;
    if ((flags & headFlags.sampleDescriptionIndex) !== 0) fields.skip(4);
    const trackDefaults = this.#defaults.get(trackId) ?? noDefaults;
    const defaults: SampleDefaults = {
      duration: (flags & headFlags.duration) === 0 ? trackDefaults.duration : fields.u32(),
      size: (flags & headFlags.size) === 0 ? trackDefaults.size : fields.u32(),
      flags: (flags & headFlags.flags) === 0 ? trackDefaults.flags : fields.u32(),
    };
    const track = this.#tracks.get(trackId);
    if (track !== undefined) track.table.endDts = readDecodeTime(traf) ?? track.table.endDts;
    let dataEnd = base;
    for (const box of boxesIn(traf)) {
      if (box.type === 'trun') dataEnd = this.#readRun(box.body, base, dataEnd, defaults, track);
    }
    return dataEnd;
  }

  #readRun(
    trun: Buffer,
    base: number,
    previousEnd: number,
    defaults: SampleDefaults,
    track: FragmentedTrack | undefined,
  ): number {
    const fields = new BoxFields('trun', trun);
    fields.skip(1);
    const flags = fields.u24();
    const count = fields.u32();
    let offset = (flags & runFlags.dataOffset) === 0 ? previousEnd : base + fields.i32();
    const firstFlags = (flags & runFlags.firstSampleFlags) === 0 ? undefined : fields.u32();
    const rows = runTable(fields, flags, count);
    if (offset < 0) throw new SrsError('Mp4File', `mp4 fragment data offset ${offset} must be in the file`);
    if (track === undefined) this.#budget.claim(count);
    const first = track?.table.extend(count) ?? 0;
    for (let i = 0; i < count; i++) {
      const duration = (flags & runFlags.duration) === 0 ? defaults.duration : rows.u32();
      const size = (flags & runFlags.size) === 0 ? defaults.size : rows.u32();
      const ownFlags = (flags & runFlags.flags) === 0 ? defaults.flags : rows.u32();
      const compositionOffset = (flags & runFlags.compositionOffset) === 0 ? 0 : rows.i32();
      if (track !== undefined) {
        const { table, isAudio } = track;
        if (offset + size > this.#fileBytes) {
          this.#isCut = true;
          table.shorten(first + i);
          break;
        }
        const sampleFlags = i === 0 && firstFlags !== undefined ? firstFlags : ownFlags;
        const row = first + i;
        table.offsets[row] = offset;
        table.sizes[row] = size;
        table.dts[row] = table.endDts;
        table.compositionOffsets[row] = compositionOffset;
        table.isSync[row] = isAudio || (sampleFlags & NOT_SYNC) === 0 ? 1 : 0;
        table.endDts += duration;
      }
      offset += size;
    }
    return offset;
  }
}

/** The rows of the run, which may be empty: then all is said by defaults. */
function runTable(fields: BoxFields, flags: number, count: number): BoxFields {
  const columns = [runFlags.duration, runFlags.size, runFlags.flags, runFlags.compositionOffset];
  const rowBytes = columns.filter((column) => (flags & column) !== 0).length * 4;
  return rowBytes === 0 ? fields : new BoxFields('trun', fields.table(count, rowBytes));
}

function readDecodeTime(traf: Buffer): number | undefined {
  const tfdt = findBox(traf, 'tfdt');
  if (tfdt === undefined) return undefined;
  const fields = new BoxFields('tfdt', tfdt);
  const version = fields.u8();
  fields.skip(3);
  return version === 1 ? fields.u64() : fields.u32();
}
