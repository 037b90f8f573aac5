import { type FrameType, frameTypes } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../test/support/failure.ts';
import { FlvToMp4 } from './index.ts';
import {
  aacConfig,
  aacHeader,
  av1Record,
  avcAndAac,
  avcHeader,
  avcRecord,
  bodyAt,
  enhancedAudioHeader,
  enhancedVideoHeader,
  hevcRecord,
  hex,
  opusHead,
  parseBoxes,
} from './mp4-test-support.ts';

const { audio, video, data } = frameTypes;
const mp3Frame = Buffer.concat([hex('2f fffb9064'), Buffer.alloc(413)]);

function muxerOf(type: FrameType, header: Buffer): FlvToMp4 {
  const muxer = new FlvToMp4();
  muxer.onHeader(type, header);
  return muxer;
}

function expectBytes(bytes: Buffer, text: string): void {
  expect(bytes.toString('hex')).toBe(hex(text).toString('hex'));
}

describe('an init segment', () => {
  const init = avcAndAac().initSegment();

  it('is ftyp and moov, with the tracks and their defaults', () => {
    expect(parseBoxes(init).map(({ type }) => type)).toEqual(['ftyp', 'moov']);
    expect(parseBoxes(bodyAt(init, 'moov')).map(({ type }) => type)).toEqual(['mvhd', 'trak', 'trak', 'mvex']);
    expectBytes(bodyAt(init, 'ftyp'), '69736f35 00000200 69736f35 69736f36 6d703431');
    expectBytes(
      bodyAt(init, 'moov/mvex'),
      '00000020 74726578 00000000 00000001 00000001 00000000 00000000 01010000' +
        '00000020 74726578 00000000 00000002 00000001 00000000 00000000 02000000',
    );
  });

  const matrix = '00010000 00000000 00000000 00000000 00010000 00000000 00000000 00000000 40000000';
  it.each([
    [
      'moov/mvhd',
      `00000000 00000000 00000000 000003e8 00000000 00010000 0100 0000 00000000 00000000 ${matrix} ${'00'.repeat(24)} 00000003`,
    ],
    [
      'moov/trak/tkhd',
      `00000003 00000000 00000000 00000001 00000000 00000000 0000000000000000 0000 0000 0000 0000 ${matrix} 01400000 00b40000`,
    ],
    [
      'moov/trak[1]/tkhd',
      `00000003 00000000 00000000 00000002 00000000 00000000 0000000000000000 0000 0000 0100 0000 ${matrix} 00000000 00000000`,
    ],
    ['moov/trak/mdia/mdhd', '00000000 00000000 00000000 00015f90 00000000 55c4 0000'],
    ['moov/trak[1]/mdia/mdhd', '00000000 00000000 00000000 0000ac44 00000000 55c4 0000'],
    ['moov/trak/mdia/hdlr', `00000000 00000000 76696465 ${'00'.repeat(12)} 566964656f48616e646c657200`],
    ['moov/trak[1]/mdia/hdlr', `00000000 00000000 736f756e ${'00'.repeat(12)} 536f756e6448616e646c657200`],
    ['moov/trak/mdia/minf/vmhd', '00000001 0000 0000 0000 0000'],
    ['moov/trak[1]/mdia/minf/smhd', '00000000 0000 0000'],
    ['moov/trak/mdia/minf/dinf', '0000001c 64726566 00000000 00000001 0000000c 75726c20 00000001'],
    ['moov/trak/mdia/minf/stbl/stts', '00000000 00000000'],
    ['moov/trak/mdia/minf/stbl/stsc', '00000000 00000000'],
    ['moov/trak/mdia/minf/stbl/stsz', '00000000 00000000 00000000'],
    ['moov/trak/mdia/minf/stbl/stco', '00000000 00000000'],
    [
      'moov/trak/mdia/minf/stbl/stsd',
      `00000000 00000001 00000089 61766331 000000000000 0001 0000 0000 ${'00'.repeat(12)} 0140 00b4 00480000 00480000 00000000 0001
       ${'00'.repeat(32)} 0018 ffff 00000033 61766343 ${avcRecord.toString('hex')}`,
    ],
    [
      'moov/trak[1]/mdia/minf/stbl/stsd',
      `00000000 00000001 00000057 6d703461 000000000000 0001 0000000000000000 0002 0010 0000 0000 ac440000
       00000033 65736473 00000000 03 80808022 0000 00 04 80808014 40 15 000000 00000000 00000000 05 80808002 1210 06 80808001 02`,
    ],
  ])('has in %s the bytes of the standard', (path, bytes) => {
    expectBytes(bodyAt(init, path), bytes);
  });

  it('has only the tracks that are known', () => {
    expect(parseBoxes(bodyAt(muxerOf(video, avcHeader()).initSegment(), 'moov')).map(({ type }) => type)).toEqual([
      'mvhd',
      'trak',
      'mvex',
    ]);
    const sound = muxerOf(audio, aacHeader()).initSegment();
    expect(bodyAt(sound, 'moov/trak/tkhd').readUInt32BE(12)).toBe(2);
  });

  it('is refused before there is a track', () => {
    const muxer = new FlvToMp4();
    expect(failureOf(() => muxer.initSegment()).message).toBe('mp4 init segment needs the header of a track first');
    expect([muxer.initVersion, muxer.codecs, muxer.videoCodec, muxer.audioCodec]).toEqual([0, '', null, null]);
  });
});

