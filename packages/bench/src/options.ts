/** The commands of `srs-bench` and their options. */
import { embeddedClipFile } from '@srs/client';
import type { HlsPlan, LoadPlan, PlayPlan, PublishPlan } from './load-plan.ts';
import {
  BadArguments,
  type CommandText,
  checkNumber,
  checkWhole,
  commonOf,
  numberOf,
  optionalNumberOf,
  type Parsed,
  parseCommand,
} from './option-parser.ts';
import { checkHttpUrl, checkNumbered, checkPlayUrl, checkPublishUrl, publishUrlIn, urlIn } from './option-urls.ts';

export type BenchRequest = { readonly kind: 'help'; readonly text: string } | { readonly kind: 'run'; readonly plan: LoadPlan };

const RTMP_URL = 'rtmp://127.0.0.1:1935/live/bench';
const HLS_URL = 'http://127.0.0.1:8080/live/bench.m3u8';

const usage = `Usage: srs-bench play [URL] [options]
       srs-bench publish [URL] [options]
       srs-bench hls [URL...] [options]

Loads a server with players, publishers or viewers of HLS and measures what they get. Options: srs-bench play --help
`;

const file = {
  type: 'string',
  describe: 'FLV file that is published, and checked against; a clip comes with this program',
} as const;
const warmup = { type: 'number', default: 2, describe: 'Seconds after the last connection that do not count' } as const;
const streams = {
  type: 'number',
  default: 1,
  describe: 'Streams to spread them over; {n} in the URL is 0, 1, ...',
} as const;

const playCommand: CommandText = {
  name: 'play',
  url: '[URL]',
  about: `URL is ${RTMP_URL} when absent. http:// is HTTP-FLV, ws:// the same over a WebSocket.`,
  options: {
    players: { type: 'number', default: 1, describe: 'How many, the slow and stalled ones included' },
    streams,
    warmup,
    check: { type: 'string', default: '10', describe: 'Players that check every packet: a number, or all' },
    slow: { type: 'string', describe: 'COUNT:KBPS, players that read this slowly' },
    stalled: { type: 'number', default: 0, describe: 'Players that stop reading as soon as they play' },
    'read-every': { type: 'number', default: 0, describe: 'Milliseconds between reads of a player; 0: when something has come' },
    publish: { type: 'boolean', default: false, describe: 'Publish the streams too, in a process of its own' },
    'publish-to': { type: 'string', describe: 'The same, to this RTMP address instead of the one that URL tells' },
    kbps: { type: 'number', describe: 'With --publish: bitrate of a stream' },
    file,
  },
};

const publishCommand: CommandText = {
  name: 'publish',
  url: '[URL]',
  about: `URL is ${RTMP_URL} when absent.`,
  options: {
    publishers: { type: 'number', default: 1, describe: 'How many; {n} in the URL is 0, 1, ...' },
    kbps: { type: 'number', describe: "Bitrate of a stream; the file's own when absent" },
    speed: { type: 'string', default: '1', describe: 'Times real time, or max: as fast as the server takes it' },
    'no-stamp': { type: 'boolean', default: false, describe: 'Leave the pictures as they are' },
    file,
  },
};

const hlsCommand: CommandText = {
  name: 'hls',
  url: '[URL...]',
  about: `URL is ${HLS_URL} when absent.`,
  options: {
    players: { type: 'number', default: 1, describe: 'How many viewers' },
    streams,
    warmup,
    rate: { type: 'string', describe: 'max: ask for the URLs in turn, as fast as the answers come, instead of viewing' },
  },
};

/** @throws BadArguments */
export function parseBenchOptions(args: readonly string[]): BenchRequest {
  const [command, ...rest] = args;
  switch (command) {
    case 'play':
      return request(playCommand, rest, playPlan);
    case 'publish':
      return request(publishCommand, rest, publishPlan);
    case 'hls':
      return request(hlsCommand, rest, hlsPlan);
    case '--help':
    case '-h':
      return { kind: 'help', text: usage };
    default: {
      const fault = command === undefined ? 'a command is missing' : `${JSON.stringify(command)} is no command`;
      throw new BadArguments(`${fault}; there are play, publish, hls`);
    }
  }
}

function request(command: CommandText, args: readonly string[], planOf: (options: Parsed) => LoadPlan): BenchRequest {
  const parsed = parseCommand(command, args);
  return parsed.kind === 'help' ? parsed : { kind: 'run', plan: planOf(parsed.options) };
}

