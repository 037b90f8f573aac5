/** A store that keeps everything in memory and notes every version of every playlist. */
import type { Clock, SrsError } from '@srs/kernel';
import { parsePlaylist } from './playlist-text.ts';
import { UNFINISHED } from './segment-names.ts';
import type { HlsStore, SegmentSink } from './store.ts';

export interface StoredVersion {
  readonly text: string;
  readonly atMs: number;
}

export class MemoryStore implements HlsStore {
  readonly #clock: Clock;
  readonly files = new Map<string, Buffer>();
  /** In the order of their writing. */
  readonly versions: StoredVersion[] = [];
  /** Segments that a playlist named when they were not there. */
  readonly missing: string[] = [];
  /** Every write is refused with this. */
  failure: SrsError | undefined;
  /** While set, nothing is read or written. */
  stall: Promise<void> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  openSegment(path: string, onError: (error: SrsError) => void): SegmentSink {
    return new MemorySegment(this, path + UNFINISHED, onError);
  }

  async replace(path: string, content: Buffer | string): Promise<void> {
    await this.check();
    this.files.set(path, Buffer.from(content));
    if (typeof content === 'string') this.#note(path, content);
  }

  async readPlaylist(path: string): Promise<string | undefined> {
    await this.stall;
    return this.files.get(path)?.toString();
  }

  async present(paths: readonly string[]): Promise<ReadonlySet<string>> {
    await this.stall;
    return new Set(paths.filter((path) => this.files.has(path)));
  }

  async remove(paths: readonly string[]): Promise<void> {
    await this.stall;
    for (const path of paths) this.files.delete(path);
  }

  async removeLeftovers(directory: string, isLeftover: (name: string) => boolean): Promise<void> {
    await this.stall;
    for (const path of this.files.keys()) {
      if (path.startsWith(`${directory}/`) && isLeftover(path.slice(directory.length + 1))) this.files.delete(path);
    }
  }

  /** Paths that end in this, sorted. */
  pathsOf(ending: string): readonly string[] {
    return [...this.files.keys()].filter((path) => path.endsWith(ending)).sort();
  }

  async check(): Promise<void> {
    await this.stall;
    if (this.failure !== undefined) throw this.failure;
  }

  /** Whatever a playlist names stands beside it. */
  #note(path: string, text: string): void {
    this.versions.push({ text, atMs: this.#clock.nowMs() });
    const directory = path.replace(/\/[^/]*$/, '');
    for (const { uri, keyUri, initUri } of parsePlaylist(text).segments) {
      for (const name of [uri, keyUri, initUri]) {
        if (name === undefined) continue;
        if (!this.files.has(`${directory}/${decodeURIComponent(name)}`)) this.missing.push(name);
      }
    }
  }
}

class MemorySegment implements SegmentSink {
  readonly #store: MemoryStore;
  readonly #onError: (error: SrsError) => void;
  #path: string;
  #isDone = false;

  constructor(store: MemoryStore, path: string, onError: (error: SrsError) => void) {
    this.#store = store;
    this.#path = path;
    this.#onError = onError;
    for (let attempt = 1; store.files.has(this.#path); attempt++) this.#path = `${path}.${attempt}`;
    store.files.set(this.#path, Buffer.alloc(0));
  }

  get pendingBytes(): number {
    return this.#store.stall === undefined ? 0 : (this.#store.files.get(this.#path)?.length ?? 0);
  }

  write(bytes: Buffer): void {
    if (this.#isDone) throw new Error(`${this.#path} is written to after its end`);
    if (this.#store.failure !== undefined) this.#onError(this.#store.failure);
    else this.#store.files.set(this.#path, Buffer.concat([this.#store.files.get(this.#path)!, bytes]));
  }

  async commit(path: string): Promise<void> {
    this.#isDone = true;
    await this.#store.check();
    const bytes = this.#store.files.get(this.#path)!;
    this.#store.files.delete(this.#path);
    this.#store.files.set(path, bytes);
    this.#path = path;
  }

  async discard(): Promise<void> {
    this.#isDone = true;
    await this.#store.stall;
    this.#store.files.delete(this.#path);
  }
}
