import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../test/support/failure.ts';
import { FlvToTs } from './flv-to-ts.ts';
import {
  aacFrame,
  aacHeader,
  audio,
  avcHeader,
  avcUnit,
  DELAY,
  hex,
  mp3Payload,
  mpeg1Frame,
  mpeg2Frame,
  mux,
  noise,
  readBack,
  video,
  videoFrame,
} from './mpegts-test-support.ts';

const sound = noise(180, 1);

/** Milliseconds, as RTMP has them, of AAC frames at 44.1 kHz. */
function frameMs(index: number): number {
  return Math.floor((index * 1024 * 1000) / 44_100);
}

/** Ticks of AAC frames at 44.1 kHz, on the wire. */
function frameTicks(index: number, fromMs = 0): number {
  return fromMs * 90 + Math.round((index * 1024 * 90_000) / 44_100) + DELAY;
}

describe('AAC', () => {
  it('comes back with times in regular steps', () => {
    const frames = Array.from({ length: 200 }, (_, i) => noise(100 + i, i + 1));
    const bytes = mux((ts) => {
      expect(ts.audioCodec).toBeNull();
      ts.onHeader(audio, aacHeader());
      expect(ts.audioCodec).toBe('aac');
      for (const [i, data] of frames.entries()) ts.onFrame(audio, frameMs(i), aacFrame(data));
    });
    const { programs, sounds, pes } = readBack(bytes);
    expect(programs).toEqual([{ version: 0, pcrPid: 0x101, streams: [{ pid: 0x101, streamType: 0x0f }] }]);
    const facts = { codec: 'aac', objectType: 2, sampleRate: 44_100, channelConfiguration: 2 };
    // Within a unit the reader counts from a rounded time.
    expect(sounds.map(({ data }) => data)).toEqual(frames);
    expect(sounds[0]).toEqual({ ...facts, pts: DELAY, dts: DELAY, data: frames[0] });
    expect(sounds.every((one, i) => Math.abs(one.pts - frameTicks(i)) <= 1)).toBe(true);
    expect(pes.map((one) => one.pts)).toEqual(pes.map((_, i) => frameTicks(4 * i)));
    expect(new Set(pes.map((one) => one.streamId))).toEqual(new Set([0xc0]));
  });

  it('with an enhanced head is the same', () => {
    const bytes = mux((ts) => {
      ts.onHeader(audio, Buffer.concat([hex('90'), Buffer.from('mp4a'), hex('1190')]));
      ts.onFrame(audio, 5, Buffer.concat([hex('91'), Buffer.from('mp4a'), sound]));
    });
    expect(readBack(bytes).sounds).toMatchObject([{ codec: 'aac', sampleRate: 48_000, pts: 450 + DELAY, data: sound }]);
  });

  it('of any size that its header can tell comes back', () => {
    const sizes = [1, 170, 171, 172, 8184];
    const bytes = mux((ts) => {
      ts.onHeader(audio, aacHeader());
      for (const [i, size] of sizes.entries()) ts.onFrame(audio, frameMs(i), aacFrame(noise(size, size)));
      const error = failureOf(() => ts.onFrame(audio, 200, aacFrame(Buffer.alloc(8185))));
      expect([error.message, error.code]).toEqual(['aac frame of 8185 bytes must be at most 8184', 3001]);
    });
    expect(readBack(bytes).sounds.map(({ data }) => data)).toEqual(sizes.map((size) => noise(size, size)));
  });

  it.each([
    ['of a rate that is written out', '17805dc010', /^aac sample rate 48000 Hz, written out, must be one of the table/],
    ['of low delay', 'ba10', /^aac object type 23 \(LD\) must be 1\.\.4/],
    ['that is cut', '12', /^audio sequence header is malformed$/],
  ])('with a header %s is refused, and the one before stays', (_, configuration, message) => {
    const bytes = mux((ts) => {
      ts.onHeader(audio, aacHeader());
      const error = failureOf(() => ts.onHeader(audio, aacHeader(configuration)));
      expect(error.message).toMatch(message);
      expect(error.errorName).toBe('HlsDecode');
      ts.onFrame(audio, 0, aacFrame(sound));
    });
    expect(readBack(bytes).sounds).toHaveLength(1);
  });

  it('before its header is refused, and an empty header is none', () => {
    const ts = new FlvToTs({ output: () => {} });
    ts.onHeader(audio, hex('af00'));
    expect(failureOf(() => ts.onFrame(audio, 0, aacFrame(sound))).message).toBe(
      'audio frame of aac comes before its sequence header',
    );
  });

  it('that is empty is left out', () => {
    const bytes = mux((ts) => {
      ts.onHeader(audio, aacHeader());
      ts.onFrame(audio, 0, hex('af01'));
      ts.onFrame(audio, 0, hex('af02'));
      ts.onFrame(audio, 0, Buffer.alloc(0));
    });
    expect(bytes).toHaveLength(0);
  });

  it('is not held in the payload, which is the callers', () => {
    const bytes = mux((ts) => {
      ts.onHeader(audio, aacHeader());
      const frame = aacFrame(sound);
      ts.onFrame(audio, 0, frame);
      frame.fill(0);
    });
    expect(readBack(bytes).sounds[0]!.data).toEqual(sound);
  });
});

