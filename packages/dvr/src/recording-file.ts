/** One file of a recording, from its first byte to its name. */
import { rm } from 'node:fs/promises';
import type { OutputFile, OutputFileOptions } from '@srs/files';
import type { FrameType, SrsError } from '@srs/kernel';
import { finishFile } from './finish-file.ts';
import type { FileSummary, Recording, RecordingFacts, RecordingFormat, RecordingStart } from './recording.ts';
import { finishedPath, numberedPath, unfinishedPath } from './recording-path.ts';
import type { RecordingTasks } from './recording-tasks.ts';
import { repairRecording } from './repair-recordings.ts';

/** What a recording needs of an `OutputFile`. */
export type RecordingOutput = Pick<OutputFile, 'path' | 'write' | 'patch' | 'close'>;
export type OpenRecording = (path: string, options: OutputFileOptions) => RecordingOutput;

export interface RecordingFileOptions {
  readonly format: RecordingFormat;
  readonly openFile: OpenRecording;
  readonly maxPendingBytes: number;
  readonly tasks: RecordingTasks;
  /** Called once, when the disk has failed; the file is then to be finished. */
  onError(error: SrsError): void;
}

export interface FinishedFile extends RecordingFacts {
  readonly path: string;
}

/** More unfinished files of one name mean that streams share a path they should not share. */
const MAX_UNFINISHED = 99;

export class RecordingFile {
  readonly #options: RecordingFileOptions;
  readonly #output: RecordingOutput;
  readonly #recording: Recording;
  readonly #isResumed: boolean;
  #error: SrsError | undefined;
  readonly timestampMs: number;

  /** @param path of the finished file */
  static begin(path: string, start: RecordingStart, options: RecordingFileOptions): RecordingFile {
    return new RecordingFile(
      unfinishedPath(path),
      // An interrupted recording of this name must not be lost.
      { otherPath: (attempt) => (attempt > MAX_UNFINISHED ? undefined : unfinishedPath(numberedPath(path, attempt))) },
      start.timestampMs,
      options,
      (output) => options.format.begin(output, start),
    );
  }

  /**
   * Goes on behind what is in an unfinished file.
   * @returns undefined when what comes does not fit to it; the file is then left as it is
   */
  static resume(
    path: string,
    summary: FileSummary,
    start: RecordingStart,
    options: RecordingFileOptions,
  ): RecordingFile | undefined {
    if (!options.format.canResume(start, summary)) return undefined;
    return new RecordingFile(path, { append: true }, summary.firstTimestampMs, options, (output) =>
      options.format.resume(output, start, summary),
    );
  }

  private constructor(
    path: string,
    mode: Pick<OutputFileOptions, 'append' | 'otherPath'>,
    timestampMs: number,
    options: RecordingFileOptions,
    record: (output: RecordingOutput) => Recording,
  ) {
    this.#options = options;
    this.timestampMs = timestampMs;
    this.#isResumed = mode.append === true;
    this.#output = options.openFile(path, {
      ...mode,
      maxPendingBytes: options.maxPendingBytes,
      onError: (error) => {
        this.#error ??= error;
        options.onError(error);
      },
    });
    this.#recording = record(this.#output);
  }

  takes(type: FrameType, flags: number, payload: Buffer): boolean {
    return this.#recording.takes(type, flags, payload);
  }

  /** Hot path. */
  onFrame(type: FrameType, flags: number, timestampMs: number, payload: Buffer): void {
    this.#recording.onFrame(type, flags, timestampMs, payload);
  }

  /**
   * Completes the file and gives it its name. After an error of the disk, what was written is completed as far as it goes.
   * @returns undefined when there is nothing in it
   * @throws SrsError when it cannot be completed; what was written stays as an unfinished file
   */
  async finish(nextTimestampMs?: number): Promise<FinishedFile | undefined> {
    const facts = this.#error === undefined ? this.#recording.finish(nextTimestampMs) : undefined;
    await this.#output.close();
    const { path } = this.#output;
    // It may have failed only now.
    const error = this.#error as SrsError | undefined;
    // A file that could not be opened is not ours, unless it was there before.
    if (error?.errorName === 'FileOpen' && !this.#isResumed) return undefined;
    if (error !== undefined || facts === undefined) return await repairRecording(path, this.#options.tasks);
    if (facts.sizeBytes === 0) {
      await rm(path, { force: true });
      return undefined;
    }
    const finished = await finishFile(path, finishedPath(path, facts.durationMs));
    return finished === undefined ? undefined : { ...facts, path: finished };
  }
}
