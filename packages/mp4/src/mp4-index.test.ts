import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Mp4Track, readMp4Index } from './index.ts';
import { audioTrack, indexOf, pictures, plain, rowsExpected, rowsOf, sample, sounds, videoTrack } from './index-test-support.ts';
import { aacEntry, avcEntry, buildFile, esds, hevcEntry, testBox, words } from './mp4-file-test-support.ts';
import { aacConfig, avcRecord, hevcRecord, hex } from './mp4-test-support.ts';

describe('the index of a progressive file', () => {
  it('has what the boxes say', () => {
    const { tracks, ...rest } = indexOf(plain);
    expect(rest).toEqual({ leftOut: [], durationMs: (16_200 / 90_000) * 1000, isFragmented: false, isCut: false });
    const [first, second] = tracks as [Mp4Track, Mp4Track];
    expect({ ...first, samples: undefined }).toEqual({
      kind: 'video',
      codec: 'avc',
      trackId: 1,
      timescale: 90_000,
      endDts: 16_200,
      configuration: avcRecord,
      width: 320,
      height: 180,
      samples: undefined,
    });
    expect({ ...second, samples: undefined }).toEqual({
      kind: 'audio',
      codec: 'aac',
      trackId: 2,
      timescale: 44_100,
      endDts: 5120,
      configuration: aacConfig,
      sampleRate: 44_100,
      channels: 2,
      samples: undefined,
    });
    expect(rowsOf(plain, first)).toEqual(rowsExpected(pictures));
    expect(rowsOf(plain, second)).toEqual(rowsExpected(sounds));
  });

  const noBoxes = plain.subarray(0, 28);
  it.each([
    ['moov comes first', buildFile({ tracks: [videoTrack, audioTrack], isMoovFirst: true })],
    ['numbers have 64 bits', buildFile({ tracks: [videoTrack, audioTrack], isLong: true })],
    ['sizes have 8 bits', buildFile({ tracks: [videoTrack, audioTrack], compactSizeBits: 8 })],
    ['sizes have 16 bits', buildFile({ tracks: [videoTrack, audioTrack], compactSizeBits: 16 })],
    ['sizes have 4 bits', buildFile({ tracks: [videoTrack, audioTrack], compactSizeBits: 4 })],
    [
      'composition offsets are of version 0 and signed all the same',
      buildFile({ tracks: [videoTrack, audioTrack], compositionVersion: 0 }),
    ],
    ['boxes that nobody knows are between', Buffer.concat([plain, testBox('free', Buffer.alloc(20)), testBox('abcd', noBoxes)])],
    ['padding follows that is no box', Buffer.concat([plain, Buffer.alloc(7)])],
    ['zeros follow', Buffer.concat([plain, Buffer.alloc(100)])],
  ])('is the same when %s', (_, file) => {
    const [first, second] = indexOf(file).tracks as [Mp4Track, Mp4Track];
    expect(rowsOf(file, first)).toEqual(rowsExpected(pictures));
    expect(rowsOf(file, second)).toEqual(rowsExpected(sounds));
  });

  it('is that of a last mdat without size', () => {
    const file = buildFile({ tracks: [videoTrack], isMoovFirst: true });
    file.writeUInt32BE(0, file.indexOf('mdat') - 4);
    expect(rowsOf(file, indexOf(file).tracks[0]!)).toEqual(rowsExpected(pictures));
  });

  it('has samples of one size', () => {
    const same = ['abc', 'def', 'ghi'].map((text) => sample(text));
    const file = buildFile({ tracks: [{ ...videoTrack, samples: same }] });
    expect(rowsOf(file, indexOf(file).tracks[0]!)).toEqual(rowsExpected(same));
  });

  it('has a track without samples', () => {
    const file = buildFile({ tracks: [{ ...videoTrack, samples: [] }, audioTrack] });
    const [first] = indexOf(file).tracks as [Mp4Track];
    expect([first.samples.count, first.endDts]).toEqual([0, 0]);
  });

  it('reads the heads on the top level and moov, not the media', () => {
    const file = buildFile({ tracks: [{ ...videoTrack, samples: [sample('x'.repeat(100_000))] }] });
    let bytes = 0;
    readMp4Index((offset, length) => {
      bytes += length;
      return file.subarray(offset, offset + length);
    }, file.length);
    expect(bytes).toBeLessThan(file.length - 99_000);
  });

  it.each([
    ['one edit', [{ duration: 0, mediaTime: 7200 }], -7200],
    ['an empty edit', [{ duration: 500, mediaTime: -1 }], 45_000],
    [
      'an empty edit and one',
      [
        { duration: 500, mediaTime: -1 },
        { duration: 0, mediaTime: 7200 },
      ],
      37_800,
    ],
    ['no edit', [], 0],
  ])('has times moved by %s', (_, edits, shift) => {
    for (const isLong of [false, true]) {
      const file = buildFile({ tracks: [{ ...videoTrack, edits }], isLong });
      const [track] = indexOf(file).tracks as [Mp4Track];
      expect(rowsOf(file, track)).toEqual(rowsExpected(pictures, shift));
      expect(track.endDts).toBe(16_200 + shift);
    }
  });

  const quickTime = (version: number, extra: number, ...boxes: readonly Buffer[]) =>
    testBox(
      'mp4a',
      hex(`000000000000 0001 000${version} 000000000000 0002 0010 0000 0000 ac440000`),
      Buffer.alloc(extra),
      ...boxes,
    );
  it.each([
    ['avc1', avcEntry, 'avc', avcRecord],
    ['avc3', Buffer.concat([avcEntry.subarray(0, 4), Buffer.from('avc3'), avcEntry.subarray(8)]), 'avc', avcRecord],
    ['hvc1', hevcEntry('hvc1', hevcRecord), 'hevc', hevcRecord],
    ['hev1', hevcEntry('hev1', hevcRecord), 'hevc', hevcRecord],
    ['mp4a', aacEntry, 'aac', aacConfig],
    ['mp4a with MPEG-2 AAC', quickTime(0, 0, esds(0x67, aacConfig)), 'aac', aacConfig],
    ['mp4a with MP3', quickTime(0, 0, esds(0x6b, Buffer.alloc(0))), 'mp3', Buffer.alloc(0)],
    ['mp4a with MPEG-2 MP3', quickTime(0, 0, esds(0x69, Buffer.alloc(0))), 'mp3', Buffer.alloc(0)],
    [
      'mp4a of QuickTime, version 1',
      quickTime(1, 16, testBox('wave', testBox('frma', Buffer.alloc(4)), esds(0x40, aacConfig))),
      'aac',
      aacConfig,
    ],
    ['mp4a of QuickTime, version 2', quickTime(2, 36, esds(0x40, aacConfig)), 'aac', aacConfig],
  ])('knows %s', (_, entry, codec, configuration) => {
    const [track] = indexOf(buildFile({ tracks: [{ ...videoTrack, entry }] })).tracks as [Mp4Track];
    expect([track.codec, track.configuration.toString('hex')]).toEqual([codec, configuration.toString('hex')]);
  });

  it('knows an esds with all its options and long sizes', () => {
    const entry = quickTime(
      0,
      0,
      testBox(
        'esds',
        words(0),
        hex('03 80808023 0001 e0 0007 02 4142 0009 04 80808011 40 15'),
        Buffer.alloc(11),
        hex('05 02 1210 06 01 02'),
      ),
    );
    const [track] = indexOf(buildFile({ tracks: [{ ...audioTrack, entry }] })).tracks as [Mp4Track];
    expect(track.configuration).toEqual(aacConfig);
  });

  it('takes sound as able to begin anywhere, whatever stss says', () => {
    const odd = sounds.map((each, i) => ({ ...each, isSync: i === 0 }));
    const file = buildFile({ tracks: [{ ...audioTrack, samples: odd }] });
    expect([...indexOf(file).tracks[0]!.samples.isSync]).toEqual([1, 1, 1, 1, 1]);
  });

  it('names the tracks that it leaves out', () => {
    const text = { ...videoTrack, trackId: 3, entry: testBox('tx3g', Buffer.alloc(30)) };
    const vorbis = { ...videoTrack, trackId: 4, entry: quickTime(0, 0, esds(0xdd, Buffer.alloc(3))) };
    const { tracks, leftOut } = indexOf(buildFile({ tracks: [text, audioTrack, vorbis] }));
    expect(tracks.map(({ trackId }) => trackId)).toEqual([2]);
    expect(leftOut).toEqual(['track 3: tx3g', 'track 4: mp4a.dd']);
  });

  it('gives back any tables', () => {
    const anySample = fc.record({
      data: fc.uint8Array({ maxLength: 15 }).map((bytes) => Buffer.from(bytes)),
      duration: fc.oneof(fc.constant(3600), fc.nat(0xffffffff)),
      compositionOffset: fc.oneof(fc.constant(0), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
      isSync: fc.boolean(),
    });
    const anyTrack = fc.record({
      timescale: fc.integer({ min: 1, max: 0xffffffff }),
      samples: fc.array(anySample, { maxLength: 40 }),
      chunks: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 }),
    });
    const anyOptions = fc.record({
      isMoovFirst: fc.boolean(),
      isLong: fc.boolean(),
      compactSizeBits: fc.constantFrom(undefined, 4, 8, 16),
      compositionVersion: fc.constantFrom(0, 1),
    });
    fc.assert(
      fc.property(
        fc.array(anyTrack, { minLength: 1, maxLength: 3 }),
        anyOptions,
        (anyTracks, { compactSizeBits, ...options }) => {
          const tracks = anyTracks.map((track, i) => ({ ...track, trackId: i + 1 }));
          const file = buildFile({
            tracks,
            ...options,
            ...(compactSizeBits !== undefined && { compactSizeBits: compactSizeBits as 4 | 8 | 16 }),
          });
          const index = indexOf(file);
          expect(index.tracks.map((track) => rowsOf(file, track))).toEqual(tracks.map(({ samples }) => rowsExpected(samples)));
        },
      ),
    );
  });
});
