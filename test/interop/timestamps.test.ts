/** Streams whose clock has run for long: past 24 bits there is an extended timestamp, past 31 bits the clock begins again. */
import { describe, expect, it } from 'vitest';
import { publishWithFfmpeg, runForeign, startForeign } from '../support/foreign.ts';
import { requires } from '../support/requires.ts';
import { publishToHeldPlayers } from './matrix-test-support.ts';
import type { PlayerName, StartPublisher } from './programs-test-support.ts';

const clocks = {
  // 0xFFFFFF is passed after 7.2 s.
  'passes 24 bits': 16_770_000,
  'is near its end': 2_147_460_000,
  // 2^31 is passed after 3.6 s.
  'passes 31 bits': 2_147_480_000,
} as const;
type Clock = keyof typeof clocks;

/** One of each RTMP implementation; rtmpdump is the old librtmp. */
const names: readonly PlayerName[] = ['ffmpeg', 'rtmpdump', 'rtmp2src'];

const seconds = (clock: Clock): string => String(clocks[clock] / 1000);

const startPublisher = {
  ffmpeg: (clock): StartPublisher => {
    return (file, url) =>
      publishWithFfmpeg(file, url, { rounds: 1, isUnpaced: true, outputArgs: ['-output_ts_offset', seconds(clock)] });
  },
  // librtmp takes the times of the file as they are.
  rtmpsink: (clock): StartPublisher => {
    return async (file, url) => {
      const shifted = `${file}.${clocks[clock]}.flv`;
      const args = ['-nostdin', '-v', 'error', '-y', '-i', file, '-c', 'copy', '-output_ts_offset', seconds(clock), shifted];
      await runForeign('ffmpeg', args);
      return await startForeign('gst-launch-1.0', [
        '-q',
        'filesrc',
        'blocksize=10000000',
        `location=${shifted}`,
        '!',
        'rtmpsink',
        `location=${url}`,
      ]);
    };
  },
} as const satisfies Record<string, (clock: Clock) => StartPublisher>;

describe('a clock that', () => {
  requires('ffmpeg', 'ffprobe', 'rtmpdump', 'gst-launch-1.0');

  it.for([
    ['passes 24 bits', 'ffmpeg', 'time_jitter full;'],
    ['passes 24 bits', 'rtmpsink', 'time_jitter full;'],
    ['passes 24 bits', 'ffmpeg', 'time_jitter off;'],
    ['passes 24 bits', 'rtmpsink', 'atc on;'],
    ['is near its end', 'ffmpeg', 'atc on;'],
    ['is near its end', 'rtmpsink', 'time_jitter zero;'],
    ['passes 31 bits', 'ffmpeg', 'time_jitter full;'],
    ['passes 31 bits', 'rtmpsink', 'time_jitter full;'],
    ['passes 31 bits', 'ffmpeg', 'time_jitter zero;'],
  ] as const)('%s, published by %s, plays through with %s', async ([clock, publisher, vhost]) => {
    // librtmp writes the step over the end of the clock as 2^31 and some milliseconds, which could as well be the time itself, 31
    // bits and one more: the server takes it so, and is wrong by less than a frame.
    const options = clock === 'passes 31 bits' && publisher === 'rtmpsink' ? { vhost, toleranceMs: 25 } : { vhost };
    const { differences } = await publishToHeldPlayers(startPublisher[publisher](clock), 'h264-aac', names, options);
    expect(differences).toEqual([]);
  });
});
