/** Entry of the threads that read and complete whole files. */
import { describeError, type ErrorName, SrsError, systemErrorCode } from '@srs/kernel';
import { repairFlv } from './flv-repair.ts';
import { repairMp4 } from './mp4-repair.ts';
import type { FileSummary, RecordingEnding } from './recording.ts';

export interface RepairTask {
  readonly path: string;
  readonly ending: RecordingEnding;
}

/** Plain values: an error that goes from thread to thread loses its class. */
export type RepairAnswer =
  | { readonly kind: 'done'; readonly summary: FileSummary | undefined }
  | {
      readonly kind: 'failed';
      readonly errorName: ErrorName;
      readonly message: string;
      /** The system's word, if it has refused. */
      readonly systemCode: string | undefined;
    };

export default function repair({ path, ending }: RepairTask): RepairAnswer {
  try {
    return { kind: 'done', summary: ending === '.mp4' ? repairMp4(path) : repairFlv(path) };
  } catch (thrown) {
    const errorName = thrown instanceof SrsError ? thrown.errorName : 'FileRead';
    const cause = thrown instanceof SrsError ? thrown.cause : thrown;
    return { kind: 'failed', errorName, message: describeError(thrown), systemCode: systemErrorCode(cause) };
  }
}
