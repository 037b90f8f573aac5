/** Records one publish of one stream. */
import { expandPath } from '@srs/files';
import { type Clock, describeError, type FrameType, frameFlags, frameTypes, type SrsError, timestampDelta } from '@srs/kernel';
import { type FrameConsumer, type OutputStream, parseMetadata } from '@srs/stream';
import type { AppendTarget, AppendTargets } from './append-target.ts';
import type { DvrSection } from './dvr-feature.ts';
import { HeldFrames } from './held-frames.ts';
import type { KeptFrames, RecordingFacts, RecordingFormat, RecordingStart } from './recording.ts';
import { type OpenRecording, RecordingFile, type RecordingFileOptions } from './recording-file.ts';
import type { RecordingTasks } from './recording-tasks.ts';
import { RecordingTimeline } from './recording-timeline.ts';
import { showFacts } from './repair-recordings.ts';

/** A finished file. */
export interface RecordedFile extends RecordingFacts {
  readonly path: string;
  readonly stream: OutputStream;
  /** When the first of its frames was recorded, in ms since 1970. */
  readonly startWallMs: number;
}

export interface RecorderOptions {
  readonly stream: OutputStream;
  readonly section: DvrSection;
  readonly template: string;
  readonly format: RecordingFormat;
  readonly clock: Clock;
  readonly openFile: OpenRecording;
  readonly maxPendingBytes: number;
  readonly tasks: RecordingTasks;
  readonly appendTargets: AppendTargets;
  readonly isUtc: () => boolean;
  onRecorded(file: RecordedFile): void;
}

/** Frames that are kept for the beginning of each file. */
const KEPT_MASK = frameFlags.sequenceHeader | frameFlags.metadata | frameFlags.videoMetadata;
/** Room for key frames in the index of a file: 198 KB, an entry for every second of three hours and every 8 s of a day. */
const MAX_INDEX_ENTRIES = 11_000;
const MIN_INDEX_ENTRIES = 64;
const INDEX_ENTRIES_PER_SECOND = 2;

/** A file and when it began. */
interface Current {
  readonly file: RecordingFile;
  readonly startWallMs: number;
  /** Held open until the file is finished, when it is one that was there before. */
  readonly target: AppendTarget | undefined;
}

type MutableKept = { -readonly [Name in keyof KeptFrames]: KeptFrames[Name] };

