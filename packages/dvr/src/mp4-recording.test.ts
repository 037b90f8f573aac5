import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ffprobe } from '../../../test/support/foreign.ts';
import { clip, packetHashes } from '../../../test/support/media.ts';
import { requires } from '../../../test/support/requires.ts';
import {
  audioHeader,
  framesOf,
  headers,
  keyFrame,
  media,
  metadata,
  type TestFrame,
  useBench,
  videoHeader,
} from './dvr-test-support.ts';
import { boxesIn, movieDurationPosition } from './mp4-boxes.ts';
import { repairMp4 } from './mp4-repair.ts';

const bench = useBench();
const oneFile = 'dvr_path PATH/[stream].mp4;';

const record = (frames: readonly TestFrame[], dvr = oneFile): Promise<void> => bench().record(frames, dvr);

function boxTypes(path: string): string[] {
  const bytes = readFileSync(path);
  return boxesIn(bytes, 0, bytes.length).map(({ type }) => type);
}

function durationOf(path: string): number {
  const bytes = readFileSync(path);
  return bytes.readUInt32BE(movieDurationPosition(bytes)!);
}

describe('a recording as MP4', () => {
  it('is fragments that end at key frames', async () => {
    await record([...headers, ...media({ toMs: 3000 })]);
    const path = bench().path('show.mp4');
    expect(boxTypes(path)).toEqual(['ftyp', 'moov', 'moof', 'mdat', 'moof', 'mdat', 'moof', 'mdat']);
    expect(durationOf(path)).toBe(2980);
    expect(bench().recorded).toMatchObject([{ path, durationMs: 2980, sizeBytes: readFileSync(path).length }]);
  });

  it('is written fragment by fragment, at least every two seconds', async () => {
    const publish = bench().publish(oneFile);
    publish.send([...headers, ...media({ toMs: 2100, gopMs: 60_000 })]);
    await expect.poll(() => boxTypes(bench().path('show.mp4.tmp'))).toEqual(['ftyp', 'moov', 'moof', 'mdat']);
    publish.send(media({ fromMs: 2100, toMs: 4200, kinds: 'audio' }));
    publish.send(media({ fromMs: 4200, toMs: 5000, kinds: 'audio' }));
    await expect.poll(() => boxTypes(bench().path('show.mp4.tmp')).length).toBe(6);
    await publish.end();
  });

  it('is written when much has come, though time stands still', async () => {
    const publish = bench().publish(`${oneFile} time_jitter off;`);
    publish.send([...headers, ...Array.from({ length: 5 }, () => keyFrame(0, 1024 * 1024))]);
    await expect.poll(() => boxTypes(bench().path('show.mp4.tmp'))).toEqual(['ftyp', 'moov', 'moof', 'mdat']);
    await publish.end();
    expect(boxTypes(bench().path('show.mp4'))).toHaveLength(6);
  });

  it('goes on in a new file when the tracks change', async () => {
    const otherHeader = { ...audioHeader, payload: Buffer.from('af001310', 'hex') };
    await record([...headers, ...media({ toMs: 1000 }), otherHeader, ...media({ fromMs: 1000, toMs: 2000 })]);
    expect(bench().files()).toEqual(['show-1.mp4', 'show.mp4']);
    expect(
      bench()
        .files()
        .map((file) => durationOf(bench().path(file))),
    ).toEqual([980, 980]);
  });

  it('has a track that comes before the first fragment is full', async () => {
    await record([videoHeader, keyFrame(0), audioHeader, ...media({ fromMs: 40, toMs: 3000 })]);
    expect(bench().files()).toEqual(['show.mp4']);
  });

  it('goes on in a new file when a track comes later', async () => {
    await record([videoHeader, ...media({ toMs: 3000, kinds: 'video' }), audioHeader, ...media({ fromMs: 3000, toMs: 4000 })]);
    expect(bench().files()).toEqual(['show-1.mp4', 'show.mp4']);
  });

  it('goes on in a new file when MP3 changes its rate, which no header tells', async () => {
    const mp3 = (head: string, fromMs: number): TestFrame[] =>
      Array.from({ length: 120 }, (_, at) => {
        const payload = Buffer.alloc(500);
        payload.write(head, 'hex');
        return { type: 8, flags: 0, timestampMs: fromMs + at * 26, payload };
      });
    await record([...mp3('2ffffb9000', 0), ...mp3('2ffffb9400', 3120)]);
    expect(bench().files()).toEqual(['show-1.mp4', 'show.mp4']);
  });

  it('is cut into segments', async () => {
    await record([...headers, ...media({ toMs: 5000 })], 'dvr_plan segment; dvr_duration 2; dvr_path PATH/[stream].[seq].mp4;');
    expect(bench().files()).toEqual(['show.0.mp4', 'show.1.mp4', 'show.2.mp4']);
    expect(bench().recorded.map(({ durationMs }) => durationMs)).toEqual([2000, 2000, 980]);
  });

  it('is appended to when the tracks are the same', async () => {
    const dvr = `dvr_plan append; ${oneFile}`;
    await record([...headers, ...media({ toMs: 1000 })], dvr);
    await record([...headers, ...media({ toMs: 1000 })], dvr);
    expect(bench().files()).toEqual(['show.mp4']);
    expect(boxTypes(bench().path('show.mp4'))).toEqual(['ftyp', 'moov', 'moof', 'mdat', 'moof', 'mdat']);
    expect(repairMp4(bench().path('show.mp4'))).toMatchObject({ cutBytes: 0 });
    expect(durationOf(bench().path('show.mp4'))).toBeGreaterThan(1980);
  });

  it('is left alone when they are not', async () => {
    const dvr = `dvr_plan append; ${oneFile}`;
    await record([...headers, ...media({ toMs: 1000 })], dvr);
    const before = readFileSync(bench().path('show.mp4'));
    await record([metadata, videoHeader, ...media({ toMs: 1000, kinds: 'video' })], dvr);
    expect(bench().files()).toEqual(['show-1.mp4', 'show.mp4']);
    // The repair counts the last sounds to their end.
    expect(readFileSync(bench().path('show.mp4')).length).toBe(before.length);
  });

  it('leaves out what does not go into MP4, and says so once', async () => {
    const speex: TestFrame = { type: 8, flags: 0, timestampMs: 0, payload: Buffer.from('b601020304', 'hex') };
    await record([metadata, videoHeader, speex, keyFrame(0), speex, keyFrame(1000), speex]);
    expect(bench().files()).toEqual(['show.mp4']);
    expect(
      bench()
        .lines.filter(({ level }) => level === 'warn')
        .map(({ text }) => text),
    ).toEqual([expect.stringMatching(/^dvr: frames that do not fit into the file are left out: .*speex/)]);
  });

  it('of nothing that fits is no file', async () => {
    const speex: TestFrame = { type: 8, flags: 0, timestampMs: 0, payload: Buffer.from('b601020304', 'hex') };
    await record([speex, speex]);
    expect([bench().files(), bench().recorded]).toEqual([[], []]);
  });
});

