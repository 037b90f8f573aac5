/** Does the jobs of a thread that works on recordings. */
import { describeError, SrsError, systemErrorCode } from '@srs/kernel';
import { Piscina, transferableSymbol, valueSymbol } from 'piscina';
import { FileChangedError, FileWindow, openIdentical, readExactly } from './file-window.ts';
import { planFlv } from './flv-plan.ts';
import { FlvScanner } from './flv-scan.ts';
import { sliceFlv } from './flv-slice.ts';
import type { FlvScanOrder, FlvScanResult, JobName, VodAnswer, VodJobs, VodTask } from './jobs.ts';
import { type Mp4Plan, planMp4 } from './mp4-plan.ts';
import { sliceMp4 } from './mp4-slice.ts';
import type { SlicedSegment } from './ts-segment.ts';

/** So long is a file looked through before another job has its turn. */
const SCAN_MS = 200;
/** For who looks at tags here and there. */
const PLACE_BYTES = 4096;

/** A result, and those parts of it that change hands instead of being copied. */
interface Moved {
  readonly result: VodJobs[JobName]['result'];
  readonly buffers: readonly ArrayBufferLike[];
}

export function work(task: VodTask): object {
  try {
    const { result, buffers } = openIdentical(task.file, (fd) => workOn(task, fd));
    const answer: VodAnswer = { kind: 'done', result };
    return Piscina.move({ [transferableSymbol]: buffers, [valueSymbol]: answer });
  } catch (error) {
    return failure(error);
  }
}

function workOn(task: VodTask, fd: number): Moved {
  const { sizeBytes } = task.file;
  switch (task.name) {
    case 'plan-flv': {
      const places = new FileWindow(fd, sizeBytes, PLACE_BYTES);
      return { result: planFlv(new FileWindow(fd, sizeBytes), places, task.input.scannedBytes), buffers: [] };
    }
    case 'scan-flv':
      return { result: scan(new FileWindow(fd, sizeBytes), task.input), buffers: [] };
    case 'slice-flv':
      return movedSegment(sliceFlv(new FileWindow(fd, sizeBytes), task.input.cut, task.input.end));
    case 'plan-mp4': {
      const readAt = (offset: number, length: number): Buffer => {
        const bytes = Buffer.allocUnsafeSlow(length);
        readExactly(fd, bytes, offset);
        return bytes;
      };
      return movedPlan(planMp4(readAt, sizeBytes));
    }
    case 'slice-mp4':
      return movedSegment(sliceMp4(fd, task.input));
  }
}

function scan(window: FileWindow, { state, marks, firstMark, wantedCuts }: FlvScanOrder): FlvScanResult {
  const endMs = performance.now() + SCAN_MS;
  const scanner = new FlvScanner(window, state, marks, firstMark);
  const cuts = scanner.run(({ cutCount }) => cutCount < wantedCuts && performance.now() < endMs);
  return { state, cuts };
}

function movedSegment({ bytes, leftOut }: SlicedSegment): Moved {
  return { result: { bytes: new Uint8Array(bytes.buffer, 0, bytes.length), leftOut }, buffers: [bytes.buffer] };
}

function movedPlan(plan: Mp4Plan): Moved {
  const columns = [plan.video, plan.audio].flatMap((track) => (track === undefined ? [] : columnsOf(track.samples)));
  const counts = plan.sound === undefined ? [] : [plan.sound.rows, plan.sound.bases];
  return {
    result: plan,
    buffers: [...columns, ...counts, plan.timesMs, plan.videoRows, plan.audioRows, plan.sizesBytes].map(({ buffer }) => buffer),
  };
}

function columnsOf(samples: NonNullable<Mp4Plan['video']>['samples']): readonly ArrayBufferView[] {
  return [samples.offsets, samples.sizes, samples.dts, samples.compositionOffsets, samples.isSync];
}

function failure(error: unknown): VodAnswer {
  if (error instanceof FileChangedError) return { kind: 'changed' };
  const message = describeError(error);
  if (error instanceof SrsError) return { kind: 'refused', errorName: error.errorName, message };
  return { kind: 'failed', message, systemCode: systemErrorCode(error) };
}
