/** Entry of the threads that upload files. */
import type { MessagePort } from 'node:worker_threads';
import { describeError } from '@srs/kernel';
import { type Leftover, type UploadResult, type UploadTask, uploadFile } from './upload-file.ts';

export interface UploadRun {
  readonly task: UploadTask;
  /** Gets `PartsMessage`s. */
  readonly port: MessagePort;
}

/** An upload in parts has begun, or nothing of it is left in the bucket: told while it runs, because the process may not live to hear the answer. */
export interface PartsMessage {
  readonly leftover: Leftover | undefined;
}

/** Plain values: an error that goes from thread to thread loses its class. */
export type UploadAnswer =
  | UploadResult
  | {
      readonly kind: 'failed';
      readonly message: string;
      /** What is left in the bucket. */
      readonly leftover: Leftover | undefined;
    };

export default async function upload({ task, port }: UploadRun): Promise<UploadAnswer> {
  let { leftover } = task;
  try {
    return await uploadFile(task, (uploadId) => {
      leftover = uploadId === undefined ? undefined : { key: task.key, uploadId };
      port.postMessage({ leftover } satisfies PartsMessage);
    });
  } catch (error) {
    return { kind: 'failed', message: describeError(error), leftover };
  } finally {
    port.close();
  }
}
