/**
 * A process that uploads files and says so: `upload-test-child.ts ENDPOINT STATE_FILE ROOT PATH...`. When all are done it prints `done`, and how much
 * memory it has taken at most, in MB.
 */
import { readFileSync } from 'node:fs';
import { memoryLog, systemClock } from '@srs/kernel';
import { RecordingUploader } from './recording-uploader.ts';

const [endpoint = '', stateFile = '', root = '', ...paths] = process.argv.slice(2);
const lines: { push(line: { readonly text: string }): number } = {
  push: ({ text }) => {
    console.log(text);
    if (uploader.waiting().length === 0) console.log(`done ${mostMemoryMb()}`);
    return 0;
  },
};
const settings = {
  region: 'us-east-1',
  bucket: 'recordings',
  prefix: '',
  accessKey: 'S3RVER',
  secretKey: 'S3RVER',
  deleteAfter: false,
};
const uploader = new RecordingUploader({
  clock: systemClock,
  log: memoryLog(lines as never[]),
  random: () => 0,
  settingsOf: () => ({ endpoint, ...settings }),
  stateFile,
});
await uploader.start();
for (const path of paths) uploader.add({ path, vhost: 'a.com', root });
// Recordings would keep it alive.
setInterval(() => {}, 60_000);

/** What `getrusage` tells begins with the memory of the parent. */
function mostMemoryMb(): number {
  return Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024);
}
