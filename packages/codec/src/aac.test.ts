import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BitWriter } from '../../../test/support/bit-writer.ts';
import { failureOf } from '../../../test/support/failure.ts';
import { aacSampleRates, parseAudioSpecificConfig } from './aac.ts';

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
}

const lc = {
  objectType: 2,
  profileName: 'LC',
  sampleRate: 44_100,
  sampleRateIndex: 4,
  outputSampleRate: 44_100,
  channelConfiguration: 2,
  channels: 2,
  hasSbr: false,
  hasPs: false,
  samplesPerFrame: 1024,
};

describe('parseAudioSpecificConfig', () => {
  it.each([
    ['LC, 44100 Hz, stereo', '1210', lc],
    ['LC that says it has no SBR (FFmpeg)', '121056e500', lc],
    [
      'LC, 48000 Hz, 5.1',
      '11b056e500',
      { ...lc, sampleRate: 48_000, sampleRateIndex: 3, outputSampleRate: 48_000, channelConfiguration: 6, channels: 6 },
    ],
    ['Main', '0a10', { ...lc, objectType: 1, profileName: 'Main' }],
    ['7.1', '1238', { ...lc, channelConfiguration: 7, channels: 8 }],
    ['frames of 960 samples', '1214', { ...lc, samplesPerFrame: 960 }],
    [
      'HE, 22050 Hz doubled, signalled first',
      '2b920800',
      { ...lc, profileName: 'HE', sampleRate: 22_050, sampleRateIndex: 7, hasSbr: true },
    ],
    [
      'HEv2, 24000 Hz doubled, signalled first',
      'eb098800',
      {
        ...lc,
        profileName: 'HEv2',
        sampleRate: 24_000,
        sampleRateIndex: 6,
        outputSampleRate: 48_000,
        channelConfiguration: 1,
        channels: 1,
        hasSbr: true,
        hasPs: true,
      },
    ],
    [
      'HE, signalled behind',
      '139056e5a0',
      { ...lc, profileName: 'HE', sampleRate: 22_050, sampleRateIndex: 7, outputSampleRate: 44_100, hasSbr: true },
    ],
    [
      'HEv2, signalled behind',
      '130856e59d4880',
      {
        ...lc,
        profileName: 'HEv2',
        sampleRate: 24_000,
        sampleRateIndex: 6,
        outputSampleRate: 48_000,
        channelConfiguration: 1,
        channels: 1,
        hasSbr: true,
        hasPs: true,
      },
    ],
    ['low delay', 'ba10', { ...lc, objectType: 23, profileName: 'LD', samplesPerFrame: 512 }],
  ])('%s', (_, bytes, expected) => {
    expect(parseAudioSpecificConfig(hex(bytes))).toEqual(expected);
  });

  it.each(aacSampleRates.map((rate, index) => [rate, index] as const))('%i Hz is index %i', (sampleRate, sampleRateIndex) => {
    const bytes = new BitWriter().bits(5, 2).bits(4, sampleRateIndex).bits(4, 1).bits(3, 0).toBuffer();
    expect(parseAudioSpecificConfig(bytes)).toMatchObject({ sampleRate, sampleRateIndex, outputSampleRate: sampleRate });
  });

  it('reads any rate that is written out, object types above 31, and channels', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 0xffffff }),
        fc.constantFrom(2, 33, 42, 95),
        fc.integer({ min: 1, max: 7 }),
        (rate, type, channels) => {
          const bits = new BitWriter();
          if (type < 31) bits.bits(5, type);
          else bits.bits(5, 31).bits(6, type - 32);
          const bytes = bits.bits(4, 15).bits(24, rate).bits(4, channels).bits(16, 0).toBuffer();
          expect(parseAudioSpecificConfig(bytes)).toMatchObject({
            objectType: type,
            sampleRate: rate,
            sampleRateIndex: 15,
            channels: channels === 7 ? 8 : channels,
          });
        },
      ),
    );
  });

  it('reads the channels of a program config element', () => {
    const bits = new BitWriter().bits(5, 2).bits(4, 3).bits(4, 0).flag(false).flag(false).flag(false);
    bits.bits(4, 0).bits(2, 1).bits(4, 3).bits(4, 2).bits(4, 1).bits(4, 1).bits(2, 1).bits(3, 1).bits(4, 1);
    bits.flag(true).bits(4, 1).flag(false).flag(true).bits(3, 1);
    bits.flag(false).bits(4, 0).flag(true).bits(4, 0).flag(true).bits(4, 1).flag(true).bits(4, 2);
    bits.bits(4, 0).bits(4, 0).bits(5, 0);
    const bytes = Buffer.concat([bits.toBuffer(), hex('02 6162')]);
    // Front: one single, one pair; side: a pair; back: a pair; and the low frequencies.
    expect(parseAudioSpecificConfig(bytes)).toMatchObject({ channelConfiguration: 0, channels: 8 });
    expect(parseAudioSpecificConfig(Buffer.concat([bytes, hex('56e598')]))).toMatchObject({
      channels: 8,
      hasSbr: true,
      outputSampleRate: 48_000,
    });
  });

  it('tells no channels when the program config element is cut', () => {
    expect(parseAudioSpecificConfig(hex('1180'))).toMatchObject({ channelConfiguration: 0, channels: 0 });
  });

  it('ignores an SBR signal that is cut', () => {
    expect(parseAudioSpecificConfig(hex('139056e5'))).toMatchObject({
      profileName: 'LC',
      hasSbr: false,
      outputSampleRate: 22_050,
    });
  });

  it.each([
    ['', 'aac configuration of 0 bytes ends within a field of 5 bits'],
    ['12', 'aac configuration of 1 bytes ends within a field of 4 bits'],
    ['0210', 'aac configuration object type 0 must be 1..95'],
    ['1690', 'aac configuration sample rate index 13 must be 0..12 or 15'],
    ['1780 0000 00', 'aac configuration sample rate 0 must be 1..16777215'],
    ['1240', 'aac configuration channels 8 must be 0..7 or 11..14'],
    ['1780', 'aac configuration of 2 bytes ends within a field of 24 bits'],
    ['2b92', 'aac configuration of 2 bytes ends within a field of 4 bits'],
  ])('%j is refused', (text, message) => {
    const error = failureOf(() => parseAudioSpecificConfig(hex(text)));
    expect([error.message, error.code]).toEqual([message, 3005]);
  });
});
