import { type FrameType, frameFlags, frameTypes } from '@srs/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../test/support/failure.ts';
import { fuzz } from '../../../test/support/fuzz.ts';
import {
  classifyFrame,
  describeAudio,
  describeAudioTracks,
  describeSequenceHeader,
  describeVideo,
  describeVideoTracks,
  parseVideoConfiguration,
} from './index.ts';

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
}

const { keyFrame, sequenceHeader, videoMetadata, endOfSequence } = frameFlags;
const avc1 = '61766331';
const hvc1 = '68766331';
const av01 = '61763031';
const opus = '4f707573';
const mp4a = '6d703461';

const avcRecord = '0164001effe1001a6764001eacd940a02ff97011000003000100000300320f162d9601000668ebe3cb22c0fdf8f800';
const hevcRecord =
  '0101600000009000000000003ff000fcfdf8f800000f03200001001840010c01ffff01600000030090000003000003003f959809210001002c4201010160' +
  '0000030090000003000003003fa005120169c9596566924caf016808000003000800000300c84022000100074401c172b46240';

describe('classifyFrame', () => {
  const video: readonly (readonly [name: string, payload: string, flags: number])[] = [
    ['nothing', '', 0],
    ['an H.264 sequence header', `17 00 000000 ${avcRecord}`, sequenceHeader],
    ['an H.264 sequence header of two bytes', '17 00', sequenceHeader],
    ['an H.264 key frame', '17 01 000000 00000001 65', keyFrame],
    ['an empty H.264 access unit', '17 01 000000', 0],
    ['an H.264 inter frame', '27 01 000000 00000001 41', 0],
    ['an H.264 end of sequence', '17 02 000000', endOfSequence],
    ['an H.264 head of one byte', '17', 0],
    ['a header that is no key frame', '27 00 000000', 0],
    ['a legacy H.265 sequence header', '1c 00 000000 01', sequenceHeader],
    ['a legacy H.265 key frame', '1c 01 000000 00', keyFrame],
    ['an H.263 key frame', '12 00', keyFrame],
    ['a legacy head alone', '12', 0],
    ['an unknown H.264 packet', '17 03 000000 00', 0],
    ['a VP6 key frame', '14 00 00', keyFrame],
    ['a VP6 inter frame', '24 00 00', 0],
    ['a command', '57 00', 0],
    ['a command that looks like an end of sequence', '57 02 000000', 0],
    ['an enhanced sequence start', `90 ${hvc1} 01`, sequenceHeader],
    ['an enhanced key frame', `91 ${hvc1} 000000 01`, keyFrame],
    ['an enhanced key frame without composition time', `93 ${av01} 01`, keyFrame],
    ['an enhanced inter frame', `a3 ${av01} 01`, 0],
    ['an empty enhanced key frame', `93 ${av01}`, 0],
    ['an enhanced end of sequence', `92 ${avc1}`, endOfSequence],
    ['enhanced metadata, whatever its frame type', `d4 ${hvc1} 02`, videoMetadata],
    ['an MPEG-2 TS sequence start', `95 ${av01} 80`, sequenceHeader],
    ['an enhanced command', 'd1 00', 0],
    ['an unknown FourCC', '91 7a7a7a7a 01020304', keyFrame],
    ['an enhanced key frame of a composition time only', `91 ${avc1} 000000`, 0],
    ['an enhanced head that is cut', '90 6176', 0],
    ['a modifier, then a key frame', `97 02 000102 01 ${avc1} 000000 01`, keyFrame],
    ['a long modifier, then a sequence start', `97 ff 0100 ${'00'.repeat(257)} 00 ${avc1} 01`, sequenceHeader],
    ['a modifier that is cut', '97 02 0001', 0],
    ['a modifier without size', '97', 0],
    ['17 modifiers', `97 ${'00 00 07'.repeat(16)} 00 00 03 ${avc1} 01`, 0],
    ['16 modifiers', `97 ${'00 00 07'.repeat(15)} 00 00 03 ${avc1} 01`, keyFrame],
    ['one track, the default one', `96 01 ${avc1} 00 000000 01`, keyFrame],
    ['one track, another one', `96 01 ${avc1} 01 000000 01`, 0],
    ['one track without body', `96 03 ${avc1} 00`, 0],
    ['many tracks, the default one last', `96 13 ${avc1} 01 000001 aa 00 000001 bb`, keyFrame],
    ['many tracks, the default one empty', `96 13 ${avc1} 01 000001 aa 00 000000`, 0],
    ['many tracks without the default one', `96 13 ${avc1} 01 000001 aa 02 000001 bb`, 0],
    ['many codecs, the default one last', `96 20 ${avc1} 01 000001 aa ${hvc1} 00 000001 bb`, sequenceHeader],
    ['a default track that is cut', `96 13 ${avc1} 00 000002 aa`, 0],
    ['many tracks that are cut', `96 13 ${avc1} 01 ffffff aa`, 0],
    ['multitrack metadata', `d6 04 ${hvc1} 00 02`, videoMetadata],
    ['multitrack that is cut', '96', 0],
  ];

  it.each(video)('video: %s', (_, payload, flags) => {
    expect(classifyFrame(frameTypes.video, hex(payload))).toBe(flags);
  });

  const audio: readonly (readonly [name: string, payload: string, flags: number])[] = [
    ['nothing', '', 0],
    ['an AAC sequence header', 'af 00 1210', sequenceHeader],
    ['an AAC frame', 'af 01 21', 0],
    ['an AAC head of one byte', 'af', 0],
    ['MP3', '2f ff fb', 0],
    ['an enhanced sequence start', `90 ${opus} 4f`, sequenceHeader],
    ['an enhanced frame', `91 ${opus} 4f`, 0],
    ['an enhanced end of sequence', `92 ${opus}`, endOfSequence],
    ['a multichannel configuration', `94 ${opus} 01`, 0],
    ['multitrack, the default one', `95 00 ${mp4a} 00 1210`, sequenceHeader],
    ['multitrack, another one', `95 00 ${mp4a} 01 1210`, 0],
    ['a modifier, then a sequence start', `97 00 00 00 ${mp4a} 1210`, sequenceHeader],
    ['an enhanced head that is cut', '90 4f', 0],
  ];

  it.each(audio)('audio: %s', (_, payload, flags) => {
    expect(classifyFrame(frameTypes.audio, hex(payload))).toBe(flags);
  });

  it('data has no flags', () => {
    expect(classifyFrame(frameTypes.data, hex('17 00 000000'))).toBe(0);
  });

  it('agrees with what describes the tag', () => {
    const payloads = fc.oneof(fc.uint8Array({ maxLength: 24 }), fc.constantFrom(...video.map(([, payload]) => hex(payload))));
    fc.assert(
      fc.property(payloads, (bytes) => {
        const payload = Buffer.from(bytes);
        const flags = classifyFrame(frameTypes.video, payload);
        const tag = describeVideoTracks(payload).find(({ trackId }) => trackId === 0);
        if (tag === undefined) return;
        const dataBytes = tag.dataEnd - tag.dataOffset;
        // The class does not ask which codecs have a composition time, and takes so little for one.
        if (tag.isEnhanced && dataBytes > 0 && dataBytes <= 3) return;
        expect((flags & keyFrame) !== 0).toBe(tag.isKeyFrame && tag.packet === 'frames' && dataBytes > 0);
        if (tag.isEnhanced) expect((flags & sequenceHeader) !== 0).toBe(tag.packet.endsWith('sequence-header'));
        expect((flags & videoMetadata) !== 0).toBe(tag.packet === 'metadata');
        expect((flags & endOfSequence) !== 0).toBe(tag.packet === 'end-of-sequence');
      }),
      { numRuns: 2000 },
    );
  });
});

