/** Players that come to a stream while it runs get it from a key frame on, without a gap, wherever the publisher is. */
import { describe, expect, it } from 'vitest';
import { publishWithFfmpeg, startForeign } from '../support/foreign.ts';
import { clip, isContiguousPart, packetHashes } from '../support/media.ts';
import { requires } from '../support/requires.ts';
import { gstreamerArgs, playerNames } from './programs-test-support.ts';
import { type Player, Stage } from './stage-test-support.ts';

/** About 2 s of the clips beyond the key-frame interval that a joiner gets at once. */
const ENOUGH_BYTES = 200_000;

/** In real time. GStreamer cannot repeat a file, so its clip is the long one. */
const runningPublishers = {
  ffmpeg: async (url: string) => await publishWithFfmpeg(await clip('h264-aac'), url),
  rtmpsink: async (url: string) =>
    await startForeign('gst-launch-1.0', gstreamerArgs(await clip('long-gop'), 'rtmpsink', url, 'sync=true')),
  rtmp2sink: async (url: string) =>
    await startForeign('gst-launch-1.0', gstreamerArgs(await clip('long-gop'), 'rtmp2sink', url, 'sync=true')),
} as const;
const clips = { ffmpeg: 'h264-aac', rtmpsink: 'long-gop', rtmp2sink: 'long-gop' } as const;

describe('players that join a running stream get it from a key frame on without a gap', () => {
  requires('ffmpeg', 'ffprobe', 'rtmpdump', 'gst-launch-1.0');

  it.for(['ffmpeg', 'rtmpsink', 'rtmp2sink'] as const)('of %s', async (name) => {
    await using stage = await Stage.open();
    const publisher = await stage.publish('live/one', runningPublishers[name]);
    const joined = (await Promise.all(playerNames.map((player) => stage.playOnEach(player, 'live/one')))).flat();
    await stage.waitForBytes(joined, ENOUGH_BYTES);
    expect(publisher.program.isRunning).toBe(true);
    await publisher.program.stop();
    // Whatever was sent has been read when the connections end: librtmp drops the frame it is in.
    await stage.waitForDelivery('live/one');
    await stage.end();

    const published = await packetHashes(await clip(clips[name]));
    const place = (player: Player) => `${player.name} ${player.slot === publisher.slot ? 'beside' : 'elsewhere'}`;
    const places = playerNames.flatMap((player) => [`${player} beside`, `${player} elsewhere`]);
    expect(joined.map(place).toSorted()).toEqual(places.toSorted());
    const differences = await Promise.all(
      joined.map(async (player) => {
        const got = await player.packets();
        return (['video', 'audio'] as const).map((kind) => {
          const mayStartAnywhere = kind === 'audio';
          const part = isContiguousPart(got[kind], published[kind], { isLooped: true, mayStartAnywhere });
          return part.isPart ? '' : `${place(player)}: ${kind}: ${part.difference}`;
        });
      }),
    );
    expect(differences.flat().filter((text) => text !== '')).toEqual([]);
  });
});
