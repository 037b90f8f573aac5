/** Which stream's HLS a URL means, by the `hls` of the vhosts. */
import { relative, resolve, sep } from 'node:path';
import { type Config, type HlsConfig, resolveVhost, type VhostConfig } from '@srs/config';
import type { FileAddress } from './file-finder.ts';

/** A playlist or a segment that may be there. */
export type HlsTarget = HlsPlaylist | HlsSegment;

export interface HlsPlaylist {
  readonly kind: 'playlist';
  readonly vhost: VhostConfig;
  /** Empty where its name does not tell. */
  readonly app: string;
  readonly stream: string;
  /** What the names of its segments tell of the stream too. */
  readonly label: string;
}

export interface HlsSegment {
  readonly kind: 'segment';
  readonly vhost: VhostConfig;
  /** One of these is that of its playlist: a number at its end may belong to the segment, or to the name of the stream. */
  readonly labels: readonly string[];
}

interface Patterns {
  readonly playlist: RegExp;
  readonly media: RegExp;
  readonly init: RegExp;
}

const known = new WeakMap<VhostConfig, Patterns>();
const ENDING = /\.[^./]*$/;
/** Of numbers that may stand at the end of the name of a stream. */
const MAX_NUMBERS = 3;
const NUMBER = /(.)-(?:\d+|init)$/;

/** Kept by the back-source that makes it, and served at the paths that its names say. */
export const isKeptInMemory = ({ hls }: VhostConfig): boolean => hls.enabled && (hls.storage === 'memory' || hls.format === 'll');

/** The names of one configuration. */
export class HlsNames {
  readonly #config: Config;
  /** That playlists and segments have. */
  readonly #endings = new Set<string>();
  /** Vhosts that write files, by their directories. */
  readonly #writers = new Map<string, VhostConfig[]>();

  constructor(config: Config) {
    this.#config = config;
    for (const vhost of config.vhosts.values()) {
      const { enabled, hls } = vhost;
      if (!enabled || !hls.enabled) continue;
      for (const ending of [endingOf(hls.m3u8File), endingOf(hls.tsFile), '.m4s', '.mp4']) this.#endings.add(ending);
      if (isKeptInMemory(vhost)) continue;
      const directory = resolve(hls.path);
      const writers = this.#writers.get(directory);
      if (writers === undefined) this.#writers.set(directory, [vhost]);
      else writers.push(vhost);
    }
  }

  /**
   * @param named host of the request, or the vhost that its URL names
   * @param path decoded, without the slash at its beginning
   * @param address of the file that has that path; undefined when none can have it
   * @param realPathOf where a directory really is: two names may lead to one
   * @returns undefined when it is none. Of several vhosts that write to one directory by the same names, that of the request counts
   */
  find(
    named: string,
    path: string,
    address: FileAddress | undefined,
    realPathOf: (directory: string) => string = resolve,
  ): HlsTarget | undefined {
    // Most requests for other things end here.
    if (!this.#endings.has(endingOf(path))) return undefined;
    const found = resolveVhost(this.#config, named);
    const own = found.kind === 'found' ? found.vhost : undefined;
    if (own !== undefined && isKeptInMemory(own)) {
      const target = match(own, path);
      if (target !== undefined) return target;
    }
    if (address === undefined) return undefined;
    const root = address.directory.path;
    const realPath = resolve(realPathOf(root), relative(root, address.path));
    let ofOthers: HlsTarget | undefined;
    for (const [directory, writers] of this.#writers) {
      const below = relative(realPathOf(directory), realPath);
      if (below.startsWith('..')) continue;
      const name = sep === '/' ? below : below.replaceAll(sep, '/');
      const ofOwn = own !== undefined && writers.includes(own) ? match(own, name) : undefined;
      if (ofOwn !== undefined) return ofOwn;
      // A file is that of its vhost, by whatever host it is asked for.
      for (const vhost of writers) ofOthers ??= match(vhost, name);
    }
    return ofOthers;
  }
}

function endingOf(name: string): string {
  return ENDING.exec(name)?.[0] ?? '';
}

function match(vhost: VhostConfig, name: string): HlsTarget | undefined {
  const { playlist, media, init } = patternsOf(vhost);
  const groups = groupsOf(playlist.exec(name));
  if (groups !== undefined) {
    const { app = '', stream = name.slice(name.lastIndexOf('/') + 1).replace(ENDING, '') } = groups;
    return { kind: 'playlist', vhost, app, stream, label: labelOf(vhost, app, stream) };
  }
  const ofSegment = groupsOf(media.exec(name) ?? init.exec(name));
  return ofSegment === undefined ? undefined : { kind: 'segment', vhost, labels: labelsOf(vhost, ofSegment) };
}

/** A pattern without names has no groups. */
function groupsOf(found: RegExpExecArray | null): Readonly<Record<string, string>> | undefined {
  return found === null ? undefined : (found.groups ?? {});
}

function labelOf({ name, hls: { m3u8File, tsFile } }: VhostConfig, app: string, stream: string): string {
  const isTold = (variable: string): boolean => m3u8File.includes(variable) && tsFile.includes(variable);
  return `${name}/${isTold('[app]') ? app : ''}/${isTold('[stream]') ? stream : ''}`;
}

function labelsOf(vhost: VhostConfig, { app = '', stream = '' }: Readonly<Record<string, string>>): readonly string[] {
  const labels = [labelOf(vhost, app, stream)];
  for (let name = stream; labels.length <= MAX_NUMBERS && NUMBER.test(name); ) {
    name = name.replace(NUMBER, '$1');
    labels.push(labelOf(vhost, app, name));
  }
  return labels;
}

function patternsOf(vhost: VhostConfig): Patterns {
  let patterns = known.get(vhost);
  if (patterns === undefined) {
    const { m3u8File, tsFile, format }: HlsConfig = vhost.hls;
    const ending = endingOf(tsFile);
    const stem = tsFile.slice(0, tsFile.length - ending.length);
    // Fragmented MP4 has an ending of its own, unless the name has it already, and its parts have two numbers.
    const isNamed = format === 'ts' || ending === '.m4s' || ending === '.mp4';
    const mediaEnding = escaped(isNamed ? ending : '.m4s');
    // What stands behind the number: a time that is given twice, or the mark of an init segment in a name without a number.
    patterns = {
      playlist: new RegExp(`^${patternText(m3u8File, vhost.name, '')}$`),
      media: new RegExp(`^${patternText(stem, vhost.name, '\\d+(?:\\.\\d+)?')}(?:-\\d+(?:\\.\\d+)?)?${mediaEnding}$`),
      init: new RegExp(`^${patternText(stem, vhost.name, '(?:init-)?\\d+')}(?:-init-\\d+)?\\.mp4$`),
    };
    if (format === 'ts') patterns = { ...patterns, init: patterns.media };
    known.set(vhost, patterns);
  }
  return patterns;
}

function escaped(text: string): string {
  return text.replace(/\W/g, '\\$&');
}

/** @param numbers what the variables of a segment become */
function patternText(template: string, vhost: string, numbers: string): string {
  const seen = new Set<string>();
  return template.replace(/\[(\w+)\]|[^\w/]/g, (text, variable?: string) => {
    switch (variable) {
      case undefined:
        return `\\${text}`;
      case 'vhost':
        return escaped(vhost);
      case 'app':
      case 'stream':
        if (seen.has(variable)) return `\\k<${variable}>`;
        seen.add(variable);
        return variable === 'app' ? '(?<app>.+)' : '(?<stream>[^/]+)';
      default:
        return numbers;
    }
  });
}