function playPlan(options: Parsed): PlayPlan {
  const players = numberOf(options, 'players');
  const streamCount = numberOf(options, 'streams');
  const stalled = numberOf(options, 'stalled');
  const { slow, slowKbps } = slowOf(options.slow);
  if (slow + stalled > players) {
    throw new BadArguments(`--slow ${slow} and --stalled ${stalled} together must be at most --players ${players}`);
  }
  const url = urlIn(options, RTMP_URL);
  checkPlayUrl(options, url);
  checkNumbered(url, streamCount, '--streams');
  const common = commonOf(options);
  return {
    kind: 'play',
    url,
    ...common,
    players,
    streams: streamCount,
    warmupSeconds: numberOf(options, 'warmup'),
    checked: checkedOf(options.check, players),
    slow,
    slowKbps,
    stalled,
    readEveryMs: numberOf(options, 'read-every'),
    file: fileOf(options),
    publish: publishOf(options, url, streamCount),
  };
}

function publishOf(options: Parsed, playUrl: string, publishers: number): PublishPlan | undefined {
  const url = publishUrlIn(options, playUrl);
  if (url === undefined) {
    if (options.kbps !== undefined) throw new BadArguments('--kbps needs --publish');
    return undefined;
  }
  checkPublishUrl(options, url);
  checkNumbered(url, publishers, '--streams');
  const kbps = optionalNumberOf(options, 'kbps');
  const common = { ...commonOf(options), processes: 1 };
  return { kind: 'publish', url, ...common, publishers, file: fileOf(options), kbps, isStamped: true, speed: 1 };
}

function publishPlan(options: Parsed): PublishPlan {
  const publishers = numberOf(options, 'publishers');
  const url = urlIn(options, RTMP_URL);
  checkPublishUrl(options, url);
  checkNumbered(url, publishers, '--publishers');
  return {
    kind: 'publish',
    url,
    ...commonOf(options),
    publishers,
    file: fileOf(options),
    kbps: optionalNumberOf(options, 'kbps'),
    isStamped: options['no-stamp'] !== true,
    speed: options.speed === 'max' ? Number.POSITIVE_INFINITY : checkNumber('speed', Number(options.speed)),
  };
}

function hlsPlan(options: Parsed): HlsPlan {
  const { rate } = options;
  const isMaxRate = rate === 'max';
  if (typeof rate === 'string' && !isMaxRate) {
    throw new BadArguments(`--rate ${JSON.stringify(rate)} must be max, or be left out`);
  }
  const files = isMaxRate ? filesIn(options) : [];
  const url = files[0] ?? urlIn(options, HLS_URL);
  const streamCount = numberOf(options, 'streams');
  if (isMaxRate && streamCount > 1) throw new BadArguments('--rate max takes files, not --streams: name them all');
  checkHttpUrl(options, url);
  checkNumbered(url, streamCount, '--streams');
  return {
    kind: 'hls',
    url,
    ...commonOf(options),
    players: numberOf(options, 'players'),
    streams: streamCount,
    warmupSeconds: numberOf(options, 'warmup'),
    files,
  };
}

/** All of them of one server, as its figures are one. */
function filesIn(options: Parsed): readonly string[] {
  const urls = options._.length === 0 ? [HLS_URL] : options._.map(String);
  for (const url of urls) checkHttpUrl(options, url);
  const [first, ...others] = urls.map((url) => new URL(url).host);
  if (others.some((host) => host !== first)) throw new BadArguments('--rate max takes files of one server');
  return urls;
}

function fileOf(options: Parsed): string {
  return typeof options.file === 'string' ? options.file : embeddedClipFile;
}

function checkedOf(value: unknown, players: number): number {
  return value === 'all' ? players : checkWhole('--check', Number(value), players);
}

function slowOf(value: unknown): { slow: number; slowKbps: number } {
  if (typeof value !== 'string') return { slow: 0, slowKbps: 1 };
  const [, count, kbps] = /^(\d+):(\d+(?:\.\d+)?)$/.exec(value) ?? [];
  if (count === undefined || kbps === undefined) {
    throw new BadArguments(`--slow ${JSON.stringify(value)} must be COUNT:KBPS, such as 100:80`);
  }
  const slowKbps = Number(kbps);
  if (slowKbps <= 0) throw new BadArguments(`--slow ${JSON.stringify(value)}: kbps must be above 0`);
  return { slow: Number(count), slowKbps };
}
