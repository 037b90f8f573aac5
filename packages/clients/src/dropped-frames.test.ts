import { ManualClock, memoryLog } from '@srs/kernel';
import { expect, it } from 'vitest';
import { DroppedFrames } from './dropped-frames.ts';

it('frames that are left out are told of at once, and then once in ten seconds', () => {
  const clock = new ManualClock({ nowMs: 1000 });
  const log = memoryLog();
  const { note } = new DroppedFrames('http-ts of v/a/s', clock, log);
  for (let index = 0; index < 100; index += 1) {
    note(new Error(`fault ${index}`));
    clock.advance(200);
  }
  expect(log.lines.map(({ text }) => text)).toEqual([
    'http-ts of v/a/s: a frame is left out: fault 0',
    'http-ts of v/a/s: 50 frames are left out: fault 50',
  ]);
});
