/** What the threads of a pool run in its tests: the name of the file says what becomes of a job. */
import type { VodAnswer, VodTask } from './jobs.ts';

export default function work({ file: { path } }: VodTask): VodAnswer | Promise<VodAnswer> {
  if (path === 'hang') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  if (path === 'die') process.exit(1);
  switch (path) {
    case 'wait':
      return new Promise(() => {});
    case 'changed':
      return { kind: 'changed' };
    case 'gone':
      return { kind: 'failed', message: 'no such file', systemCode: 'ENOENT' };
    case 'broken':
      return { kind: 'refused', errorName: 'FlvHeader', message: 'flv is none' };
    default:
      return { kind: 'done', result: { bytes: new Uint8Array(1), leftOut: 0 } };
  }
}
