/** What a real program publishes is what every real player gets, packet for packet, on whatever workers the two are. */
import { describe, expect, it } from 'vitest';
import { type ClipName, canMakeClip } from '../support/media.ts';
import { requires } from '../support/requires.ts';
import { publishToHeldPlayers } from './matrix-test-support.ts';
import { type PublisherName, playerNames, publishers } from './programs-test-support.ts';

const combinations: readonly (readonly [PublisherName, ClipName])[] = [
  ['ffmpeg', 'h264-aac'],
  ['ffmpeg', 'h264-bframes-aac'],
  ['ffmpeg', 'h264-mp3'],
  ['ffmpeg', 'h264-only'],
  ['ffmpeg', 'aac-only'],
  ['ffmpeg', 'mp3-only'],
  ['ffmpeg', 'hevc-aac'],
  ['rtmpsink', 'h264-aac'],
  ['rtmp2sink', 'h264-aac'],
];

describe('players that wait for a stream get every packet of it at its time', () => {
  requires('ffmpeg', 'ffprobe', 'rtmpdump', 'gst-launch-1.0');

  it.for(combinations)('%s publishes %s, players beside it and on the other worker', async ([publisher, name], context) => {
    const { can, note } = await canMakeClip(name);
    context.skip(!can, note);
    const { places, differences } = await publishToHeldPlayers(publishers[publisher], name, playerNames);
    expect(places.toSorted()).toEqual(playerNames.flatMap((player) => [`${player} beside`, `${player} elsewhere`]).toSorted());
    expect(differences).toEqual([]);
  });

  it.for(combinations)('%s publishes %s, everything in one process', async ([publisher, name], context) => {
    const { can, note } = await canMakeClip(name);
    context.skip(!can, note);
    const options = { workers: 'mode single;' };
    const { places, differences } = await publishToHeldPlayers(publishers[publisher], name, playerNames, options);
    expect(places.toSorted()).toEqual(playerNames.map((player) => `${player} beside`).toSorted());
    expect(differences).toEqual([]);
  });
});