describe('times of sound', () => {
  function times(...timestamps: readonly number[]): number[] {
    const bytes = mux((ts) => {
      ts.onHeader(audio, aacHeader());
      for (const timestamp of timestamps) ts.onFrame(audio, timestamp, aacFrame(sound));
    });
    return readBack(bytes).sounds.map((one) => one.pts);
  }

  it('are counted as long as timestamps are off by 100 ms at most', () => {
    expect(times(0, 123, 0, 169)).toEqual([0, 1, 2, 3].map((i) => frameTicks(i)));
  });

  it('begin again at a timestamp that is further off', () => {
    expect(times(0, 124, 147)).toEqual([frameTicks(0), frameTicks(0, 124), frameTicks(1, 124)]);
    expect(times(500, 523, 445, 468)).toEqual([frameTicks(0, 500), frameTicks(1, 500), frameTicks(0, 445), frameTicks(1, 445)]);
  });

  it('begin again with another sample rate', () => {
    const bytes = mux((ts) => {
      ts.onHeader(audio, aacHeader());
      ts.onFrame(audio, 0, aacFrame(sound));
      ts.onHeader(audio, aacHeader('1190'));
      ts.onFrame(audio, 30, aacFrame(sound));
      ts.onFrame(audio, 51, aacFrame(sound));
    });
    const { sounds, programs } = readBack(bytes);
    expect(sounds.map((one) => one.pts)).toEqual([DELAY, 2700 + DELAY, 2700 + 1920 + DELAY]);
    expect(sounds.map((one) => one.sampleRate)).toEqual([44_100, 48_000, 48_000]);
    expect(programs).toHaveLength(1);
  });
});

describe('frames are collected', () => {
  const lengths = (bytes: Buffer) => readBack(bytes).pes.map((one) => one.payload.length);

  it('up to 100 ms, in a run of its own', () => {
    const bytes = mux((ts, written) => {
      ts.onHeader(audio, aacHeader());
      for (let i = 0; i < 4; i++) ts.onFrame(audio, frameMs(i), aacFrame(sound));
      expect(written()).toHaveLength(0);
      ts.onFrame(audio, frameMs(4), aacFrame(sound));
      expect(lengths(written())).toEqual([4 * 187]);
      ts.flush();
      expect(lengths(written())).toEqual([4 * 187, 187]);
      ts.flush();
    });
    expect(lengths(bytes)).toEqual([4 * 187, 187]);
  });

  it('one by one when each is longer', () => {
    const bytes = mux((ts) => {
      ts.onHeader(audio, aacHeader('1588'));
      for (let i = 0; i < 3; i++) ts.onFrame(audio, i * 128, aacFrame(sound));
    });
    expect(lengths(bytes)).toEqual([187, 187, 187]);
  });

  it('up to 64 KiB', () => {
    const bytes = mux((ts) => {
      ts.onHeader(audio, aacHeader('1010'));
      for (let i = 0; i < 9; i++) ts.onFrame(audio, i * 11, aacFrame(noise(8184, i + 1)));
    });
    expect(lengths(bytes)).toEqual([7 * 8191, 2 * 8191]);
  });

  it('and pushed out by pictures when the sound stops', () => {
    const bytes = mux((ts, written) => {
      ts.onHeader(video, avcHeader());
      ts.onHeader(audio, aacHeader());
      ts.onFrame(audio, 0, aacFrame(sound));
      for (let ms = 500; ms <= 600; ms += 20) ts.onFrame(video, ms, videoFrame('legacy 7', [avcUnit(1, 50)]));
      expect(readBack(written()).sounds).toEqual([]);
      ts.onFrame(video, 620, videoFrame('legacy 7', [avcUnit(1, 50)]));
      expect(readBack(written()).sounds).toHaveLength(1);
    });
    expect(readBack(bytes).sounds).toHaveLength(1);
  });
});

