/** Recording as one of the things that are made of published streams. */
import { type DvrConfig, splitStreamId } from '@srs/config';
import { OutputFile } from '@srs/files';
import { type Clock, describeError, type Log } from '@srs/kernel';
import type { Feature } from '@srs/stream';
import { AppendTargets } from './append-target.ts';
import { flvFormat } from './flv-recording.ts';
import { mp4Format } from './mp4-recording.ts';
import { type RecordedFile, Recorder } from './recorder.ts';
import type { OpenRecording } from './recording-file.ts';
import { endingOf, recordingTemplate } from './recording-path.ts';
import { RecordingTasks } from './recording-tasks.ts';

/** What a running recording depends on: when only the rest changes, it goes on. */
export type DvrSection = Pick<DvrConfig, 'path' | 'plan' | 'durationMs' | 'waitKeyframe' | 'timeJitter'>;

/** Whether a stream is recorded, whatever the configuration says of it. */
export interface DvrControl {
  /**
   * Counts when the feature is asked for the stream the next time.
   * @param isWanted records it by the `dvr` block of its vhost, which may be off or leave the stream out; or does not; undefined goes back to the
   * configuration
   */
  setRecording(streamId: string, isWanted: boolean | undefined): void;
}

export interface DvrOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Paths bear UTC instead of local time. */
  readonly isUtc?: () => boolean;
  /** Bytes of one recording that may wait for the disk. */
  readonly maxPendingBytes?: number;
  readonly openFile?: OpenRecording;
  /** Of somebody who closes them; tests start no thread each. */
  readonly tasks?: RecordingTasks;
  /** A file is complete and has its name. */
  onRecorded(file: RecordedFile): void;
}

/** Some seconds of the fastest streams. */
const DEFAULT_MAX_PENDING_BYTES = 16 * 1024 * 1024;

export function dvrFeature(options: DvrOptions): Feature<DvrSection> & DvrControl {
  /** By stream. */
  const wishes = new Map<string, boolean>();
  const tasks = options.tasks ?? new RecordingTasks();
  const appendTargets = new AppendTargets(tasks);
  return {
    name: 'dvr',
    setRecording(streamId, isWanted) {
      if (isWanted === undefined) wishes.delete(streamId);
      else wishes.set(streamId, isWanted);
    },
    select({ dvr }, streamId) {
      if (!(wishes.get(streamId) ?? isRecorded(dvr, streamId))) return null;
      const { path, plan, durationMs, waitKeyframe, timeJitter } = dvr;
      return { path, plan, durationMs, waitKeyframe, timeJitter };
    },
    open(stream, section) {
      const template = recordingTemplate(section.path);
      return new Recorder({
        stream,
        section,
        template,
        format: endingOf(template) === '.mp4' ? mp4Format : flvFormat,
        clock: options.clock,
        openFile: options.openFile ?? ((path, fileOptions) => OutputFile.open(path, fileOptions)),
        maxPendingBytes: options.maxPendingBytes ?? DEFAULT_MAX_PENDING_BYTES,
        tasks,
        appendTargets,
        isUtc: options.isUtc ?? (() => false),
        onRecorded: (file) => {
          try {
            options.onRecorded(file);
          } catch (error) {
            options.log.error(`dvr: what follows the recording of ${file.path} has failed: ${describeError(error)}`);
          }
        },
      });
    },
    async close() {
      if (options.tasks === undefined) await tasks.close();
    },
  };
}

function isRecorded({ enabled, apply }: DvrConfig, streamId: string): boolean {
  const { app, stream } = splitStreamId(streamId);
  return enabled && (apply.includes('all') || apply.includes(`${app}/${stream}`));
}
