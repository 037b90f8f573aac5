import { describe, expect, it } from 'vitest';
import { flvOf, headers, picturesOf, type TestTag } from '../../../test/support/flv-files.ts';
import { endOfMedia, type FlvCut, type FlvMark, FlvScanner, type FlvScanState, newScanState } from './flv-scan.ts';
import { findFirstTag } from './flv-tags.ts';
import { expectedSound, newSoundClockState } from './sound-clock.ts';
import { withWindow } from './vod-test-support.ts';

interface Scanned {
  readonly cuts: readonly FlvCut[];
  readonly state: FlvScanState;
}

/** @param jobs in how many pieces the file is looked through at least, if it is large enough */
function scan(bytes: Buffer, marks?: readonly FlvMark[], jobs = 1): Scanned {
  return withWindow(bytes, (window) => {
    let state = newScanState(findFirstTag(window));
    const cuts: FlvCut[] = [];
    while (!state.isEnd) {
      cuts.push(...new FlvScanner(window, state, marks).run(() => jobs === 1));
      state = structuredClone(state);
    }
    return { cuts, state };
  });
}

const timesOf = ({ cuts }: Scanned): number[] => cuts.map(({ timeMs }) => timeMs);

describe('a file that is looked through', () => {
  it('is cut at key frames about six seconds apart', () => {
    const tags = [...headers, ...picturesOf({ groups: 10, groupMs: 2000 })];
    const { bytes, positions } = flvOf(tags);
    const scanned = scan(bytes);
    expect(timesOf(scanned)).toEqual([0, 6000, 12_000, 18_000]);
    const keys = tags.flatMap(({ kind, ms }, index) => (kind === 'key' && ms === 12_000 ? [positions[index]!] : []));
    expect(scanned.cuts[2]).toMatchObject({
      position: keys[0],
      rawMs: 12_000,
      videoHeader: positions[0],
      audioHeader: positions[1],
    });
    expect(scanned.cuts[0]).toEqual({ position: 13, timeMs: 0, rawMs: null, sound: newSoundClockState() });
    expect(endOfMedia(scanned.state)).toBe(20_000);
    expect(scanned.state).toMatchObject({
      position: bytes.length,
      video: { codec: 'avc' },
      audio: { codec: 'aac' },
      cutter: { hasForcedCut: false },
    });
  });

  it('is the same when that is done in many jobs', () => {
    const { bytes } = flvOf([...headers, ...picturesOf({ groups: 30, groupMs: 1000 })]);
    const whole = scan(bytes);
    expect(whole.cuts.length).toBe(5);
    expect(scan(bytes, undefined, 100)).toEqual(whole);
  });

  it('begins once though no frame comes for many tags', () => {
    const data = Array.from({ length: 200 }, (): TestTag => ({ kind: 'data', bytes: 10 }));
    const { bytes } = flvOf([...data, ...headers, ...picturesOf({ groups: 1, groupMs: 1000 })]);
    expect(scan(bytes, undefined, 100).cuts).toHaveLength(1);
  });

  it('of sound alone is cut anywhere', () => {
    const sounds = Array.from({ length: 1000 }, (_, index): TestTag => ({ kind: 'sound', ms: Math.round(index * 23.22) }));
    const scanned = scan(flvOf([headers[1]!, ...sounds]).bytes);
    expect(timesOf(scanned)).toEqual([0, 5921, 11_842, 17_763]);
    expect(scanned.state.cutter.hasForcedCut).toBe(false);
    // Counted in samples, whatever the milliseconds say.
    expect(expectedSound(scanned.cuts[1]!.sound)).toBe(Math.round((255 * 1024 * 90_000) / 44_100));
  });

  it('is not cut at a sound once it has pictures', () => {
    const sounds = Array.from({ length: 400 }, (_, index): TestTag => ({ kind: 'sound', ms: 1000 + index * 23 }));
    const tags: TestTag[] = [...headers, { kind: 'key', ms: 1000 }, ...sounds, { kind: 'key', ms: 10_500 }];
    expect(timesOf(scan(flvOf(tags).bytes))).toEqual([0, 9500]);
  });

  it('knows which headers are in force at each cut', () => {
    const first = [...headers, ...picturesOf({ groups: 4, groupMs: 2000 })];
    const second = [...headers, ...picturesOf({ groups: 4, groupMs: 2000, fromMs: 8000 })];
    const { bytes, positions } = flvOf([...first, ...second]);
    const { cuts } = scan(bytes);
    expect(cuts.map(({ timeMs, videoHeader }) => [timeMs, videoHeader])).toEqual([
      [0, undefined],
      [6000, positions[0]],
      [12_000, positions[first.length]],
    ]);
  });

  it('goes on behind another publish that begins with 0', () => {
    const one = [...headers, ...picturesOf({ groups: 4, groupMs: 2000 })];
    const { cuts, state } = scan(flvOf([...one, ...one]).bytes);
    expect(cuts.map(({ timeMs, rawMs }) => [timeMs, rawMs])).toEqual([
      [0, null],
      [6000, 6000],
      [12_000, 4000],
    ]);
    expect(endOfMedia(state)).toBe(16_000);
  });
});

