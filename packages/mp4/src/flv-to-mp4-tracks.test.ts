import { frameTypes } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../test/support/failure.ts';
import { fuzz, type Random } from '../../../test/support/fuzz.ts';
import { FlvToMp4 } from './index.ts';
import {
  AUDIO,
  aacFrame,
  aacHeader,
  av1Record,
  avcAndAac,
  avcFrame,
  avcHeader,
  avcRecord,
  bodyAt,
  enhancedAudioHeader,
  enhancedVideoHeader,
  hevcRecord,
  hex,
  mp3Payload,
  NOT_SYNC,
  opusHead,
  otherAvcHeader,
  parseBoxes,
  parseFragments,
  pictures,
  SYNC,
  samplesOf,
  take,
  times,
  VIDEO,
  withLengths,
} from './mp4-test-support.ts';

const { audio, video } = frameTypes;

describe('a change of the tracks', () => {
  it('is none when the header comes again', () => {
    const muxer = avcAndAac();
    const version = muxer.initVersion;
    muxer.initSegment();
    muxer.onFrame(video, 0, avcFrame());
    muxer.onHeader(video, avcHeader());
    muxer.onHeader(audio, aacHeader());
    muxer.onFrame(video, 40, avcFrame());
    expect(muxer.initVersion).toBe(version);
    expect(take(muxer)).toHaveLength(1);
  });

  it('parts what was collected before from what comes after', () => {
    const muxer = avcAndAac();
    const version = muxer.initVersion;
    const before = muxer.initSegment();
    muxer.onFrame(video, 0, avcFrame());
    muxer.onFrame(audio, 0, aacFrame());
    muxer.onHeader(video, otherAvcHeader());
    expect(muxer.initVersion).toBe(version + 1);
    muxer.onFrame(video, 40, avcFrame());
    expect(times(take(muxer), VIDEO)).toEqual([0]);
    expect(muxer.initSegment().equals(before)).toBe(false);
    expect(times(take(muxer), VIDEO)).toEqual([3600]);
    expect(muxer.takeFragment()).toBeUndefined();
  });

  it('that only brings a track leaves one fragment when no init segment was given away', () => {
    const muxer = new FlvToMp4();
    muxer.onHeader(video, avcHeader());
    muxer.onFrame(video, 0, avcFrame());
    muxer.onHeader(audio, aacHeader());
    muxer.onFrame(audio, 0, aacFrame());
    expect(take(muxer).map(({ tracks }) => tracks.length)).toEqual([2]);
  });

  it('that brings a track parts the fragments when an init segment was given away', () => {
    const muxer = new FlvToMp4();
    muxer.onHeader(video, avcHeader());
    muxer.initSegment();
    muxer.onFrame(video, 0, avcFrame());
    muxer.onFrame(audio, 0, mp3Payload);
    expect(muxer.initVersion).toBe(2);
    expect(take(muxer).map(({ tracks }) => tracks.map(({ trackId }) => trackId))).toEqual([[VIDEO]]);
    expect(take(muxer).map(({ tracks }) => tracks.map(({ trackId }) => trackId))).toEqual([[AUDIO]]);
  });

  it('may be one of codec', () => {
    const muxer = avcAndAac();
    muxer.onHeader(video, enhancedVideoHeader('hvc1', hevcRecord));
    muxer.onHeader(audio, enhancedAudioHeader('Opus', opusHead));
    expect([muxer.videoCodec, muxer.audioCodec, muxer.codecs]).toEqual(['hevc', 'opus', 'hvc1.1.6.L60.90,opus']);
  });

  it('several times over leaves a fragment for each', () => {
    const muxer = new FlvToMp4();
    [avcHeader(), otherAvcHeader(), avcHeader()].forEach((header, i) => {
      muxer.onHeader(video, header);
      muxer.initSegment();
      muxer.onFrame(video, i * 40, avcFrame());
    });
    expect([take(muxer), take(muxer), take(muxer)].map((each) => times(each, VIDEO))).toEqual([[0], [3600], [7200]]);
    expect(muxer.takeFragment()).toBeUndefined();
  });
});

