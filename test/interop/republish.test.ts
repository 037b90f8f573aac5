/** Players stay attached while a stream ends and begins again, on whatever worker its publisher comes back. */
import { describe, expect, it } from 'vitest';
import { clip, packetHashes } from '../support/media.ts';
import { requires } from '../support/requires.ts';
import { playerNames, publishers } from './programs-test-support.ts';
import { splitIntoRuns, timeSteps } from './published-runs-test-support.ts';
import { Stage } from './stage-test-support.ts';

const MAX_ROUNDS = 24;

describe('a republish', () => {
  requires('ffmpeg', 'ffprobe', 'rtmpdump', 'gst-launch-1.0');

  it('reaches every player that is attached, on the same worker and on another, and time goes on', async () => {
    const file = await clip('h264-aac');
    const published = await packetHashes(file);
    await using stage = await Stage.open();
    const attached = (await Promise.all(playerNames.map((player) => stage.playOnEach(player, 'live/one')))).flat();
    const slots: number[] = [];
    const moves = new Set<string>();
    while (moves.size < 2 && slots.length < MAX_ROUNDS) {
      const tag = stage.newTag('publisher');
      const publisher = await publishers.ffmpeg(file, stage.url('live/one', tag));
      await publisher.waitForExit();
      await stage.waitForDelivery('live/one');
      const slot = await stage.slotOf(tag);
      if (slots.length > 0) moves.add(slot === slots.at(-1) ? 'same worker' : 'another worker');
      slots.push(slot);
    }
    expect(moves.size).toBe(2);
    for (const player of attached) expect(player.program.isRunning).toBe(true);
    await stage.end();

    for (const player of attached) {
      const got = await player.packets();
      for (const kind of ['video', 'audio'] as const) {
        const clips = slots.map(() => published[kind]);
        const runs = splitIntoRuns(got[kind], clips);
        const what = `${kind} of ${player.tag} on worker ${player.slot}, publishers on ${slots.join(', ')}`;
        expect(
          runs.reduce((sum, run) => sum + run.packets.length, 0),
          what,
        ).toBe(published[kind].length * slots.length);
        const { largest, smallest } = timeSteps(got[kind]);
        // 40 ms between two pictures, 23 ms between two sounds, and at a republish a little more.
        expect(smallest, what).toBeGreaterThanOrEqual(0);
        expect(largest, what).toBeLessThanOrEqual(120);
      }
    }
  });
});
