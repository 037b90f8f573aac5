/** Lists the segments of one publish and their parts in a low-latency playlist; everything is in memory, at once. */
import type { Cipheriv } from 'node:crypto';
import type { SegmentSecret } from './encryption.ts';
import type { LiveStream } from './live-stream.ts';
import type { LowLatencyPlaylist, Part } from './ll-playlist.ts';
import { filesOf, type InitSection, type ListedSegment, lingerMs } from './playlist.ts';
import type { OpenSegment, PartDetails, SegmentDetails, SegmentFiles } from './segment-files.ts';
import type { FileName, SegmentFacts, SegmentNames } from './segment-names.ts';
import { MemorySegment, type MemoryStore } from './store-memory.ts';
import type { StreamFiles } from './stream-files.ts';

export interface PartFilesOptions {
  readonly files: StreamFiles;
  readonly store: MemoryStore;
  readonly live: LiveStream;
  readonly names: SegmentNames;
  readonly playlist: LowLatencyPlaylist;
  /** A segment is complete and listed. */
  readonly onListed: (segment: ListedSegment, name: FileName) => void;
  /** Nothing is written any more. */
  readonly onError: (error: unknown) => void;
}

/** The segment that is being made. */
interface Making {
  readonly facts: SegmentFacts;
  readonly parts: { readonly part: Part; readonly bytes: Buffer }[];
  readonly secret: SegmentSecret | undefined;
  /** Of an encrypted segment, which is more than its parts one behind the other. */
  readonly whole: { readonly cipher: Cipheriv; readonly sink: MemorySegment } | undefined;
}

export class PartFiles implements SegmentFiles {
  readonly #options: PartFilesOptions;
  /** Keys that no part has been listed with. */
  readonly #unnamedKeys = new Set<string>();
  #making: Making | undefined;

  constructor(options: PartFilesOptions) {
    this.#options = options;
  }

  openSegment(facts: SegmentFacts, secret?: SegmentSecret): OpenSegment {
    const { names, store, onError } = this.#options;
    const name = names.segment(facts, this.#isTaken);
    const whole = secret && { cipher: secret.createCipher(), sink: new MemorySegment(store, onError) };
    this.#making = { facts, parts: [], secret, whole };
    this.#hint();
    return { facts, name, sink: new MemorySegment(store, onError) };
  }

  /** @throws SrsError HlsMemory */
  storeKey(path: string, bytes: Buffer): void {
    this.#options.store.put(path, bytes);
    this.#unnamedKeys.add(path);
  }

  isKeyTaken(path: string): boolean {
    const { playlist, files } = this.#options;
    const isListed = playlist.segments.segments.some(({ key }) => key?.path === path);
    return isListed || this.#unnamedKeys.has(path) || files.isLingering(path);
  }

  /** @throws SrsError HlsMemory */
  storeInit(bytes: Buffer, facts: SegmentFacts): InitSection {
    const { path, uri } = this.#options.names.init(facts);
    this.#options.store.put(path, bytes);
    return { path, uri };
  }

  /** @throws SrsError HlsMemory */
  addPart({ facts, sink }: OpenSegment, { durationMs, isIndependent, targetMs, ...segment }: PartDetails): void {
    const { names, store, playlist } = this.#options;
    const { parts, secret, whole } = this.#making!;
    const { path, uri } = names.part(facts, parts.length);
    const plain = (sink as MemorySegment).take();
    const bytes = secret === undefined ? plain : encrypted(secret, plain);
    // The part goes into the whole as well, or is not listed: there must be room for both.
    store.checkRoom(whole === undefined ? bytes.length : 2 * bytes.length);
    store.put(path, bytes);
    whole?.sink.write(whole.cipher.update(plain));
    const part = { path, uri, durationMs, isIndependent };
    parts.push({ part, bytes });
    this.#linger(playlist.addPart(part, segment, targetMs), []);
    if (segment.key?.path !== undefined) this.#unnamedKeys.delete(segment.key.path);
    this.#hint();
  }

  /** A segment whose parts have been listed stays; without, its number and the name of its first part come again. */
  discardSegment({ sink }: OpenSegment): void {
    void sink.discard();
    this.#listParts();
    this.#forget();
  }

  /** @throws SrsError HlsMemory */
  listSegment({ facts }: Pick<OpenSegment, 'facts'>, details: SegmentDetails): void {
    const { names, playlist, onListed } = this.#options;
    const name = names.segment({ ...facts, durationMs: details.durationMs }, this.#isTaken);
    this.#store(name.path, this.#making!);
    const segment: ListedSegment = { ...details, sequence: facts.sequence, uri: name.uri, path: name.path };
    const left = playlist.endSegment(segment);
    this.#linger(left.segments, left.parts);
    this.#making = undefined;
    this.#setHint(undefined);
    onListed(segment, name);
  }

  /** The publish is over: no part comes next any more. */
  async settle(): Promise<void> {
    this.#listParts();
    this.#forget();
    this.#setHint(undefined);
    for (const path of this.#unnamedKeys) this.#options.store.drop(path);
    this.#options.live.end();
  }

  /** Makes a segment of what has been listed of it, after an error. */
  #listParts(): void {
    const { open } = this.#options.playlist;
    if (this.#making === undefined || open === undefined) return;
    const { parts, ...details } = open;
    const durationMs = parts.reduce((sum, part) => sum + part.durationMs, 0);
    this.listSegment(this.#making, { ...details, durationMs });
  }

  #forget(): void {
    void this.#making?.whole?.sink.discard();
    this.#making = undefined;
  }

  #store(path: string, { parts, whole }: Making): void {
    const { store } = this.#options;
    if (whole !== undefined) {
      whole.sink.write(whole.cipher.final());
      store.put(path, whole.sink.take());
      return;
    }
    // The bytes of the parts are those of the segment from here on, so that they are kept once.
    const bytes = Buffer.concat(parts.map((each) => each.bytes));
    for (const { part } of parts) store.drop(part.path);
    store.put(path, bytes);
    let offset = 0;
    for (const { part, bytes: own } of parts) {
      store.share(part.path, bytes.subarray(offset, offset + own.length));
      offset += own.length;
    }
  }

  #linger(segments: readonly ListedSegment[], parts: readonly Part[]): void {
    const { files, playlist } = this.#options;
    const paths = [...filesOf(segments, playlist.segments.segments[0]), ...parts.map((part) => part.path)];
    if (paths.length > 0) files.linger(paths, lingerMs(playlist.segments, segments));
  }

  #hint(): void {
    const { facts, parts } = this.#making!;
    this.#setHint(this.#options.names.part(facts, parts.length));
  }

  #setHint(hint: Pick<Part, 'uri' | 'path'> | undefined): void {
    const { playlist, live } = this.#options;
    playlist.hint = hint;
    live.onChange(hint?.path);
  }

  readonly #isTaken = (path: string): boolean => {
    const { playlist, files } = this.#options;
    return files.isLingering(path) || playlist.segments.segments.some((segment) => segment.path === path);
  };
}

function encrypted({ createCipher }: SegmentSecret, plain: Buffer): Buffer {
  const cipher = createCipher();
  return Buffer.concat([cipher.update(plain), cipher.final()]);
}
