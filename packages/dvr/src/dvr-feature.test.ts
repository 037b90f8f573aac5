import { writeFileSync } from 'node:fs';
import { AmfObject, decodeAmf0, encodeAmf0 } from '@srs/amf';
import { frameFlags, frameTypes } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { ffprobe } from '../../../test/support/foreign.ts';
import { clip, packetHashes } from '../../../test/support/media.ts';
import { requires } from '../../../test/support/requires.ts';
import {
  audioHeader,
  contentOf,
  framesOf,
  headers,
  interFrame,
  keyFrame,
  media,
  metadata,
  metadataOf,
  readFlv,
  sound,
  type TestFrame,
  useBench,
  videoHeader,
} from './dvr-test-support.ts';

const bench = useBench();
const name = 'live/show.1767323045067.flv';

describe('the plan session', () => {
  it('writes every frame of a publish to one file', async () => {
    const frames = [...headers, ...media({ toMs: 3000 })];
    const publish = bench().publish();
    publish.send(frames);
    await publish.end();
    expect(bench().files()).toEqual([name]);
    const file = readFlv(bench().path(name));
    expect(contentOf(file.tags)).toEqual(contentOf(frames));
    expect([file.hasAudio, file.hasVideo, file.durationMs]).toEqual([true, true, 2980]);
    expect(file.sizeBytes).toBe(bench().recorded[0]!.sizeBytes);
    expect(file.metadata.getString('encoder')).toBe('tests');
    expect(file.metadata.getNumber('width')).toBe(320);
  });

  it('tells of the file when it is complete', async () => {
    const publish = bench().publish();
    publish.send([...headers, ...media({ toMs: 1000 })]);
    bench().clock.advance(1000);
    expect(bench().recorded).toEqual([]);
    await publish.end();
    expect(bench().recorded).toMatchObject([
      { path: bench().path(name), durationMs: 980, startWallMs: 1767323045067, stream: { streamId: 'a.com/live/show' } },
    ]);
    expect(bench().lines.map(({ level, cid, text }) => [level, cid, text])).toEqual([
      ['trace', 7, `dvr: records to ${bench().path(name)}`],
      ['trace', 7, `dvr: recorded ${bench().path(name)}, ${bench().recorded[0]!.sizeBytes} bytes, 1.0 s`],
    ]);
  });

  it('is written under another name until it is complete', async () => {
    const publish = bench().publish();
    publish.send([...headers, keyFrame(0)]);
    await expect.poll(() => bench().files()).toEqual([`${name}.tmp`]);
    await publish.end();
    expect(bench().files()).toEqual([name]);
  });

  it('indexes its key frames', async () => {
    const publish = bench().publish();
    publish.send([...headers, ...media({ toMs: 5000 })]);
    await publish.end();
    const { keyFrames, positions, tags } = readFlv(bench().path(name));
    expect(keyFrames.map(([timeMs]) => timeMs)).toEqual([0, 1000, 2000, 3000, 4000]);
    for (const [timeMs, position] of keyFrames) {
      const tag = tags[positions.indexOf(position)]!;
      expect([tag.flags, tag.timestampMs]).toEqual([frameFlags.keyFrame, timeMs]);
    }
  });

  it.each([
    ['audio', false, true],
    ['video', true, false],
  ] as const)('of a stream with %s only says so', async (kinds, hasVideo, hasAudio) => {
    const publish = bench().publish();
    publish.send([metadata, hasVideo ? videoHeader : audioHeader, ...media({ toMs: 3000, kinds })]);
    await publish.end();
    const file = readFlv(bench().path(name));
    expect([file.hasVideo, file.hasAudio]).toEqual([hasVideo, hasAudio]);
    expect(file.keyFrames.length).toBeGreaterThanOrEqual(3);
  });

  it('begins near 0, whatever the time of the stream is', async () => {
    const publish = bench().publish();
    publish.send([...headers, ...media({ fromMs: 3_600_000, toMs: 3_601_000 })]);
    await publish.end();
    const { tags, durationMs } = readFlv(bench().path(name));
    expect(tags.at(-1)!.timestampMs - tags[1]!.timestampMs).toBe(980);
    expect(tags[1]!.timestampMs).toBeLessThanOrEqual(40);
    expect(durationMs).toBe(980);
  });

  it('begins at 0 with time_jitter zero, and where the stream is with off', async () => {
    for (const [mode, firstMs] of [
      ['zero', 0],
      ['off', 5000],
    ] as const) {
      const publish = bench().publish(`time_jitter ${mode};`, mode);
      publish.send([...headers, ...media({ fromMs: 5000, toMs: 6000 })]);
      await publish.end();
      expect(readFlv(bench().recorded.at(-1)!.path).tags[1]!.timestampMs).toBe(firstMs);
    }
  });

  it('repairs a jump of the time', async () => {
    const publish = bench().publish();
    publish.send([...headers, ...media({ toMs: 1000 }), ...media({ fromMs: 900_000, toMs: 901_000 })]);
    await publish.end();
    const { durationMs } = readFlv(bench().path(name));
    expect(durationMs).toBeGreaterThan(1900);
    expect(durationMs).toBeLessThan(2100);
  });

  it('has metadata first, even when it came later', async () => {
    const publish = bench().publish();
    publish.send([videoHeader, audioHeader, metadata, ...media({ toMs: 200 })]);
    await publish.end();
    const { tags, metadata: object } = readFlv(bench().path(name));
    expect(object.getNumber('width')).toBe(320);
    expect(tags.slice(0, 3).map(({ type }) => type)).toEqual([frameTypes.data, frameTypes.video, frameTypes.audio]);
  });

  it('has metadata of its own when the publisher sends none', async () => {
    const publish = bench().publish();
    publish.send([videoHeader, ...media({ toMs: 200, kinds: 'video' })]);
    await publish.end();
    expect(readFlv(bench().path(name)).durationMs).toBe(160);
  });

  it('has headers, metadata and data that change where they changed', async () => {
    const otherHeader = { ...videoHeader, payload: Buffer.concat([videoHeader.payload, Buffer.from([0])]) };
    const text: TestFrame = {
      type: frameTypes.data,
      flags: 0,
      timestampMs: 0,
      payload: encodeAmf0('onTextData', AmfObject.object()),
    };
    const publish = bench().publish();
    publish.send([...headers, ...media({ toMs: 1000 }), ...headers, otherHeader, metadataOf({ width: 640 }), text]);
    publish.send(media({ fromMs: 1000, toMs: 1040 }));
    await publish.end();
    const { tags } = readFlv(bench().path(name));
    const later = tags.slice(3 + media({ toMs: 1000 }).length);
    expect(later.map(({ type, timestampMs }) => [type, timestampMs])).toEqual([
      [9, 980],
      [18, 0],
      [18, 980],
      [9, 1000],
      [8, 1000],
      [8, 1020],
    ]);
    expect(later[0]!.payload).toEqual(otherHeader.payload);
    expect((decodeAmf0(later[1]!.payload)[1] as AmfObject).getNumber('width')).toBe(640);
    expect(later[2]!.payload).toEqual(text.payload);
  });

  it('goes on across a gap', async () => {
    const publish = bench().publish();
    publish.send([...headers, ...media({ toMs: 1000 })]);
    bench().clock.advance(5000);
    publish.consumer.onGap(99);
    publish.send([...headers, ...media({ fromMs: 5000, toMs: 6000 })]);
    await publish.end();
    expect(bench().files()).toEqual([name]);
    expect(readFlv(bench().path(name)).durationMs).toBe(5980);
  });

  it('makes no file without pictures and sounds', async () => {
    const publish = bench().publish();
    publish.send(headers);
    await publish.end();
    expect([bench().files(), bench().recorded]).toEqual([[], []]);
  });

  it('never replaces another file', async () => {
    for (let round = 0; round < 3; round++) {
      const publish = bench().publish('dvr_path PATH/[stream].flv;');
      publish.send([...headers, keyFrame(0), keyFrame(round * 100)]);
      await publish.end();
    }
    expect(bench().files()).toEqual(['show-1.flv', 'show-2.flv', 'show.flv']);
    expect(readFlv(bench().path('show-1.flv')).durationMs).toBe(100);
    expect(bench().recorded.map(({ path }) => path)).toEqual(
      ['show.flv', 'show-1.flv', 'show-2.flv'].map((file) => bench().path(file)),
    );
  });

  it('leaves an interrupted recording of its name alone', async () => {
    writeFileSync(bench().path('show.flv.tmp'), 'theirs');
    const publish = bench().publish('dvr_path PATH/[stream].flv;');
    publish.send([...headers, keyFrame(0)]);
    await publish.end();
    expect(bench().files()).toEqual(['show-1.flv', 'show.flv.tmp']);
  });

  it('is named with everything the template has', async () => {
    const publish = bench().publish('dvr_path PATH/[vhost]/[2006]-[01]-[02]/[15].[04].[05].[999]-[stream]-[duration].flv;');
    publish.send([...headers, keyFrame(0), keyFrame(480)]);
    await publish.end();
    expect(bench().files()).toEqual(['a.com/2026-01-02/03.04.05.067-show-480.flv']);
  });

  it('records two streams side by side', async () => {
    const publishes = ['one', 'two'].map((stream) => bench().publish('', stream));
    for (let ms = 0; ms < 1000; ms += 200) {
      for (const publish of publishes) publish.send([...headers, keyFrame(ms), interFrame(ms + 40), sound(ms + 40)]);
    }
    await Promise.all(publishes.map((publish) => publish.end()));
    expect(bench().files()).toEqual(['live/one.1767323045067.flv', 'live/two.1767323045067.flv']);
    for (const file of bench().files()) expect(readFlv(bench().path(file)).tags).toHaveLength(3 + 15);
  });
});

