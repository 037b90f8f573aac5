/** Completes what servers that were killed have left behind. */
import { unlink } from 'node:fs/promises';
import { type Clock, describeError, type Log } from '@srs/kernel';
import { type FoundFile, factsOf, findFiles } from './find-recordings.ts';
import { finishFile } from './finish-file.ts';
import { OpenFiles } from './open-files.ts';
import type { RecordingFacts } from './recording.ts';
import { endingOf, finishedPath, recordingPattern, recordingRoot, recordingTemplate, UNFINISHED } from './recording-path.ts';
import { RecordingTasks } from './recording-tasks.ts';

export interface RepairedFile extends RecordingFacts {
  readonly path: string;
  /** Bytes of an unfinished frame that were cut off. */
  readonly cutBytes: number;
}

/**
 * Cuts an unfinished recording behind its last whole frame, completes it and gives it its name. One without pictures and sounds is removed.
 * @param path ends in `.tmp`; nobody may write the file any more
 * @returns undefined when nothing is left: it was empty, or somebody else was faster
 * @throws SrsError when that is not possible; the file is then as it was, or is repaired by another call
 */
export async function repairRecording(path: string, tasks: RecordingTasks): Promise<RepairedFile | undefined> {
  const summary = await tasks.repair(path, endingOf(path.slice(0, -UNFINISHED.length)));
  if (summary === 'missing') return undefined;
  if (summary === 'empty') {
    await unlink(path).catch(() => {});
    return undefined;
  }
  const { sizeBytes, durationMs, cutBytes } = summary;
  const finished = await finishFile(path, finishedPath(path, durationMs));
  return finished === undefined ? undefined : { path: finished, sizeBytes, durationMs, cutBytes };
}

interface RepairRecordingsOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Of somebody who closes them. */
  readonly tasks?: RecordingTasks;
}

/**
 * Repairs the unfinished recordings that nobody writes. To be called when a server starts; other processes may be recording meanwhile.
 * A file that cannot be repaired is logged and stays.
 * @param dvrPaths each `dvr_path` of the configuration
 */
export async function repairRecordings(
  dvrPaths: readonly string[],
  { clock, log, tasks: given }: RepairRecordingsOptions,
): Promise<readonly RepairedFile[]> {
  const paths = new Map<string, FoundFile>();
  for (const dvrPath of new Set(dvrPaths)) {
    const template = recordingTemplate(dvrPath);
    const pattern = recordingPattern(template);
    const isUnfinished = (path: string): boolean => path.endsWith(UNFINISHED) && pattern.test(path.slice(0, -UNFINISHED.length));
    try {
      for (const file of await findFiles(recordingRoot(template), isUnfinished)) paths.set(file.path, file);
    } catch (error) {
      log.error(`dvr: cannot look for interrupted recordings of ${dvrPath}: ${describeError(error)}`);
    }
  }
  if (paths.size === 0) return [];
  const openFiles = await OpenFiles.look(clock.wallMs());
  const tasks = given ?? new RecordingTasks();
  try {
    const repaired: RepairedFile[] = [];
    for (const [path, file] of paths) {
      // The others take their time: by now it may have got its name, and another recording have begun under the old one.
      if (openFiles.has(file) || (await factsOf(path))?.ino !== file.ino) continue;
      const result = await repairAndTell(path, tasks, log);
      if (result !== undefined) repaired.push(result);
    }
    return repaired;
  } finally {
    if (given === undefined) await tasks.close();
  }
}

async function repairAndTell(path: string, tasks: RecordingTasks, log: Log): Promise<RepairedFile | undefined> {
  try {
    const result = await repairRecording(path, tasks);
    if (result === undefined) return undefined;
    const cut = result.cutBytes === 0 ? '' : `, ${result.cutBytes} bytes of an unfinished frame cut off`;
    log.trace(`dvr: ${result.path} was interrupted and is complete now: ${showFacts(result)}${cut}`);
    return result;
  } catch (error) {
    log.error(`dvr: ${path} was interrupted and cannot be repaired: ${describeError(error)}`);
    return undefined;
  }
}

/** `1234 bytes, 56.7 s` */
export function showFacts({ sizeBytes, durationMs }: RecordingFacts): string {
  return `${sizeBytes} bytes, ${(durationMs / 1000).toFixed(1)} s`;
}
