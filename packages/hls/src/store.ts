/** Where playlists, segments and keys are kept. */
import type { SrsError } from '@srs/kernel';

/** A segment that is being written; nobody sees it before it is committed. Nothing here waits for the disk. */
export interface SegmentSink {
  /** Bytes that it was given and that are not written yet. */
  readonly pendingBytes: number;
  /** Hot path. @param bytes the sink's own from then on */
  write(bytes: Buffer): void;
  /**
   * Resolves when it is complete and stands at `path`.
   * @throws SrsError when something went wrong with it, now or before
   */
  commit(path: string): Promise<void>;
  /** Resolves, always, when nothing is left of it. */
  discard(): Promise<void>;
}

export interface HlsStore {
  /**
   * @param path where the segment is to stand
   * @param onError is called at most once
   */
  openSegment(path: string, onError: (error: SrsError) => void): SegmentSink;
  /** Puts a playlist or a key in the place of what was at `path`. @throws SrsError FileWrite */
  replace(path: string, content: Buffer | string): Promise<void>;
  /** The playlist at `path`; undefined when there is none. @throws SrsError FileRead */
  readPlaylist(path: string): Promise<string | undefined>;
  /** Which of these are there. */
  present(paths: readonly string[]): Promise<ReadonlySet<string>>;
  /** Removes what is there. @throws SrsError FileWrite */
  remove(paths: readonly string[]): Promise<void>;
  /** Removes segments that were never finished, by a process that was killed. */
  removeLeftovers(directory: string, isLeftover: (name: string) => boolean): Promise<void>;
}
