import { frameTypes } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { ffprobe } from '../../../test/support/foreign.ts';
import { clip } from '../../../test/support/media.ts';
import { requires } from '../../../test/support/requires.ts';
import {
  audioHeader,
  contentOf,
  framesOf,
  headers,
  keyFrame,
  media,
  metadata,
  metadataOf,
  type Publish,
  type ReadFlv,
  readFlv,
  sound,
  useBench,
  videoHeader,
} from './dvr-test-support.ts';

const bench = useBench();
const HEADER_TAGS = 3;

function publishSegments(more = ''): Publish {
  return bench().publish(`dvr_plan segment; dvr_duration 2; ${more} dvr_path PATH/[stream].[seq].flv;`);
}

/** What was recorded, in the order in which it was. */
function readAll(): ReadFlv[] {
  return bench()
    .files()
    .map((file) => readFlv(bench().path(file)));
}

function mediaOf(file: ReadFlv): string[] {
  return contentOf(file.tags.slice(HEADER_TAGS));
}

describe('the plan segment', () => {
  it('cuts at the first key frame after dvr_duration and loses nothing', async () => {
    const frames = media({ toMs: 7000, gopMs: 1500 });
    const publish = publishSegments();
    publish.send([...headers, ...frames]);
    await publish.end();
    expect(bench().files()).toEqual(['show.0.flv', 'show.1.flv', 'show.2.flv']);
    const files = readAll();
    expect(files.flatMap(mediaOf)).toEqual(contentOf(frames));
    for (const [at, file] of files.entries()) {
      expect(file.tags[HEADER_TAGS]).toEqual(keyFrame(at * 3000));
      expect(file.keyFrames[0]?.[0]).toBe(at * 3000);
    }
    expect(files.map(({ durationMs }) => durationMs)).toEqual([3000, 3000, 980]);
    expect(bench().recorded.map(({ path }) => path)).toEqual(
      bench()
        .files()
        .map((file) => bench().path(file)),
    );
  });

  it('begins each file with metadata and the newest headers', async () => {
    const otherHeader = { ...audioHeader, payload: Buffer.from('af001390', 'hex') };
    const publish = publishSegments();
    publish.send([...headers, ...media({ toMs: 1000 }), metadataOf({ width: 640 }), otherHeader]);
    publish.send(media({ fromMs: 1000, toMs: 3000 }));
    await publish.end();
    const [first, second] = readAll();
    expect([first?.metadata.getNumber('width'), second?.metadata.getNumber('width')]).toEqual([320, 640]);
    expect(second?.tags.slice(1, 3).map(({ type, payload, timestampMs }) => [type, payload, timestampMs])).toEqual([
      [frameTypes.video, videoHeader.payload, 2000],
      [frameTypes.audio, otherHeader.payload, 2000],
    ]);
  });

  it('cuts at a sound when there is no video', async () => {
    const frames = media({ toMs: 5000, kinds: 'audio' });
    const publish = publishSegments();
    publish.send([metadata, audioHeader, ...frames]);
    await publish.end();
    const files = readAll();
    expect(files.map(({ durationMs }) => durationMs)).toEqual([2000, 2000, 980]);
    expect(files.flatMap((file) => contentOf(file.tags.slice(2)))).toEqual(contentOf(frames));
  });

  it('cuts at a sound when the video has stopped', async () => {
    const publish = publishSegments();
    publish.send([...headers, ...media({ toMs: 1000 })]);
    publish.send(media({ fromMs: 1000, toMs: 5000, kinds: 'audio' }));
    await publish.end();
    expect(readAll().map(({ durationMs }) => durationMs)).toEqual([2960, 2000, 20]);
  });

  it('cuts anywhere when it is not to wait', async () => {
    const frames = media({ toMs: 5000, gopMs: 10_000 });
    const publish = publishSegments('dvr_wait_keyframe off;');
    publish.send([...headers, ...frames]);
    await publish.end();
    const files = readAll();
    expect(files.map(({ durationMs }) => durationMs)).toEqual([2000, 2000, 980]);
    expect(files.flatMap(mediaOf)).toEqual(contentOf(frames));
  });

  it('waits for a key frame otherwise', async () => {
    const publish = publishSegments();
    publish.send([...headers, ...media({ toMs: 5000, gopMs: 10_000 })]);
    await publish.end();
    expect(readAll().map(({ durationMs }) => durationMs)).toEqual([4980]);
  });

  it('begins a file for each publish', async () => {
    for (const round of [0, 1]) {
      const publish = bench().publish('dvr_plan segment; dvr_duration 2;');
      publish.send([...headers, keyFrame(round), sound(100)]);
      await publish.end();
      bench().clock.advance(1000);
    }
    expect(bench().files()).toEqual(['live/show.1767323045067.flv', 'live/show.1767323046067.flv']);
  });

  it('names each file for the time at which it begins', async () => {
    const publish = bench().publish('dvr_plan segment; dvr_duration 2;');
    publish.send([...headers, ...media({ toMs: 2000 })]);
    bench().clock.advance(2000);
    publish.send(media({ fromMs: 2000, toMs: 3000 }));
    await publish.end();
    expect(bench().recorded.map(({ path, startWallMs }) => [path, startWallMs])).toEqual([
      [bench().path('live/show.1767323045067.flv'), 1767323045067],
      [bench().path('live/show.1767323047067.flv'), 1767323047067],
    ]);
  });
});

describe('segments of a real clip', () => {
  requires('ffmpeg', 'ffprobe');

  it('can each be played', async () => {
    const publish = publishSegments();
    publish.send(framesOf(await clip('h264-bframes-aac')));
    await publish.end();
    expect(bench().files()).toHaveLength(5);
    for (const { path, durationMs } of bench().recorded) {
      const probed = (await ffprobe(['-count_frames', '-show_streams', '-show_format', path])) as {
        streams: readonly { codec_name: string; nb_read_frames: string }[];
        format: { duration: string };
      };
      expect(probed.streams.map((stream) => stream.codec_name).sort()).toEqual(['aac', 'h264']);
      expect(Number(probed.streams.find((stream) => stream.codec_name === 'h264')?.nb_read_frames)).toBe(50);
      expect(Number(probed.format.duration)).toBeCloseTo(durationMs / 1000, 2);
    }
  });
});
