import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../test/support/failure.ts';
import { hex } from './mp4-test-support.ts';
import { mp3FrameEnds, readMp3FrameHead } from './mpeg-audio.ts';
import { opusPacketSamples, readOpusHead } from './opus.ts';

describe('the head of an MP3 frame', () => {
  it.each([
    ['MPEG-1, 128 kbps, 44100 Hz, joint stereo', 'fffb9064', { sampleRate: 44_100, channels: 2, samples: 1152, sizeBytes: 417 }],
    ['the same, padded', 'fffb9264', { sampleRate: 44_100, channels: 2, samples: 1152, sizeBytes: 418 }],
    ['MPEG-1, 320 kbps, 48000 Hz, mono', 'fffbe4c4', { sampleRate: 48_000, channels: 1, samples: 1152, sizeBytes: 960 }],
    ['MPEG-2, 64 kbps, 22050 Hz, with CRC', 'fff28000', { sampleRate: 22_050, channels: 2, samples: 576, sizeBytes: 208 }],
    ['MPEG-2.5, 8 kbps, 8000 Hz', 'ffe318c0', { sampleRate: 8000, channels: 1, samples: 576, sizeBytes: 72 }],
    ['the free format', 'fffb0064', { sampleRate: 44_100, channels: 2, samples: 1152, sizeBytes: 0 }],
  ])('of %s', (_, bytes, head) => {
    expect(readMp3FrameHead(hex(`00 ${bytes}`), 1)).toEqual(head);
  });

  it.each([
    ['layer II', 'fffd9064'],
    ['a reserved version', 'ffeb9064'],
    ['a reserved sample rate', 'fffb9c64'],
    ['a bad bit rate', 'fffbf064'],
    ['no sync word', 'ff1b9064'],
    ['three bytes', 'fffb90'],
  ])('is none with %s', (_, bytes) => {
    expect(readMp3FrameHead(hex(bytes), 0)).toBeUndefined();
  });
});

describe('an MP3 payload', () => {
  const frame = Buffer.concat([hex('fffb9064'), Buffer.alloc(413, 0x55)]);

  it.each([
    ['one frame', [frame], [417]],
    ['two frames', [frame, frame], [417, 834]],
    ['a frame and what is none', [frame, hex('54 41 47 00 00')], [422]],
    ['a frame and a cut one', [frame, frame.subarray(0, 100)], [417, 517]],
    ['a cut frame', [frame.subarray(0, 100)], [100]],
  ])('of %s', (_, parts, ends) => {
    expect(mp3FrameEnds(Buffer.concat(parts))).toEqual(ends);
  });
});

describe('an Opus packet', () => {
  it.each([
    ['CELT, 20 ms', 'fc', 960],
    ['CELT, 2.5 ms', 'e0', 120],
    ['SILK, 60 ms', '18', 2880],
    ['SILK, 10 ms', '00', 480],
    ['hybrid, 10 ms', '60', 480],
    ['hybrid, 20 ms', '68', 960],
    ['two frames of 20 ms', 'fd', 1920],
    ['two frames of unlike size', 'fe', 1920],
    ['three frames of 20 ms', 'ff03', 2880],
    ['more than 120 ms', 'ff07', 0],
    ['a count that is cut off', 'ff', 0],
    ['nothing', '', 0],
  ])('of %s', (_, bytes, samples) => {
    expect(opusPacketSamples(hex(bytes))).toBe(samples);
  });
});

describe('an OpusHead', () => {
  it.each([
    ['stereo', '4f70757348656164 01 02 3801 80bb0000 0000 00', '00 02 0138 0000bb80 0000 00'],
    ['with gain and another input rate', '4f70757348656164 01 01 0001 44ac0000 ff00 00', '00 01 0100 0000ac44 00ff 00'],
    [
      'of six channels in family 1',
      '4f70757348656164 01 06 3801 80bb0000 0000 01 04 02 000401020305',
      '00 06 0138 0000bb80 0000 01 04 02 000401020305',
    ],
  ])('%s becomes the body of dOps', (_, head, body) => {
    expect(readOpusHead(hex(head)).specificBox.toString('hex')).toBe(hex(body).toString('hex'));
  });

  it.each([
    ['4f70757348656164 01 02', 'opus header of 10 bytes must be an OpusHead of at least 19'],
    ['4f70757348656165 01 02 3801 80bb0000 0000 00', 'opus header of 19 bytes must be an OpusHead of at least 19'],
    ['4f70757348656164 01 00 3801 80bb0000 0000 00', 'opus header channels 0 must be 1..255'],
    ['4f70757348656164 01 03 3801 80bb0000 0000 00', 'opus header channels 3 must be 1..2 in family 0'],
    ['4f70757348656164 01 06 3801 80bb0000 0000 01 04 02 0004', 'opus header of 23 bytes must have 27'],
  ])('%s is refused', (head, message) => {
    expect(failureOf(() => readOpusHead(hex(head))).message).toBe(message);
  });
});
