/** What FFmpeg posts over HTTP, as FLV or MPEG-TS, is what players of RTMP get, packet for packet. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runForeign, startForeign } from '../support/foreign.ts';
import { clip, expectContiguousPart, packetHashes } from '../support/media.ts';
import { requires } from '../support/requires.ts';
import { Stage } from './stage-test-support.ts';

const SECONDS = 2;
/** What is behind the input, and the ending of the URL. */
const kinds = [
  ['FLV', 'h264-bframes-aac', ['-f', 'flv'], 'flv'],
  ['MPEG-TS', 'h264-bframes-aac', ['-f', 'mpegts', '-method', 'POST'], 'ts'],
  ['MPEG-TS', 'h264-mp3', ['-f', 'mpegts'], 'ts'],
] as const;

requires('ffmpeg', 'ffprobe');

it('FLV, and MPEG-TS with AAC or MP3', { timeout: 60_000 }, async () => {
  await using stage = await Stage.open({
    top: ({ sparePort }) =>
      `stream_caster { enabled on; caster flv; listen ${sparePort}; output rtmp://127.0.0.1/[app]/[stream]; }`,
  });
  const { host, sparePort, directory } = stage.server.place;
  const posts = await Promise.all(
    kinds.map(async ([, name, format, ending], index) => {
      const path = `live/posted${index}`;
      const source = join(directory, `source${index}.flv`);
      const copy = ['-c', 'copy', '-t', String(SECONDS)];
      expect(await runForeign('ffmpeg', ['-v', 'error', '-i', await clip(name), ...copy, source])).toMatchObject({ code: 0 });
      const player = await stage.play('ffmpeg', path);
      const url = `http://${host}:${sparePort}/${path}.${ending}`;
      const program = await startForeign('ffmpeg', ['-v', 'error', '-re', '-i', source, '-c', 'copy', ...format, url]);
      return { path, source, player, program };
    }),
  );
  const ends = await Promise.all(posts.map(({ program }) => program.waitForExit()));
  for (const [i, { program }] of posts.entries()) expect([ends[i]?.code, program.tail()]).toEqual([0, expect.anything()]);
  for (const { path } of posts) await stage.waitForDelivery(path);
  await stage.end();
  for (const { player, source } of posts) {
    const [got, published] = [await player.packets(), await packetHashes(source)];
    expect([got.video.length, got.audio.length]).toEqual([published.video.length, published.audio.length]);
    expectContiguousPart(got, published);
  }
});
