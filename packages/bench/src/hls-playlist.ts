/** Reads as much of a playlist (RFC 8216) as a viewer needs that wants its segments. */
import { SrsError } from '@srs/kernel';

export interface HlsSegment {
  readonly sequence: number;
  readonly uri: string;
  readonly durationMs: number;
  /** What has to be read before it; undefined when it stands alone. */
  readonly mapUri: string | undefined;
  readonly isEncrypted: boolean;
}

export interface MediaPlaylist {
  readonly kind: 'media';
  readonly targetDurationMs: number;
  readonly segments: readonly HlsSegment[];
  /** Nothing will be added. */
  readonly isEnded: boolean;
}

/** A choice of other playlists. */
export interface MasterPlaylist {
  readonly kind: 'master';
  readonly variants: readonly [string, ...string[]];
}

/** A live playlist has a few kilobytes, one of a day in small segments about a megabyte. */
export const MAX_PLAYLIST_BYTES = 4 * 1024 * 1024;

/** @throws SrsError HlsDecode, with the number of the line */
export function parsePlaylist(text: string): MediaPlaylist | MasterPlaylist {
  const reader = new PlaylistReader();
  text.split(/\r?\n/).forEach((line, index) => {
    try {
      reader.readLine(line.trim(), index === 0);
    } catch (thrown) {
      if (!(thrown instanceof SrsError)) throw thrown;
      throw new SrsError('HlsDecode', `playlist line ${index + 1}: ${thrown.message}`);
    }
  });
  return reader.finish();
}

class PlaylistReader {
  readonly #segments: HlsSegment[] = [];
  readonly #variants: string[] = [];
  #firstSequence = 0;
  #targetDurationMs: number | undefined;
  #isEnded = false;
  #durationMs: number | undefined;
  #isVariant = false;
  #mapUri: string | undefined;
  #isEncrypted = false;

  readLine(line: string, isFirst: boolean): void {
    if (isFirst && line !== '#EXTM3U') throw new SrsError('HlsDecode', `${JSON.stringify(line.slice(0, 40))} must be #EXTM3U`);
    if (line === '') return;
    if (line.startsWith('#')) this.#readTag(line);
    else this.#readUri(line);
  }

  finish(): MediaPlaylist | MasterPlaylist {
    const [variant, ...others] = this.#variants;
    if (variant !== undefined) return { kind: 'master', variants: [variant, ...others] };
    if (this.#targetDurationMs === undefined) throw new SrsError('HlsDecode', 'playlist has no #EXT-X-TARGETDURATION');
    const segments = this.#segments.map((segment, index) => ({ ...segment, sequence: this.#firstSequence + index }));
    return { kind: 'media', targetDurationMs: this.#targetDurationMs, segments, isEnded: this.#isEnded };
  }

  #readTag(line: string): void {
    const [name, value = ''] = splitOnce(line, ':');
    switch (name) {
      case '#EXTINF':
        this.#durationMs = secondsOf(name, splitOnce(value, ',')[0]) * 1000;
        return;
      case '#EXT-X-TARGETDURATION':
        this.#targetDurationMs = secondsOf(name, value) * 1000;
        return;
      case '#EXT-X-MEDIA-SEQUENCE':
        if (!/^\d{1,15}$/.test(value)) throw new SrsError('HlsDecode', `${name} ${JSON.stringify(value)} must be a number`);
        this.#firstSequence = Number(value);
        return;
      case '#EXT-X-MAP':
        this.#mapUri = attributeOf(line, 'URI');
        return;
      case '#EXT-X-KEY':
        this.#isEncrypted = attributeOf(line, 'METHOD') !== 'NONE';
        return;
      case '#EXT-X-BYTERANGE':
        throw new SrsError('HlsDecode', 'segments that are a part of a file are not read');
      case '#EXT-X-STREAM-INF':
        this.#isVariant = true;
        return;
      case '#EXT-X-ENDLIST':
        this.#isEnded = true;
        return;
    }
  }

  #readUri(uri: string): void {
    const durationMs = this.#durationMs;
    this.#durationMs = undefined;
    if (this.#isVariant) this.#variants.push(uri);
    else if (durationMs === undefined) throw new SrsError('HlsDecode', 'segment has no #EXTINF');
    else this.#segments.push({ sequence: 0, uri, durationMs, mapUri: this.#mapUri, isEncrypted: this.#isEncrypted });
    this.#isVariant = false;
  }
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}

function secondsOf(name: string, text: string): number {
  const seconds = Number(text);
  if (text.trim() === '' || !(seconds >= 0 && seconds <= 86_400)) {
    throw new SrsError('HlsDecode', `${name} ${JSON.stringify(text)} must be seconds in 0..86400`);
  }
  return seconds;
}

/** The value of an attribute, without its quotes; undefined when it is not there. */
function attributeOf(line: string, name: string): string | undefined {
  const [, quoted, plain] = new RegExp(`[:,]${name}=(?:"([^"]*)"|([^,]*))`).exec(line) ?? [];
  return quoted ?? plain;
}