describe('describeVideo', () => {
  const legacy = {
    codec: 'avc',
    codecId: 7,
    fourCc: '',
    frameType: 1,
    isKeyFrame: true,
    packet: 'frames',
    compositionTimeMs: 0,
    timestampOffsetNanos: 0,
    isEnhanced: false,
    isMultitrack: false,
    trackId: 0,
    dataOffset: 5,
    dataEnd: 6,
  };
  const enhanced = { ...legacy, codecId: 0, fourCc: 'avc1', isEnhanced: true, dataOffset: 8, dataEnd: 9 };

  it.each([
    ['H.264', '17 01 000000 aa', legacy],
    ['a negative composition time', '27 01 fffff6 aa', { ...legacy, frameType: 2, isKeyFrame: false, compositionTimeMs: -10 }],
    ['an H.264 header', '17 00 000010 aa', { ...legacy, packet: 'sequence-header' }],
    ['an H.264 end', '17 02 000000 aa', { ...legacy, packet: 'end-of-sequence' }],
    ['an unknown packet', '17 03 000000 aa', { ...legacy, packet: 'unknown' }],
    ['legacy H.265', '1c 01 000005 aa', { ...legacy, codec: 'hevc', codecId: 12, compositionTimeMs: 5 }],
    ['H.263', '22 aa', { ...legacy, codec: 'h263', codecId: 2, frameType: 2, isKeyFrame: false, dataOffset: 1, dataEnd: 2 }],
    ['an unknown codec', '1f aa', { ...legacy, codec: 'unknown', codecId: 15, dataOffset: 1, dataEnd: 2 }],
    ['a command', '57 00', { ...legacy, frameType: 5, isKeyFrame: false, packet: 'command', dataOffset: 1, dataEnd: 2 }],
    ['enhanced H.264', `91 ${avc1} 00000a aa`, { ...enhanced, compositionTimeMs: 10 }],
    ['enhanced H.265', `91 ${hvc1} fffffe aa`, { ...enhanced, codec: 'hevc', fourCc: 'hvc1', compositionTimeMs: -2 }],
    ['enhanced H.266', '91 76766331 000000 aa', { ...enhanced, codec: 'vvc', fourCc: 'vvc1' }],
    ['AV1, which has no composition time', `91 ${av01} 00000a aa`, { ...enhanced, codec: 'av1', fourCc: 'av01', dataOffset: 5 }],
    ['VP8', '91 76703038 aa', { ...enhanced, codec: 'vp8', fourCc: 'vp08', dataOffset: 5, dataEnd: 6 }],
    [
      'VP9',
      'a1 76703039 aa',
      { ...enhanced, codec: 'vp9', fourCc: 'vp09', frameType: 2, isKeyFrame: false, dataOffset: 5, dataEnd: 6 },
    ],
    ['coded frames without composition time', `93 ${avc1} aa`, { ...enhanced, dataOffset: 5, dataEnd: 6 }],
    ['an unknown FourCC', '91 7a7a7a7a aa', { ...enhanced, codec: 'unknown', fourCc: 'zzzz', dataOffset: 5, dataEnd: 6 }],
    [
      'metadata',
      `94 ${hvc1} 02`,
      { ...enhanced, codec: 'hevc', fourCc: 'hvc1', isKeyFrame: false, packet: 'metadata', dataOffset: 5, dataEnd: 6 },
    ],
    [
      'a timestamp offset in nanoseconds',
      `97 02 0f423f 01 ${avc1} 000000 aa`,
      { ...enhanced, timestampOffsetNanos: 999_999, dataOffset: 13, dataEnd: 14 },
    ],
    ['one track', `96 01 ${avc1} 03 000000 aa`, { ...enhanced, isMultitrack: true, trackId: 3, dataOffset: 10, dataEnd: 11 }],
    [
      'the default one of many tracks',
      `96 13 ${avc1} 01 000001 aa 00 000002 bbcc`,
      { ...enhanced, isMultitrack: true, dataOffset: 15, dataEnd: 17 },
    ],
  ])('%s', (_, payload, expected) => {
    expect(describeVideo(hex(payload))).toEqual(expected);
  });

  it.each(['', '17', '1701', '17010000', '9061', '90617663', '97', '9702', '96', `9601${avc1}`, `91${avc1}0000`])(
    '%j is too short',
    (payload) => {
      expect(describeVideo(hex(payload))).toBeUndefined();
    },
  );

  it('gives every track, each with its codec', () => {
    const tracks = describeVideoTracks(hex(`96 21 ${avc1} 00 000004 00000a aa ${av01} 07 000002 bbcc ${hvc1} 08 ffffff`));
    expect(
      tracks.map(({ codec, trackId, compositionTimeMs, dataOffset, dataEnd }) => [
        codec,
        trackId,
        compositionTimeMs,
        dataOffset,
        dataEnd,
      ]),
    ).toEqual([
      ['avc', 0, 10, 13, 14],
      ['av1', 7, 0, 22, 24],
    ]);
  });

  it('gives at most 256 tracks', () => {
    expect(describeVideoTracks(hex(`96 13 ${avc1} ${'00000000'.repeat(1000)}`))).toHaveLength(256);
  });
});

