/** Builders of FLV payloads, and what a transport stream holds. */
import { frameTypes } from '@srs/kernel';
import { accessUnitsOf, type TsAacFrame, type TsMpegAudioFrame, type TsPicture } from './access-unit-reader.ts';
import { FlvToTs } from './flv-to-ts.ts';
import type { TsPes } from './pes-reader.ts';
import { TsReader } from './ts-reader.ts';
import type { TsProgram } from './ts-sections.ts';

export const { audio, video } = frameTypes;

export function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
}

/** What x264 wrote for 640x360. */
export const avcSps = hex('6764001eacd940a02ff97011000003000100000300320f162d96');
export const avcPps = hex('68ebe3cb22c0');
/** What x265 wrote for 642x358. */
export const hevcVps = hex('40010c01ffff01600000030090000003000003003f959809');
export const hevcSps = hex('42010101600000030090000003000003003fa005120169c9596566924caf016808000003000800000300c840');
export const hevcPps = hex('4401c172b46240');
export const avcDelimiter = hex('09f0');
export const hevcDelimiter = hex('460150');
/** The largest distance between clock references, ticks. */
export const TENTH_SECOND = 9000;
/** Ticks between the times of RTMP and those on the wire. */
export const DELAY = 72_000;

/** How a video payload calls its codec. */
export type VideoHead = 'legacy 7' | 'legacy 12' | 'avc1' | 'hvc1';

function videoHead(head: VideoHead, isKey: boolean, packetType: number, compositionMs: number | undefined): Buffer {
  const time = Buffer.alloc(compositionMs === undefined ? 0 : 3);
  if (compositionMs !== undefined) time.writeIntBE(compositionMs, 0, 3);
  const frameType = isKey ? 0x10 : 0x20;
  if (head === 'avc1' || head === 'hvc1') {
    return Buffer.concat([Buffer.of(0x80 | frameType | packetType), Buffer.from(head, 'latin1'), time]);
  }
  return Buffer.concat([Buffer.of(frameType | (head === 'legacy 7' ? 7 : 12), packetType), time]);
}

function headerHead(head: VideoHead): Buffer {
  return videoHead(head, true, 0, head.startsWith('legacy') ? 0 : undefined);
}

function counted(set: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(set.length);
  return Buffer.concat([length, set]);
}

export function avcHeader(
  head: VideoHead = 'legacy 7',
  lengthBytes = 4,
  sps: readonly Buffer[] = [avcSps],
  pps: readonly Buffer[] = [avcPps],
): Buffer {
  const record = [hex('0164001e'), Buffer.of(0xfc | (lengthBytes - 1), 0xe0 | sps.length), ...sps.map(counted)];
  return Buffer.concat([headerHead(head), ...record, Buffer.of(pps.length), ...pps.map(counted)]);
}

export function hevcHeader(head: VideoHead = 'hvc1', lengthBytes = 4): Buffer {
  const fixed = hex('0101600000009000000000003ff000fcfdf8f80000');
  const arrays = [hevcVps, hevcSps, hevcPps].flatMap((set, i) => [Buffer.of(0xa0 | (32 + i), 0, 1), counted(set)]);
  return Buffer.concat([headerHead(head), fixed, Buffer.of(0x0c | (lengthBytes - 1), 3), ...arrays]);
}

export interface Picture {
  readonly isKey?: boolean;
  readonly compositionMs?: number;
  /** 0 for start codes. */
  readonly lengthBytes?: number;
}

export function videoFrame(head: VideoHead, nalUnits: readonly Buffer[], options: Picture = {}): Buffer {
  const { isKey = false, compositionMs = 0, lengthBytes = 4 } = options;
  return Buffer.concat([
    videoHead(head, isKey, 1, compositionMs),
    ...nalUnits.flatMap((unit) => [prefix(unit, lengthBytes), unit]),
  ]);
}

