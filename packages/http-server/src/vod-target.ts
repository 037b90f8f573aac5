/** Which requests are for a recording over HLS, by their paths. */
import type { RecordingFormat } from '@srs/vod';
import { type FileTarget, parseFileTarget } from './file-target.ts';

export type VodTarget =
  | {
      readonly kind: 'playlist';
      readonly file: FileTarget;
      /** The path of the recording without its ending. */
      readonly base: readonly string[];
    }
  | {
      readonly kind: 'segment';
      readonly file: FileTarget;
      /** The path of the recording. */
      readonly recording: readonly string[];
      readonly format: RecordingFormat;
      readonly id: string;
      readonly index: number;
    };

/** Most requests are for something else; an escape in the ending is nobody's wish. */
const ENDINGS = /\.(?:m3u8|ts)(?:[?#]|$)/;
const PLAYLIST_ENDING = '.m3u8';
const DIRECTORY = /^(.+\.(flv|mp4))\.vod$/s;
const SEGMENT = /^([0-9a-f]{16})-(0|[1-9]\d{0,5})\.ts$/;

/**
 * @returns undefined when it is another path
 * @throws ApiError 400 for what can only be an attack or a mistake
 */
export function parseVodTarget(url: string): VodTarget | undefined {
  if (!ENDINGS.test(url)) return undefined;
  const file = parseFileTarget(url);
  const { segments, isDirectory } = file;
  const name = segments.at(-1) ?? '';
  if (isDirectory) return undefined;
  if (name.endsWith(PLAYLIST_ENDING)) {
    const stem = name.slice(0, -PLAYLIST_ENDING.length);
    return stem === '' ? undefined : { kind: 'playlist', file, base: [...segments.slice(0, -1), stem] };
  }
  const directory = DIRECTORY.exec(segments.at(-2) ?? '');
  const segment = SEGMENT.exec(name);
  if (directory === null || segment === null) return undefined;
  return {
    kind: 'segment',
    file,
    recording: [...segments.slice(0, -2), directory[1]!],
    format: directory[2] === 'mp4' ? 'mp4' : 'flv',
    id: segment[1]!,
    index: Number(segment[2]),
  };
}
