/** Where the files of a stream are, and how a playlist calls them. */
import { basename, dirname, relative, resolve, sep } from 'node:path';
import type { HlsConfig } from '@srs/config';
import { expandPath } from '@srs/files';
import type { UriLocator } from './playlist-restore.ts';

export interface StreamName {
  readonly vhost: string;
  readonly app: string;
  readonly stream: string;
}

export type NamingConfig = Pick<
  HlsConfig,
  'path' | 'm3u8File' | 'tsFile' | 'tsFloor' | 'fragmentMs' | 'entryPrefix' | 'keys' | 'format'
>;

/** A file that a playlist names. */
export interface FileName {
  readonly path: string;
  readonly uri: string;
  /** Below `hls_path`, with `/`. */
  readonly url: string;
}

/** What the name of a segment says of it. */
export interface SegmentFacts {
  readonly sequence: number;
  /** When it began, ms since 1970. */
  readonly beginMs: number;
  /** 0 while it is not known. */
  readonly durationMs: number;
  /** What stands for `[timestamp]`: milliseconds, or fragments since 1970 with `hls_ts_floor`. */
  readonly timestamp: number;
}

/** What is being written has this behind its name. */
export const UNFINISHED = '.tmp';

const numberVariables = /\[(?:seq|duration|timestamp|2006|01|02|15|04|05|999)\]/g;
/** How many digits these have; the others any number. `[timestamp]` counts milliseconds, or fragments of up to an hour. */
const digitCounts: Readonly<Record<string, string>> = {
  '[timestamp]': '{6,}',
  '[2006]': '{4}',
  '[01]': '{2}',
  '[02]': '{2}',
  '[15]': '{2}',
  '[04]': '{2}',
  '[05]': '{2}',
  '[999]': '{3}',
};

export class SegmentNames implements UriLocator {
  readonly #config: NamingConfig;
  readonly #stream: StreamName;
  readonly #root: string;
  readonly #keyRoot: string;
  /** Of segments. */
  readonly #template: string;
  /** Below `hls_path`. */
  readonly playlistUrl: string;
  readonly playlistPath: string;

  constructor(config: NamingConfig, stream: StreamName) {
    this.#config = config;
    this.#stream = stream;
    this.#root = withoutEndingSlash(config.path);
    this.#keyRoot = withoutEndingSlash(config.keys.keyFilePath);
    this.#template = segmentTemplate(config);
    this.playlistUrl = expandPath(config.m3u8File, stream);
    this.playlistPath = `${this.#root}/${this.playlistUrl}`;
  }

  /**
   * @param isTaken of a path: the segment gets another name then. A template of times only may give one name twice.
   */
  segment(facts: SegmentFacts, isTaken: (path: string) => boolean = () => false): FileName {
    const url = this.#expand(this.#template, facts);
    return this.#fileName(isTaken(`${this.#root}/${url}`) ? withNumber(url, facts.sequence) : url);
  }

  /** The init segment that is needed from this segment on. */
  init(facts: SegmentFacts): FileName {
    return this.#fileName(withEnding(this.#expand(withSequence(this.#template, 'init-[seq]'), facts), '.mp4'));
  }

  /** A part of a segment. @param index of the part, from 0 */
  part(facts: SegmentFacts, index: number): FileName {
    return this.#fileName(this.#expand(withSequence(this.#template, `[seq].${index}`), { ...facts, durationMs: 0 }));
  }

