/**
 * Playlists and segments on the disk that many ask for, kept in memory with the heads of their answers. Those who come while the disk
 * is being asked about a path wait for the next time it is asked, and share the answer: each gets the file as it was after his
 * request had come, and the disk is asked rarely.
 */
import { type Stats, stat } from 'node:fs';
import { promisify } from 'node:util';
import { decideAnswer } from './file-conditions.ts';
import { describeFile, type FileDocument } from './file-document.ts';
import { FileFinder } from './file-finder.ts';
import { type FileTarget, parseFileTarget } from './file-target.ts';
import { cacheControlOf, extensionOf } from './file-types.ts';
import { mediaHeaders } from './media-headers.ts';
import type { MediaServices } from './media-services.ts';
import { headAnswer, PreparedAnswer, type QuickAnswer } from './quick-answer.ts';
import type { QuickRequest } from './quick-head.ts';

const statOf = promisify(stat);

/** A segment of a few seconds. */
const MAX_FILE_BYTES = 1024 * 1024;
const MAX_KEPT_BYTES = 64 * 1024 * 1024;
/** Paths of segments that somebody has asked for once. */
const MAX_ONCE = 10_000;

type Headers = Readonly<Record<string, string>>;

interface KeptFile extends FileDocument {
  /** Of every answer, when this one was made. */
  readonly common: Headers;
  readonly stats: Stats;
  readonly body: Buffer;
  readonly whole: PreparedAnswer;
}

interface WantedFile {
  readonly target: FileTarget;
  readonly host: string;
  readonly path: string;
  readonly extension: string;
}

type Look = PromiseWithResolvers<KeptFile | undefined>;

export class QuickFiles {
  readonly #services: MediaServices;
  readonly #finder: FileFinder;
  readonly #headers: () => Headers;
  /** Those that were used last stand last. */
  readonly #kept = new Map<string, KeptFile>();
  #keptBytes = 0;
  readonly #once = new Set<string>();
  /** Paths that the disk is being asked about, and who waits for the next time. */
  readonly #looks = new Map<string, Look | undefined>();

  constructor(services: MediaServices) {
    this.#services = services;
    this.#finder = new FileFinder(services);
    this.#headers = mediaHeaders(services);
  }