describe('a frame', () => {
  it.each([
    ['empty', video, hex('17 01 000000')],
    ['of empty NAL units', video, hex('17 01 000000 00000000')],
    ['of empty sound', audio, hex('af 01')],
    ['cut within its head', video, hex('17 01 00')],
    ['of MP3 that begins within a frame', audio, hex('2f 1234567890')],
  ])('%s is left out and counted', (_, type, payload) => {
    const muxer = avcAndAac();
    muxer.onFrame(type, 0, payload);
    expect([muxer.takeFragment(), muxer.skippedFrames]).toEqual([undefined, 1]);
  });

  it('before its header is left out and counted', () => {
    const muxer = new FlvToMp4();
    muxer.onFrame(video, 0, avcFrame());
    muxer.onFrame(audio, 0, aacFrame());
    expect([muxer.takeFragment(), muxer.skippedFrames]).toEqual([undefined, 2]);
  });

  it.each([
    ['a sequence header', video, avcHeader()],
    ['an end of sequence', video, hex('17 02 000000')],
    ['a command', video, hex('57 00')],
    ['enhanced metadata', video, hex('94 68766331 02')],
    ['an audio header', audio, aacHeader()],
  ])('that is %s is no sample', (_, type, payload) => {
    const muxer = avcAndAac();
    muxer.onFrame(type, 0, payload);
    expect([muxer.takeFragment(), muxer.skippedFrames]).toEqual([undefined, 0]);
  });

  it.each([
    [video, '22 00', 'video codec h263 (2) must be avc, hevc or av1 to go into mp4'],
    [video, 'a3 76703039 00', 'video codec vp9 ("vp09") must be avc, hevc or av1 to go into mp4'],
    [video, 'a3 61763031 00', 'video frame of codec av1 must be avc, as its header was'],
    [video, '27 01 000000 00000009 65', 'nal unit of 9 bytes at 0 must be at most 1'],
    [audio, '7e 00', 'audio codec g711a (7) must be aac, mp3 or opus to go into mp4'],
    [audio, '91 4f707573 fc', 'audio frame of codec opus must be aac, as its header was'],
  ])('of type %i, %s, is refused', (type, payload, message) => {
    const muxer = avcAndAac();
    const failure = failureOf(() => muxer.onFrame(type, 0, hex(payload)));
    expect([failure.errorName, failure.message]).toEqual(['HlsDecode', message]);
    expect(muxer.takeFragment()).toBeUndefined();
  });

  it('with start codes gets lengths', () => {
    const muxer = pictures([]);
    muxer.onFrame(video, 0, avcFrame({ data: hex('00000001 09f0 000001 6588') }));
    expect(samplesOf(take(muxer), VIDEO)[0]!.data.toString('hex')).toBe(hex('00000002 09f0 00000002 6588').toString('hex'));
  });

  it('with lengths of two bytes stays so, and avcC says it', () => {
    const record = Buffer.from(avcRecord);
    record[4] = 0xfd;
    const muxer = new FlvToMp4();
    muxer.onHeader(video, avcHeader(record));
    muxer.onFrame(video, 0, avcFrame({ data: hex('0002 6588') }));
    expect(samplesOf(take(muxer), VIDEO)[0]!.data.toString('hex')).toBe('00026588');
    const stsd = bodyAt(muxer.initSegment(), 'moov/trak/mdia/minf/stbl/stsd');
    expect(parseBoxes(stsd.subarray(8 + 8 + 78))[0]!.body[4]).toBe(0xfd);
  });

  it('of AV1 loses its temporal delimiter', () => {
    const muxer = new FlvToMp4();
    muxer.onHeader(video, enhancedVideoHeader('av01', av1Record));
    muxer.onFrame(video, 0, hex('93 61763031 1200 32 02 1234'));
    muxer.onFrame(video, 40, hex('a3 61763031 32 02 5678'));
    const samples = samplesOf(take(muxer), VIDEO);
    expect(samples.map(({ data, flags }) => [data.toString('hex'), flags])).toEqual([
      ['32021234', SYNC],
      ['32025678', NOT_SYNC],
    ]);
  });

  it('of several tracks counts for its first', () => {
    const muxer = pictures([]);
    muxer.onFrame(video, 0, hex('96 13 61766331 01 000003 aabbcc 00 000006 00000002 6588'));
    expect(samplesOf(take(muxer), VIDEO)[0]!.data.toString('hex')).toBe('000000026588');
  });
});

