import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../test/support/failure.ts';
import { accessUnitsOf } from './access-unit-reader.ts';
import { readMpegAudioHeader } from './mpeg-audio.ts';
import { hex, mpeg1Frame, mpeg2Frame } from './mpegts-test-support.ts';

describe('a header of MPEG audio', () => {
  it.each([
    ['MPEG-1 layer III, 128 kbit/s, 44.1 kHz', 'fffb9000', true, 44_100, 1152, 417],
    ['the same with padding', 'fffb9200', true, 44_100, 1152, 418],
    ['the same with a checksum', 'fffa9000', true, 44_100, 1152, 417],
    ['MPEG-1 layer III, 320 kbit/s, 48 kHz', 'fffbe400', true, 48_000, 1152, 960],
    ['MPEG-1 layer III, 32 kbit/s, 32 kHz', 'fffb1800', true, 32_000, 1152, 144],
    ['MPEG-1 layer II, 192 kbit/s, 48 kHz', 'fffda400', true, 48_000, 1152, 576],
    ['MPEG-1 layer I, 448 kbit/s, 44.1 kHz', 'ffffe000', true, 44_100, 384, 484],
    ['MPEG-2 layer III, 64 kbit/s, 22.05 kHz', 'fff38000', false, 22_050, 576, 208],
    ['MPEG-2 layer II, 160 kbit/s, 24 kHz', 'fff5e400', false, 24_000, 1152, 960],
    ['MPEG-2 layer I, 256 kbit/s, 16 kHz', 'fff7e800', false, 16_000, 384, 768],
    ['MPEG-2.5 layer III, 8 kbit/s, 8 kHz', 'ffe31800', false, 8000, 576, 72],
    ['MPEG-1 layer III of any rate', 'fffb0000', true, 44_100, 1152, 0],
  ])('%s', (_, header, isMpeg1, sampleRate, samples, frameBytes) => {
    expect(readMpegAudioHeader(hex(header), 0, 4)).toEqual({ isMpeg1, sampleRate, samples, frameBytes });
  });

  it.each([
    ['no sync', 'fedb9000'],
    ['half a sync', 'ff1b9000'],
    ['a reserved version', 'ffeb9000'],
    ['a reserved layer', 'fff99000'],
    ['a bad rate of bits', 'fffbf000'],
    ['a reserved rate of samples', 'fffb9c00'],
    ['three bytes', 'fffb90'],
  ])('is not seen in %s', (_, bytes) => {
    expect(readMpegAudioHeader(hex(bytes), 0, hex(bytes).length)).toBeUndefined();
  });
});

describe('MPEG audio frames in a PES packet', () => {
  const pes = (payload: Buffer, streamType = 0x03) => {
    const facts = { pid: 0x101, isRandomAccess: false, clock: undefined, streamId: 0xc0 };
    return accessUnitsOf({ ...facts, streamType, pts: 900, dts: 900, payload });
  };

  it('are timed one behind the other', () => {
    const frames = [mpeg1Frame(1), mpeg1Frame(2), mpeg1Frame(3)];
    expect(pes(Buffer.concat(frames))).toEqual(
      frames.map((data, i) => ({
        codec: 'mp3',
        pts: 900 + Math.round(i * 1152 * (90_000 / 44_100)),
        dts: 900 + Math.round(i * 1152 * (90_000 / 44_100)),
        sampleRate: 44_100,
        data,
      })),
    );
    expect(pes(mpeg2Frame(), 0x04)).toMatchObject([{ sampleRate: 22_050 }]);
  });

  it.each([
    ['without a header', hex('00112233'), 'ts mpeg audio frame at 417 must begin with a header'],
    ['that are cut', mpeg1Frame().subarray(0, 400), 'ts mpeg audio frame at 417 has length 417, 400 are left'],
    ['of any rate', hex('fffb0000ff'), 'ts mpeg audio frame at 417 has length 0, 5 are left'],
  ])('%s are refused', (_, bytes, message) => {
    expect(failureOf(() => pes(Buffer.concat([mpeg1Frame(), bytes]))).message).toBe(message);
  });

  it('of a stream type that is not known are refused', () => {
    expect(failureOf(() => pes(mpeg1Frame(), 0x81)).message).toBe('ts stream type 129 of pid 257 is not known');
  });
});
