/** The playlists and segments of HLS where they are: in memory, or files below the directories that are served. */
import { realpathSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import type { Config } from '@srs/config';
import { ApiError } from './api-errors.ts';
import { FileFinder } from './file-finder.ts';
import { type FileTarget, parseFileTarget } from './file-target.ts';
import { HlsNames, type HlsTarget, isKeptInMemory } from './hls-target.ts';
import { hostOf } from './live-server.ts';
import type { MediaServices } from './media-services.ts';
import type { OutputServer } from './output-server.ts';
import type { QuickFiles } from './quick-files.ts';

export interface LocatedHls {
  readonly target: HlsTarget;
  /** Without the key of a viewer. */
  readonly url: string;
  readonly host: string;
  readonly file: FileTarget;
  readonly isInMemory: boolean;
}

export interface HlsPlaylistsOptions extends Pick<MediaServices, 'config' | 'clock' | 'log'> {
  readonly outputs: OutputServer;
  readonly files: QuickFiles;
}

/** Of hundreds of thousands of segments. */
const MAX_PLAYLIST_BYTES = 16 * 1024 * 1024;

export class HlsPlaylists {
  readonly #options: HlsPlaylistsOptions;
  readonly #finder: FileFinder;
  #config: Config;
  #names: HlsNames;
  /** Of directories, for this configuration. */
  readonly #realPaths = new Map<string, string>();

  constructor(options: HlsPlaylistsOptions) {
    this.#options = options;
    this.#finder = new FileFinder(options);
    this.#config = options.config();
    this.#names = new HlsNames(this.#config);
  }

  /** @param url without the key of a viewer @returns undefined for what is no HLS, or none that could be there */
  locate(url: string, hostHeader: string): LocatedHls | undefined {
    let file: FileTarget;
    try {
      file = parseFileTarget(url);
    } catch {
      return undefined;
    }
    if (file.isDirectory) return undefined;
    this.#follow();
    const host = file.authority ?? hostHeader;
    const named = new URLSearchParams(file.query).get('vhost') ?? hostOf({ headers: { host } });
    const address = this.#finder.addressOf(file, host);
    const target = this.#names.find(named, file.segments.join('/'), address, (path) => this.#realPathOf(path));
    if (target === undefined) return undefined;
    return { target, url, host: hostHeader, file, isInMemory: isKeptInMemory(target.vhost) };
  }

  /** Whether something is there now. Waits for what is yet to be made. @throws ApiError */
  async isThere(located: LocatedHls, request: IncomingMessage): Promise<boolean> {
    if (located.isInMemory && (await this.#options.outputs.read(request, located.url)) !== undefined) return true;
    try {
      const file = await this.#finder.open(located.file, located.host);
      file.release();
      return file.stats.isFile();
    } catch (error) {
      if (error instanceof ApiError && error.statusCode === 404) return false;
      throw error;
    }
  }

  /** As it is now; waits for what is yet to be made. @returns undefined when there is none @throws ApiError */
  async read(located: LocatedHls, request: IncomingMessage): Promise<Buffer | undefined> {
    const { outputs, files } = this.#options;
    if (located.isInMemory) {
      const content = await outputs.read(request, located.url);
      if (content !== undefined) return content.body;
    }
    const { url, host } = located;
    return (await files.reader(url, host)?.()) ?? (await this.#readFile(located));
  }

  /** @returns what reads it when it can be had at once, or nearly */
  quickReader({ isInMemory, url, host }: LocatedHls): (() => Buffer | Promise<Buffer | undefined> | undefined) | undefined {
    const { outputs, files } = this.#options;
    return isInMemory ? outputs.reader(url, host) : files.reader(url, host);
  }

  /** However large it is. */
  async #readFile({ file: target, host }: LocatedHls): Promise<Buffer | undefined> {
    const file = await this.#finder.open(target, host).catch((error: unknown) => {
      if (error instanceof ApiError && error.statusCode === 404) return undefined;
      throw error;
    });
    if (file === undefined) return undefined;
    try {
      if (!file.stats.isFile()) return undefined;
      if (file.sizeBytes > MAX_PLAYLIST_BYTES)
        throw new ApiError(503, `a playlist of ${file.sizeBytes} bytes must have at most ${MAX_PLAYLIST_BYTES}`);
      const bytes = Buffer.alloc(file.sizeBytes);
      return bytes.subarray(0, await file.read(bytes, 0));
    } finally {
      file.release();
    }
  }

  #follow(): void {
    const config = this.#options.config();
    if (config === this.#config) return;
    this.#config = config;
    this.#names = new HlsNames(config);
    this.#realPaths.clear();
  }

  /** Itself while it is not there. */
  #realPathOf(directory: string): string {
    const known = this.#realPaths.get(directory);
    if (known !== undefined) return known;
    try {
      const realPath = realpathSync(directory);
      this.#realPaths.set(directory, realPath);
      return realPath;
    } catch {
      return directory;
    }
  }
}
