/** MP4 files of ffmpeg and GStreamer, and streams muxed from what other programs have encoded. */
import { readFileSync } from 'node:fs';
import { classifyFrame } from '@srs/codec';
import { FlvReader } from '@srs/flv';
import { type FrameType, frameFlags, frameTypes } from '@srs/kernel';
import { ffprobe, runForeign } from '../../../test/support/foreign.ts';
import { FlvToMp4 } from './index.ts';
import { enhancedAudioHeader, enhancedVideoHeader } from './mp4-test-support.ts';

export interface Frame {
  readonly type: FrameType;
  readonly timestampMs: number;
  readonly payload: Buffer;
}

/** The audio and video of an FLV file. */
export function framesOfFlv(path: string): Frame[] {
  const frames: Frame[] = [];
  const reader = new FlvReader({
    onTag(type, timestampMs, payload) {
      if (type === frameTypes.audio || type === frameTypes.video)
        frames.push({ type, timestampMs, payload: Buffer.from(payload) });
    },
  });
  reader.receive(readFileSync(path));
  reader.end();
  return frames;
}

export interface ProbedPacket {
  readonly stream_index: number;
  readonly pts: number;
  readonly dts: number;
  readonly pts_time: string;
  readonly dts_time: string;
  readonly size: string;
  readonly pos: string;
  readonly flags: string;
}

export async function probePackets(path: string): Promise<readonly ProbedPacket[]> {
  return ((await ffprobe(['-show_packets', path])) as { packets: ProbedPacket[] }).packets;
}

/** Boxes with the configuration of a codec, and the FourCC of enhanced RTMP. */
const codecBoxes = [
  { box: 'avcC', fourCc: 'avc1', type: frameTypes.video },
  { box: 'hvcC', fourCc: 'hvc1', type: frameTypes.video },
  { box: 'av1C', fourCc: 'av01', type: frameTypes.video },
] as const;

const CODED_FRAMES = 1;
const KEY_FRAME = 0x10;
const INTER_FRAME = 0x20;
const ENHANCED_VIDEO = 0x80;
const ENHANCED_AUDIO = 0x90;

/**
 * A file with one track of H.264, H.265 or AV1 and perhaps one of Opus, as frames of enhanced RTMP, which ffmpeg publishes only
 * since version 6.1.
 */
export async function enhancedFramesOf(path: string): Promise<Frame[]> {
  const file = readFileSync(path);
  const codec = codecBoxes.find(({ box }) => file.includes(box))!;
  const boxStart = file.indexOf(codec.box) - 4;
  const record = file.subarray(boxStart + 8, boxStart + file.readUInt32BE(boxStart));
  const frames: Frame[] = [{ type: codec.type, timestampMs: 0, payload: enhancedVideoHeader(codec.fourCc, record) }];
  const dOps = file.indexOf('dOps');
  if (dOps >= 0)
    frames.push({ type: frameTypes.audio, timestampMs: 0, payload: enhancedAudioHeader('Opus', opusHeadOf(file, dOps + 4)) });
  const packets = [...(await probePackets(path))].sort((a, b) => Number(a.dts_time) - Number(b.dts_time));
  // RTMP has no time before 0, where the decoding of files with B-frames begins.
  const shiftMs = Math.ceil(-Number(packets[0]!.dts_time) * 1000);
  for (const packet of packets) {
    const data = file.subarray(Number(packet.pos), Number(packet.pos) + Number(packet.size));
    const dtsMs = Math.round(Number(packet.dts_time) * 1000) + shiftMs;
    const ptsMs = Math.round(Number(packet.pts_time) * 1000) + shiftMs;
    const isVideo = packet.stream_index === 0;
    const payload = isVideo
      ? enhancedPicture(codec.fourCc, data, packet.flags.includes('K'), ptsMs - dtsMs)
      : Buffer.concat([Buffer.from([ENHANCED_AUDIO | CODED_FRAMES]), Buffer.from('Opus'), data]);
    frames.push({ type: isVideo ? frameTypes.video : frameTypes.audio, timestampMs: dtsMs, payload });
  }
  return frames;
}

function enhancedPicture(fourCc: string, data: Buffer, isKey: boolean, compositionTimeMs: number): Buffer {
  const head = Buffer.from([ENHANCED_VIDEO | (isKey ? KEY_FRAME : INTER_FRAME) | CODED_FRAMES]);
  const composition = Buffer.alloc(fourCc === 'av01' ? 0 : 3);
  if (composition.length > 0) composition.writeIntBE(compositionTimeMs, 0, 3);
  return Buffer.concat([head, Buffer.from(fourCc), composition, data]);
}

/** OpusHead from the body of a dOps box of family 0. */
function opusHeadOf(file: Buffer, offset: number): Buffer {
  const head = Buffer.concat([Buffer.from('OpusHead'), file.subarray(offset, offset + 11)]);
  head[8] = 1;
  head.writeUInt16LE(file.readUInt16BE(offset + 2), 10);
  head.writeUInt32LE(file.readUInt32BE(offset + 4), 12);
  head.writeUInt16LE(file.readUInt16BE(offset + 8), 16);
  return head;
}

/** Muxes frames as a segmenter does: a fragment from key frame to key frame, or of a second where there is no video. */
export function muxToFile(frames: readonly Frame[]): { readonly file: Buffer; readonly muxer: FlvToMp4 } {
  const muxer = new FlvToMp4();
  const fragments: Buffer[] = [];
  let begin = 0;
  for (const { type, timestampMs, payload } of frames) {
    const flags = classifyFrame(type, payload);
    if ((flags & frameFlags.sequenceHeader) !== 0) {
      muxer.onHeader(type, payload);
      continue;
    }
    const isCut = muxer.videoCodec === null ? timestampMs - begin >= 1000 : (flags & frameFlags.keyFrame) !== 0;
    if (isCut) {
      begin = timestampMs;
      fragments.push(muxer.takeFragment(timestampMs) ?? Buffer.alloc(0));
    }
    muxer.onFrame(type, timestampMs, payload);
  }
  fragments.push(muxer.takeFragment() ?? Buffer.alloc(0));
  return { file: Buffer.concat([muxer.initSegment(), ...fragments]), muxer };
}

/** Everything that ffmpeg complains about while it decodes all of a file. */
export async function complaintsOfFfmpeg(path: string): Promise<string> {
  const { code, stderr } = await runForeign('ffmpeg', ['-nostdin', '-v', 'warning', '-xerror', '-i', path, '-f', 'null', '-']);
  return code === 0 ? stderr : `exit status ${code}: ${stderr}`;
}
