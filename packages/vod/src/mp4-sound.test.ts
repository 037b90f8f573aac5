import { frameTypes } from '@srs/kernel';
import { accessUnitsOf, TsReader } from '@srs/mpegts';
import { expect, it } from 'vitest';
import { aacConfiguration } from '../../../test/support/flv-files.ts';
import { audioHeader, exactSound } from './exact-tag.ts';
import { countSounds, countsBetween, type SoundCounts, type SoundTimes, soundTimeAt } from './mp4-sound.ts';
import { TsSegment } from './ts-segment.ts';

const MUXER_DELAY_TICKS = 72_000;
const FRAME_TICKS = (1024 * 90_000) / 44_100;

function timesOf(count: number, at: (row: number) => number): SoundTimes {
  return { count, at };
}

/** When frames are played, by what a segment from each of them on is told. */
function expectedAt(times: SoundTimes, rows: readonly number[]): number[] {
  const counts = countSounds(times, aacConfiguration)!;
  return rows.map((row) => soundTimeAt(countsBetween(counts, row, times.count), 0));
}

it('segments begin where the count of samples is', () => {
  const regular = timesOf(1000, (row) => row * FRAME_TICKS);
  expect(expectedAt(regular, [0, 258, 517])).toEqual([0, 258, 517].map((row) => Math.round(row * FRAME_TICKS)));
});

it('times that tremble do not make steps', () => {
  const trembling = timesOf(1000, (row) => row * FRAME_TICKS + [0, 4000, -4000][row % 3]!);
  expect(expectedAt(trembling, [0, 259, 518])).toEqual([0, 259, 518].map((row) => Math.round(row * FRAME_TICKS)));
});

it('an odd first frame does not put all others out of step', () => {
  const odd = timesOf(1000, (row) => (row === 0 ? 0 : row * FRAME_TICKS + 5000));
  expect(expectedAt(odd, [0, 300])).toEqual([5000, Math.round(300 * FRAME_TICKS + 5000)]);
});

it('behind a gap the count begins anew', () => {
  const gap = timesOf(1000, (row) => row * FRAME_TICKS + (row < 500 ? 0 : 90_000));
  expect(expectedAt(gap, [0, 400, 500, 600])).toEqual(
    [0, 400, 500, 600].map((row) => Math.round(row * FRAME_TICKS + (row < 500 ? 0 : 90_000))),
  );
});

/** When a player of the segments hears each frame, by the muxer of each of them. */
function playedTimes(counts: SoundCounts, frames: number, segmentFrames: number): number[] {
  const times: number[] = [];
  for (let from = 0; from < frames; from += segmentFrames) {
    const to = Math.min(frames, from + segmentFrames);
    const segment = new TsSegment();
    segment.header(frameTypes.audio, audioHeader('mp4a', aacConfiguration));
    segment.begin();
    const told = countsBetween(counts, from, to);
    for (let row = 0; row < to - from; row++) {
      const { timestampMs, payload } = exactSound('mp4a', soundTimeAt(told, row), Buffer.alloc(10));
      segment.frame(frameTypes.audio, timestampMs, payload);
    }
    const reader = new TsReader({ onPes: (pes) => times.push(...accessUnitsOf(pes).map(({ pts }) => pts - MUXER_DELAY_TICKS)) });
    reader.receive(segment.finish());
    reader.end();
  }
  return times;
}

it('all frames of a segment have the times of the whole file, whichever count they belong to', () => {
  const drifting = timesOf(5000, (row) => row * FRAME_TICKS * 1.02 + 900 * ((row * 7) % 11));
  const counts = countSounds(drifting, aacConfiguration)!;
  expect(counts.rows.length).toBeGreaterThan(10);
  const whole = Array.from({ length: 5000 }, (_, row) => soundTimeAt(countsBetween(counts, 0, 5000), row));
  for (const segmentFrames of [77, 5000]) {
    const errors = playedTimes(counts, 5000, segmentFrames).map((ticks, row) => Math.abs(ticks - whole[row]!));
    expect(errors).toHaveLength(5000);
    expect(Math.max(...errors)).toBeLessThanOrEqual(2);
  }
});

it('a count begins only where every muxer sees the jump, whatever it has rounded', () => {
  for (let jump = 8995.3; jump < 9010; jump++) {
    const jumping = timesOf(100, (row) => row * FRAME_TICKS + (row < 50 ? 0 : jump));
    const counts = countSounds(jumping, aacConfiguration)!;
    for (const segmentFrames of [7, 13, 100]) {
      const steps = playedTimes(counts, 100, segmentFrames).map((ticks, row) => ticks - row * FRAME_TICKS);
      const wanted = counts.rows.length === 1 ? 0 : jump;
      for (const step of steps.slice(50)) expect(Math.abs(step - wanted)).toBeLessThan(3);
    }
  }
});

it('an odd frame whose followers are in step does not begin a count', () => {
  const step = timesOf(1000, (row) => row * FRAME_TICKS + (row < 500 ? 0 : row === 500 ? 9500 : 5000));
  expect(Array.from(countSounds(step, aacConfiguration)!.rows)).toEqual([0]);
});

it('none begins before the file, and a malformed configuration counts nothing', () => {
  const late = timesOf(10, (row) => row * FRAME_TICKS - 500);
  expect(expectedAt(late, [0, 5])).toEqual([0, Math.round(5 * FRAME_TICKS)]);
  expect(countSounds(late, Buffer.from([0xff]))).toBeUndefined();
});

it('a segment without sound has no counts, nor has a file without any', () => {
  const none = countSounds(
    timesOf(0, () => 0),
    aacConfiguration,
  )!;
  expect(countsBetween(none, 0, 0)).toMatchObject({ rows: [], bases: [] });
});