describe('a video header', () => {
  it.each([
    ['H.264', avcHeader(), 'avc', 'avc1.64000d', 'avc1', 'avcC', avcRecord],
    ['enhanced H.264', enhancedVideoHeader('avc1', avcRecord), 'avc', 'avc1.64000d', 'avc1', 'avcC', avcRecord],
    ['enhanced H.265', enhancedVideoHeader('hvc1', hevcRecord), 'hevc', 'hvc1.1.6.L60.90', 'hvc1', 'hvcC', hevcRecord],
    [
      'H.265 as codec 12',
      Buffer.concat([hex('1c 00 000000'), hevcRecord]),
      'hevc',
      'hvc1.1.6.L60.90',
      'hvc1',
      'hvcC',
      hevcRecord,
    ],
    ['H.265 that says it is H.264', avcHeader(hevcRecord), 'hevc', 'hvc1.1.6.L60.90', 'hvc1', 'hvcC', hevcRecord],
    ['AV1', enhancedVideoHeader('av01', av1Record), 'av1', 'av01.0.00M.08', 'av01', 'av1C', av1Record],
  ])('of %s', (_, header, codec, codecs, entryType, configurationType, record) => {
    const muxer = muxerOf(video, header);
    expect([muxer.videoCodec, muxer.codecs]).toEqual([codec, codecs]);
    const [entry] = parseBoxes(bodyAt(muxer.initSegment(), 'moov/trak/mdia/minf/stbl/stsd').subarray(8));
    expect(entry!.type).toBe(entryType);
    expect([entry!.body.readUInt16BE(24), entry!.body.readUInt16BE(26)]).toEqual([320, 180]);
    expectBytes(bodyAt(entry!.body.subarray(78), configurationType), record.toString('hex'));
  });

  it('of AV1 brings its brand', () => {
    const init = muxerOf(video, enhancedVideoHeader('av01', av1Record)).initSegment();
    expect(bodyAt(init, 'ftyp').toString('latin1', 8)).toBe('iso5iso6mp41av01');
  });

  it.each([
    ['avc1', 'avcC', avcRecord],
    ['hvc1', 'hvcC', hevcRecord],
  ])('of %s whose record is of version 0 gets the version that players want', (fourCc, configurationType, record) => {
    const old = Buffer.from(record);
    old[0] = 0;
    const stsd = bodyAt(muxerOf(video, enhancedVideoHeader(fourCc, old)).initSegment(), 'moov/trak/mdia/minf/stbl/stsd');
    expect(bodyAt(stsd.subarray(8 + 8 + 78), configurationType).equals(record)).toBe(true);
  });

  it.each([
    ['17 00', 'video header of 2 bytes ends within its head'],
    ['14 00', 'video codec vp6 (4) must be avc, hevc or av1 to go into mp4'],
    ['90 76703039 00', 'video codec vp9 ("vp09") must be avc, hevc or av1 to go into mp4'],
    ['90 61626364 00', 'video codec unknown ("abcd") must be avc, hevc or av1 to go into mp4'],
    ['95 61763031 80', 'video header of codec av1 is a packet of kind mpeg2ts-sequence-header'],
    ['17 00 000000 01', 'video header is malformed'],
    [`90 61763031 ${'00'.repeat(65_537)}`, 'video header of 65537 bytes must be at most 65536'],
  ])('%.30s is refused', (bytes, message) => {
    const muxer = muxerOf(video, avcHeader());
    const failure = failureOf(() => muxer.onHeader(video, hex(bytes)));
    expect([failure.errorName, failure.message]).toEqual(['HlsDecode', message]);
    expect([muxer.initVersion, muxer.codecs]).toEqual([1, 'avc1.64000d']);
  });
});

