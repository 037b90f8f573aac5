import { appendFileSync, copyFileSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { type AmfObject, decodeAmf0 } from '@srs/amf';
import { encodeFlvHeader, encodeFlvTag } from '@srs/flv';
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
  metadataOf,
  readFlv,
  type TestFrame,
  useBench,
  videoHeader,
} from './dvr-test-support.ts';

const bench = useBench();
const oneFile = 'dvr_plan append; dvr_path PATH/[app]/[stream].flv;';
const name = 'live/show.flv';

const record = (frames: readonly TestFrame[], dvr = oneFile): Promise<void> => bench().record(frames, dvr);

describe('the plan append', () => {
  it('goes on with the file of the publish before, and with its time', async () => {
    const frames = media({ toMs: 2000 });
    await record([...headers, ...frames]);
    await record([...headers, ...frames]);
    await record([...headers, ...frames]);
    expect(bench().files()).toEqual([name]);
    const { tags, durationMs, keyFrames, positions } = readFlv(bench().path(name));
    const content = contentOf(tags.filter(({ flags }) => (flags & 2) === 0));
    const roundMs = 1980 + 40;
    expect(content).toEqual([0, 1, 2].flatMap((round) => contentOf(frames, round * roundMs)));
    expect(durationMs).toBe(2 * roundMs + 1980);
    expect(keyFrames.map(([timeMs]) => timeMs)).toEqual([0, 1000, 2020, 3020, 4040, 5040]);
    for (const [timeMs, position] of keyFrames) expect(tags[positions.indexOf(position)]?.timestampMs).toBe(timeMs);
    expect(bench().recorded.map((file) => file.durationMs)).toEqual([1980, 1980 + roundMs, durationMs]);
  });

  it('has the metadata of the later publish where that begins', async () => {
    await record([...headers, keyFrame(0)]);
    await record([metadataOf({ width: 640 }), videoHeader, keyFrame(0)]);
    const { tags, metadata: first } = readFlv(bench().path(name));
    expect(first.getNumber('width')).toBe(320);
    const later = tags.filter(({ type }) => type === 18)[1]!;
    expect((decodeAmf0(later.payload)[1] as AmfObject).getNumber('width')).toBe(640);
  });

  it.each(['zero', 'off'])('never goes back in time with time_jitter %s', async (mode) => {
    const frames = media({ fromMs: 5000, toMs: 6000 });
    for (let round = 0; round < 2; round++) await record([...headers, ...frames], `${oneFile} time_jitter ${mode};`);
    const times = readFlv(bench().path(name))
      .tags.filter(({ type }) => type !== 18)
      .map(({ timestampMs }) => timestampMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times.at(-1)! - times[0]!).toBe(980 + 40 + 980);
  });

  it('remembers the file when the template names one for each time', async () => {
    const dvr = 'dvr_plan append;';
    await record([...headers, keyFrame(0)], dvr);
    bench().clock.advance(60_000);
    await record([...headers, keyFrame(0)], dvr);
    expect(bench().files()).toEqual(['live/show.1767323045067.flv']);
    expect(readFlv(bench().path('live/show.1767323045067.flv')).keyFrames).toHaveLength(1);
  });

  it('repairs a file that was interrupted and goes on with it', async () => {
    await record([...headers, ...media({ toMs: 1000 })]);
    renameSync(bench().path(name), bench().path(`${name}.tmp`));
    truncateSync(bench().path(`${name}.tmp`), bench().recorded[0]!.sizeBytes - 7);
    await record([...headers, keyFrame(0)]);
    expect(bench().files()).toEqual([name]);
    // The last sound was cut.
    expect(readFlv(bench().path(name)).durationMs).toBe(960 + 40);
  });

  it('leaves a file alone that somebody else writes', async () => {
    await record([...headers, keyFrame(0)]);
    renameSync(bench().path(name), bench().path(`${name}.tmp`));
    const before = readFileSync(bench().path(`${name}.tmp`));
    const other = await open(bench().path(`${name}.tmp`), 'r+');
    await record([...headers, keyFrame(0)]);
    await other.close();
    expect(bench().files()).toEqual(['live/show-1.flv', `${name}.tmp`]);
    expect(readFileSync(bench().path(`${name}.tmp`))).toEqual(before);
  });

  it('lets only one of two streams with one path have the file', async () => {
    const dvr = 'dvr_plan append; dvr_path PATH/all.flv;';
    await record([...headers, keyFrame(0)], dvr);
    const first = bench().publish(dvr, 'one');
    first.send([...headers, keyFrame(0)]);
    await expect.poll(() => bench().lines.some(({ text }) => text.startsWith('dvr: goes on with'))).toBe(true);
    const second = bench().publish(dvr, 'two');
    second.send([...headers, keyFrame(0)]);
    await second.end();
    await first.end();
    expect(bench().files()).toEqual(['all-1.flv', 'all.flv']);
    expect(
      bench()
        .files()
        .map((file) => contentOf(readFlv(bench().path(file)).tags).length),
    ).toEqual([3, 6]);
  });

  it('leaves the file as it was when a publish has no media', async () => {
    await record([...headers, keyFrame(0)]);
    const before = readFileSync(bench().path(name));
    await record(headers);
    expect(bench().files()).toEqual([name]);
    expect(readFileSync(bench().path(name))).toEqual(before);
  });

  it('leaves a file alone that is no recording', async () => {
    await record([...headers, keyFrame(0)]);
    writeFileSync(bench().path(name), 'a text, not a recording');
    await record([...headers, keyFrame(0)]);
    expect(bench().files()).toEqual(['live/show-1.flv', name]);
    expect(readFileSync(bench().path(name), 'utf8')).toBe('a text, not a recording');
    expect(
      bench()
        .lines.filter(({ level }) => level === 'warn')
        .map(({ text }) => text),
    ).toEqual([`dvr: cannot go on with ${bench().path(name)}, a new file begins: flv signature "a t" must be "FLV"`]);
  });

  it('goes on with a file of another program, which has no room for an index', async () => {
    const tags = [videoHeader, audioHeader, ...media({ toMs: 400 })].map((each) =>
      encodeFlvTag(each.type, each.timestampMs, each.payload),
    );
    await record([...headers, keyFrame(0)]);
    writeFileSync(bench().path(name), Buffer.concat([encodeFlvHeader({ hasAudio: false, hasVideo: false }), ...tags]));
    await record([...headers, keyFrame(0)]);
    const bytes = readFileSync(bench().path(name));
    expect(bytes[4]).toBe(5);
    expect(bytes.length).toBe(bench().recorded.at(-1)!.sizeBytes);
    expect(bench().recorded.at(-1)!.durationMs).toBe(380 + 40);
  });

  it('loses nothing of what comes while the file is read', async () => {
    await record([...headers, ...media({ toMs: 1000 })]);
    const publish = bench().publish(oneFile);
    publish.send([...headers, ...media({ toMs: 500 })]);
    await expect.poll(() => bench().lines.some(({ text }) => text.startsWith('dvr: goes on with'))).toBe(true);
    publish.send(media({ fromMs: 500, toMs: 1000 }));
    await publish.end();
    expect(readFlv(bench().path(name)).durationMs).toBe(980 + 40 + 980);
  });
});

