/** Takes a command line of `srs-bench` apart, and its values to their limits. */
import yargs from 'yargs';
import type { WatchedProcess } from './load-plan.ts';
import { MAX_STAMPED_STREAMS } from './stamp.ts';

/** The command line cannot be followed; the message says why. */
export class BadArguments extends Error {
  override readonly name = 'BadArguments';
}

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

export type Parsed = Readonly<Record<string, unknown>> & { readonly _: readonly (string | number)[] };

export type ParsedCommand =
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'options'; readonly options: Parsed };

interface OptionText {
  readonly type: 'string' | 'boolean' | 'number';
  readonly default?: unknown;
  readonly describe: string;
}

/** What the user can say of one command. */
export interface CommandText {
  readonly name: string;
  /** How the addresses stand in the usage: `[URL]`. */
  readonly url: string;
  /** What they may be, and are when absent. */
  readonly about: string;
  readonly options: Readonly<Record<string, OptionText>>;
}

const commonOptions: Readonly<Record<string, OptionText>> = {
  processes: { type: 'number', default: 1, describe: 'Processes of the tester to spread the connections over' },
  ramp: { type: 'number', default: 500, describe: 'New connections a second' },
  duration: { type: 'number', default: 10, describe: 'Seconds to measure' },
  pid: { type: 'string', describe: 'PID[:label] of a process of the server to measure; repeatable' },
  'pids-of': { type: 'number', describe: 'PID of a process to measure with all its descendants; repeatable' },
  json: { type: 'boolean', default: false, describe: 'One JSON document per line' },
  'allow-remote': { type: 'boolean', default: false, describe: 'Load a server on another machine' },
};

const repeatable: readonly string[] = ['_', 'pid', 'pids-of'];

/** @throws BadArguments */
export function parseCommand(command: CommandText, args: readonly string[]): ParsedCommand {
  let fault: string | undefined;
  let output = '';
  let parser = yargs().scriptName('srs-bench').usage(`Usage: $0 ${command.name} ${command.url} [options]\n\n${command.about}`);
  for (const [name, option] of Object.entries({ ...command.options, ...commonOptions })) {
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

/** What all commands have beside their addresses. */
export function commonOf(options: Parsed) {
  return {
    processes: numberOf(options, 'processes'),
    rampPerSecond: numberOf(options, 'ramp'),
    durationSeconds: numberOf(options, 'duration'),
    watched: listOf(options.pid).map(watchedOf),
    watchedTrees: listOf(options['pids-of']).map((value) => pidOf('--pids-of', String(value))),
    isJson: options.json === true,
  };
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

export function optionalNumberOf(options: Parsed, name: keyof typeof limits): number | undefined {
  return options[name] === undefined ? undefined : numberOf(options, name);
}

export function numberOf(options: Parsed, name: keyof typeof limits): number {
  return checkNumber(name, options[name]);
}

export function checkNumber(name: keyof typeof limits, value: unknown): number {
  const { min, max, isWhole = false }: NumberLimits = limits[name];
  if (typeof value === 'number' && value >= min && value <= max && (!isWhole || Number.isInteger(value))) return value;
  throw new BadArguments(`--${name} must be a ${isWhole ? 'whole number' : 'number'} in ${min}..${max}`);
}

/** A number of players that has no limit of its own: it is cut to `max`. */
export function checkWhole(name: string, value: number, max: number): number {
  if (Number.isInteger(value) && value >= 0) return Math.min(value, max);
  throw new BadArguments(`${name} must be a whole number from 0 on, or all`);
}
