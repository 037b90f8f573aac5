import { createDecipheriv } from 'node:crypto';
import { ManualClock, silentLog } from '@srs/kernel';
import { expect, it } from 'vitest';
import { ivOf } from './encryption.ts';
import { HeldCount } from './held-requests.ts';
import { Feeder, hlsVhost, testOutput, testStream } from './hls-test-support.ts';
import { LiveStream } from './live-stream.ts';
import { readLowLatency } from './ll-checker-test-support.ts';
import { MemoryPool, MemoryStore } from './store-memory.ts';
import { pass, useManualTimers } from './story-test-support.ts';
import { StreamFiles } from './stream-files.ts';

const NUMBER = 100;
const MAX_BYTES = 256 * 1024;
/** With some of these the room ends while a part is collected, with others when it is complete. */
const soundSizes = Array.from({ length: 12 }, (_, index) => 3000 + index * 120);

useManualTimers();

it.each(soundSizes)(
  'an encrypted segment is its parts also when the memory ends in the middle of it, in sounds of %i bytes',
  async (soundBytes) => {
    const clock = new ManualClock();
    const pool = new MemoryPool();
    const store = new MemoryStore(pool, MAX_BYTES);
    const live = new LiveStream({ clock, count: new HeldCount(), hints: new Map(), read: (path) => pool.get(path) });
    const files = new StreamFiles({ store, clock, log: silentLog, firstNumber: () => NUMBER });
    const vhost = hlsVhost('hls_path /hls; hls_format ll; hls_part_duration 200ms; hls_keys on; hls_key_file_path /hls;');
    const stream = testStream(vhost);
    const output = testOutput({ store, clock, files, config: vhost.hls, stream, live: { stream: live, store } });
    const feed = new Feeder(output, clock);
    const give = async (): Promise<void> => {
      for (let at = 0; at < 4000; at += 40) {
        feed.sound(at, 's'.repeat(soundBytes));
        if (at === 0) feed.keyFrame(at);
        else feed.picture(at);
        await pass(clock, 40);
      }
    };
    await expect(give()).rejects.toMatchObject({ errorName: 'HlsMemory' });
    await output.onEnd('failed');

    const answer = await live.answerPlaylist('', new AbortController().signal);
    const { parts, segments } = readLowLatency(answer.status === 200 ? answer.body.toString() : '');
    expect(parts.length).toBeGreaterThan(3);
    expect([...segments.keys()]).toEqual([NUMBER]);
    const plain = (name: string): string => {
      const decipher = createDecipheriv('aes-128-cbc', pool.get('/hls/live/livestream-100.key')!, ivOf(NUMBER));
      return decipher.update(pool.get(`/hls/live/${name}`)!, undefined, 'latin1') + decipher.final('latin1');
    };
    expect(plain('livestream-100.m4s')).toBe(parts.map(({ uri }) => plain(uri)).join(''));
  },
);