it('sound that is being collected comes before a picture of another time', () => {
  const bytes = mux((ts) => {
    ts.onHeader(video, avcHeader());
    ts.onHeader(audio, aacHeader());
    ts.onFrame(video, 100_000, videoFrame('legacy 7', [avcUnit(1, 50)]));
    ts.onFrame(audio, 100_010, aacFrame(sound));
    ts.onFrame(video, 0, videoFrame('legacy 7', [avcUnit(1, 50)]));
    ts.onFrame(video, 40, videoFrame('legacy 7', [avcUnit(1, 50)]));
  });
  expect(readBack(bytes).clocks).toEqual([
    { pcr: 9_000_000, isDiscontinuity: false },
    { pcr: 0, isDiscontinuity: true },
    { pcr: 3600, isDiscontinuity: false },
  ]);
});

describe('MP3', () => {
  it.each([
    ['of MPEG-1', mp3Payload, mpeg1Frame, 0x03, 1152 / 44_100],
    ['of MPEG-2', mp3Payload, mpeg2Frame, 0x04, 576 / 22_050],
    [
      'with an enhanced head',
      (frame: Buffer) => Buffer.concat([hex('91'), Buffer.from('.mp3'), frame]),
      mpeg1Frame,
      0x03,
      1152 / 44_100,
    ],
  ] as const)('%s comes back without a header', (_, payload, frame, streamType, seconds) => {
    const frames = Array.from({ length: 50 }, (_one, i) => frame(i + 1));
    const bytes = mux((ts) => {
      for (const [i, one] of frames.entries()) ts.onFrame(audio, Math.floor(i * seconds * 1000), payload(one));
      expect(ts.audioCodec).toBe('mp3');
    });
    const { programs, sounds, pes } = readBack(bytes);
    expect(programs).toEqual([{ version: 0, pcrPid: 0x101, streams: [{ pid: 0x101, streamType }] }]);
    expect(sounds.map(({ data }) => data)).toEqual(frames);
    expect(pes.map((one) => one.pts)).toEqual(pes.map((_one, i) => Math.round(3 * i * seconds * 90_000) + DELAY));
  });

  it('may have several frames in a payload', () => {
    const bytes = mux((ts) => {
      ts.onFrame(audio, 0, mp3Payload(Buffer.concat([mpeg1Frame(1), mpeg1Frame(2)])));
      ts.onFrame(audio, 52, mp3Payload(mpeg1Frame(3)));
    });
    const step = (1152 * 90_000) / 44_100;
    expect(readBack(bytes).sounds.map((one) => one.pts)).toEqual([0, 1, 2].map((i) => Math.round(i * step) + DELAY));
  });

  it('needs no header, and has none that means anything', () => {
    const ts = new FlvToTs({ output: () => {} });
    ts.onHeader(audio, Buffer.concat([hex('90'), Buffer.from('.mp3')]));
    expect(ts.audioCodec).toBeNull();
  });

  it('without frames, or above the limit of a packet, is refused', () => {
    const ts = new FlvToTs({ output: () => {} });
    expect(failureOf(() => ts.onFrame(audio, 0, hex('2f00112233'))).message).toBe(
      'mp3 frame must begin with a header of mpeg audio',
    );
    const large = mp3Payload(Buffer.concat([hex('fffb9000'), Buffer.alloc(65_524)]));
    expect(failureOf(() => ts.onFrame(audio, 0, large)).message).toBe('mp3 frame of 65528 bytes must be at most 65527');
    const largest: Buffer[] = [];
    const other = new FlvToTs({ output: (packets) => largest.push(packets) });
    other.onFrame(audio, 0, large.subarray(0, large.length - 1));
    other.flush();
    expect(largest).toHaveLength(1);
  });
});

it.each([
  ['speex', 'b600'],
  ['nellymoser', '6600'],
  ['g711a', '7600'],
  ['pcm', '3600'],
  ['12', 'c600'],
  ['opus', '914f707573 00'],
  ['flac', '91664c6143 00'],
  ['ac3', '9161632d33 00'],
  ['"zzzz"', '917a7a7a7a 00'],
])('%s is refused, and what follows is muxed', (name, payload) => {
  const bytes = mux((ts) => {
    ts.onHeader(audio, aacHeader());
    const error = failureOf(() => ts.onFrame(audio, 0, hex(payload)));
    expect([error.message, error.code]).toEqual([`audio codec ${name} must be aac or mp3 to be carried in mpeg-ts`, 3001]);
    ts.onFrame(audio, 0, aacFrame(sound));
  });
  expect(readBack(bytes).sounds).toHaveLength(1);
});
