/** Two real encoders that want the same stream. */
import { describe, expect, it } from 'vitest';
import { publishWithFfmpeg } from '../support/foreign.ts';
import { clip, expectContiguousPart, type Packets, packetHashes } from '../support/media.ts';
import { RawRtmp } from '../support/raw-rtmp.ts';
import { requires } from '../support/requires.ts';
import { playerNames, publishers } from './programs-test-support.ts';
import { splitIntoRuns, timeSteps } from './published-runs-test-support.ts';
import { type Actor, Stage } from './stage-test-support.ts';

const MAX_TRIES = 24;
const SIMULTANEOUS_ROUNDS = 30;
const REFUSAL_LIMIT_MS = 3_000;
const END_LIMIT_MS = 10_000;
/** About a second of the clips, more than the key-frame interval at the start. */
const MORE_BYTES = 40_000;

describe('a second publisher', () => {
  requires('ffmpeg', 'ffprobe', 'rtmpdump', 'gst-launch-1.0');

  it('takes the stream over with busy replace, and the players go on with it', async () => {
    const names = ['h264-aac', 'h264-bframes-aac'] as const;
    const files = await Promise.all(names.map(clip));
    await using stage = await Stage.open({ vhost: 'publish { busy replace; }' });
    const attached = (await Promise.all(playerNames.map((player) => stage.playOnEach(player, 'live/one')))).flat();
    const taken: Actor[] = [];
    const moves = new Set<string>();
    while (moves.size < 2 && taken.length < MAX_TRIES) {
      const file = files[taken.length % files.length]!;
      const before = await stage.sentBytes(attached);
      const next = await stage.publish('live/one', (url) => publishWithFfmpeg(file, url));
      const last = taken.at(-1);
      if (last !== undefined) {
        await last.program.waitForExit(END_LIMIT_MS);
        moves.add(next.slot === last.slot ? 'same worker' : 'another worker');
      }
      taken.push(next);
      await stage.waitForBytes(attached, Math.max(...before) + MORE_BYTES);
    }
    expect(moves.size).toBe(2);
    const winner = taken.at(-1)!;
    expect(winner.program.isRunning).toBe(true);
    await winner.program.stop();
    await stage.waitForDelivery('live/one');
    await stage.end();

    const published = await Promise.all(files.map(packetHashes));
    const clips = (kind: keyof Packets) => taken.map((_, index) => published[index % files.length]![kind]);
    for (const player of attached) {
      const got = await player.packets();
      const what = `${player.tag} on worker ${player.slot}, publishers on ${taken.map((one) => one.slot).join(', ')}`;
      // Each publisher's pictures from its first on, then the next one's; the sound of both clips is the same.
      expect(splitIntoRuns(got.video, clips('video')), what).toHaveLength(taken.length);
      expect(timeSteps(got.video).smallest, what).toBeGreaterThanOrEqual(0);
      expect(timeSteps(got.audio).smallest, what).toBeGreaterThanOrEqual(0);
      expect(timeSteps(got.audio).largest, what).toBeLessThanOrEqual(500);
    }
  });

  it('that comes at the same moment leaves one of the two, and the other knows', async () => {
    await using stage = await Stage.open({ vhost: 'publish { busy replace; }' });
    for (let round = 0; round < SIMULTANEOUS_ROUNDS; round++) {
      using one = await RawRtmp.connect(stage.server.place.rtmpPort);
      using other = await RawRtmp.connect(stage.server.place.rtmpPort);
      const both = [one, other];
      await Promise.all(both.map((client) => client.connectApp('live')));
      await Promise.all(both.map((client) => client.publish(`round${round}`)));
      await Promise.race(both.map((client) => client.waitForClose()));
      expect(both.filter((client) => client.isOpen)).toHaveLength(1);
    }
  });

  it.for(['ffmpeg', 'rtmpsink', 'rtmp2sink'] as const)('is refused with busy reject: %s ends with an error', async (name) => {
    const file = await clip('h264-aac');
    await using stage = await Stage.open({ vhost: 'publish { busy reject; }' });
    const first = await stage.publish('live/one', (url) => publishWithFfmpeg(file, url));
    const attached = await stage.playOnEach('ffmpeg', 'live/one');
    const places = new Set<string>();
    for (let tries = 0; tries < MAX_TRIES && places.size < 2; tries++) {
      const tag = stage.newTag('second');
      const second = await publishers[name](await clip('long-gop'), stage.url('live/one', tag));
      const slot = await stage.slotOf(tag);
      const end = await second.waitForExit(REFUSAL_LIMIT_MS);
      expect(end.code, second.tail()).not.toBe(0);
      places.add(slot === first.slot ? 'beside' : 'elsewhere');
    }
    expect(places.size).toBe(2);
    const [sent = 0] = await stage.sentBytes(attached);
    await stage.waitForBytes(attached, sent + MORE_BYTES);
    expect(first.program.isRunning).toBe(true);
    await first.program.stop();
    await stage.waitForDelivery('live/one');
    await stage.end();
    const published = await packetHashes(file);
    for (const player of attached) {
      expectContiguousPart(await player.packets(), published, { isLooped: true, mayStartAnywhere: true });
    }
  });
});