  /** @returns what reads a file now, as far as it is small; undefined when nothing can be served by that name */
  reader(url: string, host: string): (() => Promise<Buffer | undefined>) | undefined {
    const wanted = this.#parse(url, host);
    return wanted === undefined ? undefined : async () => (await this.#look(wanted))?.body;
  }

  /** @returns what answers requests for that URL, or undefined each time that another must; undefined when it never would */
  find(url: string, host: string): ((request: QuickRequest) => Promise<QuickAnswer | undefined> | undefined) | undefined {
    const wanted = this.#parse(url, host);
    if (wanted === undefined) return undefined;
    const { path, extension } = wanted;
    const isPlaylist = extension === 'm3u8';
    return (request) => {
      // Who is alone has no use for a copy of a segment.
      if (!isPlaylist && !this.#kept.has(path) && this.#isFirst(path)) return undefined;
      return this.#look(wanted).then((file) => (file === undefined ? undefined : this.#answer(request, file)));
    };
  }

  #parse(url: string, host: string): WantedFile | undefined {
    let target: FileTarget;
    try {
      target = parseFileTarget(url);
    } catch {
      return undefined;
    }
    const extension = extensionOf(target.segments.at(-1) ?? '');
    if (target.isDirectory || cacheControlOf(extension) === undefined) return undefined;
    const path = this.#finder.addressOf(target, host)?.path;
    return path === undefined ? undefined : { target, host, path, extension };
  }

  #isFirst(path: string): boolean {
    if (this.#once.has(path)) return false;
    if (this.#once.size >= MAX_ONCE) this.#once.clear();
    this.#once.add(path);
    return true;
  }

  #answer({ method, headers }: QuickRequest, { version, body, whole, headers: all }: KeptFile): QuickAnswer | undefined {
    const wallMs = this.#services.clock.wallMs();
    const answer = decideAnswer(method, headers, version, body.length);
    switch (answer.kind) {
      case 'whole':
        return whole.get(method, wallMs);
      case 'not-modified':
        return headAnswer('304 Not Modified', all, wallMs);
      case 'part': {
        const { first, end } = answer.range;
        const range = ['Content-Length', String(end - first), 'Content-Range', `bytes ${first}-${end - 1}/${body.length}`];
        return { ...headAnswer('206 Partial Content', [...all, ...range], wallMs), more: body.subarray(first, end) };
      }
      case 'changed':
      case 'unsatisfiable':
        return undefined;
    }
  }

  #look(wanted: WantedFile): Promise<KeptFile | undefined> {
    const { path } = wanted;
    const waiting = this.#looks.get(path);
    if (waiting !== undefined) return waiting.promise;
    const look: Look = Promise.withResolvers();
    if (this.#looks.has(path)) this.#looks.set(path, look);
    else this.#lookSoon(wanted, look);
    return look.promise;
  }

  /** When all requests that have come by now have been read. */
  #lookSoon(wanted: WantedFile, look: Look): void {
    this.#looks.set(wanted.path, look);
    setImmediate(() => void this.#lookFor(wanted, look));
  }

  async #lookFor(wanted: WantedFile, look: Look): Promise<void> {
    const { path } = wanted;
    this.#looks.set(path, undefined);
    // Why a file cannot be had is found out, and told, where requests are served that this one does not answer.
    look.resolve(await this.#current(wanted).catch(() => undefined));
    const next = this.#looks.get(path);
    if (next === undefined) this.#looks.delete(path);
    else this.#lookSoon(wanted, next);
  }

  async #current(wanted: WantedFile): Promise<KeptFile | undefined> {
    const { path } = wanted;
    const kept = this.#kept.get(path);
    this.#drop(path, kept);
    // It was open once, and lay in its directory; what has the same identity is the same file.
    const isKnown = kept?.version.isSettled === true && kept.common === this.#headers();
    const file = isKnown && isSame(kept.stats, await statOf(path)) ? kept : await this.#load(wanted);
    if (file !== undefined) this.#keep(path, file);
    return file;
  }

  async #load({ target, host, extension }: WantedFile): Promise<KeptFile | undefined> {
    const file = await this.#finder.open(target, host);
    try {
      const { stats, sizeBytes } = file;
      if (!stats.isFile() || sizeBytes > MAX_FILE_BYTES) return undefined;
      const whole = await file.whole();
      if (whole?.length !== sizeBytes) return undefined;
      // The bytes are the file's own, for as long as it is open.
      const body = Buffer.from(whole);
      const common = this.#headers();
      const document = describeFile(stats, extension, common, this.#services.clock.wallMs());
      return { ...document, common, stats, body, whole: new PreparedAnswer(document.headers, body) };
    } finally {
      file.release();
    }
  }

  #drop(path: string, file: KeptFile | undefined): void {
    if (this.#kept.delete(path)) this.#keptBytes -= file?.body.length ?? 0;
  }

  #keep(path: string, file: KeptFile): void {
    this.#kept.set(path, file);
    this.#keptBytes += file.body.length;
    for (const [oldest, each] of this.#kept) {
      if (this.#keptBytes <= MAX_KEPT_BYTES) return;
      this.#drop(oldest, each);
    }
  }
}

/** Whatever is written to a file, or done to its name, changes one of these once the last change is a moment old. */
function isSame(one: Stats, other: Stats): boolean {
  return (
    one.ino === other.ino &&
    one.dev === other.dev &&
    one.size === other.size &&
    one.mtimeMs === other.mtimeMs &&
    one.ctimeMs === other.ctimeMs
  );
}
