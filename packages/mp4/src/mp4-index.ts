/** Finds every sample of an MP4 file, so that any part of it can be cut out without reading the rest. */
import { SrsError } from '@srs/kernel';
import { boxesIn, findBox, readBoxHead, requireBox } from './box-reader.ts';
import { FragmentsReader } from './fragments-reader.ts';
import { MAX_FILE_TRACKS, MAX_MOOF_BYTES, MAX_MOOV_BYTES, MAX_TOP_LEVEL_BOXES } from './limits.ts';
import type { AudioDescription, VideoDescription } from './sample-description.ts';
import { type Mp4Samples, SampleBudget, SampleTable } from './sample-table.ts';
import { readSampleTables } from './sample-tables-reader.ts';
import { readTimescale, readTrack, type TrackFacts } from './track-reader.ts';

export type Mp4Track = (VideoDescription | AudioDescription) & {
  readonly trackId: number;
  /** Ticks a second of the times of the samples. */
  readonly timescale: number;
  readonly samples: Mp4Samples;
  /** Ticks at which the last sample ends. */
  readonly endDts: number;
};

export interface Mp4Index {
  /** In the order of the file; at least one. */
  readonly tracks: readonly Mp4Track[];
  /** Tracks of other codecs, as `track 3: tx3g`. */
  readonly leftOut: readonly string[];
  /** Until the last sample of the longest track ends. */
  readonly durationMs: number;
  readonly isFragmented: boolean;
  /** The file ends within a fragment, as it does after a crash of its writer; the samples before are there. */
  readonly isCut: boolean;
}

/** Reads exactly `length` bytes at `offset`; the bytes are not changed, and kept during the call of `readMp4Index` only. */
export type ReadAt = (offset: number, length: number) => Buffer;

interface BoxPlace {
  readonly offset: number;
  readonly headBytes: number;
  readonly sizeBytes: number;
}

const LONG_HEAD_BYTES = 16;
const BOX_HEAD_BYTES = 8;

/**
 * Indexes a progressive or a fragmented file (ISO/IEC 14496-12); ftyp, moov and mdat may be in any order. Tracks are H.264, H.265,
 * AAC and MP3. Edit lists of an empty edit and one that shows the media move the times of their track. Reads the heads of the boxes
 * on the top level, moov and all moof.
 *
 * @throws SrsError Mp4File when the file is malformed, has no track of a known codec, or is beyond the limits; what `readAt` throws
 */
export function readMp4Index(readAt: ReadAt, fileBytes: number): Mp4Index {
  const file = new Mp4File(readAt, fileBytes);
  const places = file.findBoxes();
  if (places.moov === undefined) throw new SrsError('Mp4File', `mp4 file of ${fileBytes} bytes has no moov`);
  const moov = file.readBody(places.moov);
  const { known, leftOut } = readTracks(moov);

  const budget = new SampleBudget(fileBytes);
  const tables = new Map(known.map(({ trackId }) => [trackId, new SampleTable(budget)]));
  for (const { trackId, stbl, description } of known) {
    readSampleTables(stbl, tables.get(trackId)!, { trackId, fileBytes, isAudio: description.kind === 'audio' });
  }
  const fragmented = new Map(
    known.map(({ trackId, description }) => [trackId, { table: tables.get(trackId)!, isAudio: description.kind === 'audio' }]),
  );
  const fragments = new FragmentsReader({ mvex: findBox(moov, 'mvex'), tracks: fragmented, budget, fileBytes });
  for (const place of places.moofs) fragments.read(file.readBody(place), place.offset);

  const tracks = known.map((facts) => finishTrack(facts, tables.get(facts.trackId)!));
  return {
    tracks,
    leftOut,
    durationMs: Math.max(0, ...tracks.map(({ endDts, timescale }) => (endDts / timescale) * 1000)),
    isFragmented: places.moofs.length > 0,
    isCut: places.isCut || fragments.isCut,
  };
}

function finishTrack(facts: KnownTrack, table: SampleTable): Mp4Track {
  const { trackId, timescale, shift, description } = facts;
  return { ...description, trackId, timescale, samples: table.finish(shift), endDts: table.endDts + shift };
}

