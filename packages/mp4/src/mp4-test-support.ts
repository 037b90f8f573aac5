/** Frames to mux, and a reader of boxes that shares nothing with the one under test. */
import { frameTypes } from '@srs/kernel';
import { FlvToMp4 } from './index.ts';

export function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
}

const { audio, video } = frameTypes;

/** Of 320x180: H.264 High 1.3, H.265 Main 2, AV1 Main 2.0; lengths of four bytes. */
export const avcRecord = hex('0164000d ffe1 0018 6764000dacb40a0cfcf808800000030080000019078a1550 01 0004 68ef3cb0 fdf8f800');
export const hevcRecord = hex(
  `01 01 60000000 900000000000 3c f000 fc fd f8 f8 0000 0f 03
   a0 0001 0018 40010c01ffff01600000030090000003000003003c959409
   a1 0001 002b 42010101600000030090000003000003003ca00a080c1f3e595952930bc05a02000003000200000300 3210
   a2 0001 0006 4401c073c189`,
);
export const av1Record = hex('81000c00 0a0b 0000 0004 3cfe cc02 f800 40');
/** LC, 44100 Hz, two channels. */
export const aacConfig = hex('1210');
export const opusHead = hex('4f70757348656164 01 02 3801 80bb0000 0000 00');

export function avcHeader(record = avcRecord): Buffer {
  return Buffer.concat([hex('17 00 000000'), record]);
}

export function aacHeader(config = aacConfig): Buffer {
  return Buffer.concat([hex('af 00'), config]);
}

/** A sequence start of enhanced RTMP. */
export function enhancedVideoHeader(fourCc: string, record: Buffer): Buffer {
  return Buffer.concat([hex('90'), Buffer.from(fourCc), record]);
}

export function enhancedAudioHeader(fourCc: string, configuration: Buffer): Buffer {
  return Buffer.concat([hex('90'), Buffer.from(fourCc), configuration]);
}

/** NAL units behind lengths of four bytes. */
export function withLengths(...nalUnits: readonly Buffer[]): Buffer {
  return Buffer.concat(
    nalUnits.map((unit) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(unit.length);
      return Buffer.concat([length, unit]);
    }),
  );
}

interface PictureOptions {
  readonly isKey?: boolean;
  readonly compositionTimeMs?: number;
  /** What follows the head of the tag. */
  readonly data?: Buffer;
}

export const picture = withLengths(hex('65 88 84 21'));

export function avcFrame({ isKey = false, compositionTimeMs = 0, data = picture }: PictureOptions = {}): Buffer {
  const head = Buffer.from([isKey ? 0x17 : 0x27, 1, 0, 0, 0]);
  head.writeIntBE(compositionTimeMs, 2, 3);
  return Buffer.concat([head, data]);
}

export function aacFrame(data = hex('21 10 04 60')): Buffer {
  return Buffer.concat([hex('af 01'), data]);
}

/** A muxer that has the headers of H.264 and AAC. */
export function avcAndAac(): FlvToMp4 {
  const muxer = new FlvToMp4();
  muxer.onHeader(video, avcHeader());
  muxer.onHeader(audio, aacHeader());
  return muxer;
}

export interface ParsedBox {
  readonly type: string;
  readonly start: number;
  readonly body: Buffer;
}

export function parseBoxes(bytes: Buffer): ParsedBox[] {
  const boxes: ParsedBox[] = [];
  for (let start = 0; start < bytes.length; ) {
    const size = bytes.readUInt32BE(start);
    if (size < 8 || start + size > bytes.length) throw new Error(`box at ${start} has size ${size} of ${bytes.length - start}`);
    boxes.push({ type: bytes.toString('latin1', start + 4, start + 8), start, body: bytes.subarray(start + 8, start + size) });
    start += size;
  }
  return boxes;
}