describe('the feature', () => {
  const STREAM = 'a.com/live/show';
  const off = (dvr = '') => {
    const vhost = bench().vhost(dvr);
    return { ...vhost, dvr: { ...vhost.dvr, enabled: false } };
  };

  it('wants nothing of a vhost that does not record', () => {
    expect(bench().feature.select(off(), STREAM)).toBeNull();
  });

  it('leaves a recording alone when only its retention changes', () => {
    const { feature } = bench();
    const section = feature.select(bench().vhost(), STREAM);
    expect(feature.select(bench().vhost('dvr_retention 60; dvr_disk_high 90; dvr_apply live/show;'), STREAM)).toEqual(section);
    expect(feature.select(bench().vhost('dvr_plan segment;'), STREAM)).not.toEqual(section);
  });

  it('records the streams that dvr_apply names', () => {
    const isRecorded = (apply: string): boolean => bench().feature.select(bench().vhost(`dvr_apply ${apply};`), STREAM) !== null;
    const applied = ['all', 'live/show', 'a/b live/show', 'live/other', 'other/show'];
    expect(applied.map(isRecorded)).toEqual([true, true, true, false, false]);
  });

  it('records a stream that is asked for, by the block that is off or leaves it out, and no other', () => {
    const { feature } = bench();
    const section = feature.select(bench().vhost('dvr_plan segment;'), STREAM);
    feature.setRecording(STREAM, true);
    expect(feature.select(off('dvr_plan segment;'), STREAM)).toEqual(section);
    expect(feature.select(bench().vhost('dvr_plan segment; dvr_apply live/other;'), STREAM)).toEqual(section);
    expect(feature.select(off(), 'a.com/live/other')).toBeNull();
    feature.setRecording(STREAM, undefined);
    expect([feature.select(off(), STREAM), feature.select(bench().vhost('dvr_plan segment;'), STREAM)]).toEqual([null, section]);
  });

  it('does not record a stream that is not to be recorded now', () => {
    const { feature } = bench();
    feature.setRecording(STREAM, false);
    expect(feature.select(bench().vhost(), STREAM)).toBeNull();
    expect(feature.select(bench().vhost(), 'a.com/live/other')).not.toBeNull();
    feature.setRecording(STREAM, undefined);
    expect(feature.select(bench().vhost(), STREAM)).not.toBeNull();
  });

  it('survives what is done with a file', async () => {
    bench().recorded.push = () => {
      throw new Error('hook');
    };
    const publish = bench().publish();
    publish.send([...headers, keyFrame(0)]);
    await publish.end();
    expect(bench().lines.at(-1)!.text).toBe(`dvr: what follows the recording of ${bench().path(name)} has failed: hook`);
  });
});

