/** Playlists, segments and keys in memory, whence they are answered. */
import { SrsError } from '@srs/kernel';
import type { HlsStore, SegmentSink } from './store.ts';

/** What one stream may keep: two minutes of 16 Mbps. */
const MAX_STREAM_BYTES = 256 * 1024 * 1024;
/** What all streams of a process may keep. */
const MAX_TOTAL_BYTES = 2 * 1024 * 1024 * 1024;

interface KeptFile {
  readonly bytes: Buffer;
  /** What it counts for: nothing when its bytes are those of another one. */
  readonly cost: number;
}

/** What is kept of all streams. */
export class MemoryPool {
  readonly #maxBytes: number;
  readonly #files = new Map<string, KeptFile>();
  #sizeBytes = 0;

  constructor(maxBytes = MAX_TOTAL_BYTES) {
    this.#maxBytes = maxBytes;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get paths(): readonly string[] {
    return [...this.#files.keys()];
  }

  get(path: string): Buffer | undefined {
    return this.#files.get(path)?.bytes;
  }

  costOf(path: string): number {
    return this.#files.get(path)?.cost ?? 0;
  }

  set(path: string, bytes: Buffer, cost: number): void {
    this.#files.set(path, { bytes, cost });
  }

  delete(path: string): void {
    this.#files.delete(path);
  }

  /** @throws SrsError HlsMemory */
  reserve(bytes: number): void {
    if (this.#sizeBytes + bytes > this.#maxBytes) {
      throw new SrsError(
        'HlsMemory',
        `HLS of all streams in memory would be ${this.#sizeBytes + bytes} bytes, at most ${this.#maxBytes}`,
      );
    }
    this.#sizeBytes += bytes;
  }

  release(bytes: number): void {
    this.#sizeBytes -= bytes;
  }
}

export class MemoryStore implements HlsStore {
  readonly #pool: MemoryPool;
  readonly #maxBytes: number;
  #sizeBytes = 0;

  constructor(pool: MemoryPool, maxBytes = MAX_STREAM_BYTES) {
    this.#pool = pool;
    this.#maxBytes = maxBytes;
  }

  /** What is kept and what is being written. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  openSegment(_path: string, onError: (error: SrsError) => void): MemorySegment {
    return new MemorySegment(this, onError);
  }

  /** @param bytes the store's own. @throws SrsError HlsMemory */
  put(path: string, bytes: Buffer): void {
    const before = this.#pool.costOf(path);
    this.reserve(bytes.length);
    this.release(before);
    this.#pool.set(path, bytes, bytes.length);
  }

  /** @param bytes are kept for another file as well, which alone counts */
  share(path: string, bytes: Buffer): void {
    this.drop(path);
    this.#pool.set(path, bytes, 0);
  }

  drop(path: string): void {
    this.release(this.#pool.costOf(path));
    this.#pool.delete(path);
  }

  async replace(path: string, content: Buffer | string): Promise<void> {
    this.put(path, Buffer.from(content));
  }

  async readPlaylist(path: string): Promise<string | undefined> {
    return this.#pool.get(path)?.toString();
  }

  async present(paths: readonly string[]): Promise<ReadonlySet<string>> {
    return new Set(paths.filter((path) => this.#pool.get(path) !== undefined));
  }

  async remove(paths: readonly string[]): Promise<void> {
    for (const path of paths) this.drop(path);
  }

  /** Nothing is left by a process that is gone. */
  async removeLeftovers(): Promise<void> {}

  /** @throws SrsError HlsMemory */
  reserve(bytes: number): void {
    if (this.#sizeBytes + bytes > this.#maxBytes) {
      throw new SrsError(
        'HlsMemory',
        `HLS of a stream in memory would be ${this.#sizeBytes + bytes} bytes, at most ${this.#maxBytes}`,
      );
    }
    this.#pool.reserve(bytes);
    this.#sizeBytes += bytes;
  }

  release(bytes: number): void {
    this.#sizeBytes -= bytes;
    this.#pool.release(bytes);
  }

  /** @throws SrsError HlsMemory when there is no room for so much */
  checkRoom(bytes: number): void {
    this.reserve(bytes);
    this.release(bytes);
  }
}

export class MemorySegment implements SegmentSink {
  readonly pendingBytes = 0;
  readonly #store: MemoryStore;
  readonly #onError: (error: SrsError) => void;
  #chunks: Buffer[] = [];
  #sizeBytes = 0;
  #error: SrsError | undefined;

  constructor(store: MemoryStore, onError: (error: SrsError) => void) {
    this.#store = store;
    this.#onError = onError;
  }

  write(bytes: Buffer): void {
    if (this.#error !== undefined) return;
    try {
      this.#store.reserve(bytes.length);
    } catch (error) {
      this.#error = error as SrsError;
      this.#onError(this.#error);
      return;
    }
    this.#chunks.push(bytes);
    this.#sizeBytes += bytes.length;
  }

  /** Gives out what was written since the last call; it is not counted any more. @throws SrsError HlsMemory when there was no room */
  take(): Buffer {
    if (this.#error !== undefined) throw this.#error;
    const bytes = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
    this.#clear();
    return bytes;
  }

  async commit(path: string): Promise<void> {
    this.#store.put(path, this.take());
  }

  async discard(): Promise<void> {
    this.#clear();
  }

  #clear(): void {
    this.#store.release(this.#sizeBytes);
    this.#chunks = [];
    this.#sizeBytes = 0;
  }
}