describe('limits', () => {
  it('media that nobody takes is refused, and taking it makes room', () => {
    const muxer = pictures([]);
    const frame = avcFrame({ data: withLengths(Buffer.alloc(64 * 1024 * 1024)) });
    for (let i = 0; i < 3; i++) muxer.onFrame(video, i * 40, frame);
    const failure = failureOf(() => muxer.onFrame(video, 120, frame));
    expect([failure.errorName, failure.message]).toEqual([
      'HlsDecode',
      'mp4 fragments of 201326604 bytes must be taken, the limit is 268435456',
    ]);
    muxer.takeFragment();
    muxer.onFrame(video, 120, frame);
    expect(times(take(muxer), VIDEO)).toEqual([10_800]);
  });

  it('media that was taken makes room also when it was in several fragments', () => {
    const muxer = pictures([]);
    const frame = avcFrame({ data: withLengths(Buffer.alloc(64 * 1024 * 1024)) });
    for (let i = 0; i < 6; i++) {
      muxer.onFrame(video, i % 2 === 0 ? 5000 : 0, frame);
      if (i % 2 === 1) muxer.takeFragment();
    }
    expect(muxer.takeFragment()).toBeUndefined();
  });

  it('samples beyond the limit are refused', () => {
    const muxer = avcAndAac();
    const frame = aacFrame();
    for (let i = 0; i < 262_144; i++) muxer.onFrame(audio, Math.round((i * 1024) / 44.1), frame);
    const failure = failureOf(() => muxer.onFrame(audio, 0, frame));
    expect(failure.message).toBe('mp4 fragment must be taken, its samples are at the limit of 262144');
  });
});

describe('hostile input', () => {
  const samples = [
    avcHeader(),
    otherAvcHeader(),
    enhancedVideoHeader('hvc1', hevcRecord),
    enhancedVideoHeader('av01', av1Record),
    avcFrame({ isKey: true }),
    avcFrame({ data: hex('00000001 09f0 000001 6588') }),
    hex('93 61763031 1200 32 02 1234'),
    hex('96 13 61766331 01 000003 aabbcc 00 000006 00000002 6588'),
  ];
  const audioSamples = [
    aacHeader(),
    aacHeader(hex('2b11 8800')),
    enhancedAudioHeader('Opus', opusHead),
    aacFrame(),
    mp3Payload,
    hex('91 4f707573 fc01'),
    hex('91 4f707573 ff0312'),
  ];

  function feed(muxer: FlvToMp4, type: 8 | 9, payload: Buffer, random: Random): void {
    const timestampMs = random.below(4) === 0 ? random.below(2 ** 31) : random.below(5000);
    if (random.below(3) === 0) muxer.onHeader(type, payload);
    else muxer.onFrame(type, timestampMs, payload);
  }

  it.each([
    ['video', video, samples],
    ['audio', audio, audioSamples],
  ] as const)('of %s ends in a fragment that can be read, or an SrsError', (_, type, inputs) => {
    let muxer = avcAndAac();
    let count = 0;
    const result = fuzz(
      { samples: inputs, count: 60_000, timeBoxMs: 15_000, maxGrowthBytes: 8 * 1024 * 1024 },
      (input, random) => {
        count += 1;
        if (count % 100 === 0) muxer = avcAndAac();
        if (count % 7 === 0) {
          for (let fragment = muxer.takeFragment(random.below(5000)); fragment !== undefined; fragment = muxer.takeFragment()) {
            parseFragments(fragment);
          }
          parseBoxes(muxer.initSegment());
        }
        feed(muxer, type, input, random);
      },
    );
    expect(result.accepted).toBeGreaterThan(1000);
    expect(result.refused).toBeGreaterThan(1000);
  });
});
