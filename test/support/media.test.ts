import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runForeign } from './foreign.ts';
import { canMakeClip, clip, expectContiguousPart, isContiguousPart, type Packet, packetHashes } from './media.ts';
import { requires } from './requires.ts';

function packets(...names: readonly string[]): Packet[] {
  return names.map((name, index) => ({
    hash: name.toLowerCase(),
    isKeyFrame: name !== name.toLowerCase(),
    ptsMs: index * 40,
    dtsMs: index * 40,
    sizeBytes: 100 + index,
  }));
}

describe('isContiguousPart', () => {
  const published = packets('A', 'b', 'c', 'D', 'e', 'f');

  it.each([
    ['all of it', packets('A', 'b', 'c', 'D', 'e', 'f'), 0],
    ['a later key frame on', packets('D', 'e', 'f'), 3],
    ['an earlier end', packets('A', 'b'), 0],
  ])('%s is a part', (_, player, firstIndex) => {
    expect(isContiguousPart(player, published)).toEqual({ isPart: true, difference: '', firstIndex });
  });

  it.each([
    ['nothing', packets(), 'the player got no packet'],
    ['a packet nobody sent', packets('X'), "the player's first packet (100 bytes at 0 ms, key frame) was never published"],
    ['a start between key frames', packets('b', 'c'), "the player's first packet (100 bytes at 0 ms) is no key frame"],
    [
      'a gap',
      packets('A', 'b', 'f'),
      'packet 2 of the player (102 bytes at 80 ms) skips 3 published packets, the first of them 2 (102 bytes at 80 ms)',
    ],
    ['a double', packets('A', 'b', 'b'), 'packet 2 of the player (102 bytes at 80 ms) is the one before it again'],
    [
      'a step back',
      packets('A', 'b', 'c', 'b'),
      'packet 3 of the player (103 bytes at 120 ms) is published packet 1, which came before; expected was 3 (103 bytes at 120 ms, key frame)',
    ],
    [
      'a changed packet',
      packets('A', 'b', 'x'),
      'packet 2 of the player (102 bytes at 80 ms) was never published; expected was packet 2 (102 bytes at 80 ms)',
    ],
    [
      'more than was published',
      packets('D', 'e', 'f', 'A'),
      "packet 3 of the player (103 bytes at 120 ms, key frame) comes after the publisher's last of 6 packets",
    ],
  ])('%s is a difference', (_, player, difference) => {
    expect(isContiguousPart(player, published)).toMatchObject({ isPart: false, difference });
  });

  it('a looped publisher goes on with its first packet', () => {
    expect(isContiguousPart(packets('D', 'e', 'f', 'A', 'b', 'c', 'D'), published, { isLooped: true }).isPart).toBe(true);
    expect(isContiguousPart(packets('D', 'e', 'f', 'b'), published, { isLooped: true }).difference).toContain(
      'skips 1 published packets',
    );
  });

  it('equal packets in several places: the longest match counts', () => {
    expect(isContiguousPart(packets('A', 'c'), packets('A', 'b', 'A', 'c'))).toMatchObject({ isPart: true, firstIndex: 2 });
  });

  it('a lost track is a difference', () => {
    const publisher = { video: published, audio: packets('S', 'T') };
    expect(() => expectContiguousPart({ video: published, audio: [] }, publisher)).toThrow('audio: the player got no packet');
    expect(() => expectContiguousPart({ video: published, audio: packets('T') }, publisher)).not.toThrow();
  });
});

describe('clips', () => {
  requires('ffmpeg', 'ffprobe');
  const directory = mkdtempSync(join(tmpdir(), 'srs-test-media-'));
  afterAll(() => rmSync(directory, { recursive: true }));

  it('h264-aac has a key frame each second and no two equal packets', async () => {
    const { video, audio } = await packetHashes(await clip('h264-aac'));
    // The first picture waits for the encoder delay of the sound.
    const keyFrames = video.filter((packet) => packet.isKeyFrame).map((packet) => packet.dtsMs - video[0]!.dtsMs);
    expect(keyFrames).toEqual([0, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000]);
    for (const track of [video, audio]) expect(new Set(track.map((packet) => packet.hash)).size).toBe(track.length);
    expect(video).toHaveLength(250);
    expect(audio.length).toBeGreaterThan(425);
  });

  it('a cut of a clip is a contiguous part of it, a cut with a hole is not', async () => {
    const source = await clip('h264-aac');
    const published = await packetHashes(source);
    const cut = join(directory, 'cut.flv');
    const copy = ['-v', 'error', '-i', source, '-c', 'copy'];
    await runForeign('ffmpeg', [...copy, '-ss', '3', '-t', '4', cut]);
    expectContiguousPart(await packetHashes(cut), published, { mayStartAnywhere: true });
    const holed = join(directory, 'holed.flv');
    await runForeign('ffmpeg', [...copy, '-bsf:v', 'noise=drop=eq(n\\,60)', holed]);
    const holedPackets = await packetHashes(holed);
    expect(() => expectContiguousPart(holedPackets, published)).toThrow(
      /^video: packet 60 of the player .* skips 1 published packets, the first of them 60 /,
    );
  });

  it('what the local ffmpeg cannot make says why', async (context) => {
    const { can, note } = await canMakeClip('hevc-aac');
    context.skip(can, 'this ffmpeg can make every clip');
    expect(note).toMatch(/cannot make the clip hevc-aac: ./);
  });
});
