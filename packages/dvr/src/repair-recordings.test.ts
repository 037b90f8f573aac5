import { appendFileSync, copyFileSync, existsSync, linkSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { encodeFlvTag } from '@srs/flv';
import { describe, expect, it } from 'vitest';
import { ffprobe } from '../../../test/support/foreign.ts';
import { requires } from '../../../test/support/requires.ts';
import { contentOf, headers, keyFrame, media, readFlv, type TestFrame, useBench } from './dvr-test-support.ts';
import { encodeFlvHead, indexRoomFor } from './flv-head.ts';
import { repairFlv } from './flv-repair.ts';
import type { RepairedFile } from './repair-recordings.ts';

const bench = useBench();
const name = 'show.1767323045067.flv';

/** A recording as it is while it is being written. */
function unfinished(frames: readonly TestFrame[], indexEntries = 20): Buffer {
  const [first, ...rest] = frames;
  const tags = rest.map(({ type, timestampMs, payload }) => encodeFlvTag(type, timestampMs, payload));
  return Buffer.concat([encodeFlvHead(first?.payload, indexRoomFor(indexEntries)), ...tags]);
}

const repairAll = (dvrPath?: string): Promise<readonly RepairedFile[]> => bench().repair(dvrPath);

function leave(file: string, bytes: Buffer): string {
  mkdirSync(bench().path('live'), { recursive: true });
  const path = bench().path(`live/${file}.tmp`);
  writeFileSync(path, bytes);
  return path;
}

describe('an interrupted recording', () => {
  it('becomes what it would be if it had ended there', async () => {
    const frames = [...headers, ...media({ toMs: 3000 })];
    const publish = bench().publish('dvr_path PATH/whole.flv;');
    publish.send(frames);
    await publish.end();
    leave(name, unfinished(frames, 11_000));
    const repaired = await repairAll();
    const path = bench().path(`live/${name}`);
    const whole = readFileSync(bench().path('whole.flv'));
    expect(readFileSync(path)).toEqual(whole);
    expect(repaired).toEqual([{ path, sizeBytes: whole.length, durationMs: 2980, cutBytes: 0 }]);
    expect(bench().files()).toEqual([`live/${name}`, 'whole.flv']);
    expect(bench().lines.at(-1)!.text).toBe(`dvr: ${path} was interrupted and is complete now: ${whole.length} bytes, 3.0 s`);
  });

  it('is cut after its last whole tag, wherever it ends', () => {
    const frames = [...headers, ...media({ toMs: 200 })];
    const bytes = unfinished(frames);
    const path = bench().path('cut.flv.tmp');
    /** Where each tag ends, without the size behind it: from there on it is whole. */
    const ends = frames.slice(1).map((_, at) => unfinished(frames.slice(0, at + 2)).length - 4);
    const firstMedia = ends[2]!;
    for (let length = unfinished(frames.slice(0, 1)).length - 4; length <= bytes.length; length++) {
      writeFileSync(path, bytes.subarray(0, length));
      const summary = repairFlv(path);
      const whole = ends.filter((end) => end <= length).length;
      if (length < firstMedia) {
        expect(summary, `${length}`).toBeUndefined();
        continue;
      }
      const file = readFlv(path);
      expect(contentOf(file.tags), `${length}`).toEqual(contentOf(frames.slice(0, whole + 1)));
      expect([file.sizeBytes, file.durationMs]).toEqual([summary?.sizeBytes, summary?.durationMs]);
      expect(summary?.cutBytes).toBe(Math.max(0, length - file.sizeBytes));
      expect(file.keyFrames).toEqual([[0, file.positions[3]]]);
    }
  });

  it.each([
    ['zeros', Buffer.alloc(5000)],
    ['a text', Buffer.from('x'.repeat(5000))],
    [
      'a tag whose size is not behind it',
      Buffer.concat([encodeFlvTag(9, 1, keyFrame(0).payload).subarray(0, -4), Buffer.alloc(50)]),
    ],
    ['an encrypted tag', encodeFlvTag(9 | 0x20, 1, keyFrame(0).payload)],
    ['a tag of a reserved type', encodeFlvTag(15, 1, keyFrame(0).payload)],
    ['a tag that says it is large', Buffer.from('09ffffff0000000000000000', 'hex')],
  ])('is complete up to the first byte that makes no sense: %s', (_, garbage) => {
    const frames = [...headers, ...media({ toMs: 400 })];
    const path = leave(name, Buffer.concat([unfinished(frames), garbage]));
    expect(repairFlv(path)?.cutBytes).toBe(garbage.length);
    expect(contentOf(readFlv(path).tags)).toEqual(contentOf(frames));
  });

  it('is the same after a second repair', () => {
    const path = leave(name, Buffer.concat([unfinished([...headers, ...media({ toMs: 2000 })]), Buffer.from('half')]));
    repairFlv(path);
    const once = readFileSync(path);
    expect(repairFlv(path)?.cutBytes).toBe(0);
    expect(readFileSync(path)).toEqual(once);
  });

  it('with tags larger than what is read at once is repaired', () => {
    const frames = [...headers, keyFrame(0, 3_000_000), keyFrame(1000, 200), keyFrame(2000, 1_500_000)];
    const path = leave(name, unfinished(frames));
    expect(repairFlv(path)).toMatchObject({ durationMs: 2000, cutBytes: 0 });
    expect(readFlv(path).keyFrames.map(([timeMs]) => timeMs)).toEqual([0, 1000, 2000]);
  });

  it('gets another name when its own is taken', async () => {
    leave(name, unfinished([...headers, keyFrame(0)]));
    writeFileSync(bench().path(`live/${name}`), 'finished');
    const [repaired] = await repairAll();
    expect(repaired?.path).toBe(bench().path('live/show.1767323045067-1.flv'));
    expect(readFileSync(bench().path(`live/${name}`), 'utf8')).toBe('finished');
  });

  it('that had got its name already loses the other one', async () => {
    const path = leave(name, unfinished([...headers, keyFrame(0)]));
    linkSync(path, bench().path(`live/${name}`));
    await repairAll();
    expect(bench().files()).toEqual([`live/${name}`]);
    expect(readFlv(bench().path(`live/${name}`)).tags).toHaveLength(4);
  });

  it('without pictures and sounds is removed', async () => {
    leave(name, unfinished(headers));
    leave('empty.1767323045067.flv', Buffer.alloc(0));
    expect(await repairAll()).toEqual([]);
    expect(bench().files()).toEqual([]);
  });

  it('that somebody writes is left alone, and repaired when that has ended', async () => {
    const path = leave(name, unfinished([...headers, keyFrame(0)]));
    const writer = await open(path, 'r+');
    expect(await repairAll()).toEqual([]);
    expect(existsSync(path)).toBe(true);
    await writer.close();
    expect(await repairAll()).toHaveLength(1);
  });

  it('that a recorder of this process writes is left alone', async () => {
    const publish = bench().publish();
    publish.send([...headers, keyFrame(0)]);
    await expect.poll(() => bench().files()).toEqual([`live/${name}.tmp`]);
    expect(await repairAll()).toEqual([]);
    publish.send([keyFrame(40)]);
    await publish.end();
    expect(readFlv(bench().path(`live/${name}`)).durationMs).toBe(40);
  });

  it('that cannot be repaired stays, and the others are repaired', async () => {
    leave('a.1767323045067.flv', Buffer.alloc(1000));
    leave(name, unfinished([...headers, keyFrame(0)]));
    expect(await repairAll()).toHaveLength(1);
    expect(bench().files()).toEqual(['live/a.1767323045067.flv.tmp', `live/${name}`]);
    expect(bench().lines.find(({ level }) => level === 'error')?.text).toBe(
      `dvr: ${bench().path('live/a.1767323045067.flv.tmp')} was interrupted and cannot be repaired: flv signature "\\u0000\\u0000\\u0000" must be "FLV"`,
    );
  });

  it('is found by its template only', async () => {
    leave('other.flv', unfinished([...headers, keyFrame(0)]));
    leave('list.m3u8', Buffer.from('#EXTM3U'));
    expect(await repairAll()).toEqual([]);
    expect(await repairAll(bench().path('[app]/[stream].flv'))).toHaveLength(1);
    expect(await repairAll(bench().path('missing'))).toEqual([]);
  });

  it('repaired by two processes at once is there once', async () => {
    for (let i = 0; i < 10; i++) leave(`${i}.1767323045067.flv`, unfinished([...headers, keyFrame(0)]));
    await Promise.all([repairAll(), repairAll(), repairAll()]);
    expect(bench().files()).toEqual(Array.from({ length: 10 }, (_, i) => `live/${i}.1767323045067.flv`));
    expect(bench().lines.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('a repaired recording', () => {
  requires('ffprobe');

  it('has a duration for other programs', async () => {
    const path = leave(name, unfinished([...headers, ...media({ toMs: 5000 })]));
    appendFileSync(path, 'half a tag');
    copyFileSync(path, bench().path('before.flv'));
    await repairAll();
    const { format } = (await ffprobe(['-show_format', bench().path(`live/${name}`)])) as { format: { duration: string } };
    expect(Number(format.duration)).toBe(4.98);
  });
});
