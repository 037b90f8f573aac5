/** The ways in which real programs name a stream: vhosts, ports, parameters. */
import { describe, expect, it } from 'vitest';
import { type ClipName, clip, type Packets, packetHashes } from '../support/media.ts';
import { requires } from '../support/requires.ts';
import type { ServerPlace } from '../support/server-process.ts';
import { playerNames, publishers } from './programs-test-support.ts';
import { Stage } from './stage-test-support.ts';

const hashesOf = (packets: Packets): string[] => packets.video.map((packet) => packet.hash);

const hashesOfClip = async (name: ClipName): Promise<string[]> => hashesOf(await packetHashes(await clip(name)));

const twoPorts = ({ rtmpPort, sparePort, host, privatePort, directory }: ServerPlace): string => `
listen ${rtmpPort} ${sparePort};
daemon off;
pid ${directory}/objs/srs.pid;
max_connections 1000;
srs_log_tank console;
private_api { listen ${host}:${privatePort}; }
workers { mode multi; stream 2; }
vhost __defaultVhost__ { }
`;

describe('a stream is found', () => {
  requires('ffmpeg', 'ffprobe', 'rtmpdump', 'gst-launch-1.0');

  it('by its vhost, in the tcUrl or in the name of the stream, and not by another one', async () => {
    await using stage = await Stage.open({ top: 'vhost a.test { } vhost b.test { }' });
    const at = {
      a: ['live?vhost=a.test/one', 'live/one?vhost=a.test'],
      b: ['live...vhost...b.test/one', 'live/one?vhost=b.test'],
    } as const;
    const play = async (path: string) => await Promise.all(playerNames.map((name) => stage.play(name, path)));
    const [playersOfA, playersOfB] = await Promise.all([
      Promise.all(at.a.map(play)).then((players) => players.flat()),
      Promise.all(at.b.map(play)).then((players) => players.flat()),
    ]);
    const publish = async (name: ClipName, path: string) => {
      const publisher = await publishers.ffmpeg(await clip(name), stage.url(path, stage.newTag('publisher')));
      await publisher.waitForExit();
    };
    await Promise.all([publish('h264-only', at.a[1]), publish('h264-bframes-aac', at.b[0])]);
    await stage.waitForDelivery('live/one', 'a.test');
    await stage.waitForDelivery('live/one', 'b.test');
    await stage.end();
    const [publishedA, publishedB] = [await hashesOfClip('h264-only'), await hashesOfClip('h264-bframes-aac')];
    expect(publishedA).not.toEqual(publishedB);
    await Promise.all(playersOfA.map(async (player) => expect(hashesOf(await player.packets()), player.tag).toEqual(publishedA)));
    await Promise.all(playersOfB.map(async (player) => expect(hashesOf(await player.packets()), player.tag).toEqual(publishedB)));
  });

  it('under its bare name when it was published with a token, on either of two ports', async () => {
    await using stage = await Stage.open({ config: twoPorts });
    const { rtmpPort, sparePort } = stage.server.place;
    const held = await Promise.all(
      playerNames.flatMap((name) => [
        stage.play(name, 'live/one', rtmpPort),
        stage.play(name, 'live/one', sparePort),
        stage.play(name, 'live/one?token=other', sparePort),
      ]),
    );
    for (const [publisher, port] of [
      [publishers.ffmpeg, sparePort],
      [publishers.rtmpsink, rtmpPort],
      [publishers.rtmp2sink, sparePort],
    ] as const) {
      const url = stage.url('live/one?token=x', stage.newTag('publisher'), port);
      const program = await publisher(await clip('h264-aac'), url);
      await program.waitForExit();
      await stage.waitForDelivery('live/one');
    }
    await stage.end();
    const published = await hashesOfClip('h264-aac');
    const thrice = [...published, ...published, ...published];
    await Promise.all(held.map(async (player) => expect(hashesOf(await player.packets()), player.tag).toEqual(thrice)));
  });
});
