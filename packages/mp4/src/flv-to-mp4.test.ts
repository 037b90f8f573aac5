import { frameTypes } from '@srs/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FlvToMp4 } from './index.ts';
import {
  AUDIO,
  aacFrame,
  aacHeader,
  avcAndAac,
  avcFrame,
  enhancedAudioHeader,
  enhancedVideoHeader,
  hevcRecord,
  hex,
  mp3,
  mp3Payload,
  NOT_SYNC,
  opusHead,
  type ParsedFragment,
  picture,
  pictures,
  SYNC,
  samplesOf,
  take,
  times,
  VIDEO,
  withLengths,
} from './mp4-test-support.ts';

const { audio, video } = frameTypes;

describe('a fragment', () => {
  it('has the bytes of the standard', () => {
    const muxer = avcAndAac();
    muxer.onFrame(video, 1000, avcFrame({ isKey: true, compositionTimeMs: 80 }));
    muxer.onFrame(audio, 1000, aacFrame());
    muxer.onFrame(video, 1040, avcFrame({ compositionTimeMs: -40 }));
    expect(muxer.takeFragment()!.toString('hex')).toBe(
      hex(`
        000000c0 6d6f6f66
          00000010 6d666864 00000000 00000001
          00000060 74726166
            00000010 74666864 00020000 00000001
            00000014 74666474 01000000 0000000000015f90
            00000034 7472756e 01000f01 00000002 000000c8
              00000e10 00000008 02000000 00001c20
              00000e10 00000008 01010000 fffff1f0
          00000048 74726166
            00000010 74666864 00020000 00000002
            00000014 74666474 01000000 000000000000ac44
            0000001c 7472756e 01000301 00000001 000000d8
              00000400 00000004
        0000001c 6d646174
          00000004 65888421 00000004 65888421 21100460
      `).toString('hex'),
    );
  });

  it('is there only when something was collected', () => {
    const muxer = avcAndAac();
    expect(muxer.takeFragment()).toBeUndefined();
    muxer.onFrame(audio, 0, aacFrame());
    expect(take(muxer).map(({ tracks }) => tracks.map(({ trackId }) => trackId))).toEqual([[AUDIO]]);
    expect(muxer.takeFragment()).toBeUndefined();
  });

  it('counts in sequence', () => {
    const muxer = avcAndAac();
    const numbers = [0, 40, 80].map((timestampMs) => {
      muxer.onFrame(video, timestampMs, avcFrame());
      return take(muxer)[0]!.sequenceNumber;
    });
    expect(numbers).toEqual([1, 2, 3]);
  });

  it('holds more than what is reserved at first', () => {
    const frames = Array.from({ length: 40 }, (_, i) => withLengths(Buffer.alloc(1000 + i * 100, i + 1)));
    const muxer = pictures([]);
    for (let round = 0; round < 3; round++) {
      frames.forEach((data, i) => {
        muxer.onFrame(video, (round * 40 + i) * 40, avcFrame({ data }));
      });
      expect(Buffer.concat(samplesOf(take(muxer), VIDEO).map(({ data }) => data)).equals(Buffer.concat(frames))).toBe(true);
    }
  });

  it('is the caller’s own: later frames leave it alone', () => {
    const muxer = pictures([0]);
    const fragment = muxer.takeFragment()!;
    const before = Buffer.from(fragment);
    muxer.onFrame(video, 40, avcFrame({ data: withLengths(Buffer.alloc(1000, 7)) }));
    muxer.takeFragment();
    expect(fragment.equals(before)).toBe(true);
  });

  it('keeps no view of a payload', () => {
    const muxer = avcAndAac();
    const payload = avcFrame();
    muxer.onFrame(video, 0, payload);
    payload.fill(0xee);
    expect(samplesOf(take(muxer), VIDEO)[0]!.data.equals(picture)).toBe(true);
  });

  it('holds any frames as they were: bytes, times and marks', () => {
    const frame = fc.record({
      isVideo: fc.boolean(),
      isKey: fc.boolean(),
      stepMs: fc.integer({ min: 1, max: 60 }),
      compositionTimeMs: fc.integer({ min: -8_388_608, max: 8_388_607 }),
      data: fc.uint8Array({ minLength: 1, maxLength: 300 }),
      isTakenAfter: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.nat(0x7fffffff), fc.array(frame, { maxLength: 60 }), (startMs, frames) => {
        const muxer = avcAndAac();
        const fragments: ParsedFragment[] = [];
        const sent: { dts: number; compositionOffset: number; flags: number; data: string }[] = [];
        const sounds: string[] = [];
        let timeMs = startMs;
        for (const { isVideo, isKey, stepMs, compositionTimeMs, data: raw, isTakenAfter } of frames) {
          timeMs += stepMs;
          const data = Buffer.from(raw);
          if (isVideo) {
            const nalUnit = withLengths(data);
            muxer.onFrame(video, timeMs % 2 ** 31, avcFrame({ isKey, compositionTimeMs, data: nalUnit }));
            const flags = isKey ? SYNC : NOT_SYNC;
            sent.push({ dts: timeMs * 90, compositionOffset: compositionTimeMs * 90, flags, data: nalUnit.toString('hex') });
          } else {
            muxer.onFrame(audio, timeMs % 2 ** 31, aacFrame(data));
            sounds.push(data.toString('hex'));
          }
          if (isTakenAfter) fragments.push(...take(muxer));
        }
        fragments.push(...take(muxer));
        // The first timestamp is taken as it comes: a start behind the wrap counts from there.
        const base = (startMs + (frames[0]?.stepMs ?? 0) >= 2 ** 31 ? 2 ** 31 : 0) * 90;
        const got = samplesOf(fragments, VIDEO).map(({ dts, compositionOffset, flags, data }) => ({
          dts: dts + base,
          compositionOffset,
          flags,
          data: data.toString('hex'),
        }));
        // Every fragment says its own time, so that of the last sample before may be a guess.
        expect(got).toEqual(sent);
        expect(samplesOf(fragments, AUDIO).map(({ data }) => data.toString('hex'))).toEqual(sounds);
        expect(fragments.map(({ sequenceNumber }) => sequenceNumber)).toEqual(fragments.map((_, i) => i + 1));
      }),
    );
  });
});

