/** Files of several gigabytes, most of which is not on the disk. */
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { encodeFlvHeader, writeFlvTagHeader } from '@srs/flv';
import { frameTypes } from '@srs/kernel';
import { accessUnitsOf, TsReader } from '@srs/mpegts';
import { describe, expect, it } from 'vitest';
import { metadataOf, payloadOf } from '../../../test/support/flv-files.ts';
import { clip, packetHashes } from '../../../test/support/media.ts';
import { requires } from '../../../test/support/requires.ts';
import { runFfmpeg } from './media-test-support.ts';
import { TestLibrary } from './vod-test-support.ts';

const TIMEOUT = { timeout: 60_000 };
/** Several times of what it takes on a busy machine of two cores. */
const PATIENCE_MS = 4000;
const PICTURE_BYTES = 4 * 1024 * 1024;
const GROUP_MS = 2000;

/** A picture each two seconds, of which only the first bytes are written. */
function writeFlv(path: string, pictures: number, isIndexed: boolean): void {
  const fd = openSync(path, 'w');
  let position = 0;
  const write = (bytes: Buffer): void => {
    position += writeSync(fd, bytes, 0, bytes.length, position);
  };
  const writeTag = (type: number, ms: number, payload: Buffer, payloadBytes = payload.length): void => {
    const head = Buffer.alloc(11);
    writeFlvTagHeader(head, 0, type, ms, payloadBytes);
    write(Buffer.concat([head, payload]));
    position += payloadBytes - payload.length + 4;
  };
  write(encodeFlvHeader({ hasAudio: false, hasVideo: true }));
  const times = Array.from({ length: pictures }, (_, index) => index * GROUP_MS);
  const metadataBytes = payloadOf(metadataOf(times, times)).length;
  const headerPayload = payloadOf({ kind: 'video-header' });
  const first = position + (isIndexed ? metadataBytes + 15 : 0) + headerPayload.length + 15;
  if (isIndexed) {
    writeTag(
      frameTypes.data,
      0,
      payloadOf(
        metadataOf(
          times.map((_, index) => first + index * (PICTURE_BYTES + 15)),
          times,
        ),
      ),
    );
  }
  writeTag(frameTypes.video, 0, headerPayload);
  const picture = Buffer.from([0x17, 1, 0, 0, 0, 0, 0, 0, 0, 0x65]);
  picture.writeUInt32BE(PICTURE_BYTES - 9, 5);
  for (const ms of times) writeTag(frameTypes.video, ms, picture, PICTURE_BYTES);
  ftruncateSync(fd, position);
  closeSync(fd);
}

/** @returns when its pictures are decoded: ms behind the beginning of the file */
function timesIn(segment: Buffer): number[] {
  const times: number[] = [];
  const reader = new TsReader(
    {
      onPes: (pes) => {
        for (const { dts } of accessUnitsOf(pes)) times.push(dts / 90 - 800);
      },
    },
    { maxPesBytes: 2 * PICTURE_BYTES },
  );
  reader.receive(segment);
  reader.end();
  return times;
}

describe.each([
  { name: 'with a list of its key frames', isIndexed: true },
  { name: 'without', isIndexed: false },
])('an FLV file of five gigabytes $name', ({ isIndexed }) => {
  it('is played at once, and anywhere', TIMEOUT, async () => {
    await using vod = new TestLibrary();
    writeFlv(vod.path('film.flv'), 1280, isIndexed);
    const startMs = performance.now();
    const { durations } = await vod.playlist('film.flv');
    const first = await vod.segment('film.flv', 0);
    expect(performance.now() - startMs).toBeLessThan(PATIENCE_MS);
    expect(timesIn(first)).toEqual([0, 2000, 4000]);
    expect(durations.reduce((sum, seconds) => sum + seconds, 0)).toBeCloseTo(2558.04, 1);
    const last = durations.length - 1;
    expect(timesIn(await vod.segment('film.flv', last))).toEqual([last * 6000, last * 6000 + 2000]);
    expect(timesIn(await vod.segment('film.flv', 200))[0]).toBe(1_200_000);
  });
});

describe('an MP4 file of three gigabytes', () => {
  requires('ffmpeg', 'ffprobe');

  it('is played at once, and anywhere', TIMEOUT, async () => {
    await using vod = new TestLibrary();
    const small = vod.path('small.mp4');
    await runFfmpeg(['-i', await clip('long-gop'), '-c', 'copy', small]);
    writePadded(readFileSync(small), vod.path('film.mp4'), 3_000_000_000);
    const startMs = performance.now();
    // The sound begins a frame before the pictures.
    expect((await vod.playlist('film.mp4')).durations).toEqual([10.023, expect.closeTo(10, 0)]);
    await vod.segment('film.mp4', 0);
    expect(performance.now() - startMs).toBeLessThan(PATIENCE_MS);
    const played = await packetHashes(vod.write('segments.ts', Buffer.concat(await vod.segments('film.mp4'))));
    const source = await packetHashes(small);
    expect(played.video).toHaveLength(source.video.length);
    expect(played.audio).toHaveLength(source.audio.length);
  });
});

/** Puts a box of nothing behind ftyp. */
function writePadded(file: Buffer, path: string, paddingBytes: number): void {
  const ftypBytes = file.readUInt32BE(0);
  const shifted = Buffer.from(file);
  for (let at = shifted.indexOf('stco'); at >= 0; at = shifted.indexOf('stco', at + 4)) {
    const count = shifted.readUInt32BE(at + 8);
    for (let entry = 0; entry < count; entry++) {
      const place = at + 12 + entry * 4;
      shifted.writeUInt32BE(shifted.readUInt32BE(place) + paddingBytes, place);
    }
  }
  const free = Buffer.alloc(8);
  free.writeUInt32BE(paddingBytes);
  free.write('free', 4);
  const fd = openSync(path, 'w');
  writeSync(fd, Buffer.concat([shifted.subarray(0, ftypBytes), free]), 0, ftypBytes + 8, 0);
  writeSync(fd, shifted, ftypBytes, shifted.length - ftypBytes, ftypBytes + paddingBytes);
  closeSync(fd);
}