describe('an audio header', () => {
  it.each([
    ['AAC', aacHeader(), 'aac', 'mp4a.40.2'],
    ['enhanced AAC', enhancedAudioHeader('mp4a', aacConfig), 'aac', 'mp4a.40.2'],
    ['HE-AAC', aacHeader(hex('2b11 8800')), 'aac', 'mp4a.40.5'],
    ['HE-AAC v2', aacHeader(hex('eb09 8800')), 'aac', 'mp4a.40.29'],
    ['Opus', enhancedAudioHeader('Opus', opusHead), 'opus', 'opus'],
  ])('of %s', (_, header, codec, codecs) => {
    const muxer = muxerOf(audio, header);
    expect([muxer.audioCodec, muxer.codecs]).toEqual([codec, codecs]);
  });

  it('of Opus gives a sample entry with dOps', () => {
    const [entry] = parseBoxes(
      bodyAt(muxerOf(audio, enhancedAudioHeader('Opus', opusHead)).initSegment(), 'moov/trak/mdia/minf/stbl/stsd').subarray(8),
    );
    expect(entry!.type).toBe('Opus');
    expectBytes(
      entry!.body,
      '000000000000 0001 0000000000000000 0002 0010 0000 0000 bb800000 00000013 644f7073 00 02 0138 0000bb80 0000 00',
    );
  });

  it('of a rate beyond 16 bits leaves the rate to the configuration', () => {
    const init = muxerOf(audio, aacHeader(hex('1010'))).initSegment();
    expect(bodyAt(init, 'moov/trak/mdia/mdhd').readUInt32BE(12)).toBe(96_000);
    expect(bodyAt(init, 'moov/trak/mdia/minf/stbl/stsd').readUInt32BE(8 + 8 + 24)).toBe(0);
  });

  it('MP3 has none: its first frame tells', () => {
    const muxer = new FlvToMp4();
    muxer.onHeader(audio, mp3Frame);
    expect(muxer.initVersion).toBe(0);
    muxer.onFrame(audio, 0, mp3Frame);
    expect([muxer.initVersion, muxer.audioCodec, muxer.codecs]).toEqual([1, 'mp3', 'mp4a.6B']);
    expectBytes(
      bodyAt(muxer.initSegment(), 'moov/trak/mdia/minf/stbl/stsd').subarray(8 + 8 + 28),
      '0000002c 65736473 00000000 03 8080801b 0000 00 04 8080800d 6b 15 000000 00000000 00000000 06 80808001 02',
    );
  });

  it('MP3 of MPEG-2 is named for it', () => {
    const muxer = new FlvToMp4();
    muxer.onFrame(audio, 0, Buffer.concat([hex('2b fff38000'), Buffer.alloc(204)]));
    expect(muxer.codecs).toBe('mp4a.69');
  });

  it.each([
    ['af', 'audio header of 1 bytes ends within its head'],
    ['b2 00', 'audio codec speex (11) must be aac, mp3 or opus to go into mp4'],
    ['90 664c6143 00', 'audio codec flac ("fLaC") must be aac, mp3 or opus to go into mp4'],
    ['91 4f707573 fc', 'audio header of codec opus is a packet of kind frames'],
    ['af 00 00', 'audio header is malformed'],
    [`af 00 ${'00'.repeat(65_537)}`, 'audio header of 65537 bytes must be at most 65536'],
  ])('%.30s is refused', (bytes, message) => {
    const muxer = muxerOf(audio, aacHeader());
    const failure = failureOf(() => muxer.onHeader(audio, hex(bytes)));
    expect([failure.errorName, failure.message]).toEqual(['HlsDecode', message]);
    expect([muxer.initVersion, muxer.codecs]).toEqual([1, 'mp4a.40.2']);
  });
});

it('metadata is no header', () => {
  const muxer = new FlvToMp4();
  muxer.onHeader(data, hex('02'));
  muxer.onFrame(data, 0, hex('02'));
  expect([muxer.initVersion, muxer.takeFragment(), muxer.skippedFrames]).toEqual([0, undefined, 0]);
});
