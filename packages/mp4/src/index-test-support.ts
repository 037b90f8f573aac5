/** A small progressive and a small fragmented file, and what their index is to say. */
import { frameTypes } from '@srs/kernel';
import { expect } from 'vitest';
import { type Mp4Index, type Mp4Track, readMp4Index } from './index.ts';
import { aacEntry, buildFile, type FileSample, type FileTrack } from './mp4-file-test-support.ts';
import { aacFrame, avcAndAac, avcFrame, withLengths } from './mp4-test-support.ts';

const { audio, video } = frameTypes;

export function indexOf(file: Buffer): Mp4Index {
  return readMp4Index((offset, length) => file.subarray(offset, offset + length), file.length);
}

export interface Row {
  readonly data: string;
  readonly dts: number;
  readonly compositionOffset: number;
  readonly isSync: boolean;
}

/** The samples of a track as rows, with the bytes that the index points at. */
export function rowsOf(file: Buffer, track: Mp4Track): Row[] {
  const { count, offsets, sizes, dts, compositionOffsets, isSync } = track.samples;
  expect([offsets.length, sizes.length, dts.length, compositionOffsets.length, isSync.length]).toEqual(Array(5).fill(count));
  return Array.from({ length: count }, (_, i) => ({
    data: file.toString('hex', offsets[i]!, offsets[i]! + sizes[i]!),
    dts: dts[i]!,
    compositionOffset: compositionOffsets[i]!,
    isSync: isSync[i] === 1,
  }));
}

export function rowsExpected(samples: readonly FileSample[], shift = 0): Row[] {
  let dts = shift;
  return samples.map(({ data, duration, compositionOffset, isSync }) => {
    const row = { data: data.toString('hex'), dts, compositionOffset, isSync };
    dts += duration;
    return row;
  });
}

export function sample(text: string, options: Partial<FileSample> = {}): FileSample {
  return { data: Buffer.from(text), duration: 3600, compositionOffset: 0, isSync: true, ...options };
}

export const pictures = [
  sample('key', { compositionOffset: 7200 }),
  sample('one', { compositionOffset: 10_800, isSync: false }),
  sample('second', { isSync: false, duration: 1800 }),
  sample('3', { compositionOffset: -1800, isSync: false }),
  sample('again', {}),
];
export const sounds = ['a', 'bb', 'ccc', 'dddd', 'eeeee'].map((text) => sample(text, { duration: 1024 }));
export const videoTrack: FileTrack = { trackId: 1, timescale: 90_000, samples: pictures, chunks: [2, 1] };
export const audioTrack: FileTrack = { trackId: 2, timescale: 44_100, samples: sounds, chunks: [3, 2], entry: aacEntry };
export const plain = buildFile({ tracks: [videoTrack, audioTrack] });

/** A muxed stream of five fragments, with the samples that went in. */
export function fragmentedFile(): { readonly init: Buffer; readonly fragments: readonly Buffer[] } {
  const muxer = avcAndAac();
  const fragments: Buffer[] = [];
  for (let i = 0; i < 5; i++) {
    for (let j = 0; j < 4; j++) {
      const timestampMs = 1000 + (i * 4 + j) * 40;
      const data = withLengths(Buffer.from(`picture ${i} ${j}`));
      muxer.onFrame(video, timestampMs, avcFrame({ isKey: j === 0, compositionTimeMs: (j - 1) * 40, data }));
      muxer.onFrame(audio, 1000 + Math.round(((i * 4 + j) * 1024) / 44.1), aacFrame(Buffer.from(`sound ${i} ${j}`)));
    }
    fragments.push(muxer.takeFragment(1000 + (i + 1) * 160)!);
  }
  return { init: muxer.initSegment(), fragments };
}