/** The body of the box at the end of a path of types; `trak[1]` is the second of its kind. */
export function bodyAt(bytes: Buffer, path: string): Buffer {
  let body = bytes;
  for (const step of path.split('/')) {
    const [, type, index = '0'] = /^([^[]+)(?:\[(\d+)\])?$/.exec(step)!;
    const found = parseBoxes(body).filter((box) => box.type === type)[Number(index)];
    if (found === undefined)
      throw new Error(
        `no ${step} in ${parseBoxes(body)
          .map((box) => box.type)
          .join(' ')}`,
      );
    body = found.body;
  }
  return body;
}

export interface ParsedSample {
  readonly dts: number;
  readonly duration: number;
  readonly compositionOffset: number;
  /** Undefined where the run has no flags. */
  readonly flags: number | undefined;
  readonly data: Buffer;
}

export interface ParsedTrack {
  readonly trackId: number;
  readonly tfdt: number;
  readonly samples: readonly ParsedSample[];
}

export interface ParsedFragment {
  readonly sequenceNumber: number;
  readonly tracks: readonly ParsedTrack[];
}

/** Takes fragments apart as the muxer is to write them: anything else is an error. */
export function parseFragments(bytes: Buffer | undefined): ParsedFragment[] {
  if (bytes === undefined) return [];
  const boxes = parseBoxes(bytes);
  const fragments: ParsedFragment[] = [];
  for (let i = 0; i < boxes.length; i += 2) {
    const [moof, mdat] = [boxes[i]!, boxes[i + 1]!];
    if (moof.type !== 'moof' || mdat.type !== 'mdat') throw new Error(`${moof.type} and ${mdat.type} must be moof and mdat`);
    let next = mdat.start + 8;
    const tracks: ParsedTrack[] = [];
    for (const traf of parseBoxes(moof.body).filter((box) => box.type === 'traf')) {
      const { track, start, end } = parseTrack(traf.body, bytes, moof.start);
      if (start !== next) throw new Error(`data of track ${track.trackId} begins at ${start}, not ${next}`);
      tracks.push(track);
      next = end;
    }
    if (next !== mdat.start + 8 + mdat.body.length) throw new Error('mdat holds more than the samples');
    fragments.push({ sequenceNumber: bodyAt(moof.body, 'mfhd').readUInt32BE(4), tracks });
  }
  return fragments;
}

function parseTrack(traf: Buffer, bytes: Buffer, moofStart: number): { track: ParsedTrack; start: number; end: number } {
  const tfhd = bodyAt(traf, 'tfhd');
  if (tfhd.readUInt32BE(0) !== 0x0002_0000) throw new Error('tfhd must have default-base-is-moof and nothing else');
  const decodeTime = bodyAt(traf, 'tfdt');
  if (decodeTime[0] !== 1) throw new Error('tfdt must be of version 1');
  const tfdt = Number(decodeTime.readBigUInt64BE(4));
  const trun = bodyAt(traf, 'trun');
  if (trun[0] !== 1) throw new Error('trun must be of version 1');
  const flags = trun.readUInt32BE(0) & 0xffffff;
  const isLong = flags === 0xf01;
  if (!isLong && flags !== 0x301) throw new Error(`trun has flags ${flags.toString(16)}`);
  const start = moofStart + trun.readInt32BE(8);
  let end = start;
  let dts = tfdt;
  const samples: ParsedSample[] = [];
  for (let i = 0, at = 12; i < trun.readUInt32BE(4); i++, at += isLong ? 16 : 8) {
    const duration = trun.readUInt32BE(at);
    const size = trun.readUInt32BE(at + 4);
    samples.push({
      dts,
      duration,
      compositionOffset: isLong ? trun.readInt32BE(at + 12) : 0,
      flags: isLong ? trun.readUInt32BE(at + 8) : undefined,
      data: bytes.subarray(end, end + size),
    });
    dts += duration;
    end += size;
  }
  return { track: { trackId: tfhd.readUInt32BE(4), tfdt, samples }, start, end };
}

/** The samples of one track through all fragments. */
export function samplesOf(fragments: readonly ParsedFragment[], trackId: number): ParsedSample[] {
  return fragments.flatMap(({ tracks }) => tracks.filter((track) => track.trackId === trackId).flatMap(({ samples }) => samples));
}

/** Flags of samples, ids of tracks. */
export const SYNC = 0x0200_0000;
export const NOT_SYNC = 0x0101_0000;
export const VIDEO = 1;
export const AUDIO = 2;

/** A frame of MP3 with 1152 samples at 44100 Hz. */
export const mp3 = Buffer.concat([hex('fffb9064'), Buffer.alloc(413, 0x11)]);
export const mp3Payload = Buffer.concat([hex('2f'), mp3]);

export function otherAvcHeader(): Buffer {
  const record = Buffer.from(avcRecord);
  record[record.length - 1] = 1;
  return avcHeader(record);
}

export function take(muxer: FlvToMp4, nextTimestampMs?: number): ParsedFragment[] {
  return parseFragments(muxer.takeFragment(nextTimestampMs));
}

/** The times of one track, in the fragments of one call. */
export function times(fragments: readonly ParsedFragment[], trackId: number): number[] {
  return samplesOf(fragments, trackId).map(({ dts }) => dts);
}

export function pictures(timestamps: readonly number[]): FlvToMp4 {
  const muxer = new FlvToMp4();
  muxer.onHeader(video, avcHeader());
  for (const timestampMs of timestamps) muxer.onFrame(video, timestampMs, avcFrame());
  return muxer;
}