describe('an interrupted MP4', () => {
  it('is cut after its last whole fragment, wherever it ends', async () => {
    await record([...headers, ...media({ toMs: 2000, sizeBytes: 50 })]);
    const bytes = readFileSync(bench().path('show.mp4'));
    bytes.writeUInt32BE(0, movieDurationPosition(bytes)!);
    const path = bench().path('cut.mp4.tmp');
    const boxes = boxesIn(bytes, 0, bytes.length);
    const [first, second] = boxes.filter(({ type }) => type === 'mdat').map(({ end }) => end);
    for (let length = 0; length <= bytes.length; length += length < boxes[1]!.end ? 1 : 37) {
      writeFileSync(path, bytes.subarray(0, length));
      const summary = repairMp4(path);
      if (length < first!) expect(summary, `${length}`).toBeUndefined();
      else expect([summary?.sizeBytes, summary?.cutBytes]).toEqual(length < second! ? [first, length - first!] : [second, 0]);
    }
    writeFileSync(path, bytes);
    expect(repairMp4(path)?.durationMs).toBeGreaterThanOrEqual(1980);
    expect(durationOf(path)).toBeGreaterThanOrEqual(1980);
  });

  it('is found by the sweep; one that is no MP4 stays', async () => {
    await record([...headers, ...media({ toMs: 2000 })]);
    const bytes = readFileSync(bench().path('show.mp4'));
    mkdirSync(bench().path('d'));
    writeFileSync(bench().path('d/a.mp4.tmp'), bytes);
    truncateSync(bench().path('d/a.mp4.tmp'), bytes.length - 10);
    writeFileSync(bench().path('d/b.mp4.tmp'), Buffer.from('0000001066726565000000000000000000000008', 'hex'));
    const repaired = await bench().repair(bench().path('d/[stream].mp4'));
    expect(repaired.map(({ path }) => path)).toEqual([bench().path('d/a.mp4')]);
    expect(
      bench()
        .lines.filter(({ level }) => level === 'error')
        .map(({ text }) => text),
    ).toEqual([`dvr: ${bench().path('d/b.mp4.tmp')} was interrupted and cannot be repaired: mp4 box "free" at 0 must be ftyp`]);
  });
});

describe('a real clip as MP4', () => {
  requires('ffmpeg', 'ffprobe');

  it.each(['h264-aac', 'h264-bframes-aac', 'h264-mp3', 'aac-only'] as const)(
    '%s comes back packet by packet',
    async (clipName) => {
      const source = await clip(clipName);
      await record(framesOf(source));
      const path = bench().path('show.mp4');
      const [recorded, original] = await Promise.all([packetHashes(path), packetHashes(source)]);
      for (const kind of ['video', 'audio'] as const) {
        expect(recorded[kind].map(({ hash }) => hash)).toEqual(original[kind].map(({ hash }) => hash));
      }
      const { format } = (await ffprobe(['-show_format', path])) as { format: { duration: string } };
      expect(Number(format.duration)).toBeCloseTo(10, 0);
    },
  );

  it('can be sought in', async () => {
    await record(framesOf(await clip('h264-aac')));
    const probe = ['-read_intervals', '7.5%+#1', '-select_streams', 'v', '-show_packets', bench().path('show.mp4')];
    const { packets } = (await ffprobe(probe)) as { packets: readonly { pts_time: string; flags: string }[] };
    expect([Math.floor(Number(packets[0]!.pts_time)), packets[0]!.flags[0]]).toEqual([7, 'K']);
  });
});
