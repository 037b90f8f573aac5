import { rmSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { flvOf, headers, picturesOf, type TestTag } from '../../../test/support/flv-files.ts';
import { TestLibrary } from './vod-test-support.ts';

const recording = flvOf([...headers, ...picturesOf({ groups: 10, groupMs: 2000, bytes: 1000 })]).bytes;

const vod = new TestLibrary();
afterAll(() => vod[Symbol.asyncDispose]());

describe('a recording', () => {
  it('is told of once, and its segments are whole packets', async () => {
    vod.write('film.flv', recording);
    expect((await vod.playlist('film.flv')).durations).toEqual([6, 6, 6, 2]);
    const segments = await vod.segments('film.flv');
    expect(segments.map(({ length }) => length % 188)).toEqual([0, 0, 0, 0]);
    const told = vod.log.lines.filter(({ text }) => text.includes('"film.flv"'));
    expect(told.map(({ text }) => text)).toEqual([
      expect.stringMatching(/^VOD "film.flv": 4 segments, 20 s, found out in \d+ ms$/),
    ]);
  });

  it('has as many segments as its playlist says', async () => {
    const name = 'counted.flv';
    vod.write(name, recording);
    const { library } = vod;
    expect(await library.hasSegment(vod.file(name), 3)).toBe(true);
    expect(await library.hasSegment(vod.file(name), 4)).toBe(false);
  });

  it('has a playlist for each of its names', async () => {
    vod.write('one.flv', recording);
    const file = vod.file('one.flv');
    const first = await vod.library.playlistOf(file);
    expect(await vod.library.playlistOf(file)).toBe(first);
    const linked = await vod.library.playlistOf({ ...file, name: 'link.flv' });
    expect(linked.toString()).toBe(first.toString().replaceAll('one.flv', 'link.flv'));
    expect(await vod.library.playlistOf(file)).toEqual(first);
  });

  it('that has gone since is told by the error of the system', async () => {
    const path = vod.write('gone.flv', recording);
    const file = vod.file('gone.flv');
    rmSync(path);
    await expect(vod.library.playlistOf(file)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('that has changed since is busy', async () => {
    vod.write('changed.flv', recording);
    const file = vod.file('changed.flv');
    vod.write('changed.flv', recording.subarray(0, 5000));
    await expect(vod.library.playlistOf(file)).rejects.toMatchObject({
      errorName: 'VodBusy',
      message: `"${vod.path('changed.flv')}" changes while it is read`,
    });
  });

  it('that is cut is played as far as it goes', async () => {
    vod.write('cut.flv', recording.subarray(0, recording.length / 2));
    expect((await vod.playlist('cut.flv')).durations).toEqual([6, expect.closeTo(3.9, 0)]);
    expect(Buffer.concat(await vod.segments('cut.flv')).length).toBeGreaterThan(100_000);
  });

  it('tells how many frames it leaves out, because they cannot be carried', async () => {
    const bad: TestTag = { kind: 'inter', ms: 1000, payload: Buffer.from([0x27, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 1]) };
    vod.write('bad.flv', flvOf([...headers, ...picturesOf({ groups: 1, groupMs: 1000 }), bad]).bytes);
    expect(Buffer.concat(await vod.segments('bad.flv')).length).toBeGreaterThan(0);
    expect(vod.log.lines.at(-1)).toMatchObject({ level: 'info', text: 'VOD "bad.flv": segment 0 leaves out 1 frames' });
  });
});

describe('what cannot be played', () => {
  const flv = (...tags: TestTag[]): Buffer => flvOf(tags).bytes;
  const video = (...bytes: number[]): TestTag => ({
    kind: 'key',
    payload: Buffer.from([...bytes, ...Array<number>(20).fill(0)]),
  });
  const sound = (...bytes: number[]): TestTag => ({
    kind: 'sound',
    payload: Buffer.from([...bytes, ...Array<number>(20).fill(0)]),
  });

  it.each([
    {
      name: 'AV1',
      bytes: flv(video(0x90, ...Buffer.from('av01'))),
      error: 'video codec av1 must be avc or hevc to be played over hls',
    },
    { name: 'Sorenson H.263', bytes: flv(video(0x12)), error: 'video codec h263 must be avc or hevc to be played over hls' },
    {
      name: 'a codec without a name',
      bytes: flv(video(0x1d)),
      error: 'video codec 13 must be avc or hevc to be played over hls',
    },
    { name: 'Speex', bytes: flv(sound(0xb2)), error: 'audio codec speex must be aac or mp3 to be played over hls' },
    {
      name: 'Opus',
      bytes: flv(sound(0x90, ...Buffer.from('Opus'))),
      error: 'audio codec opus must be aac or mp3 to be played over hls',
    },
    { name: 'no media', bytes: flv(...headers), error: 'flv has neither picture nor sound' },
    { name: 'nothing', bytes: Buffer.alloc(0), error: 'flv header of 0 bytes must have 9' },
    { name: 'something else', bytes: Buffer.from('<html>no film</html>'), error: 'flv signature "<ht" must be "FLV"' },
  ])('$name in an FLV file is said to be', async ({ bytes, error }) => {
    vod.write('refused.flv', bytes);
    for (let time = 0; time < 2; time++) {
      await expect(vod.playlist('refused.flv')).rejects.toMatchObject({ name: 'SrsError', message: error });
    }
  });

  it.each([
    {
      name: 'without its tables',
      bytes: Buffer.from('000000106674797069736f6d00000200', 'hex'),
      error: /^mp4 file of 16 bytes has no moov$/,
    },
    { name: 'that is none', bytes: Buffer.from('RIFF of something'), error: /^mp4 / },
    { name: 'that is empty', bytes: Buffer.alloc(0), error: /^mp4 file of 0 bytes has no moov$/ },
  ])('an MP4 file $name', async ({ bytes, error }) => {
    vod.write('refused.mp4', bytes);
    await expect(vod.playlist('refused.mp4')).rejects.toMatchObject({
      errorName: 'Mp4File',
      message: expect.stringMatching(error) as string,
    });
  });
});