describe('a real clip', () => {
  requires('ffmpeg', 'ffprobe');

  it.each(['h264-aac', 'h264-bframes-aac', 'h264-mp3', 'aac-only'] as const)(
    '%s comes back packet by packet',
    async (clipName) => {
      const source = await clip(clipName);
      const publish = bench().publish();
      publish.send(framesOf(source));
      await publish.end();
      const { path } = bench().recorded[0]!;
      const [recorded, original] = await Promise.all([packetHashes(path), packetHashes(source)]);
      for (const kind of ['video', 'audio'] as const) {
        expect(recorded[kind].map(({ hash }) => hash)).toEqual(original[kind].map(({ hash }) => hash));
      }
      const { format } = (await ffprobe(['-show_format', path])) as { format: { duration: string; start_time: string } };
      expect(Number(format.duration)).toBeCloseTo(10, 0);
    },
  );

  it('is sought through its index', async () => {
    const publish = bench().publish();
    publish.send(framesOf(await clip('h264-aac')));
    await publish.end();
    const { path } = bench().recorded[0]!;
    const probe = ['-read_intervals', '7.5%+#1', '-select_streams', 'v', '-show_packets', path];
    const { packets } = (await ffprobe(probe)) as { packets: readonly { pts_time: string; flags: string; pos: string }[] };
    const { keyFrames } = readFlv(path);
    expect(keyFrames).toHaveLength(10);
    const [timeMs, position] = keyFrames[7]!;
    // ffprobe gives the position of the tag's payload.
    expect(packets[0]).toMatchObject({ pts_time: (timeMs / 1000).toFixed(6), pos: String(position) });
  });
});
