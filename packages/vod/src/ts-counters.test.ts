import { frameTypes } from '@srs/kernel';
import { accessUnitsOf, type TsPes, TsReader } from '@srs/mpegts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { payloadOf, type TestTag } from '../../../test/support/flv-files.ts';
import { ALIGNMENT_ROOM_BYTES, alignCounters } from './ts-counters.ts';
import { TsSegment } from './ts-segment.ts';

const PACKET_BYTES = 188;
const AVC_HEAD_BYTES = 9;
const AAC_HEAD_BYTES = 2;

function segmentOf(frames: readonly TestTag[]): Buffer {
  const segment = new TsSegment();
  segment.header(frameTypes.video, payloadOf({ kind: 'video-header' }));
  segment.header(frameTypes.audio, payloadOf({ kind: 'audio-header' }));
  segment.begin();
  for (const frame of frames) {
    segment.frame(frame.kind === 'sound' ? frameTypes.audio : frameTypes.video, frame.ms ?? 0, payloadOf(frame));
  }
  expect(segment.leftOut).toBe(0);
  return segment.finish();
}

/** The reader refuses gaps of counters, and much more. */
function read(bytes: Buffer): readonly TsPes[] {
  const units: TsPes[] = [];
  const reader = new TsReader({ onPes: (pes) => units.push(pes) });
  reader.receive(bytes);
  reader.end();
  return units;
}

/** Of packets with a payload. */
function countersOf(bytes: Buffer, pid: number): number[] {
  const counters: number[] = [];
  for (let at = 0; at < bytes.length; at += PACKET_BYTES) {
    expect(bytes[at]).toBe(0x47);
    const isOfTrack = (bytes.readUInt16BE(at + 1) & 0x1fff) === pid;
    if (isOfTrack && (bytes[at + 3]! & 0x10) !== 0) counters.push(bytes[at + 3]! & 0x0f);
  }
  return counters;
}

/** What the frames hold, each kind in its order. */
function contentsOf(units: readonly TsPes[]): { readonly pictures: readonly Buffer[]; readonly sounds: readonly Buffer[] } {
  const all = units.flatMap(accessUnitsOf);
  return {
    pictures: all.filter((unit) => 'nalUnits' in unit).map(({ nalUnits }) => nalUnits.at(-1)!),
    sounds: all.filter((unit) => 'data' in unit).map(({ data }) => data),
  };
}

it('a segment that is mostly headers is refused before it fills the memory', () => {
  const segment = new TsSegment(1_000_000);
  // Picture parameter sets of 64 KiB each go with every key frame.
  const set = Buffer.alloc(65_535, 0x68);
  const count = 10;
  const sets = Array.from({ length: count }, () => Buffer.concat([Buffer.from([0xff, 0xff]), set]));
  segment.header(frameTypes.video, Buffer.concat([headerBeforePictureSets(), Buffer.from([count]), ...sets]));
  segment.begin();
  const write = (): void => {
    for (let index = 0; index < 3; index++) segment.frame(frameTypes.video, index * 40, payloadOf({ kind: 'key', bytes: 20 }));
  };
  expect(write).toThrow(/^segment of \d+ bytes must be at most 1000000$/);
  expect(segment.leftOut).toBe(0);
});

/** The sequence header of the other tests, up to its picture parameter sets. */
function headerBeforePictureSets(): Buffer {
  const payload = payloadOf({ kind: 'video-header' });
  return payload.subarray(0, 13 + payload.readUInt16BE(11));
}

describe('the counters of a segment', () => {
  it('begin with 0 and end with 15 on each track, whatever is in it', () => {
    const frame = fc.record({ isSound: fc.boolean(), bytes: fc.integer({ min: 10, max: 2000 }) });
    fc.assert(
      fc.property(fc.array(frame, { minLength: 1, maxLength: 40 }), (drawn) => {
        const frames = drawn.map(({ isSound, bytes }, index): TestTag => {
          return { kind: isSound ? 'sound' : 'key', ms: index * 20, bytes };
        });
        const bytes = segmentOf(frames);
        const units = read(bytes);
        for (const pid of new Set(units.map((unit) => unit.pid))) {
          const counters = countersOf(bytes, pid);
          expect(counters.length % 16).toBe(0);
          expect(counters).toEqual(counters.map((_, index) => index % 16));
        }
        const payloads = (isSound: boolean, headBytes: number): Buffer[] =>
          frames.filter(({ kind }) => (kind === 'sound') === isSound).map((tag) => payloadOf(tag).subarray(headBytes));
        expect(contentsOf(units)).toEqual({
          pictures: payloads(false, AVC_HEAD_BYTES),
          sounds: payloads(true, AAC_HEAD_BYTES),
        });
      }),
      { numRuns: 200 },
    );
  });

  it('are all that is changed when there are 16 packets', () => {
    const packet = (counter: number, isFirst: boolean): Buffer => {
      const bytes = Buffer.alloc(PACKET_BYTES, 7);
      bytes.set([0x47, isFirst ? 0x41 : 0x01, 0x00, 0x10 | counter, ...(isFirst ? [0, 0, 1] : [])]);
      return bytes;
    };
    const packets = (first: number): Buffer =>
      Buffer.concat(Array.from({ length: 16 }, (_, index) => packet((index + first) % 16, index === 0)));
    const buffer = Buffer.concat([packets(5), Buffer.alloc(ALIGNMENT_ROOM_BYTES)]);
    expect(alignCounters(buffer, 16 * PACKET_BYTES)).toBe(16 * PACKET_BYTES);
    expect(buffer.subarray(0, 16 * PACKET_BYTES)).toEqual(packets(0));
  });

  it('of a packet whose field has no byte of flags yet are right too', () => {
    const bytes = Buffer.alloc(PACKET_BYTES, 7);
    bytes.set([0x47, 0x41, 0x00, 0x33, 0, 0, 0, 1]);
    const buffer = Buffer.concat([bytes, Buffer.alloc(ALIGNMENT_ROOM_BYTES)]);
    expect(alignCounters(buffer, PACKET_BYTES)).toBe(16 * PACKET_BYTES);
    expect(buffer.subarray(0, 22)).toEqual(Buffer.from([0x47, 0x41, 0, 0x30, 15, 0, ...Buffer.alloc(14, 0xff), 0, 0]));
    expect(buffer.subarray(16 * PACKET_BYTES - 2, 16 * PACKET_BYTES)).toEqual(Buffer.from([0xff, 7]));
  });
});