describe('too much for the time of reading', () => {
  const small = useBench({ maxPendingBytes: 1_000_000 });

  it('ends the recording and gives the file back at once', async () => {
    const publish = small().publish(oneFile);
    publish.send([...headers, keyFrame(0)]);
    await publish.end();
    const before = readFileSync(small().path(name));
    const next = small().publish(oneFile);
    next.send([...headers, ...media({ toMs: 10_000, sizeBytes: 5000 })]);
    // Its publish may go on for long.
    await expect.poll(() => small().files()).toEqual([name]);
    expect(readFileSync(small().path(name)).equals(before)).toBe(true);
    await next.end();
    expect(small().files()).toEqual([name]);
    const errors = small().lines.filter(({ level }) => level === 'error');
    expect(errors.map(({ text }) => text)).toEqual([
      expect.stringMatching(
        /^dvr: recording of a\.com\/live\/show ends until the next publish: the disk is too slow: 100\d{4} bytes wait for the file to go on with, at most 1000000 may$/,
      ),
    ]);
  });
});

describe('appended real clips', () => {
  requires('ffmpeg', 'ffprobe');

  it('play as one', async () => {
    const frames = framesOf(await clip('h264-aac'));
    await record(frames);
    await record(frames);
    const probed = (await ffprobe(['-count_frames', '-show_streams', '-show_format', bench().path(name)])) as {
      streams: readonly { codec_name: string; nb_read_frames: string }[];
      format: { duration: string };
    };
    expect(probed.streams.find((stream) => stream.codec_name === 'h264')?.nb_read_frames).toBe('500');
    expect(Number(probed.format.duration)).toBeCloseTo(20, 0);
  });
});

it('an unfinished and a finished file of one name are both kept', async () => {
  await record([...headers, keyFrame(0)]);
  copyFileSync(bench().path(name), bench().path(`${name}.tmp`));
  appendFileSync(bench().path(`${name}.tmp`), 'half a tag');
  await record([...headers, keyFrame(0)]);
  expect(bench().files()).toEqual(['live/show-1.flv', name]);
  expect(contentOf(readFlv(bench().path('live/show-1.flv')).tags)).toHaveLength(6);
});
