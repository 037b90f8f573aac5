/** A process that records until it is killed: `recording-test-child.ts DIRECTORY ENDING`. Prints `written N` when N frames are in the file. */
import { statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { loadConfig } from '@srs/config';
import { OutputFile } from '@srs/files';
import { memoryLog, systemClock } from '@srs/kernel';
import { dvrFeature } from './dvr-feature.ts';
import { audioHeader, media, metadata, videoHeader } from './dvr-test-support.ts';

const [directory = '', ending = ''] = process.argv.slice(2);
const text = `listen 1935;\nvhost a.com { dvr { enabled on; dvr_path ${directory}/[stream]${ending}; time_jitter off; } }`;
const vhost = loadConfig(text, { fileName: 'srs.conf' }).config.vhosts.get('a.com')!;
let file = undefined as OutputFile | undefined;
const feature = dvrFeature({
  clock: systemClock,
  log: memoryLog(),
  onRecorded: () => {},
  openFile: (path, options) => {
    file = OutputFile.open(path, options);
    return file;
  },
});
const stream = {
  streamId: 'a.com/live/show',
  vhost,
  app: 'live',
  name: 'show',
  publisher: { slot: 1, pid: process.pid, cid: 7, ip: '127.0.0.1' },
  param: '',
  log: memoryLog(),
  dismissPublisher: () => {},
  isPulled: false,
  hops: [],
  resume: () => {},
};
const consumer = feature.open(stream, feature.select(vhost, stream.streamId)!)!;
let count = 0;
for (const { type, flags, timestampMs, payload } of [metadata, videoHeader, audioHeader, ...media({ toMs: 3_600_000 })]) {
  consumer.onFrame(type, flags, timestampMs, 0, payload);
  count += 1;
  if (count % 50 !== 0) continue;
  await delay(1);
  if (file === undefined || file.pendingBytes > 0) continue;
  if (statSync(file.path, { throwIfNoEntry: false })?.size === file.sizeBytes) console.log(`written ${count}`);
}
