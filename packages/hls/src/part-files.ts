/** Lists the segments of one publish and their parts in a low-latency playlist; everything is in memory, at once. */
import type { LiveStream } from './live-stream.ts';
import type { LowLatencyPlaylist, Part } from './ll-playlist.ts';
import { filesOf, type InitSection, type ListedSegment } from './playlist.ts';
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

export class PartFiles implements SegmentFiles {
  readonly #options: PartFilesOptions;
  /** Of the open segment. */
  #parts: { readonly part: Part; readonly bytes: Buffer }[] = [];
  #facts: SegmentFacts | undefined;

  constructor(options: PartFilesOptions) {
    this.#options = options;
  }

  openSegment(facts: SegmentFacts): OpenSegment {
    const { names, store, onError } = this.#options;
    const name = names.segment(facts, this.#isTaken);
    this.#parts = [];
    this.#facts = facts;
    this.#hint();
    return { facts, name, sink: new MemorySegment(store, onError) };
  }

  /** Parts are not encrypted: `hls_keys` is refused with them. */
  storeKey(): void {}

  isKeyTaken(): boolean {
    return false;
  }

  storeInit(bytes: Buffer, facts: SegmentFacts): InitSection {
    const { path, uri } = this.#options.names.init(facts);
    this.#options.store.put(path, bytes);
    return { path, uri };
  }

  /** @throws SrsError HlsMemory */
  addPart({ facts, sink }: OpenSegment, { durationMs, isIndependent, targetMs, ...segment }: PartDetails): void {
    const { names, store, playlist } = this.#options;
    const { path, uri } = names.part(facts, this.#parts.length);
    const bytes = (sink as MemorySegment).take();
    store.put(path, bytes);
    const part = { path, uri, durationMs, isIndependent };
    this.#parts.push({ part, bytes });
    playlist.addPart(part, segment, targetMs);
    this.#hint();
  }

  /** A segment whose parts have been listed stays; without, its number and the name of its first part come again. */
  discardSegment({ sink }: OpenSegment): void {
    void sink.discard();
    this.#listParts();
    this.#facts = undefined;
  }

  listSegment({ facts }: Pick<OpenSegment, 'facts'>, details: SegmentDetails): void {
    const { names, playlist, files, onListed } = this.#options;
    const name = names.segment({ ...facts, durationMs: details.durationMs }, this.#isTaken);
    const bytes = Buffer.concat(this.#parts.map((each) => each.bytes));
    this.#store(name.path, bytes);
    const segment: ListedSegment = { ...details, sequence: facts.sequence, uri: name.uri, path: name.path };
    const left = playlist.endSegment(segment);
    const paths = [...filesOf(left.segments, playlist.segments.segments[0]), ...left.parts.map((part) => part.path)];
    if (paths.length > 0) files.linger(paths, playlist.segments.targetSeconds * 1000);
    this.#parts = [];
    this.#facts = undefined;
    this.#setHint(undefined);
    onListed(segment, name);
  }

  /** The publish is over: no part comes next any more. */
  async settle(): Promise<void> {
    this.#listParts();
    this.#facts = undefined;
    this.#setHint(undefined);
    this.#options.live.end();
  }

  /** Makes a segment of what has been listed of it, after an error. */
  #listParts(): void {
    const { open } = this.#options.playlist;
    if (this.#facts === undefined || open === undefined) return;
    const { parts, ...details } = open;
    const durationMs = parts.reduce((sum, part) => sum + part.durationMs, 0);
    this.listSegment({ facts: this.#facts }, { ...details, durationMs, key: undefined });
  }

  /** The bytes of the parts are those of the segment from here on, so that they are kept once. */
  #store(path: string, bytes: Buffer): void {
    const { store } = this.#options;
    for (const { part } of this.#parts) store.drop(part.path);
    store.put(path, bytes);
    let offset = 0;
    for (const { part, bytes: own } of this.#parts) {
      store.share(part.path, bytes.subarray(offset, offset + own.length));
      offset += own.length;
    }
  }

  #hint(): void {
    const facts = this.#facts;
    this.#setHint(facts === undefined ? undefined : this.#options.names.part(facts, this.#parts.length));
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
