import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../test/support/failure.ts';
import { fuzz } from '../../../test/support/fuzz.ts';
import { type Mp4Index, readMp4Index } from './index.ts';
import { audioTrack, fragmentedFile, indexOf, plain, videoTrack } from './index-test-support.ts';
import { avcEntry, buildFile, editList, esds, longBox, testBox, words } from './mp4-file-test-support.ts';
import { hex } from './mp4-test-support.ts';

describe('a file is refused', () => {
  const replaced = (name: string, box: Buffer) => buildFile({ tracks: [{ ...videoTrack, replaced: { [name]: box } }] });
  const nothing = Buffer.alloc(0);
  const moovHead = Buffer.from(plain);
  moovHead.writeUInt32BE(plain.length, moovHead.indexOf('moov') - 4);
  const fragment = (...trafBoxes: readonly Buffer[]) =>
    Buffer.concat([buildFile({ tracks: [videoTrack] }), testBox('moof', testBox('traf', ...trafBoxes))]);

  it.each([
    ['empty', nothing, 'mp4 file of 0 bytes has no moov'],
    ['without moov', plain.subarray(0, 28), 'mp4 file of 28 bytes has no moov'],
    ['with a cut moov', plain.subarray(0, plain.length - 1), /^mp4 moov of \d+ bytes must be at most \d+, where the file ends$/],
    ['with a moov beyond its end', moovHead, /^mp4 moov of \d+ bytes must be at most \d+, where the file ends$/],
    ['with a box of size 7', hex('00000007 66726565'), 'mp4 box free size 7 must be at least 8'],
    ['with a long box of size 8', hex('00000001 66726565 0000000000000008'), 'mp4 box free size 8 must be at least 16'],
    ['with a long size that is cut', hex('00000001 00020304 00'), 'mp4 box 0x00020304 ends within its long size'],
    ['without mvhd', testBox('moov', nothing), 'mp4 box mvhd is missing'],
    ['with a cut mvhd', testBox('moov', testBox('mvhd', words(0))), 'mp4 box mvhd ends within its fields'],
    [
      'with a movie clock of 0',
      testBox('moov', testBox('mvhd', words(0, 0, 0, 0))),
      'mp4 box mvhd time scale 0 must be 1..4294967295',
    ],
    ['without tracks', buildFile({ tracks: [] }), 'mp4 file has no track of avc, hevc, aac or mp3 (it has none at all)'],
    [
      'with unknown tracks only',
      buildFile({ tracks: [{ ...videoTrack, entry: testBox('vp09', nothing) }] }),
      'mp4 file has no track of avc, hevc, aac or mp3 (track 1: vp09)',
    ],
    ['with two tracks of one id', buildFile({ tracks: [videoTrack, videoTrack] }), 'mp4 file has two tracks 1'],
    [
      'with too many tracks',
      buildFile({ tracks: Array.from({ length: 65 }, (_, i) => ({ ...videoTrack, trackId: i })) }),
      'mp4 file has more than 64 tracks',
    ],
    [
      'with a box larger than its parent',
      testBox('moov', testBox('mvhd', words(0, 0, 0, 1)), words(99, 0x7472616b)),
      'mp4 box trak of 99 bytes must be at most 8',
    ],
    ['without tkhd', replaced('tkhd', nothing), 'mp4 box tkhd is missing'],
    [
      'with a track clock of 0',
      replaced('mdhd', testBox('mdhd', words(0, 0, 0, 0, 0))),
      'mp4 box mdhd time scale 0 must be 1..4294967295',
    ],
    ['without stsd', replaced('stsd', nothing), 'mp4 box stsd is missing'],
    [
      'with two sample descriptions',
      replaced('stsd', testBox('stsd', words(0, 2), avcEntry, avcEntry)),
      'mp4 track 1 has 2 sample descriptions, must have 1',
    ],
    [
      'without sample description',
      replaced('stsd', testBox('stsd', words(0, 1))),
      'mp4 track 1 has 0 sample descriptions, must have 1',
    ],
    [
      'with a cut entry',
      replaced('stsd', testBox('stsd', words(0, 1), testBox('avc1', Buffer.alloc(70)))),
      'mp4 box avc1 ends within its fields',
    ],
    [
      'without avcC',
      replaced('stsd', testBox('stsd', words(0, 1), testBox('avc1', Buffer.alloc(78)))),
      'mp4 box avc1/avcC is missing',
    ],
    [
      'without esds',
      replaced('stsd', testBox('stsd', words(0, 1), testBox('mp4a', Buffer.alloc(28)))),
      'mp4 box mp4a/esds is missing',
    ],
    [
      'with AAC that is not configured',
      replaced('stsd', testBox('stsd', words(0, 1), testBox('mp4a', Buffer.alloc(28), esds(0x40, nothing)))),
      'mp4 box esds has no audio configuration',
    ],
    [
      'with another descriptor',
      replaced('stsd', testBox('stsd', words(0, 1), testBox('mp4a', Buffer.alloc(28), testBox('esds', words(0), hex('0400'))))),
      'mp4 box esds descriptor 4 must be 3',
    ],
    [
      'with three edits',
      replaced('edts', testBox('edts', editList(Array(3).fill({ duration: 1, mediaTime: -1 })))),
      'mp4 track 1 has 3 edits, must have at most 2',
    ],
    [
      'with two edits of media',
      replaced('edts', testBox('edts', editList(Array(2).fill({ duration: 1, mediaTime: 0 })))),
      'mp4 track 1 has an edit behind the one that shows the media',
    ],
    [
      'with a cut edit list',
      replaced('edts', testBox('edts', testBox('elst', words(0, 1, 0)))),
      'mp4 box elst ends within its fields',
    ],
    ['without sizes', replaced('sizes', nothing), 'mp4 box stz2 is missing'],
    [
      'with more sizes than the box holds',
      replaced('sizes', testBox('stsz', words(0, 0, 0xffffffff, 1))),
      'mp4 box stsz entries 4294967295 must be at most 1, as its size tells',
    ],
    [
      'with more samples of one size than the file holds',
      replaced('sizes', testBox('stsz', words(0, 9999, 5))),
      /^mp4 track 1 has 5 samples of 9999 bytes, the file \d+$/,
    ],
    ['with sizes of 5 bits', replaced('sizes', testBox('stz2', words(0, 5, 1))), 'mp4 box stz2 field size 5 must be 4, 8 or 16'],
    [
      'with more compact sizes than the box holds',
      replaced('sizes', testBox('stz2', words(0, 4, 9), Buffer.alloc(4))),
      'mp4 box stz2 entries 5 must be at most 4, as its size tells',
    ],
    ['without offsets', replaced('offsets', nothing), 'mp4 box co64 is missing'],
    [
      'with more offsets than the box holds',
      replaced('offsets', testBox('stco', words(0, 2, 1))),
      'mp4 box stco entries 2 must be at most 1, as its size tells',
    ],
    [
      'with an offset beyond 2^53',
      replaced('offsets', testBox('co64', words(0, 1, 0x200000, 2))),
      'mp4 box co64 value 9007199254740994 must be at most 9007199254740991',
    ],
    [
      'with samples beyond the end',
      replaced('offsets', testBox('stco', words(0, 4, 0, 0, 0, 9000))),
      /^mp4 track 1 has samples up to 9005, the file has \d+ bytes$/,
    ],
    ['without stsc', replaced('stsc', nothing), 'mp4 box stsc is missing'],
    [
      'with chunks that begin at 2',
      replaced('stsc', testBox('stsc', words(0, 1, 2, 1, 1))),
      'mp4 track 1 has chunk 2 where 1 must be',
    ],
    [
      'with chunks that go back',
      replaced('stsc', testBox('stsc', words(0, 2, 1, 1, 1, 1, 1, 1))),
      'mp4 track 1 has chunk 1, must be 2..5',
    ],
    [
      'with chunks that are not there',
      replaced('stsc', testBox('stsc', words(0, 2, 1, 1, 1, 6, 1, 1))),
      'mp4 track 1 has chunk 6, must be 2..5',
    ],
    [
      'with too few samples in chunks',
      replaced('stsc', testBox('stsc', words(0, 1, 1, 1, 1))),
      'mp4 track 1 has 5 samples, stsc tells of 4',
    ],
    ['without stts', replaced('stts', nothing), 'mp4 box stts is missing'],
    ['with too few times', replaced('stts', testBox('stts', words(0, 1, 4, 1))), 'mp4 track 1 has 5 samples, stts tells of 4'],
    [
      'with more runs of times than the box holds',
      replaced('stts', testBox('stts', words(0, 2, 4, 1))),
      'mp4 box stts entries 2 must be at most 1, as its size tells',
    ],
    [
      'with more runs of composition offsets than the box holds',
      replaced('ctts', testBox('ctts', words(0, 9))),
      'mp4 box ctts entries 9 must be at most 0, as its size tells',
    ],
    ['with sync sample 0', replaced('stss', testBox('stss', words(0, 1, 0))), 'mp4 track 1 has sync sample 0, must be 1..5'],
    ['with sync sample 6', replaced('stss', testBox('stss', words(0, 1, 6))), 'mp4 track 1 has sync sample 6, must be 1..5'],
    ['with a traf without tfhd', fragment(), 'mp4 box tfhd is missing'],
    [
      'with more rows than trun holds',
      fragment(testBox('tfhd', words(0x20000, 1)), testBox('trun', words(0x301, 2, 0, 1, 1, 1))),
      'mp4 box trun entries 2 must be at most 1, as its size tells',
    ],
    [
      'with a run of more samples than the file has bytes',
      fragment(testBox('tfhd', words(0x20000, 1)), testBox('trun', words(1, 100_000, 0))),
      /^mp4 samples 100005 must be at most \d+$/,
    ],
    [
      'with such a run of another track',
      fragment(testBox('tfhd', words(0x20000, 9)), testBox('trun', words(1, 100_000, 0))),
      /^mp4 samples 100005 must be at most \d+$/,
    ],
    [
      'with data before the file',
      fragment(testBox('tfhd', words(0x20000, 1)), testBox('trun', words(1, 0, -99_999))),
      /^mp4 fragment data offset -\d+ must be in the file$/,
    ],
  ])('%s', (_, file, message) => {
    const failure = failureOf(() => indexOf(file));
    expect(failure.errorName).toBe('Mp4File');
    if (typeof message === 'string') expect(failure.message).toBe(message);
    else expect(failure.message).toMatch(message);
  });

  /** A file of zeros but for the box heads that stand at given places. */
  function sparse(fileBytes: number, boxes: ReadonlyMap<number, Buffer>): Mp4Index {
    return readMp4Index((offset, length) => {
      const bytes = Buffer.alloc(length);
      boxes.get(offset)?.copy(bytes);
      return bytes;
    }, fileBytes);
  }

  it('with a moov beyond the limit, before it is read', () => {
    const head = longBox('moov', nothing);
    head.writeBigUInt64BE(300_000_000n, 8);
    expect(failureOf(() => sparse(400_000_000, new Map([[0, head]]))).message).toBe(
      'mp4 moov of 300000000 bytes must be at most 268435456',
    );
  });

  it('with more samples than anybody has memory for', () => {
    const file = replaced('sizes', testBox('stsz', words(0, 1, 9_000_000)));
    const padded = (offset: number, length: number) => Buffer.concat([file.subarray(offset, offset + length)], length);
    expect(failureOf(() => readMp4Index(padded, 1e9)).message).toBe('mp4 samples 9000000 must be at most 8388608');
  });

  it('with a moof beyond the limit, before it is read', () => {
    expect(failureOf(() => sparse(400_000_000, new Map([[0, words(20_000_000, 0x6d6f6f66)]]))).message).toBe(
      'mp4 moof of 20000000 bytes must be at most 16777216',
    );
  });

  it('with more boxes than anybody wants to walk', () => {
    const free = testBox('free', Buffer.alloc(8));
    expect(failureOf(() => readMp4Index(() => free, 1e9)).message).toBe('mp4 file has more than 1048576 boxes');
  });

  it('that has become shorter', () => {
    const read = () => readMp4Index((offset, length) => plain.subarray(offset, Math.min(offset + length, 100)), plain.length);
    expect(failureOf(read).message).toMatch(/^mp4 file gave \d+ of \d+ bytes at \d+: it is shorter than it was$/);
  });

  it('or read, whatever bytes it has', () => {
    const { init, fragments } = fragmentedFile();
    const files = [
      plain,
      buildFile({ tracks: [videoTrack, audioTrack], isLong: true, isMoovFirst: true }),
      Buffer.concat([init, ...fragments]),
    ];
    const result = fuzz(
      { samples: files, count: 60_000, timeBoxMs: 18_000, maxGrowthBytes: 8 * 1024 * 1024 },
      (input, random) => {
        // Boxes are small beside the file: without a change in one of the numbers, most inputs would be read as before.
        if (input.length > 4)
          input.writeInt32BE([0, 1, 8, 255, -1, 2 ** 31 - 1][random.below(6)]!, random.below(input.length - 3));
        indexOf(input);
      },
    );
    expect(result.accepted).toBeGreaterThan(1000);
    expect(result.refused).toBeGreaterThan(1000);
  });
});
