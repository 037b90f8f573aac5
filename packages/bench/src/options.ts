/** The options of `srs-bench`. */
import { describeTarget, embeddedClipFile, parseRtmpUrl } from '@srs/client';
import { SrsError } from '@srs/kernel';
import yargs from 'yargs';
import type { LoadPlan, PlayPlan, PublishPlan, WatchedProcess } from './load-plan.ts';
import { urlOfStream } from './load-plan.ts';
import { MAX_STAMPED_STREAMS } from './stamp.ts';

export type BenchRequest = { readonly kind: 'help'; readonly text: string } | { readonly kind: 'run'; readonly plan: LoadPlan };

/** The command line cannot be followed; the message says why. */
export class BadArguments extends Error {
  override readonly name = 'BadArguments';
}

const DEFAULT_URL = 'rtmp://127.0.0.1:1935/live/bench';
const PLACE_OF_NUMBER = '{n}';

interface NumberLimits {
  readonly min: number;
  readonly max: number;
  readonly isWhole?: boolean;
}

/** So that a slip of the finger does not take the machine down. */
const limits = {
  players: { min: 1, max: 20_000, isWhole: true },
  publishers: { min: 1, max: 5_000, isWhole: true },
  streams: { min: 1, max: MAX_STAMPED_STREAMS, isWhole: true },
  processes: { min: 1, max: 64, isWhole: true },
  ramp: { min: 1, max: 10_000 },
  warmup: { min: 0, max: 600 },
  duration: { min: 0.1, max: 3600 },
  'read-every': { min: 0, max: 5_000, isWhole: true },
  kbps: { min: 1, max: 100_000 },
  speed: { min: 0.1, max: 100 },
  stalled: { min: 0, max: 20_000, isWhole: true },
} as const satisfies Record<string, NumberLimits>;

const usage = `Usage: srs-bench play [URL] [options]
       srs-bench publish [URL] [options]

Loads a server with players or publishers and measures what they get. Options: srs-bench play --help
`;

/** @throws BadArguments */
export function parseBenchOptions(args: readonly string[]): BenchRequest {
  const [command, ...rest] = args;
  switch (command) {
    case 'play':
      return parsePlay(rest);
    case 'publish':
      return parsePublish(rest);
    case '--help':
    case '-h':
      return { kind: 'help', text: usage };
    default: {
      const fault = command === undefined ? 'a command is missing' : `${JSON.stringify(command)} is no command`;
      throw new BadArguments(`${fault}; there are play, publish`);
    }
  }
}

type Parsed = Readonly<Record<string, unknown>> & { readonly _: readonly (string | number)[] };

function parsePlay(args: readonly string[]): BenchRequest {
  const parsed = parse('play', args, {
    players: { type: 'number', default: 1, describe: 'How many, the slow and stalled ones included' },
    streams: { type: 'number', default: 1, describe: 'Streams to spread them over; {n} in the URL is 0, 1, ...' },
    warmup: { type: 'number', default: 2, describe: 'Seconds after the last connection that do not count' },
    check: { type: 'string', default: '10', describe: 'Players that check every packet: a number, or all' },
    slow: { type: 'string', describe: 'COUNT:KBPS, players that read this slowly' },
    stalled: { type: 'number', default: 0, describe: 'Players that stop reading as soon as they play' },
    'read-every': { type: 'number', default: 0, describe: 'Milliseconds between reads of a player; 0: when something has come' },
    publish: { type: 'boolean', default: false, describe: 'Publish the streams too, in a process of its own' },
    kbps: { type: 'number', describe: 'With --publish: bitrate of a stream' },
  });
  if (parsed.kind === 'help') return parsed;
  const { options } = parsed;
  const players = numberOf(options, 'players');
  const streams = numberOf(options, 'streams');
  const stalled = numberOf(options, 'stalled');
  const { slow, slowKbps } = slowOf(options.slow);
  if (slow + stalled > players) {
    throw new BadArguments(`--slow ${slow} and --stalled ${stalled} together must be at most --players ${players}`);
  }
  const common = commonOf(options, streams, '--streams');
  const isPublishing = options.publish === true;
  if (!isPublishing && options.kbps !== undefined) throw new BadArguments('--kbps needs --publish');
  const plan: PlayPlan = {
    kind: 'play',
    ...common,
    players,
    streams,
    warmupSeconds: numberOf(options, 'warmup'),
    checked: checkedOf(options.check, players),
    slow,
    slowKbps,
    stalled,
    readEveryMs: numberOf(options, 'read-every'),
    file: fileOf(options),
    publish: isPublishing
      ? {
          kind: 'publish',
          ...common,
          processes: 1,
          publishers: streams,
          file: fileOf(options),
          kbps: optionalNumberOf(options, 'kbps'),
          isStamped: true,
          speed: 1,
        }
      : undefined,
  };
  return { kind: 'run', plan };
}

function parsePublish(args: readonly string[]): BenchRequest {
  const parsed = parse('publish', args, {
    publishers: { type: 'number', default: 1, describe: 'How many; {n} in the URL is 0, 1, ...' },
    kbps: { type: 'number', describe: "Bitrate of a stream; the file's own when absent" },
    speed: { type: 'string', default: '1', describe: 'Times real time, or max: as fast as the server takes it' },
    'no-stamp': { type: 'boolean', default: false, describe: 'Leave the pictures as they are' },
  });
  if (parsed.kind === 'help') return parsed;
  const { options } = parsed;
  const publishers = numberOf(options, 'publishers');
  const plan: PublishPlan = {
    kind: 'publish',
    ...commonOf(options, publishers, '--publishers'),
    publishers,
    file: fileOf(options),
    kbps: optionalNumberOf(options, 'kbps'),
    isStamped: options['no-stamp'] !== true,
    speed: options.speed === 'max' ? Number.POSITIVE_INFINITY : checkNumber('speed', Number(options.speed)),
  };
  return { kind: 'run', plan };
}