describe('describeAudio', () => {
  const aac = {
    codec: 'aac',
    soundFormat: 10,
    fourCc: '',
    packet: 'frames',
    sampleRate: 44_100,
    channels: 2,
    sampleSizeBits: 16,
    timestampOffsetNanos: 0,
    isEnhanced: false,
    isMultitrack: false,
    trackId: 0,
    dataOffset: 2,
    dataEnd: 3,
  };
  const plain = { ...aac, dataOffset: 1, dataEnd: 2 };
  const enhanced = {
    ...aac,
    soundFormat: 9,
    sampleRate: 0,
    channels: 0,
    sampleSizeBits: 0,
    isEnhanced: true,
    dataOffset: 5,
    dataEnd: 6,
  };

  it.each([
    ['AAC', 'af 01 aa', aac],
    ['an AAC header', 'af 00 aa', { ...aac, packet: 'sequence-header' }],
    ['an unknown AAC packet', 'af 02 aa', { ...aac, packet: 'unknown' }],
    ['MP3, 22050 Hz, mono', '2a aa', { ...plain, codec: 'mp3', soundFormat: 2, sampleRate: 22_050, channels: 1 }],
    ['MP3 of 8 kHz', 'ef aa', { ...plain, codec: 'mp3', soundFormat: 14, sampleRate: 8000 }],
    ['PCM of 8 bits', '30 aa', { ...plain, codec: 'pcm', soundFormat: 3, sampleRate: 5512, channels: 1, sampleSizeBits: 8 }],
    ['ADPCM', '17 aa', { ...plain, codec: 'adpcm', soundFormat: 1, sampleRate: 11_025 }],
    ['G.711 A', '72 aa', { ...plain, codec: 'g711a', soundFormat: 7, sampleRate: 8000, channels: 1 }],
    ['Speex', 'b2 aa', { ...plain, codec: 'speex', soundFormat: 11, sampleRate: 16_000, channels: 1 }],
    ['an unknown format', 'cf aa', { ...plain, codec: 'unknown', soundFormat: 12 }],
    ['Opus', `91 ${opus} aa`, { ...enhanced, codec: 'opus', fourCc: 'Opus' }],
    ['a FLAC header', '90 664c6143 aa', { ...enhanced, codec: 'flac', fourCc: 'fLaC', packet: 'sequence-header' }],
    ['AC-3', '91 61632d33 aa', { ...enhanced, codec: 'ac3', fourCc: 'ac-3' }],
    ['E-AC-3', '91 65632d33 aa', { ...enhanced, codec: 'eac3', fourCc: 'ec-3' }],
    ['enhanced AAC', `91 ${mp4a} aa`, { ...enhanced, fourCc: 'mp4a' }],
    ['enhanced MP3', '91 2e6d7033 aa', { ...enhanced, codec: 'mp3', fourCc: '.mp3' }],
    [
      'a multichannel configuration',
      `94 ${opus} aa`,
      { ...enhanced, codec: 'opus', fourCc: 'Opus', packet: 'multichannel-config' },
    ],
    ['an end of sequence', `92 ${opus}`, { ...enhanced, codec: 'opus', fourCc: 'Opus', packet: 'end-of-sequence', dataEnd: 5 }],
    [
      'a modifier and one track',
      `97 02 000001 05 01 ${opus} 02 aa`,
      {
        ...enhanced,
        codec: 'opus',
        fourCc: 'Opus',
        timestampOffsetNanos: 1,
        isMultitrack: true,
        trackId: 2,
        dataOffset: 12,
        dataEnd: 13,
      },
    ],
  ])('%s', (_, payload, expected) => {
    expect(describeAudio(hex(payload))).toEqual(expected);
  });

  it.each(['', 'af', '90', '904f7075', '97', '95'])('%j is too short', (payload) => {
    expect(describeAudio(hex(payload))).toBeUndefined();
  });

  it('gives every track', () => {
    expect(
      describeAudioTracks(hex(`95 11 ${opus} 00 000001 aa 01 000000`)).map(({ trackId, dataEnd, dataOffset }) => [
        trackId,
        dataEnd - dataOffset,
      ]),
    ).toEqual([
      [0, 1],
      [1, 0],
    ]);
  });
});

