/** FLV files for tests, tag by tag. */
import { encodeFlvHeader, encodeFlvTag } from '@srs/flv';
import { frameTypes } from '@srs/kernel';

export type Tag = readonly [type: number, timestampMs: number, payload: Buffer];

export const metadata: Tag = [frameTypes.data, 0, Buffer.from('02000a6f6e4d65746144617461', 'hex')];
export const avcHeader: Tag = [frameTypes.video, 0, Buffer.from('170000000001640028', 'hex')];
export const aacHeader: Tag = [frameTypes.audio, 0, Buffer.from('af001190', 'hex')];
export const avcEnd = (timestampMs: number): Tag => [frameTypes.video, timestampMs, Buffer.from('1702000000', 'hex')];

export function keyFrame(timestampMs: number, mark = 0): Tag {
  return [frameTypes.video, timestampMs, Buffer.of(0x17, 1, 0, 0, 0, mark)];
}

export function sound(timestampMs: number, mark = 0): Tag {
  return [frameTypes.audio, timestampMs, Buffer.of(0xaf, 1, mark)];
}

export function flvFile(tags: readonly Tag[]): Buffer {
  return Buffer.concat([
    encodeFlvHeader({ hasAudio: true, hasVideo: true }),
    ...tags.map(([type, timestampMs, payload]) => encodeFlvTag(type, timestampMs, payload)),
  ]);
}