interface OptionText {
  readonly type: 'string' | 'boolean' | 'number';
  readonly default?: unknown;
  readonly describe: string;
}

const commonOptions: Readonly<Record<string, OptionText>> = {
  processes: { type: 'number', default: 1, describe: 'Processes of the tester to spread the connections over' },
  ramp: { type: 'number', default: 500, describe: 'New connections a second' },
  duration: { type: 'number', default: 10, describe: 'Seconds to measure' },
  file: { type: 'string', describe: 'FLV file that is published, and checked against; a clip comes with this program' },
  pid: { type: 'string', describe: 'PID[:label] of a process of the server to measure; repeatable' },
  'pids-of': { type: 'number', describe: 'PID of a process to measure with all its descendants; repeatable' },
  json: { type: 'boolean', default: false, describe: 'One JSON document per line' },
  'allow-remote': { type: 'boolean', default: false, describe: 'Load a server on another machine' },
};

type ParsedCommand = { readonly kind: 'help'; readonly text: string } | { readonly kind: 'options'; readonly options: Parsed };

function parse(command: string, args: readonly string[], own: Readonly<Record<string, OptionText>>): ParsedCommand {
  let fault: string | undefined;
  let output = '';
  let parser = yargs()
    .scriptName('srs-bench')
    .usage(`Usage: $0 ${command} [URL] [options]\n\nURL is ${DEFAULT_URL} when absent.`);
  for (const [name, option] of Object.entries({ ...own, ...commonOptions })) {
    parser = parser.option(name, { ...option, requiresArg: option.type !== 'boolean' });
  }
  const parsed = parser
    .strictOptions()
    .parserConfiguration({ 'duplicate-arguments-array': true, 'boolean-negation': false, 'camel-case-expansion': false })
    .help('help')
    .alias('help', 'h')
    .version(false)
    .locale('en')
    .wrap(null)
    .exitProcess(false)
    .fail((message, error) => {
      fault ??= message ?? error?.message ?? 'the arguments cannot be understood';
    })
    .parseSync(args, {}, (_error, _parsed, text) => {
      output = text;
    });
  if (parsed.help === true) return { kind: 'help', text: `${output}\n` };
  if (fault !== undefined) throw new BadArguments(fault);
  const repeated = Object.entries(parsed).find(([name, value]) => Array.isArray(value) && !repeatable.includes(name));
  if (repeated !== undefined) throw new BadArguments(`--${repeated[0]} may be given once`);
  return { kind: 'options', options: parsed };
}

const repeatable: readonly string[] = ['_', 'pid', 'pids-of'];

function commonOf(options: Parsed, streams: number, streamOption: string) {
  return {
    url: urlOf(options, streams, streamOption),
    processes: numberOf(options, 'processes'),
    rampPerSecond: numberOf(options, 'ramp'),
    durationSeconds: numberOf(options, 'duration'),
    watched: listOf(options.pid).map(watchedOf),
    watchedTrees: listOf(options['pids-of']).map((value) => pidOf('--pids-of', String(value))),
    isJson: options.json === true,
  };
}

function urlOf(options: Parsed, streams: number, streamOption: string): string {
  const [word, more] = options._;
  if (more !== undefined) throw new BadArguments(`${JSON.stringify(String(more))} is one word too many: there is one URL`);
  const url = word === undefined ? DEFAULT_URL : String(word);
  try {
    const target = parseRtmpUrl(urlOfStream(url, 0));
    if (options['allow-remote'] !== true && !isLoopback(target.host)) {
      throw new BadArguments(
        `${describeTarget(target)} is not on this machine: load only servers that are yours, then say --allow-remote`,
      );
    }
  } catch (error) {
    if (error instanceof SrsError) throw new BadArguments(error.message);
    throw error;
  }
  if (streams > 1 && !url.includes(PLACE_OF_NUMBER)) {
    throw new BadArguments(`${streamOption} ${streams} needs ${PLACE_OF_NUMBER} in the URL, for the number of the stream`);
  }
  return url;
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
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
  return { slow: checkWhole('--slow', Number(count), limits.players.max), slowKbps };
}

function checkWhole(name: string, value: number, max: number): number {
  if (Number.isInteger(value) && value >= 0) return Math.min(value, max);
  throw new BadArguments(`${name} must be a whole number from 0 on, or all`);
}

function watchedOf(value: unknown): WatchedProcess {
  const [pid = '', ...label] = String(value).split(':');
  return { pid: pidOf('--pid', pid), label: label.length === 0 ? undefined : label.join(':') };
}

function pidOf(option: string, text: string): number {
  const pid = Number(text);
  if (!Number.isInteger(pid) || pid < 1) throw new BadArguments(`${option} ${JSON.stringify(text)} must begin with a process id`);
  return pid;
}

function listOf(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

function optionalNumberOf(options: Parsed, name: keyof typeof limits): number | undefined {
  return options[name] === undefined ? undefined : numberOf(options, name);
}

function numberOf(options: Parsed, name: keyof typeof limits): number {
  return checkNumber(name, options[name]);
}

function checkNumber(name: keyof typeof limits, value: unknown): number {
  const { min, max, isWhole = false }: NumberLimits = limits[name];
  if (typeof value === 'number' && value >= min && value <= max && (!isWhole || Number.isInteger(value))) return value;
  throw new BadArguments(`--${name} must be a ${isWhole ? 'whole number' : 'number'} in ${min}..${max}`);
}
