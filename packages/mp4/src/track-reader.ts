/** Reads a trak box: which track it is, its clock, its edit list and what its samples are. */
import { SrsError } from '@srs/kernel';
import { BoxFields, findBox, requireBox } from './box-reader.ts';
import { readSampleDescription, type SampleDescription } from './sample-description.ts';

export interface TrackFacts {
  readonly trackId: number;
  readonly timescale: number;
  readonly description: SampleDescription;
  /** Ticks to add to the times of the media so that the movie begins at 0. */
  readonly shift: number;
  /** Body of the box. */
  readonly stbl: Buffer;
}

/** An edit that shows nothing: the track begins later. */
const EMPTY_EDIT = -1;
/** One that shows nothing and one that shows the media. */
const MAX_EDITS = 2;

/**
 * @param trak body of the box
 * @throws SrsError Mp4File
 */
export function readTrack(trak: Buffer, movieTimescale: number): TrackFacts {
  const trackId = readTrackId(requireBox(trak, 'tkhd'));
  const timescale = readTimescale('mdhd', requireBox(trak, 'mdia', 'mdhd'));
  const elst = findBox(trak, 'edts', 'elst');
  const stbl = requireBox(trak, 'mdia', 'minf', 'stbl');
  return {
    trackId,
    timescale,
    description: readSampleDescription(requireBox(stbl, 'stsd'), trackId),
    shift: elst === undefined ? 0 : readShift(elst, trackId, timescale, movieTimescale),
    stbl,
  };
}

function readTrackId(tkhd: Buffer): number {
  const fields = new BoxFields('tkhd', tkhd);
  const version = fields.u8();
  fields.skip(3 + (version === 1 ? 16 : 8));
  return fields.u32();
}

/** mvhd and mdhd begin alike. */
export function readTimescale(type: 'mvhd' | 'mdhd', body: Buffer): number {
  const fields = new BoxFields(type, body);
  const version = fields.u8();
  fields.skip(3 + (version === 1 ? 16 : 8));
  const timescale = fields.u32();
  if (timescale === 0) throw new SrsError('Mp4File', `mp4 box ${type} time scale 0 must be 1..4294967295`);
  return timescale;
}

/** ISO/IEC 14496-12, 8.6.6. Where the last edit ends is not looked at: what a player would not show is still media. */
function readShift(elst: Buffer, trackId: number, timescale: number, movieTimescale: number): number {
  const fields = new BoxFields('elst', elst);
  const version = fields.u8();
  fields.skip(3);
  const count = fields.u32();
  if (count > MAX_EDITS) throw new SrsError('Mp4File', `mp4 track ${trackId} has ${count} edits, must have at most ${MAX_EDITS}`);
  let shift = 0;
  let hasMedia = false;
  for (let i = 0; i < count; i++) {
    const duration = version === 1 ? fields.u64() : fields.u32();
    const mediaTime = version === 1 ? fields.i64() : fields.i32();
    fields.skip(4); // media_rate
    if (hasMedia) throw new SrsError('Mp4File', `mp4 track ${trackId} has an edit behind the one that shows the media`);
    if (mediaTime === EMPTY_EDIT) {
      shift += Math.round((duration / movieTimescale) * timescale);
    } else {
      shift -= mediaTime;
      hasMedia = true;
    }
  }
  return shift;
}
