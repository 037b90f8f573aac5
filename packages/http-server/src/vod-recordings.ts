/** The recordings that are being played: those that nobody has asked for the longest go when there are too many. */
import type { FileIdentity } from './vod-file-window.ts';
import { recordingId, type VodRecording } from './vod-recording.ts';

export class VodRecordings {
  readonly #maxBytes: number;
  readonly #open: (file: FileIdentity) => VodRecording;
  /** Those that were asked for last stand last. */
  readonly #kept = new Map<string, VodRecording>();

  /** @param maxBytes of what they keep in memory; one may have more for itself alone */
  constructor(maxBytes: number, open: (file: FileIdentity) => VodRecording) {
    this.#maxBytes = maxBytes;
    this.#open = open;
  }

  get(file: FileIdentity): VodRecording {
    // A file that was given another name is opened by that.
    const key = `${recordingId(file)} ${file.path}`;
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
      if (sizeBytes <= this.#maxBytes || this.#kept.size === 1) return;
      this.#kept.delete(key);
      sizeBytes -= oldest.keptBytes;
    }
  }
}