describe('a damaged file', () => {
  const { bytes, positions } = flvOf([...headers, ...picturesOf({ groups: 10, groupMs: 2000 })]);

  it.each([1, 5, 11, 50, 115])('is played up to the tag that is cut after %i bytes', (left) => {
    const last = positions.at(-1)!;
    const { state } = scan(bytes.subarray(0, last + left));
    expect(state).toMatchObject({ isEnd: true, position: left < 111 ? last : last + 115 });
  });

  it('is played up to where no tag begins', () => {
    const broken = Buffer.from(bytes);
    const place = positions[300]!;
    broken.fill(0xff, place, place + 50);
    const { state, cuts } = scan(broken);
    expect(state.position).toBe(place);
    expect(cuts).toHaveLength(2);
  });

  it('is played over tags of other types, if they have their size behind them', () => {
    const odd: TestTag[] = [{ kind: 'raw', bytes: 1000 }];
    const tags = [
      ...headers,
      ...picturesOf({ groups: 4, groupMs: 2000 }),
      ...odd,
      ...picturesOf({ groups: 4, groupMs: 2000, fromMs: 8000 }),
    ];
    expect(timesOf(scan(flvOf(tags).bytes))).toEqual([0, 6000, 12_000]);
  });

  it.each(['', 'FL', 'GIF89a and more', 'FLV\u0002         '])('that begins with %j is none', (text) => {
    expect(() => scan(Buffer.from(text))).toThrow(expect.objectContaining({ errorName: 'FlvHeader' }));
  });

  it('without media has no end', () => {
    const scanned = scan(flvOf([]).bytes);
    expect(endOfMedia(scanned.state)).toBe(0);
    expect(scanned.cuts).toHaveLength(1);
  });
});

describe('with marks', () => {
  const tags = [...headers, ...picturesOf({ groups: 10, groupMs: 2000 })];
  const { bytes, positions } = flvOf(tags);
  const marksAt = (...times: number[]): FlvMark[] => [
    { position: positions[0]!, timeMs: 0 },
    ...times.map((timeMs) => ({
      position: positions[tags.findIndex(({ kind, ms }) => kind === 'key' && ms === timeMs)]!,
      timeMs,
    })),
  ];

  it('it is cut there and nowhere else, in one job or many', () => {
    const marks = marksAt(4000, 14_000);
    const scanned = scan(bytes, marks);
    expect(timesOf(scanned)).toEqual([0, 4000, 14_000]);
    expect(scanned.cuts[2]).toMatchObject({ position: marks[2]!.position, videoHeader: positions[0], rawMs: 14_000 });
    expect(scan(bytes, marks, 100)).toEqual(scanned);
  });

  it('what is damaged before one is left out', () => {
    const broken = Buffer.from(bytes);
    broken.fill(0xff, positions[20]!, positions[20]! + 30);
    expect(timesOf(scan(broken, marksAt(4000, 14_000)))).toEqual([0, 4000, 14_000]);
    const tooLong = Buffer.from(bytes);
    tooLong.writeUIntBE(50_000, positions[20]! + 1, 3);
    expect(timesOf(scan(tooLong, marksAt(4000, 14_000)))).toEqual([0, 4000, 14_000]);
  });
});
