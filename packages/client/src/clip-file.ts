/** Clips on disk, the embedded one among them. */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SrsError } from '@srs/kernel';
import { FlvClip } from './flv-clip.ts';

/** The test stream that comes with this project: H.264 and AAC, 25 pictures a second, about 20 s, 193 kbps. */
export const embeddedClipFile = fileURLToPath(new URL('../assets/clip.flv', import.meta.url));

/** The whole clip is kept in memory. */
const MAX_CLIP_BYTES = 256 * 1024 * 1024;

/** @throws SrsError FileOpen or FileRead when the file cannot be read; FlvHeader or FlvTag when it is no clip to publish */
export function readClip(path: string): FlvClip {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (cause) {
    throw new SrsError('FileOpen', `clip ${path} cannot be opened`, { cause });
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new SrsError('FileOpen', `clip ${path} must be a regular file`);
    if (stat.size > MAX_CLIP_BYTES) {
      throw new SrsError('FileRead', `clip ${path} of ${stat.size} bytes must be at most ${MAX_CLIP_BYTES}`);
    }
    return FlvClip.read(readFileSync(fd));
  } finally {
    closeSync(fd);
  }
}
