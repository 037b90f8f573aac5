/** Memory that several processes may share, as the pure packages see it; a process gives the real one. */

/**
 * A large, sparse, zero-filled stretch of memory. It is mapped in windows: a request lies inside one window, that is
 * `floor(offset / windowBytes)` is the same for its first and its last byte. A power-of-two block aligned to its own size
 * and not larger than a window always does.
 */
export interface Arena {
  readonly sizeBytes: number;
  /** A power of two. */
  readonly windowBytes: number;
  /**
   * The bytes `offset .. offset + sizeBytes`, not a copy. They live as long as the process. `offset` is a multiple of 8.
   * @throws SrsError SharedMemory when the range leaves the arena or crosses a window
   */
  region(offset: number, sizeBytes: number): Buffer;
  /**
   * Gives whole pages of the range back to the system, for every process; the range then reads as zeros. Both numbers are
   * multiples of 4096.
   */
  discard(offset: number, sizeBytes: number): void;
}
