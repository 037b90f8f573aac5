/** Transport streams of another muxer, turned into FLV, and what its demuxer and decoders make of that. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { classifyFrame, describeVideo, parseVideoConfiguration } from '@srs/codec';
import { encodeFlvHeader, encodeFlvTag } from '@srs/flv';
import { frameFlags, frameTypes } from '@srs/kernel';
import { afterAll, expect, it } from 'vitest';
import { runForeign } from '../../../test/support/foreign.ts';
import { clip, type ProbedPackets, packetArgs, packetsIn } from '../../../test/support/media.ts';
import { requires } from '../../../test/support/requires.ts';
import { TsToFlv } from './ts-to-flv.ts';

const TIMEOUT = { timeout: 60_000 };
const directory = mkdtempSync(join(tmpdir(), 'srs-ts-to-flv-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

requires('ffmpeg', 'ffprobe');

async function ffmpeg(...args: readonly string[]): Promise<string> {
  const run = await runForeign('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...args]);
  expect(run).toMatchObject({ code: 0, stderr: '' });
  return run.stdout;
}

/** What each decoded frame is, in order. */
async function decoded(file: string, track: string): Promise<readonly string[]> {
  const lines = await ffmpeg('-i', file, '-map', `0:${track}`, '-fps_mode', 'passthrough', '-f', 'framemd5', '-');
  return lines.split('\n').flatMap((line) => (line === '' || line.startsWith('#') ? [] : [line.split(',').at(-1)!.trim()]));
}

interface Tag {
  readonly type: number;
  readonly payload: Buffer;
}

function toFlv(tsFile: string): { readonly tags: readonly Tag[]; readonly flv: Buffer; readonly warnings: readonly string[] } {
  const tags: Tag[] = [];
  const parts = [encodeFlvHeader({ hasAudio: true, hasVideo: true })];
  const warnings: string[] = [];
  const reader = new TsToFlv({
    onFrame: (type, timestampMs, payload) => {
      tags.push({ type, payload: Buffer.from(payload) });
      parts.push(encodeFlvTag(type, timestampMs, payload));
    },
    onWarning: (text) => warnings.push(text),
  });
  const bytes = readFileSync(tsFile);
  for (let at = 0; at < bytes.length; at += 1316) reader.receive(bytes.subarray(at, at + 1316));
  reader.end();
  return { tags, flv: Buffer.concat(parts), warnings };
}

it.each(['h264-bframes-aac', 'h264-mp3'] as const)('%s keeps its packets, times and pictures', TIMEOUT, async (name) => {
  const source = join(directory, `${name}-source.flv`);
  const ts = join(directory, `${name}.ts`);
  const flv = join(directory, `${name}.flv`);
  await ffmpeg('-i', await clip(name), '-t', '2', '-c', 'copy', source);
  await ffmpeg('-i', source, '-c', 'copy', ts);
  const { flv: bytes, warnings } = toFlv(ts);
  expect(warnings).toEqual([]);
  writeFileSync(flv, bytes);
  const [from, to] = await Promise.all(
    [source, flv].map(async (file) => {
      const probed = await runForeign('ffprobe', ['-v', 'warning', '-of', 'json', ...packetArgs, file]);
      expect(probed).toMatchObject({ code: 0, stderr: '' });
      return packetsIn(JSON.parse(probed.stdout) as ProbedPackets);
    }),
  );
  const shift = to!.video[0]!.dtsMs - from!.video[0]!.dtsMs;
  expect(to!.video.map(({ dtsMs, ptsMs, isKeyFrame }) => [dtsMs - shift, ptsMs - shift, isKeyFrame])).toEqual(
    from!.video.map(({ dtsMs, ptsMs, isKeyFrame }) => [dtsMs, ptsMs, isKeyFrame]),
  );
  expect(to!.audio).toHaveLength(from!.audio.length);
  for (const [i, { ptsMs }] of to!.audio.entries())
    expect(Math.abs(ptsMs - shift - from!.audio[i]!.ptsMs)).toBeLessThanOrEqual(2);
  for (const track of ['v', 'a']) expect(await decoded(flv, track)).toEqual(await decoded(source, track));
});

it('H.265 keeps its pictures, and its configuration says what x265 wrote', TIMEOUT, async () => {
  const ts = join(directory, 'hevc.ts');
  const source = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=1', '-pix_fmt', 'yuv420p10le'];
  await ffmpeg(...source, '-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'keyint=10:log-level=none', ts);
  const { tags, warnings } = toFlv(ts);
  expect(warnings).toEqual([]);
  const [header, ...pictures] = tags.map(({ payload }) => payload);
  expect(parseVideoConfiguration(describeVideo(header!)!, header!)).toMatchObject({
    codec: 'hevc',
    profileName: 'Main10',
    width: 320,
    height: 180,
  });
  // Chroma 4:2:0, 10 bits a sample, as it stands in the record.
  expect(header!.subarray(5 + 16, 5 + 19).toString('hex')).toBe('fdfafa');
  expect(pictures).toHaveLength(25);
  const flags = pictures.map((payload) => classifyFrame(frameTypes.video, payload));
  expect(flags.filter((one) => (one & frameFlags.keyFrame) !== 0)).toHaveLength(3);
});
