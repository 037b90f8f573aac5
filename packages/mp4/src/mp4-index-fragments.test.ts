import { describe, expect, it } from 'vitest';
import { fragmentedFile, indexOf, pictures, rowsExpected, rowsOf, videoTrack } from './index-test-support.ts';
import { buildFile, testBox, words } from './mp4-file-test-support.ts';
import { withLengths } from './mp4-test-support.ts';

describe('the index of a fragmented file', () => {
  const { init, fragments } = fragmentedFile();
  const file = Buffer.concat([init, ...fragments]);
  const allPictures = Array.from({ length: 20 }, (_, i) => ({
    data: withLengths(Buffer.from(`picture ${Math.floor(i / 4)} ${i % 4}`)).toString('hex'),
    dts: 90_000 + i * 3600,
    compositionOffset: ((i % 4) - 1) * 3600,
    isSync: i % 4 === 0,
  }));

  it('has the samples of all fragments', () => {
    const { tracks, ...rest } = indexOf(file);
    expect(rowsOf(file, tracks[0]!)).toEqual(allPictures);
    expect(tracks[1]!.samples.count).toBe(20);
    expect(tracks.map(({ endDts }) => endDts)).toEqual([162_000, 44_100 + 20 * 1024]);
    expect(rest).toEqual({ leftOut: [], durationMs: 1800, isFragmented: true, isCut: false });
  });

  it('has them also when moov is behind the fragments', () => {
    const ftypBytes = 28;
    const moved = Buffer.concat([init.subarray(0, ftypBytes), ...fragments, init.subarray(ftypBytes)]);
    expect(rowsOf(moved, indexOf(moved).tracks[0]!)).toEqual(allPictures);
  });

  it('ends with the last whole sample when the file is cut, wherever that is', () => {
    const last = file.length - fragments[4]!.length;
    for (let end = last; end < file.length; end++) {
      const cut = file.subarray(0, end);
      const index = indexOf(cut);
      const rows = rowsOf(cut, index.tracks[0]!);
      expect(rows).toEqual(allPictures.slice(0, rows.length));
      expect(rows.length).toBeGreaterThanOrEqual(16);
      // Fewer than eight bytes may be padding as well.
      expect(index.isCut).toBe(end >= last + 8);
    }
    expect(indexOf(file.subarray(0, file.length - 1)).tracks.map(({ samples }) => samples.count)).toEqual([20, 19]);
  });

  it('passes over the samples of tracks that it does not know', () => {
    const other = Buffer.from(init);
    other.write('mp4v', other.indexOf('avc1'), 'latin1');
    const changed = Buffer.concat([other, ...fragments]);
    const { tracks, leftOut } = indexOf(changed);
    expect([tracks.map(({ samples }) => samples.count), leftOut]).toEqual([[20], ['track 1: mp4v']]);
  });

  const trex = testBox('mvex', testBox('trex', words(0, 1, 1, 3000, 2, 0x0101_0000)));
  const base = buildFile({ tracks: [{ ...videoTrack, samples: [] }], moovTail: [trex] });
  const withRuns = (...trafBoxes: readonly Buffer[]) => {
    const moof = testBox('moof', testBox('traf', ...trafBoxes));
    return {
      moofStart: base.length,
      file: Buffer.concat([base, moof, testBox('mdat', Buffer.from('abcdefghij'))]),
      moofBytes: moof.length,
    };
  };
  const rows = (bytes: Buffer) =>
    rowsOf(bytes, indexOf(bytes).tracks[0]!).map(({ data, dts, isSync }) => [Buffer.from(data, 'hex').toString(), dts, isSync]);

  it('takes what a run does not say from trex', () => {
    const trun = testBox('trun', words(0x0000_0001, 3, 0));
    const { file: bytes, moofBytes } = withRuns(testBox('tfhd', words(0x0002_0000, 1)), trun);
    bytes.writeInt32BE(moofBytes + 8, bytes.indexOf('trun') + 12);
    expect(rows(bytes)).toEqual([
      ['ab', 0, false],
      ['cd', 3000, false],
      ['ef', 6000, false],
    ]);
  });

  it('takes what tfhd says over trex, and flags of the first sample over both', () => {
    const tfhd = testBox('tfhd', words(0x0002_003a, 1, 1, 500, 3, 0x0101_0000));
    const tfdt = testBox('tfdt', words(0, 7000));
    const { file: bytes, moofBytes } = withRuns(tfhd, tfdt, testBox('trun', words(0x0000_0005, 2, 0, 0x0200_0000)));
    bytes.writeInt32BE(moofBytes + 8, bytes.indexOf('trun') + 12);
    expect(rows(bytes)).toEqual([
      ['abc', 7000, true],
      ['def', 7500, false],
    ]);
  });

  it('begins a second run where the first ends, in time and place', () => {
    const first = testBox('trun', words(0x0000_0301, 1, 0, 100, 4));
    const second = testBox('trun', words(0x0000_0300, 2, 200, 1, 300, 2));
    const { file: bytes, moofBytes } = withRuns(testBox('tfhd', words(0x0002_0000, 1)), first, second);
    bytes.writeInt32BE(moofBytes + 8, bytes.indexOf('trun') + 12);
    expect(rows(bytes)).toEqual([
      ['abcd', 0, false],
      ['e', 100, false],
      ['fg', 300, false],
    ]);
  });

  it('counts from an explicit base, and from the moof or the data before where nothing is said', () => {
    const explicit = withRuns(testBox('tfhd', words(0x0000_0001, 1, 0, 0)), testBox('trun', words(0x0000_0001, 1, 0)));
    const { file: bytes } = explicit;
    bytes.writeUInt32BE(bytes.lastIndexOf('mdat') + 4, bytes.indexOf('tfhd') + 16);
    expect(rows(bytes)).toEqual([['ab', 0, false]]);

    const traf = (offset: number) =>
      testBox('traf', testBox('tfhd', words(0, 1)), testBox('trun', words(0x0000_0001, 1, offset)));
    const moofBytes = testBox('moof', traf(0), traf(0)).length;
    const old = Buffer.concat([base, testBox('moof', traf(moofBytes + 8), traf(1)), testBox('mdat', Buffer.from('abcdefghij'))]);
    expect(rows(old)).toEqual([
      ['ab', 0, false],
      ['de', 3000, false],
    ]);
  });

  it('goes on behind the samples of moov', () => {
    const start = buildFile({ tracks: [videoTrack], moovTail: [trex] });
    const trun = testBox('trun', words(0x0000_0001, 1, 88));
    const moof = testBox('moof', testBox('traf', testBox('tfhd', words(0x0002_0000, 1)), trun));
    const bytes = Buffer.concat([start, moof, testBox('mdat', Buffer.from('xy'))]);
    bytes.writeInt32BE(moof.length + 8, bytes.lastIndexOf('trun') + 12);
    const all = rowsOf(bytes, indexOf(bytes).tracks[0]!);
    expect(all.slice(0, 5)).toEqual(rowsExpected(pictures));
    expect(all[5]).toEqual({ data: '7879', dts: 16_200, compositionOffset: 0, isSync: false });
  });
});
