import { embeddedClipFile } from '@srs/client';
import { describe, expect, it } from 'vitest';
import { indexesOf, kindOfPlayer, type LoadPlan, type PlayPlan, sharesOf, urlOfStream } from './load-plan.ts';
import { BadArguments } from './option-parser.ts';
import { isLoopback } from './option-urls.ts';
import { parseBenchOptions } from './options.ts';

function planOf(line: string): LoadPlan {
  const request = parseBenchOptions(line.split(' '));
  if (request.kind !== 'run') throw new Error(request.text);
  return request.plan;
}

function playPlan(line: string): PlayPlan {
  const plan = planOf(line);
  if (plan.kind !== 'play') throw new Error(plan.kind);
  return plan;
}

describe('the options of srs-bench', () => {
  it('play has defaults for all', () => {
    expect(planOf('play')).toEqual({
      kind: 'play',
      url: 'rtmp://127.0.0.1:1935/live/bench',
      players: 1,
      streams: 1,
      processes: 1,
      rampPerSecond: 500,
      warmupSeconds: 2,
      durationSeconds: 10,
      checked: 1,
      slow: 0,
      slowKbps: 1,
      stalled: 0,
      readEveryMs: 0,
      watched: [],
      watchedTrees: [],
      isJson: false,
      file: embeddedClipFile,
      publish: undefined,
    });
  });

  it('publish has defaults for all', () => {
    expect(planOf('publish')).toEqual({
      kind: 'publish',
      url: 'rtmp://127.0.0.1:1935/live/bench',
      publishers: 1,
      processes: 1,
      rampPerSecond: 500,
      durationSeconds: 10,
      watched: [],
      watchedTrees: [],
      isJson: false,
      file: embeddedClipFile,
      kbps: undefined,
      isStamped: true,
      speed: 1,
    });
  });

  it('play takes all that it offers', () => {
    const line =
      'play rtmp://localhost:2000/a/s{n} --players 100 --streams 3 --processes 2 --ramp 50 --warmup 0 --duration 0.5 --check all ' +
      '--slow 5:80.5 --stalled 2 --read-every 100 --pid 12:worker:1 --pid 13 --pids-of 14 --pids-of 15 --json --publish --kbps 500 --file x.flv';
    expect(planOf(line)).toMatchObject({
      url: 'rtmp://localhost:2000/a/s{n}',
      players: 100,
      streams: 3,
      processes: 2,
      rampPerSecond: 50,
      warmupSeconds: 0,
      durationSeconds: 0.5,
      checked: 100,
      slow: 5,
      slowKbps: 80.5,
      stalled: 2,
      readEveryMs: 100,
      isJson: true,
      file: 'x.flv',
      watched: [
        { pid: 12, label: 'worker:1' },
        { pid: 13, label: undefined },
      ],
      watchedTrees: [14, 15],
      publish: { kind: 'publish', publishers: 3, processes: 1, kbps: 500, file: 'x.flv', isStamped: true, speed: 1 },
    });
  });

  it('publish takes all that it offers', () => {
    const line = 'publish rtmp://[::1]/a/s{n} --publishers 7 --kbps 800 --speed max --no-stamp';
    expect(planOf(line)).toMatchObject({ publishers: 7, kbps: 800, speed: Number.POSITIVE_INFINITY, isStamped: false });
    expect(planOf('publish --speed 2.5')).toMatchObject({ speed: 2.5 });
  });

  it('hls has defaults for all', () => {
    expect(planOf('hls')).toEqual({
      kind: 'hls',
      url: 'http://127.0.0.1:8080/live/bench.m3u8',
      players: 1,
      streams: 1,
      processes: 1,
      rampPerSecond: 500,
      warmupSeconds: 2,
      durationSeconds: 10,
      watched: [],
      watchedTrees: [],
      isJson: false,
      files: [],
    });
  });

  it('hls views a playlist, or asks for files as fast as it can', () => {
    expect(planOf('hls http://localhost/live/s{n}.m3u8 --players 5 --streams 2 --warmup 0')).toMatchObject({
      url: 'http://localhost/live/s{n}.m3u8',
      players: 5,
      streams: 2,
      warmupSeconds: 0,
      files: [],
    });
    const files = ['http://localhost/a.m3u8', 'http://localhost/b.ts'];
    expect(planOf(`hls ${files.join(' ')} --rate max`)).toMatchObject({ url: files[0], files });
  });

  it('a stream that is played over HTTP is published over RTMP', () => {
    const publishUrl = (line: string): string | undefined => playPlan(line).publish?.url;
    expect(publishUrl('play http://localhost:8080/live/s.flv')).toBeUndefined();
    expect(publishUrl('play http://localhost:8080/live/s.flv --publish --kbps 500')).toBe('rtmp://localhost/live/s');
    expect(publishUrl('play ws://localhost/live/s{n}.flv --streams 2 --publish')).toBe('rtmp://localhost/live/s{n}');
    expect(publishUrl('play http://localhost/s.flv --publish-to rtmp://localhost:2000/a/b --kbps 500')).toBe(
      'rtmp://localhost:2000/a/b',
    );
  });

  it('help is a text that names every option', () => {
    const helpOf = (line: string): string => {
      const request = parseBenchOptions(line.split(' '));
      return request.kind === 'help' ? request.text : '';
    };
    expect(helpOf('--help')).toContain('srs-bench publish [URL] [options]');
    for (const option of ['--players', '--slow', '--read-every', '--pids-of']) expect(helpOf('play --help')).toContain(option);
    expect(helpOf('publish --help')).toContain('--no-stamp');
    expect(helpOf('hls --help')).toContain('--rate');
  });

  it.each([
    ['', 'a command is missing; there are play, publish, hls'],
    ['record', '"record" is no command; there are play, publish, hls'],
    ['play --players 0', '--players must be a whole number in 1..20000'],
    ['play --players 20001', '--players must be a whole number in 1..20000'],
    ['play --players 1.5', '--players must be a whole number in 1..20000'],
    ['play --players many', '--players must be a whole number in 1..20000'],
    ['play --players 1 --players 2', '--players may be given once'],
    ['play --duration 3601', '--duration must be a number in 0.1..3600'],
    ['play --processes 65', '--processes must be a whole number in 1..64'],
    ['play --streams 2', '--streams 2 needs {n} in the URL, for the number of the stream'],
    ['publish --publishers 2', '--publishers 2 needs {n} in the URL, for the number of the stream'],
    ['play --slow 5', '--slow "5" must be COUNT:KBPS, such as 100:80'],
    ['play --slow 1:0', '--slow "1:0": kbps must be above 0'],
    ['play --players 5 --slow 3:80 --stalled 3', '--slow 3 and --stalled 3 together must be at most --players 5'],
    ['play --check some', '--check must be a whole number from 0 on, or all'],
    ['play --kbps 500', '--kbps needs --publish'],
    ['play --pid init', '--pid "init" must begin with a process id'],
    ['play --pids-of 0', '--pids-of "0" must begin with a process id'],
    ['publish --speed fast', '--speed must be a number in 0.1..100'],
    ['publish --players 3', 'Unknown argument: players'],
    ['play http://localhost/live/s.m3u8?x=1', 'http://localhost/live/s.m3u8 is a playlist: srs-bench hls plays those'],
    ['play https://localhost/live/s.flv', 'address "https://localhost/live/s.flv" must be http://host[:port]/path, without TLS'],
    ['play http://10.0.0.1/live/s.flv', 'http://10.0.0.1/live/s.flv is not on this machine'],
    [
      'play http://localhost/s.flv --publish',
      '--publish cannot tell from http://localhost/s.flv where to publish: use --publish-to',
    ],
    ['play --publish-to rtmp://10.0.0.1/a/b', 'rtmp://10.0.0.1/a/b is not on this machine'],
    ['play rtmp://localhost/a/s{n} --streams 2 --publish-to rtmp://localhost/a/b', '--streams 2 needs {n} in the URL'],
    [
      'publish http://localhost/live/s.flv',
      'address "http://localhost/live/s.flv" must be rtmp://host[:port]/app/stream, or the same with rtmps',
    ],
    ['hls rtmp://localhost/live/s', 'address "rtmp://localhost/live/s" must be http://host[:port]/path, without TLS'],
    ['play rtmps://localhost/live/s', 'rtmps://localhost/live/s must begin with rtmp://: players of srs-bench speak no TLS'],
    ['hls ws://localhost/live/s.m3u8', 'ws://localhost/live/s.m3u8 must begin with http://'],
    ['hls http://10.0.0.1/s.m3u8', 'http://10.0.0.1/s.m3u8 is not on this machine'],
    ['hls http://localhost/a.m3u8 http://localhost/b.ts', '"http://localhost/b.ts" is one word too many: there is one URL'],
    ['hls --rate 5', '--rate "5" must be max, or be left out'],
    ['hls --rate max --streams 2', '--rate max takes files, not --streams: name them all'],
    ['hls http://localhost/a http://localhost:81/b --rate max', '--rate max takes files of one server'],
    ['hls http://localhost/a http://10.0.0.1/b --rate max', 'http://10.0.0.1/b is not on this machine'],
    ['hls --streams 2', '--streams 2 needs {n} in the URL'],
    ['hls --file x.flv', 'Unknown argument: file'],
    ['play a', 'address "a" must be rtmp://host[:port]/app/stream, or the same with rtmps'],
    ['play rtmp://localhost/a/b c', '"c" is one word too many: there is one URL'],
    [
      'play rtmp://10.0.0.1/a/b',
      'rtmp://10.0.0.1/a/b is not on this machine: load only servers that are yours, then say --allow-remote',
    ],
  ])('%s', (line, message) => {
    const parse = () => parseBenchOptions(line === '' ? [] : line.split(' '));
    expect(parse).toThrow(BadArguments);
    expect(parse).toThrow(message);
  });

  it('another machine is taken when that is wanted', () => {
    expect(planOf('play rtmp://10.0.0.1/a/b --allow-remote').url).toBe('rtmp://10.0.0.1/a/b');
  });
});

