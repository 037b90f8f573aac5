/**
 * Tags as the muxer takes them, whose time is told to the tick: FLV counts milliseconds, so the head is that of enhanced RTMP,
 * which can add nanoseconds.
 *
 * ```
 * video: 1 frameType:3 7:4 | 02 | nanoseconds:24 | 0:4 1:4 | FourCC | PTS minus DTS, ms:24 | data
 * sound: 9:4           7:4 | 02 | nanoseconds:24 | 0:4 1:4 | FourCC | data
 * ```
 */

export interface ExactTag {
  readonly timestampMs: number;
  readonly payload: Buffer;
}

type VideoFourCc = 'avc1' | 'hvc1';
type AudioFourCc = 'mp4a' | '.mp3';

const TICKS_PER_MS = 90;
const NANOS_PER_MS = 1_000_000;
const ENHANCED_VIDEO = 0x80;
const ENHANCED_AUDIO = 0x90;
const KEY_FRAME = 0x10;
const INTER_FRAME = 0x20;
const MODIFIER = 7;
const CODED_FRAMES = 1;
const NANOS_BYTES = 3;
const MODIFIED_HEAD_BYTES = 10;
const COMPOSITION_BYTES = 3;
const MAX_COMPOSITION_MS = 0x7fffff;

/** @returns the payload of a sequence header */
export function videoHeader(fourCc: VideoFourCc, configuration: Buffer): Buffer {
  return Buffer.concat([Buffer.from([ENHANCED_VIDEO | KEY_FRAME]), Buffer.from(fourCc, 'latin1'), configuration]);
}

export function audioHeader(fourCc: AudioFourCc, configuration: Buffer): Buffer {
  return Buffer.concat([Buffer.from([ENHANCED_AUDIO]), Buffer.from(fourCc, 'latin1'), configuration]);
}

/**
 * The time at which a picture is shown is exact; its decoding time is up to half a millisecond off, because their distance is told
 * in whole ones.
 *
 * @param ptsTicks,dtsTicks of 90 kHz, 0 or more
 */
export function exactPicture(
  fourCc: VideoFourCc,
  isKeyFrame: boolean,
  { ptsTicks, dtsTicks }: { readonly ptsTicks: number; readonly dtsTicks: number },
  data: Buffer,
): ExactTag {
  const wantedMs = Math.min(Math.round((ptsTicks - dtsTicks) / TICKS_PER_MS), MAX_COMPOSITION_MS);
  // Never before the beginning of the file.
  const compositionMs = Math.min(Math.max(0, wantedMs), Math.floor(Math.max(0, ptsTicks) / TICKS_PER_MS));
  const ticks = Math.max(0, ptsTicks) - compositionMs * TICKS_PER_MS;
  const payload = Buffer.allocUnsafe(MODIFIED_HEAD_BYTES + COMPOSITION_BYTES + data.length);
  writeHead(payload, ENHANCED_VIDEO | (isKeyFrame ? KEY_FRAME : INTER_FRAME), ticks, fourCc);
  payload.writeIntBE(compositionMs, MODIFIED_HEAD_BYTES, COMPOSITION_BYTES);
  data.copy(payload, MODIFIED_HEAD_BYTES + COMPOSITION_BYTES);
  return { timestampMs: Math.floor(ticks / TICKS_PER_MS), payload };
}

/** @param ticks of 90 kHz; below 0 for what comes late at the beginning of a file */
export function exactSound(fourCc: AudioFourCc, ticks: number, data: Buffer): ExactTag {
  const payload = Buffer.allocUnsafe(MODIFIED_HEAD_BYTES + data.length);
  writeHead(payload, ENHANCED_AUDIO, ticks, fourCc);
  data.copy(payload, MODIFIED_HEAD_BYTES);
  return { timestampMs: Math.floor(ticks / TICKS_PER_MS), payload };
}

function writeHead(payload: Buffer, head: number, ticks: number, fourCc: string): void {
  payload[0] = head | MODIFIER;
  payload[1] = NANOS_BYTES - 1;
  const rest = ticks - Math.floor(ticks / TICKS_PER_MS) * TICKS_PER_MS;
  const nanos = Math.round((rest * NANOS_PER_MS) / TICKS_PER_MS);
  payload.writeUIntBE(nanos, 2, NANOS_BYTES);
  payload[5] = CODED_FRAMES;
  payload.write(fourCc, 6, 'latin1');
}