export class Recorder implements FrameConsumer {
  readonly #options: RecorderOptions;
  readonly #kept: MutableKept = {};
  #timeline: RecordingTimeline;
  #current: Current | undefined;
  /** The file to go on with, before the first frame goes there. */
  #target: AppendTarget | undefined;
  /** What comes while the file to go on with is being read. */
  #held: HeldFrames | undefined;
  /** Resolves when nothing is held any more, and all files that have ended are finished. */
  #pending: Promise<unknown> = Promise.resolve();
  #isOver = false;
  #hasFailed = false;
  #hasVideo = false;
  #lastVideoMs = 0;
  #fileCount = 0;
  #hasToldLeftOut = false;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#timeline = new RecordingTimeline(options.section.timeJitter);
    if (options.section.plan === 'append') {
      this.#held = new HeldFrames(options.maxPendingBytes);
      this.#settle(this.#takeTarget());
    }
  }

  onFrame(type: FrameType, flags: number, timestampMs: number, wallMs: number, payload: Buffer): void {
    if (this.#isOver) return;
    if (this.#held !== undefined) {
      const error = this.#held.add({ type, flags, timestampMs, wallMs, payload });
      if (error !== undefined) this.#fail(error);
      return;
    }
    if ((flags & KEPT_MASK) !== 0) this.#keep(type, flags, payload);
    else if (type === frameTypes.data) this.#current?.file.onFrame(type, flags, this.#timeline.lastTimestampMs, payload);
    else this.#record(type, flags, timestampMs, wallMs, payload);
  }

  /** A file goes on behind a gap: the next frames are headers and a key frame. */
  onGap(): void {}

  async onEnd(): Promise<void> {
    // What is held still goes to the file.
    if (this.#held !== undefined) await this.#pending;
    this.#isOver = true;
    this.#endFile();
    this.#giveBack();
    await this.#pending;
  }

  /** Nothing goes to the file that was to be gone on with: it gets its name back. */
  #giveBack(): void {
    const target = this.#target;
    this.#target = undefined;
    if (target !== undefined) this.#settle(this.#options.appendTargets.giveBack(target));
  }

  #keep(type: FrameType, flags: number, payload: Buffer): void {
    const name = nameOfKept(type, flags);
    // Encoders that repeat their headers say nothing new.
    if (name === undefined || this.#kept[name]?.equals(payload) === true) return;
    this.#kept[name] = Buffer.from(payload);
    if (name === 'metadata') this.#readRates(payload);
    if (type === frameTypes.video) this.#hasVideo = true;
    const file = this.#current?.file;
    if (file === undefined) return;
    if (file.takes(type, flags, payload)) file.onFrame(type, flags, this.#timeline.lastTimestampMs, payload);
    else this.#endFile();
  }

  #readRates(payload: Buffer): void {
    const metadata = parseMetadata(payload, []);
    if (metadata !== undefined) this.#timeline.setRates(metadata);
  }

  /** Hot path: no allocation but the file's copy. */
  #record(type: FrameType, flags: number, originalMs: number, wallMs: number, payload: Buffer): void {
    const timestampMs = this.#timeline.correct(type, originalMs, wallMs);
    const file = this.#current?.file;
    if (file !== undefined && (!file.takes(type, flags, payload) || this.#isCut(file, type, flags, timestampMs))) {
      this.#endFile(timestampMs);
    }
    if (type === frameTypes.video) {
      this.#hasVideo = true;
      this.#lastVideoMs = timestampMs;
    }
    this.#current ??= this.#begin(timestampMs);
    this.#current.file.onFrame(type, flags, timestampMs, payload);
  }

  #isCut(file: RecordingFile, type: FrameType, flags: number, timestampMs: number): boolean {
    const { plan, durationMs, waitKeyframe } = this.#options.section;
    if (plan !== 'segment' || timestampDelta(file.timestampMs, timestampMs) < durationMs) return false;
    if (!waitKeyframe || (flags & frameFlags.keyFrame) !== 0) return true;
    if (type !== frameTypes.audio) return false;
    // Without video there are no key frames to wait for, and none come when it has stopped.
    return !this.#hasVideo || timestampDelta(this.#lastVideoMs, timestampMs) >= durationMs;
  }

  #begin(timestampMs: number): Current {
    const { stream, template, clock, isUtc, section } = this.#options;
    const startWallMs = clock.wallMs();
    const start: RecordingStart = {
      kept: this.#kept,
      timestampMs,
      indexEntries: section.plan === 'segment' ? indexEntriesFor(section.durationMs) : MAX_INDEX_ENTRIES,
      onLeftOut: (error) => this.#tellLeftOut(error),
    };
    const resumed = this.#resume(start, startWallMs);
    if (resumed !== undefined) return resumed;
    const facts = { vhost: stream.vhost.name, app: stream.app, stream: stream.name };
    const path = expandPath(template, { ...facts, wallMs: startWallMs, isUtc: isUtc(), seq: this.#fileCount++ });
    const file = RecordingFile.begin(path, start, this.#fileOptions());
    stream.log.trace(`dvr: records to ${path}`);
    return { file, startWallMs, target: undefined };
  }

  #resume(start: RecordingStart, startWallMs: number): Current | undefined {
    const target = this.#target;
    if (target === undefined) return undefined;
    const { stream } = this.#options;
    const file = RecordingFile.resume(target.path, target.summary, start, this.#fileOptions());
    if (file === undefined) {
      stream.log.warn(`dvr: what comes does not fit behind ${target.path}; a new file begins`);
      this.#giveBack();
      return undefined;
    }
    this.#target = undefined;
    stream.log.trace(`dvr: goes on with ${target.path}, ${showFacts(target.summary)}`);
    return { file, startWallMs, target };
  }

  #fileOptions(): RecordingFileOptions {
    const { format, openFile, maxPendingBytes, tasks } = this.#options;
    return { format, openFile, maxPendingBytes, tasks, onError: (error) => this.#fail(error) };
  }

  /** The disk has failed: the recording of this publish is over. */
  #fail(error: SrsError): void {
    this.#isOver = true;
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    const { streamId, log } = this.#options.stream;
    log.error(`dvr: recording of ${streamId} ends until the next publish: ${describeError(error)}`);
    // The error may have come from within a write to the file.
    queueMicrotask(() => this.#endFile());
  }

  #tellLeftOut(error: SrsError): void {
    if (this.#hasToldLeftOut) return;
    this.#hasToldLeftOut = true;
    this.#options.stream.log.warn(`dvr: frames that do not fit into the file are left out: ${describeError(error)}`);
  }

  #endFile(nextTimestampMs?: number): void {
    const current = this.#current;
    this.#current = undefined;
    if (current !== undefined) this.#settle(this.#finish(current, nextTimestampMs, this.#pending));
  }

  /** @param earlier resolves when the files before have been told of */
  async #finish(
    { file, startWallMs, target }: Current,
    nextTimestampMs: number | undefined,
    earlier: Promise<unknown>,
  ): Promise<void> {
    const { stream, section, template, appendTargets } = this.#options;
    try {
      const finished = await file.finish(nextTimestampMs);
      await earlier;
      if (finished === undefined) return;
      stream.log.trace(`dvr: recorded ${finished.path}, ${showFacts(finished)}`);
      if (section.plan === 'append') appendTargets.remember(stream.streamId, template, finished.path);
      this.#options.onRecorded({ ...finished, stream, startWallMs });
    } finally {
      await target?.release();
    }
  }

  /** Lets the end of the recording wait for something, which is logged when it fails. */
  #settle(task: Promise<void>): void {
    const logged = task.catch((error: unknown) => this.#options.stream.log.error(`dvr: ${describeError(error)}`));
    this.#pending = Promise.all([this.#pending, logged]);
  }

  async #takeTarget(): Promise<void> {
    const { stream, section, template, clock, isUtc, appendTargets } = this.#options;
    const wallMs = clock.wallMs();
    const facts = { vhost: stream.vhost.name, app: stream.app, stream: stream.name };
    const path =
      appendTargets.lastPath(stream.streamId, template) ??
      expandPath(template, { ...facts, wallMs, isUtc: isUtc(), seq: this.#fileCount });
    try {
      this.#target = await appendTargets.take(path, wallMs);
      if (this.#target !== undefined) {
        this.#timeline = new RecordingTimeline(section.timeJitter, this.#target.summary.lastTimestampMs);
      }
    } catch (error) {
      stream.log.warn(`dvr: cannot go on with ${path}, a new file begins: ${describeError(error)}`);
    }
    const held = this.#held!;
    this.#held = undefined;
    // The recording has failed meanwhile, and its publish may go on for long.
    if (this.#isOver) this.#giveBack();
    try {
      for (const frame of held.frames) this.onFrame(frame.type, frame.flags, frame.timestampMs, frame.wallMs, frame.payload);
    } catch (error) {
      this.#isOver = true;
      throw error;
    }
  }
}

function nameOfKept(type: FrameType, flags: number): keyof KeptFrames | undefined {
  if (type === frameTypes.data) return 'metadata';
  if (type === frameTypes.audio) return 'audioHeader';
  return (flags & frameFlags.videoMetadata) !== 0 ? 'videoMetadata' : 'videoHeader';
}

function indexEntriesFor(durationMs: number): number {
  const entries = Math.ceil((durationMs / 1000) * INDEX_ENTRIES_PER_SECOND);
  return Math.min(MAX_INDEX_ENTRIES, Math.max(MIN_INDEX_ENTRIES, entries));
}