describe('the last picture of a fragment', () => {
  it.each([
    ['until the next when that is told', [0, 40], 100, 60 * 90],
    ['until the next across the wrap', [0x7ffffff0], 8, 24 * 90],
    ['as long as the one before when nothing is told', [0, 30], undefined, 30 * 90],
    ['as long as the one before when the next is not later', [0, 30], 30, 30 * 90],
    ['as long as the one before when the next is far away', [0, 30], 4_000_000, 30 * 90],
    ['as the header says when it is alone', [0], undefined, 3600],
  ])('stands %s', (_, timestamps, next, ticks) => {
    expect(samplesOf(take(pictures(timestamps), next), VIDEO).at(-1)!.duration).toBe(ticks);
  });

  it.each([
    ['no rate at all', 0, 3600],
    ['less than a picture a second', 100, 3600],
    ['ten a second', 2560, 9000],
    ['more than 240 a second', 65_535, 3600],
  ])('stands as long as one of 25 a second unless the header says something likely: %s', (_, averageRate, ticks) => {
    const record = Buffer.from(hevcRecord);
    record.writeUInt16BE(averageRate, 19);
    const muxer = new FlvToMp4();
    muxer.onHeader(video, enhancedVideoHeader('hvc1', record));
    muxer.onFrame(video, 0, hex('93 68766331 00000002 2601'));
    expect(samplesOf(take(muxer), VIDEO)[0]!.duration).toBe(ticks);
  });

  it('stands as long as the one before, also when that is in the fragment before', () => {
    const muxer = pictures([0, 50]);
    muxer.takeFragment();
    muxer.onFrame(video, 80, avcFrame());
    expect(samplesOf(take(muxer), VIDEO)[0]!.duration).toBe(30 * 90);
  });
});

describe('the time of pictures', () => {
  it('goes on across the wrap of the clock', () => {
    expect(times(take(pictures([0x7fffffd8, 0x00000000, 0x00000028])), VIDEO)).toEqual(
      [2 ** 31 - 40, 2 ** 31, 2 ** 31 + 40].map((ms) => ms * 90),
    );
  });

  it('has the nanoseconds of enhanced RTMP', () => {
    const muxer = new FlvToMp4();
    muxer.onHeader(video, enhancedVideoHeader('hvc1', hevcRecord));
    muxer.onFrame(video, 10, hex('97 02 07a120 03 68766331 00000002 2601'));
    expect(times(take(muxer), VIDEO)).toEqual([945]);
  });

  it('that stands still or goes back a little rises by a tick, and what is shown stays where it was', () => {
    const samples = samplesOf(take(pictures([100, 100, 60, 140])), VIDEO);
    expect(samples.map(({ dts }) => dts)).toEqual([9000, 9001, 9002, 12_600]);
    expect(samples.map(({ dts, compositionOffset }) => dts + compositionOffset)).toEqual([9000, 9000, 5400, 12_600]);
  });

  it('does not go back across fragments either', () => {
    const muxer = pictures([100]);
    muxer.takeFragment();
    muxer.onFrame(video, 90, avcFrame());
    expect(times(take(muxer), VIDEO)).toEqual([9001]);
  });

  it('that goes back by more than a second begins a fragment of its own, and one call gives both', () => {
    const fragments = take(pictures([5000, 5040, 1000, 1040]));
    expect(fragments.map((fragment) => times([fragment], VIDEO))).toEqual([
      [450_000, 453_600],
      [90_000, 93_600],
    ]);
    expect(fragments.map(({ sequenceNumber }) => sequenceNumber)).toEqual([1, 2]);
  });

  it('that leaps by more than an hour begins a fragment of its own', () => {
    const fragments = take(pictures([0, 40, 3_700_000]));
    expect(fragments.map((fragment) => times([fragment], VIDEO))).toEqual([[0, 3600], [333_000_000]]);
  });

  it('before the first frame of the stream is the begin', () => {
    const muxer = avcAndAac();
    muxer.onFrame(audio, 10, aacFrame());
    muxer.onFrame(video, 0x7ffffff0, avcFrame());
    expect(times(take(muxer), VIDEO)).toEqual([0]);
  });
});

