import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  aacFrame,
  aacHeader,
  audio,
  avcDelimiter,
  avcHeader,
  avcPps,
  avcSps,
  DELAY,
  hevcDelimiter,
  hevcHeader,
  hevcPps,
  hevcSps,
  hevcVps,
  mux,
  noise,
  readBack,
  video,
  videoFrame,
} from './mpegts-test-support.ts';

const MAX_UNIT_BYTES = 300_000;
const WRAP_33 = 2 ** 33;
const bytesOfUnits = noise(MAX_UNIT_BYTES + 1000, 99);

const size = fc.oneof(
  fc.integer({ min: 0, max: MAX_UNIT_BYTES }),
  fc.integer({ min: 0, max: 600 }),
  // Around the edges of packets and of the length in the head.
  fc.integer({ min: -12, max: 12 }).map((off) => 184 * 4 + off),
  fc.integer({ min: -20, max: 4 }).map((off) => 65_535 + off),
);

const picture = fc.record({
  kind: fc.constant('picture' as const),
  sizes: fc.array(size, { maxLength: 3 }),
  isKey: fc.boolean(),
  compositionMs: fc.oneof(
    fc.constant(0),
    fc.integer({ min: -1000, max: 1000 }),
    fc.integer({ min: -(2 ** 23), max: 2 ** 23 - 1 }),
  ),
  stepMs: fc.integer({ min: 0, max: 300 }),
});

const sound = fc.record({
  kind: fc.constant('sound' as const),
  bytes: fc.integer({ min: 0, max: 8184 }),
  jitterMs: fc.integer({ min: -40, max: 40 }),
});

const frames = fc.array(fc.oneof(picture, sound), { maxLength: 25 });
/** Where the times begin, which would not be known if the first frame came behind the wrap. */
const firstPicture = { kind: 'picture', sizes: [5], isKey: true, compositionMs: 0, stepMs: 0 } as const;
const startMs = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 0, max: 0x7fffffff }),
  fc.constantFrom(0x7fffffff - 500, Math.floor(WRAP_33 / 90) - 1000),
);

const codecs = {
  avc: { head: 'legacy 7', header: avcHeader, delimiter: avcDelimiter, sets: [avcSps, avcPps] },
  hevc: {
    head: 'hvc1',
    header: hevcHeader,
    delimiter: hevcDelimiter,
    sets: [hevcVps, hevcSps, hevcPps],
  },
} as const;

/** A picture that needs parameter sets by its first byte, or does not. */
function unitOf(bytes: number, codec: 'avc' | 'hevc', isKey: boolean, seed: number): Buffer {
  const unit = Buffer.from(bytesOfUnits.subarray(seed, seed + bytes));
  if (bytes > 0) unit[0] = codec === 'avc' ? (isKey ? 0x65 : 0x41) : isKey ? 19 << 1 : 1 << 1;
  return unit;
}

it('any pictures and sound come back, in whole packets, without gaps, and the clock does not pass them', {
  timeout: 60_000,
}, () => {
  fc.assert(
    fc.property(
      frames,
      startMs,
      fc.constantFrom('avc' as const, 'hevc' as const),
      fc.constantFrom(0, 4),
      (list, from, codec, lengthBytes) => {
        const { head, header, delimiter, sets } = codecs[codec];
        const pictures: object[] = [];
        const sounds: Buffer[] = [];
        const soundTimes: number[] = [];
        let pictureMs = from;
        let soundMs = from;
        const bytes = mux((ts) => {
          ts.onHeader(video, header(head));
          ts.onHeader(audio, aacHeader());
          for (const [i, frame] of [firstPicture, ...list].entries()) {
            if (frame.kind === 'picture') {
              const { sizes, isKey, compositionMs } = frame;
              pictureMs += frame.stepMs;
              const units = sizes.map((unitBytes, n) => unitOf(unitBytes, codec, isKey, i * 7 + n));
              const used = units.filter((unit) => unit.length > 0);
              ts.onFrame(
                video,
                pictureMs % 2 ** 31,
                videoFrame(head, lengthBytes === 0 ? used : units, { isKey, compositionMs, lengthBytes }),
              );
              if (used.length === 0) continue;
              const dts = pictureMs * 90 + DELAY;
              pictures.push({
                codec,
                dts: dts % WRAP_33,
                pts: (dts + compositionMs * 90 + 4 * WRAP_33) % WRAP_33,
                isRandomAccess: isKey,
                nalUnits: [delimiter, ...(isKey ? sets : []), ...used],
              });
            } else {
              soundMs += 1024 / 44.1;
              const data = Buffer.from(bytesOfUnits.subarray(i, i + frame.bytes));
              const timestampMs = Math.max(0, Math.round(soundMs + frame.jitterMs));
              ts.onFrame(audio, timestampMs % 2 ** 31, aacFrame(data));
              if (data.length === 0) continue;
              sounds.push(data);
              soundTimes.push(timestampMs * 90 + DELAY);
            }
          }
        });
        expect(bytes.length % 188).toBe(0);
        const found = readBack(bytes);
        expect(found.pictures).toEqual(pictures);
        expect(found.sounds.map(({ data }) => data)).toEqual(sounds);
        for (const [i, { pts }] of found.sounds.entries()) {
          const off = ((pts - (soundTimes[i]! % WRAP_33) + WRAP_33 * 1.5) % WRAP_33) - WRAP_33 / 2;
          expect(Math.abs(off)).toBeLessThanOrEqual(9001);
        }
      },
    ),
    { numRuns: 150 },
  );
});