describe('describeSequenceHeader', () => {
  it.each<readonly [FrameType, string, string]>([
    [frameTypes.video, `17 00 000000 ${avcRecord}`, '52B video sh, codec(7, profile=High, level=3, 640x360, 0kbps, 25fps)'],
    [frameTypes.video, `1c 00 000000 ${hevcRecord}`, '118B video sh, codec(12, profile=Main, level=2.1, 642x358, 0kbps, 0fps)'],
    [
      frameTypes.video,
      `17 00 000000 ${hevcRecord}`,
      '118B video sh, codec(7 (hevc), profile=Main, level=2.1, 642x358, 0kbps, 0fps)',
    ],
    [frameTypes.video, `90 ${hvc1} ${hevcRecord}`, '118B video sh, codec(hvc1, profile=Main, level=2.1, 642x358, 0kbps, 0fps)'],
    [
      frameTypes.video,
      `90 ${av01} 81010c000a0b0000000cc5036536be4010`,
      '22B video sh, codec(av01, profile=Main, level=2.1, 642x358, 0kbps, 0fps)',
    ],
    [frameTypes.video, '90 76703039 00', '6B video sh, codec(vp09)'],
    [frameTypes.video, `95 ${av01} 80`, '6B video sh, codec(av01)'],
    [
      frameTypes.audio,
      'af 00 1210',
      '4B audio sh, codec(10, profile=LC, 2channels, 0kbps, 44100HZ), flv(16bits, 2channels, 44100HZ)',
    ],
    [frameTypes.audio, `90 ${mp4a} 1190`, '7B audio sh, codec(mp4a, profile=LC, 2channels, 0kbps, 48000HZ)'],
    [frameTypes.audio, `90 ${opus} 4f`, '6B audio sh, codec(Opus)'],
    [frameTypes.data, '02', '1B data'],
  ])('%i %s', (type, payload, line) => {
    expect(describeSequenceHeader(type, hex(payload))).toBe(line);
  });

  it('takes from the metadata what the header does not tell', () => {
    const hints = { kbps: 499.6, frameRate: 24 };
    expect(describeSequenceHeader(frameTypes.video, hex(`1c 00 000000 ${hevcRecord}`), hints)).toMatch(
      /642x358, 500kbps, 24fps\)$/,
    );
    expect(describeSequenceHeader(frameTypes.video, hex(`17 00 000000 ${avcRecord}`), hints)).toMatch(
      /640x360, 500kbps, 25fps\)$/,
    );
    expect(describeSequenceHeader(frameTypes.audio, hex('af 00 1210'), hints)).toMatch(/2channels, 500kbps, 44100HZ\), flv/);
  });

  it.each<readonly [FrameType, string, string]>([
    [frameTypes.video, '', 'AvcConfig'],
    [frameTypes.video, '1700', 'AvcConfig'],
    [frameTypes.video, '1700000000', 'AvcConfig'],
    [frameTypes.video, '1c00000000', 'HevcConfig'],
    [frameTypes.video, `90${av01}`, 'Av1Config'],
    [frameTypes.audio, '', 'AacConfig'],
    [frameTypes.audio, 'af00', 'AacConfig'],
    [frameTypes.audio, 'af0012', 'AacConfig'],
  ])('%i %j is refused', (type, payload, name) => {
    expect(failureOf(() => describeSequenceHeader(type, hex(payload))).errorName).toBe(name);
  });

  it('gives the configuration by codec', () => {
    const payload = hex(`17 00 000000 ${hevcRecord}`);
    expect(parseVideoConfiguration(describeVideo(payload)!, payload)).toMatchObject({
      codec: 'hevc',
      width: 642,
      vps: [{ length: 24 }],
    });
    const vp9 = hex('90 76703039 00');
    expect(parseVideoConfiguration(describeVideo(vp9)!, vp9)).toEqual({ codec: 'vp9' });
  });
});

