import { frameTypes } from '@srs/kernel';
import { accessUnitsOf, FlvToTs, type TsAccessUnit, type TsProgram, TsReader } from '@srs/mpegts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flvOf, headers, payloadOf, picturesOf, type TestTag } from '../../../test/support/flv-files.ts';
import { type FlvCut, FlvScanner, newScanState } from './flv-scan.ts';
import { sliceFlv } from './flv-slice.ts';
import { findFirstTag } from './flv-tags.ts';
import { newSoundClockState } from './sound-clock.ts';
import { withWindow } from './vod-test-support.ts';

const FRAME_MS = 1024 / 44.1;

interface Read {
  readonly units: readonly TsAccessUnit[];
  readonly programs: readonly TsProgram[];
}

function read(bytes: Buffer): Read {
  const units: TsAccessUnit[] = [];
  const programs: TsProgram[] = [];
  const reader = new TsReader({
    onProgram: (program) => programs.push(program),
    onPes: (pes) => units.push(...accessUnitsOf(pes)),
  });
  reader.receive(bytes);
  reader.end();
  return { units, programs };
}

/** All segments of a file, each made by itself. */
function segmentsOf(bytes: Buffer): readonly Buffer[] {
  return withWindow(bytes, (window) => {
    const cuts: readonly FlvCut[] = new FlvScanner(window, newScanState(findFirstTag(window)), undefined).run(() => true);
    return cuts.map((cut, index) => sliceFlv(window, cut, cuts[index + 1]?.position ?? bytes.length).bytes);
  });
}

/** What one stream of the whole file would be. */
function streamOf(tags: readonly TestTag[]): Buffer {
  const runs: Buffer[] = [];
  const ts = new FlvToTs({ output: (packets) => runs.push(packets) });
  for (const tag of tags) {
    if (tag.kind === 'data') continue;
    const isAudio = tag.kind === 'sound' || tag.kind === 'audio-header';
    ts.onFrame(isAudio ? frameTypes.audio : frameTypes.video, tag.ms ?? 0, payloadOf(tag));
  }
  ts.flush();
  return Buffer.concat(runs);
}

/** In the order of time, as two tracks. */
function tracksOf(units: readonly TsAccessUnit[]): {
  readonly pictures: readonly unknown[];
  readonly sounds: readonly { data: Buffer; pts: number }[];
} {
  return {
    pictures: units.filter((unit) => 'nalUnits' in unit).map(({ pts, dts, nalUnits }) => ({ pts, dts, last: nalUnits.at(-1) })),
    sounds: units.filter((unit) => 'data' in unit).map(({ pts, data }) => ({ pts, data })),
  };
}