  /** @param sequence of the first segment that the key is for */
  key(sequence: number, beginMs: number, isTaken: (path: string) => boolean = () => false): { path: string; uri: string } {
    const { keyFile, keyUrl } = this.#config.keys;
    let name = expandPath(keyFile, { ...this.#stream, seq: sequence, wallMs: beginMs });
    if (isTaken(`${this.#keyRoot}/${name}`)) name = withNumber(name, sequence);
    const path = `${this.#keyRoot}/${name}`;
    return { path, uri: keyUrl === '' ? this.#relativeUri(path) : withPrefix(keyUrl, name) };
  }

  segmentPathOf(uri: string): string | undefined {
    const path = this.#pathOf(uri, this.#config.entryPrefix, this.#root);
    // Whatever a playlist says, it is not deleted as a segment of itself.
    return path === this.playlistPath ? undefined : path;
  }

  keyPathOf(uri: string): string | undefined {
    return this.#pathOf(uri, this.#config.keys.keyUrl, this.#keyRoot);
  }

  /**
   * Where a process that was killed may have left an unfinished segment, and what its name looks like. The names of other streams begin alike, and
   * what they are writing must stay: `one-1-7.ts` is none of the stream `one`.
   */
  leftovers(beginMs: number): { readonly directory: string; readonly isLeftover: (name: string) => boolean } {
    const { path } = this.segment({ sequence: 0, beginMs, durationMs: 0, timestamp: beginMs });
    // A word that no name holds marks the places of numbers.
    const mark = 'numberstandshere';
    const digits: string[] = [];
    const lastPart = basename(this.#template).replaceAll(numberVariables, (variable) => {
      digits.push(`\\d${digitCounts[variable] ?? '+'}`);
      return mark;
    });
    const expanded = expandPath(lastPart, this.#stream).split('/').at(-1)!;
    const stem = expanded.replace(/\.[^.]*$/, '');
    const withDigits = (text: string): string => {
      const [first, ...rest] = text.split(mark).map(escapePattern);
      return `${first}${rest.map((part) => `${digits.shift()}${part}`).join('')}`;
    };
    const before = withDigits(stem);
    const behind = withDigits(expanded.slice(stem.length));
    // Only a name without the number of the segment may be taken, and then bears it at the end.
    const number = this.#template.includes('[seq]') ? '' : '(?:-\\d+)?';
    const pattern = new RegExp(`^${before}${number}${behind}(?:\\.\\d+)?${escapePattern(UNFINISHED)}$`);
    return { directory: dirname(path), isLeftover: (name) => pattern.test(name) };
  }

  #expand(template: string, { sequence, beginMs, durationMs, timestamp }: SegmentFacts): string {
    const named = template.replaceAll('[timestamp]', String(timestamp));
    return expandPath(named, { ...this.#stream, seq: sequence, wallMs: beginMs, durationMs });
  }

  #fileName(url: string): FileName {
    const path = `${this.#root}/${url}`;
    const prefix = this.#config.entryPrefix;
    return { path, url, uri: prefix === '' ? this.#relativeUri(path) : withPrefix(prefix, url) };
  }

  #relativeUri(path: string): string {
    return encodePath(relative(dirname(resolve(this.playlistPath)), resolve(path)));
  }

  /** @returns undefined for what is not below `root` */
  #pathOf(uri: string, prefix: string, root: string): string | undefined {
    const isPrefixed = prefix !== '' && uri.startsWith(withoutEndingSlash(prefix));
    const reference = isPrefixed ? uri.slice(withoutEndingSlash(prefix).length).replace(/^\/+/, '') : uri;
    if (/^(?:[a-z][a-z0-9+.-]*:|\/)/i.test(reference)) return undefined;
    const decoded = decodePath(reference);
    if (decoded === undefined || decoded === '' || decoded.includes('\0')) return undefined;
    const below = relative(resolve(root), resolve(isPrefixed ? root : dirname(this.playlistPath), decoded));
    if (below === '' || below === '..' || below.startsWith(`..${sep}`)) return undefined;
    return `${root}/${below}`;
  }
}

/** Segments of fragmented MP4 end in `.m4s`, unless they are named for it already. */
function segmentTemplate({ tsFile, format }: NamingConfig): string {
  if (format === 'ts' || /\.(?:m4s|mp4)$/.test(tsFile)) return tsFile;
  return `${tsFile.replace(/\.ts$/, '')}.m4s`;
}

/** Puts `mark` where the number stands in the last part of a template, or behind it, so that the name is like no segment's. */
function withSequence(template: string, mark: string): string {
  const directory = template.slice(0, template.lastIndexOf('/') + 1);
  const last = template.slice(directory.length);
  if (last.includes('[seq]')) return directory + last.replace('[seq]', mark);
  return directory + last.replace(/\.[^.]*$/, (ending) => `-${mark}${ending}`);
}

function withEnding(url: string, ending: string): string {
  return url.replace(/\.[^./]*$/, ending);
}

/** `live/a.ts` becomes `live/a-7.ts`. */
function withNumber(url: string, sequence: number): string {
  return url.replace(/(\.[^./]*)?$/, (ending: string | undefined) => `-${sequence}${ending ?? ''}`);
}

function withPrefix(prefix: string, url: string): string {
  return `${withoutEndingSlash(prefix)}/${encodePath(url)}`;
}

function withoutEndingSlash(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, '') : path;
}

function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

function decodePath(reference: string): string | undefined {
  try {
    return decodeURIComponent(reference.replace(/[?#].*$/, ''));
  } catch {
    return undefined;
  }
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