function prefix(unit: Buffer, lengthBytes: number): Buffer {
  if (lengthBytes === 0) return hex('00000001');
  const bytes = Buffer.alloc(lengthBytes);
  bytes.writeUIntBE(unit.length, 0, lengthBytes);
  return bytes;
}

/** A NAL unit of H.264: `type` 5 is a key frame, 1 another picture. The bytes hold no start code and do not end with zero. */
export function avcUnit(type: number, bytes: number, seed = 1): Buffer {
  return Buffer.concat([Buffer.of(0x60 | type), noise(bytes - 1, seed)]);
}

/** A NAL unit of H.265: `type` 19 is a key frame, 1 another picture. */
export function hevcUnit(type: number, bytes: number, seed = 1): Buffer {
  return Buffer.concat([Buffer.of(type << 1, 1), noise(bytes - 2, seed)]);
}

/** Odd bytes, the same for the same seed. */
export function noise(bytes: number, seed: number): Buffer {
  const target = Buffer.alloc(bytes);
  let state = seed;
  for (let i = 0; i < bytes; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
    target[i] = (state >>> 16) | 1;
  }
  return target;
}

export const aacHeader = (configuration = '1210'): Buffer => Buffer.concat([hex('af00'), hex(configuration)]);
export const aacFrame = (data: Buffer): Buffer => Buffer.concat([hex('af01'), data]);

/** A frame of MPEG-1 layer III, 128 kbit/s, 44.1 kHz: 417 bytes, 1152 samples. */
export const mpeg1Frame = (seed = 1): Buffer => Buffer.concat([hex('fffb9000'), noise(413, seed)]);
/** A frame of MPEG-2 layer III, 64 kbit/s, 22.05 kHz: 208 bytes, 576 samples. */
export const mpeg2Frame = (seed = 1): Buffer => Buffer.concat([hex('fff38000'), noise(204, seed)]);
export const mp3Payload = (frame: Buffer): Buffer => Buffer.concat([hex('2f'), frame]);

/** What `work` makes a muxer write. */
export function mux(work: (ts: FlvToTs, bytes: () => Buffer) => void): Buffer {
  const runs: Buffer[] = [];
  const ts = new FlvToTs({ output: (packets) => runs.push(packets) });
  work(ts, () => Buffer.concat(runs));
  ts.flush();
  return Buffer.concat(runs);
}

export interface Clock {
  readonly pcr: number;
  readonly isDiscontinuity: boolean;
}

export interface ReadBack {
  readonly programs: readonly TsProgram[];
  readonly clocks: readonly Clock[];
  readonly pes: readonly TsPes[];
  readonly pictures: readonly TsPicture[];
  readonly sounds: readonly (TsAacFrame | TsMpegAudioFrame)[];
}

/** Reads a stream that has nothing but its program. */
export function readBack(bytes: Buffer): ReadBack {
  const programs: TsProgram[] = [];
  const clocks: Clock[] = [];
  const pes: TsPes[] = [];
  const pictures: TsPicture[] = [];
  const sounds: (TsAacFrame | TsMpegAudioFrame)[] = [];
  const reader = new TsReader({
    onProgram: (program) => programs.push(program),
    onClock: (pcr, isDiscontinuity) => clocks.push({ pcr, isDiscontinuity }),
    onPes: (one) => {
      pes.push(one);
      for (const unit of accessUnitsOf(one)) {
        if ('nalUnits' in unit) pictures.push(unit);
        else sounds.push(unit);
      }
    },
  });
  reader.receive(bytes);
  reader.end();
  if (reader.ignoredPackets > 0) throw new Error(`${reader.ignoredPackets} packets are of no stream of the program`);
  return { programs, clocks, pes, pictures, sounds };
}

/** How many packets of a stream are of each PID. */
export function packetsByPid(bytes: Buffer): Map<number, number> {
  const counts = new Map<number, number>();
  for (let at = 0; at < bytes.length; at += 188) {
    const pid = bytes.readUInt16BE(at + 1) & 0x1fff;
    counts.set(pid, (counts.get(pid) ?? 0) + 1);
  }
  return counts;
}
