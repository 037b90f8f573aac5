import { describe, expect, it } from 'vitest';
import { PlayerFigures } from './player-figures.ts';
import { Stamp } from './stamp.ts';
import { wallMicros } from './wall-clock.ts';

function stampOf(sequence: number, options: { isKeyFrame?: boolean; stream?: number; lateMs?: number } = {}): Stamp {
  const timeUs = wallMicros() - (options.lateMs ?? 0) * 1000;
  return Object.assign(new Stamp(), { stream: 0, isKeyFrame: false, ...options, sequence, timeUs });
}

/** Players that play, with one picture each. */
function playing(players: number): PlayerFigures {
  const figures = new PlayerFigures(players);
  for (let player = 0; player < players; player++) {
    figures.onAsked(player, 100);
    figures.onPlaying(player, 110);
    figures.onMedia(player, 150);
    figures.onPicture(player, 150);
    figures.onStamp(player, stampOf(7), true);
  }
  return figures;
}

describe('the figures of players', () => {
  it('count bytes and pictures of the measured time only, and rates of each', () => {
    const figures = playing(2);
    figures.onBytes(0, 99_999);
    figures.begin(1000);
    figures.onBytes(0, 1000);
    figures.onBytes(1, 3000);
    figures.onPicture(1, 1500);
    const { bytes, frames, kbps, firstFrameMs } = figures.finish(3000);
    expect([bytes, frames, [...kbps], [...firstFrameMs]]).toEqual([4000, 1, [4, 12], [50, 50]]);
  });

  it('find the longest silence, the one that goes on at the end included', () => {
    const figures = playing(3);
    figures.begin(1000);
    figures.onMedia(0, 1400);
    figures.onMedia(0, 1500);
    figures.onMedia(1, 1100);
    const { silenceMs } = figures.finish(2000);
    expect([...silenceMs]).toEqual([500, 900, 1000]);
  });

  it('count missing pictures by player, and not before they are measured', () => {
    const figures = playing(2);
    figures.onStamp(0, stampOf(20, { isKeyFrame: true }), true);
    figures.begin(1000);
    expect(figures.onStamp(0, stampOf(21), true)).toBe(true);
    expect(figures.onStamp(0, stampOf(25, { isKeyFrame: true }), true)).toBe(false);
    expect(figures.finish(2000)).toMatchObject({ gapPlayers: 1, gapFrames: 3, wrongPlayers: 0, wrongMessages: 0 });
  });

  it.each([
    ['a picture that came before', stampOf(7)],
    ['a picture of another stream', stampOf(8, { stream: 3, isKeyFrame: true })],
    ['no key frame after a gap', stampOf(12)],
  ])('%s is wrong', (_name, stamp) => {
    const figures = playing(1);
    figures.begin(1000);
    expect(figures.onStamp(0, stamp, true)).toBe(false);
    expect(figures.finish(2000)).toMatchObject({ wrongPlayers: 1, wrongMessages: 1 });
  });

  it('measure latency from the stamp', () => {
    const figures = playing(1);
    figures.begin(1000);
    figures.onStamp(0, stampOf(8, { lateMs: 250 }), true);
    const { latency } = figures.finish(2000);
    expect(latency.maxMs).toBeGreaterThanOrEqual(250);
    expect(latency.maxMs).toBeLessThan(260);
  });

  it('leave players that were lost out of rates and silences', () => {
    const figures = playing(2);
    figures.begin(1000);
    figures.onBytes(1, 1000);
    figures.onLost(0, 'gone');
    const { kbps, silenceMs, counts } = figures.finish(2000);
    expect([kbps.length, silenceMs.length]).toEqual([1, 1]);
    expect(counts).toEqual({ wanted: 2, connected: 2, failed: 0, lost: 1, failures: { gone: 1 } });
  });

  it('tell of each second for itself', () => {
    const figures = playing(1);
    figures.begin(1000);
    figures.onBytes(0, 1000);
    figures.onPicture(0, 1100);
    figures.onMedia(0, 1600);
    figures.onStamp(0, stampOf(9, { isKeyFrame: true }), true);
    expect(figures.second(2000)).toMatchObject({
      bytes: 1000,
      frames: 1,
      gapFrames: 1,
      silenceMs: 600,
      kbps: new Float64Array([8]),
    });
    expect(figures.second(3000)).toMatchObject({
      bytes: 0,
      frames: 0,
      gapFrames: 0,
      silenceMs: 1400,
      kbps: new Float64Array([0]),
    });
  });
});