it('mutated payloads give facts or an SrsError', () => {
  const samples = [
    hex(`17 00 000000 ${avcRecord}`),
    hex(`1c 00 000000 ${hevcRecord}`),
    hex(`90 ${hvc1} ${hevcRecord}`),
    hex(`90 ${av01} 81010c000a0b0000000cc5036536be4010`),
    hex(`97 02 0f423f 06 20 ${avc1} 00 000030 ${avcRecord} ${av01} 07 000002 bbcc`),
    hex(`95 11 ${opus} 00 000001 aa 01 000000`),
    hex('af 00 121056e500'),
    hex('af 00 130856e59d4880'),
    hex(`90 ${mp4a} 2b920800`),
  ];
  const types = [frameTypes.audio, frameTypes.video] as const;
  const result = fuzz({ samples, count: 200_000, timeBoxMs: 20_000, maxGrowthBytes: 16 * 1024 * 1024 }, (input, random) => {
    const type = types[random.below(2)]!;
    classifyFrame(type, input);
    for (const { dataOffset, dataEnd } of [...describeVideoTracks(input), ...describeAudioTracks(input)]) {
      if (dataOffset > dataEnd || dataEnd > input.length) throw new Error(`data ${dataOffset}..${dataEnd} of ${input.length}`);
    }
    describeSequenceHeader(type, input);
  });
  expect(result.accepted).toBeGreaterThan(10_000);
  expect(result.refused).toBeGreaterThan(10_000);
}, 30_000);