describe('segments together', () => {
  it('are what one stream would be, however the timestamps of the sound tremble', () => {
    const jitter = fc.array(fc.integer({ min: -45, max: 45 }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(
        jitter,
        fc.integer({ min: 200, max: 3000 }),
        fc.double({ min: 0.99, max: 1.01, noNaN: true }),
        (offsets, groupMs, speed) => {
          const pictures = picturesOf({ groups: Math.ceil(25_000 / groupMs), groupMs: Math.ceil(groupMs / 40) * 40 }).filter(
            ({ kind }) => kind !== 'sound',
          );
          const sounds = Array.from({ length: 1000 }, (_, index): TestTag => {
            return {
              kind: 'sound',
              ms: Math.max(0, Math.round(index * FRAME_MS * speed + offsets[index % offsets.length]!)),
              payload: Buffer.from([0xaf, 1, 0x21, index >> 8, index & 0xff]),
            };
          });
          const tags = [...headers, ...[...pictures, ...sounds].sort((left, right) => left.ms! - right.ms!)];
          const segments = segmentsOf(flvOf(tags).bytes);
          expect(segments.length).toBeGreaterThan(2);
          const played = tracksOf(segments.flatMap((bytes) => read(bytes).units));
          const whole = tracksOf(read(streamOf(tags)).units);
          expect(played.pictures).toEqual(whole.pictures);
          expect(played.sounds.map(({ data }) => data)).toEqual(whole.sounds.map(({ data }) => data));
          const errors = played.sounds.map(({ pts }, index) => Math.abs(pts - whole.sounds[index]!.pts));
          // Each segment rounds its first time.
          expect(Math.max(...errors)).toBeLessThanOrEqual(2);
        },
      ),
      {
        numRuns: 25,
        // The second segment begins where its rounded count finds a jump a frame later than the stream does.
        examples: [[[0, 0, 0, -23, 0, 0, 0, 0, 0], 801, 0.9954415602308091]],
      },
    );
  });
});

describe('a segment', () => {
  it('tells of its tracks once, whether they have headers or not', () => {
    const mp3 = Buffer.concat([Buffer.from([0x2f, 0xff, 0xfb, 0x90, 0x64]), Buffer.alloc(413)]);
    const files: readonly (readonly TestTag[])[] = [
      [...headers, ...picturesOf({ groups: 8, groupMs: 2000 })],
      [
        headers[0]!,
        ...picturesOf({ groups: 8, groupMs: 2000 }).map((tag) => (tag.kind === 'sound' ? { ...tag, payload: mp3 } : tag)),
      ],
      // The header of the sound comes late.
      [
        headers[0]!,
        ...picturesOf({ groups: 1, groupMs: 2000 }).slice(0, 1),
        headers[1]!,
        ...picturesOf({ groups: 8, groupMs: 2000 }),
      ],
    ];
    for (const tags of files) {
      for (const bytes of segmentsOf(flvOf(tags).bytes)) {
        const { programs } = read(bytes);
        expect(programs.map(({ streams }) => streams.length)).toEqual([2]);
      }
    }
  });

  it('sounds where its timestamps say, though a sound had to announce the track', () => {
    const mp3 = Buffer.concat([Buffer.from([0x2f, 0xff, 0xfb, 0x90, 0x64]), Buffer.alloc(413)]);
    const tags = [
      headers[0]!,
      ...picturesOf({ groups: 8, groupMs: 2000 }).map((tag) => (tag.kind === 'sound' ? { ...tag, payload: mp3 } : tag)),
    ];
    const played = segmentsOf(flvOf(tags).bytes).flatMap((bytes) => tracksOf(read(bytes).units).sounds);
    expect(played.map(({ pts }) => pts / 90 - 800)).toEqual([0, 2000, 4000, 6000, 8000, 10_000, 12_000, 14_000]);
  });

  it('is decoded by the headers that are in force where it begins', () => {
    const first = [...headers, ...picturesOf({ groups: 4, groupMs: 2000 })];
    const changed = Buffer.from(payloadOf(headers[0]!));
    // Another number of reference frames.
    changed[5 + 20] = changed[5 + 20]! ^ 0x01;
    const second: TestTag[] = [
      { kind: 'video-header', payload: changed },
      ...picturesOf({ groups: 5, groupMs: 2000, fromMs: 8000 }),
    ];
    const sets = segmentsOf(flvOf([...first, ...second]).bytes).map((bytes) => {
      const pictures = read(bytes).units.filter((unit) => 'nalUnits' in unit);
      return pictures
        .flatMap(({ nalUnits }) => nalUnits)
        .filter((unit) => (unit[0]! & 0x1f) === 7)
        .map((unit) => unit.toString('hex'));
    });
    const [before, during, after] = sets;
    expect(new Set(before).size).toBe(1);
    expect(new Set(during).size).toBe(2);
    expect(new Set(after)).toEqual(new Set([during!.at(-1)]));
    expect(after![0]).not.toBe(before![0]);
  });

  it('whose header is gone is refused', () => {
    const { bytes } = flvOf([...headers, ...picturesOf({ groups: 1, groupMs: 1000 })]);
    const cut: FlvCut = {
      position: 13,
      timeMs: 0,
      rawMs: null,
      videoHeader: bytes.length,
      audioHeader: undefined,
      sound: newSoundClockState(),
    };
    const slice = (): unknown => withWindow(bytes, (window) => sliceFlv(window, cut, bytes.length));
    expect(slice).toThrow(expect.objectContaining({ errorName: 'FlvTag' }));
  });
});