it('this machine has many names', () => {
  expect(['localhost', '127.0.0.1', '127.9.9.9', '::1'].filter((host) => !isLoopback(host))).toEqual([]);
  expect(['127.0.0.1.example', '10.0.0.1', '0.0.0.0', 'localhost.example', '::'].filter(isLoopback)).toEqual([]);
});

describe('the shares of a plan', () => {
  const plan = playPlan('play rtmp://localhost/a/s{n} --players 11 --processes 4 --slow 2:80 --stalled 1 --check 3');

  it('are all connections, each once', () => {
    const shares = sharesOf(plan);
    expect(shares).toHaveLength(4);
    const all = shares.flatMap(indexesOf).sort((a, b) => a - b);
    expect(all).toEqual(Array.from({ length: 11 }, (_, index) => index));
  });

  it('are no more than there are connections', () => {
    expect(sharesOf(playPlan('play --players 2 --processes 5')).map(indexesOf)).toEqual([[0], [1]]);
  });

  it('have the kinds that were asked for', () => {
    const kinds = Array.from({ length: 11 }, (_, index) => kindOfPlayer(plan, index));
    expect(kinds.slice(0, 3)).toEqual(['slow', 'slow', 'stalled']);
    expect(kinds.slice(3)).toEqual(['light', 'light', 'checked', 'light', 'light', 'checked', 'light', 'checked']);
  });

  it('name the stream by its number', () => {
    expect(urlOfStream('rtmp://h/{n}/s{n}', 12)).toBe('rtmp://h/12/s12');
  });
});
