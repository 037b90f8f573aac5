/** The recordings that are being played: those that nobody has asked for the longest go when there are too many. */
import type { RecordingFile, VodRecording } from './recording.ts';

/** All are looked at whenever one is asked for. */
const MAX_RECORDINGS = 1024;

export class VodRecordings {
  readonly #maxBytes: number;
  readonly #open: (file: RecordingFile) => VodRecording;
  /** Those that were asked for last stand last. */
  readonly #kept = new Map<string, VodRecording>();

  /** @param maxBytes of what they keep in memory; one may have more for itself alone */
  constructor(maxBytes: number, open: (file: RecordingFile) => VodRecording) {
    this.#maxBytes = maxBytes;
    this.#open = open;
  }

  get(file: RecordingFile): VodRecording {
    const { device, inode, sizeBytes, modifiedMs, path } = file.identity;
    // A file that was given another name is opened by that, and its ending says what it is.
    const key = [device, inode, sizeBytes, modifiedMs, file.format, path].join(' ');
    const recording = this.#kept.get(key) ?? this.#open(file);
    this.#kept.delete(key);
    this.#kept.set(key, recording);
    this.#shrink();
    return recording;
  }

  /** They grow while they are looked through, so their sizes are asked for anew each time. */
  #shrink(): void {
    let sizeBytes = 0;
    for (const recording of this.#kept.values()) sizeBytes += recording.keptBytes;
    for (const [key, oldest] of this.#kept) {
      const isFitting = sizeBytes <= this.#maxBytes && this.#kept.size <= MAX_RECORDINGS;
      if (isFitting || this.#kept.size === 1) return;
      this.#kept.delete(key);
      sizeBytes -= oldest.keptBytes;
    }
  }
}