describe('the time of sound', () => {
  function sounds(timestamps: readonly number[]): number[] {
    const muxer = avcAndAac();
    for (const timestampMs of timestamps) muxer.onFrame(audio, timestampMs, aacFrame());
    return times(take(muxer), AUDIO);
  }

  it('is counted in samples', () => {
    expect(sounds([1000, 1023, 1046, 1070])).toEqual([44_100, 45_124, 46_148, 47_172]);
  });

  it('is counted while the clock is not more than 100 ms off', () => {
    // 1024 samples are 23.2 ms.
    expect(sounds([1000, 1123])).toEqual([44_100, 45_124]);
    expect(sounds([1000, 1124])).toEqual([44_100, 49_568]);
    expect(sounds([1000, 924])).toEqual([44_100, 45_124]);
  });

  it('waits a tick behind the last sound when the clock is more than 100 ms behind', () => {
    expect(sounds([1000, 920, 943])).toEqual([44_100, 44_101, 45_125]);
  });

  it('goes on across the wrap and across fragments', () => {
    const muxer = avcAndAac();
    muxer.onFrame(audio, 0x7ffffff0, aacFrame());
    const first = take(muxer);
    muxer.onFrame(audio, 7, aacFrame());
    const begin = Math.round((0x7ffffff0 * 44_100) / 1000);
    expect([...times(first, AUDIO), ...times(take(muxer), AUDIO)]).toEqual([begin, begin + 1024]);
  });

  it('is as long as the codec says, whatever comes next', () => {
    const muxer = avcAndAac();
    muxer.onFrame(audio, 0, aacFrame());
    expect(samplesOf(take(muxer, 500), AUDIO)[0]!.duration).toBe(1024);
  });

  it('of a rate beyond reason is parted before durations get more than 32 bits', () => {
    const muxer = new FlvToMp4();
    muxer.onHeader(audio, aacHeader(hex('17 ff ff ff 90')));
    for (const timestampMs of [0, 300_000]) muxer.onFrame(audio, timestampMs, aacFrame());
    expect(take(muxer).map((fragment) => times([fragment], AUDIO))).toEqual([[0], [300 * 0xff_ffff]]);
  });

  it('of Opus is what each packet says', () => {
    const muxer = new FlvToMp4();
    muxer.onHeader(audio, enhancedAudioHeader('Opus', opusHead));
    for (const [timestampMs, packet] of [
      [0, 'fc01'],
      [20, 'f402'],
      [30, 'fc03'],
    ] as const) {
      muxer.onFrame(audio, timestampMs, hex(`91 4f707573 ${packet}`));
    }
    const samples = samplesOf(take(muxer), AUDIO);
    expect(samples.map(({ dts, duration }) => [dts, duration])).toEqual([
      [0, 960],
      [960, 480],
      [1440, 960],
    ]);
  });

  it('of MP3 is that of its frames, also when a payload has several', () => {
    const muxer = new FlvToMp4();
    muxer.onFrame(audio, 0, Buffer.concat([mp3Payload, mp3]));
    muxer.onFrame(audio, 52, mp3Payload);
    // Eight frames are longer than what counting may be off.
    muxer.onFrame(audio, 78, Buffer.concat([mp3Payload, mp3, mp3, mp3, mp3, mp3, mp3, mp3]));
    const samples = samplesOf(take(muxer), AUDIO);
    expect(samples.map(({ dts }) => dts)).toEqual(samples.map((_, i) => i * 1152));
    expect(samples).toHaveLength(11);
    expect(samples.every(({ data }) => data.equals(mp3))).toBe(true);
  });
});
