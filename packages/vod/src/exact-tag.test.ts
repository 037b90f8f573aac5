import { describeAudio, describeVideo } from '@srs/codec';
import { describe, expect, it } from 'vitest';
import { audioHeader, exactPicture, exactSound, videoHeader } from './exact-tag.ts';

const data = Buffer.from('data');
const NANOS_PER_TICK = 1e6 / 90;

describe('times of tags', () => {
  it('of sound are exact to the tick', () => {
    for (let ticks = 0; ticks < 1000; ticks++) {
      const { timestampMs, payload } = exactSound('mp4a', ticks, data);
      const tag = describeAudio(payload)!;
      expect(timestampMs * 90 + Math.round(tag.timestampOffsetNanos / NANOS_PER_TICK)).toBe(ticks);
      expect(payload.subarray(tag.dataOffset, tag.dataEnd)).toEqual(data);
    }
  });

  it('of pictures are exact where they are shown, and within half a millisecond where they are decoded', () => {
    for (let dtsTicks = 0; dtsTicks < 20_000; dtsTicks += 333) {
      for (const ptsTicks of [dtsTicks, dtsTicks + 3003, dtsTicks + 7507]) {
        const { timestampMs, payload } = exactPicture('avc1', true, { ptsTicks, dtsTicks }, data);
        const tag = describeVideo(payload)!;
        const dts = timestampMs * 90 + Math.round(tag.timestampOffsetNanos / NANOS_PER_TICK);
        expect(dts + tag.compositionTimeMs * 90).toBe(ptsTicks);
        expect(Math.abs(dts - dtsTicks)).toBeLessThanOrEqual(45);
        expect(tag.compositionTimeMs).toBeGreaterThanOrEqual(0);
      }
    }
  });

  it('never begin before the file', () => {
    const { timestampMs, payload } = exactPicture('hvc1', false, { ptsTicks: 50, dtsTicks: 0 }, data);
    expect([timestampMs, describeVideo(payload)!.compositionTimeMs]).toEqual([0, 0]);
    expect(exactPicture('avc1', true, { ptsTicks: 2 ** 40, dtsTicks: 0 }, data).payload).toHaveLength(17);
  });
});

it('tags say what is in them', () => {
  expect(describeVideo(videoHeader('hvc1', data))).toMatchObject({ codec: 'hevc', packet: 'sequence-header', dataOffset: 5 });
  expect(describeAudio(audioHeader('mp4a', data))).toMatchObject({ codec: 'aac', packet: 'sequence-header', dataOffset: 5 });
  const picture = exactPicture('avc1', false, { ptsTicks: 0, dtsTicks: 0 }, data).payload;
  expect(describeVideo(picture)).toMatchObject({ codec: 'avc', packet: 'frames', isKeyFrame: false });
  expect(describeAudio(exactSound('.mp3', 0, data).payload)).toMatchObject({ codec: 'mp3', packet: 'frames' });
});