type KnownTrack = TrackFacts & { readonly description: VideoDescription | AudioDescription };

function isKnown(facts: TrackFacts): facts is KnownTrack {
  return facts.description.kind !== 'other';
}

function readTracks(moov: Buffer): { readonly known: readonly KnownTrack[]; readonly leftOut: readonly string[] } {
  const movieTimescale = readTimescale('mvhd', requireBox(moov, 'mvhd'));
  const known: KnownTrack[] = [];
  const leftOut: string[] = [];
  for (const box of boxesIn(moov)) {
    if (box.type !== 'trak') continue;
    if (known.length + leftOut.length === MAX_FILE_TRACKS) {
      throw new SrsError('Mp4File', `mp4 file has more than ${MAX_FILE_TRACKS} tracks`);
    }
    const facts = readTrack(box.body, movieTimescale);
    if (known.some(({ trackId }) => trackId === facts.trackId)) {
      throw new SrsError('Mp4File', `mp4 file has two tracks ${facts.trackId}`);
    }
    if (isKnown(facts)) known.push(facts);
    else if (facts.description.kind === 'other') leftOut.push(`track ${facts.trackId}: ${facts.description.format}`);
  }
  if (known.length === 0) {
    throw new SrsError(
      'Mp4File',
      `mp4 file has no track of avc, hevc, aac or mp3 (${leftOut.join(', ') || 'it has none at all'})`,
    );
  }
  return { known, leftOut };
}

interface BoxPlaces {
  readonly moov: BoxPlace | undefined;
  readonly moofs: readonly BoxPlace[];
  readonly isCut: boolean;
}

class Mp4File {
  readonly #readAt: ReadAt;
  readonly #fileBytes: number;

  constructor(readAt: ReadAt, fileBytes: number) {
    this.#readAt = readAt;
    this.#fileBytes = fileBytes;
  }

  /** Where moov and the fragments are. A box that the end of the file cuts is the last one; only that of media may be. */
  findBoxes(): BoxPlaces {
    let moov: BoxPlace | undefined;
    const moofs: BoxPlace[] = [];
    let offset = 0;
    for (let count = 0; offset + BOX_HEAD_BYTES <= this.#fileBytes; count++) {
      if (count === MAX_TOP_LEVEL_BOXES) throw new SrsError('Mp4File', `mp4 file has more than ${MAX_TOP_LEVEL_BOXES} boxes`);
      const left = this.#fileBytes - offset;
      const { type, headBytes, sizeBytes } = readBoxHead(this.#read(offset, Math.min(left, LONG_HEAD_BYTES)), 0, left);
      const isCut = sizeBytes > left;
      if (type === 'moov' && moov === undefined) {
        if (isCut) throw new SrsError('Mp4File', `mp4 moov of ${sizeBytes} bytes must be at most ${left}, where the file ends`);
        moov = checkedPlace('moov', { offset, headBytes, sizeBytes }, MAX_MOOV_BYTES);
      }
      if (type === 'moof' && !isCut) moofs.push(checkedPlace('moof', { offset, headBytes, sizeBytes }, MAX_MOOF_BYTES));
      if (isCut) return { moov, moofs, isCut };
      offset += sizeBytes;
    }
    return { moov, moofs, isCut: false };
  }

  readBody(place: BoxPlace): Buffer {
    return this.#read(place.offset + place.headBytes, place.sizeBytes - place.headBytes);
  }

  #read(offset: number, length: number): Buffer {
    const bytes = this.#readAt(offset, length);
    if (bytes.length !== length) {
      throw new SrsError('Mp4File', `mp4 file gave ${bytes.length} of ${length} bytes at ${offset}: it is shorter than it was`);
    }
    return bytes;
  }
}

function checkedPlace(type: string, place: BoxPlace, maxBytes: number): BoxPlace {
  if (place.sizeBytes > maxBytes) {
    throw new SrsError('Mp4File', `mp4 ${type} of ${place.sizeBytes} bytes must be at most ${maxBytes}`);
  }
  return place;
}
