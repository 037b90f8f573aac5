/** The commands of `srs-cli`: their words for the help text, and what their arguments may be. */
import type { Yargs } from 'yargs';

/** One command with its arguments, checked. */
export type CliCommand =
  | { readonly name: 'status' | 'workers' | 'streams' | 'clients' }
  | { readonly name: 'kick'; readonly id: number }
  | { readonly name: 'reload'; readonly isDryRun: boolean }
  | { readonly name: 'drain'; readonly wish: DrainWish }
  | { readonly name: 'record'; readonly subject: string; readonly wish: RecordWish }
  | { readonly name: 'forward'; readonly wish: ForwardWish }
  | { readonly name: 'log-level'; readonly level: LogLevel }
  | { readonly name: 'config'; readonly pattern: string | undefined }
  | { readonly name: 'top'; readonly isOnce: boolean }
  | { readonly name: 'explain'; readonly subject: string }
  /** Prints the script that completes commands in a shell. */
  | { readonly name: 'completion'; readonly shell: Shell | undefined };

export type CommandName = CliCommand['name'];

/** As the directive `srs_log_level` has them. */
export const logLevels = ['verbose', 'info', 'trace', 'warn', 'error', 'off'] as const;
type LogLevel = (typeof logLevels)[number];

/** What is drained: the worker of a slot, the whole server, or nothing any more. */
export type DrainWish =
  | { readonly kind: 'slot'; readonly slot: number }
  | {
      readonly kind: 'server';
      /** `rtmp://host[:port]`, where RTMP clients go. */
      readonly to: string | undefined;
      /** As the server has it unless told. */
      readonly withinSeconds: number | undefined;
      readonly isStopping: boolean;
    }
  | { readonly kind: 'cancel' };

/** Of a recording; `auto` goes back to what the configuration says. */
export const recordWishes = ['on', 'off', 'auto'] as const;
export type RecordWish = (typeof recordWishes)[number];

export const forwardActions = ['list', 'add', 'remove'] as const;
export type ForwardWish =
  | { readonly action: 'list'; readonly subject: string | undefined }
  | { readonly action: 'add' | 'remove'; readonly subject: string; readonly destination: string };

export const shells = ['bash', 'zsh'] as const;
export type Shell = (typeof shells)[number];

/** The command line cannot be followed; the message says why. */
export class BadArguments extends Error {
  override readonly name = 'BadArguments';
}

interface CommandWords {
  /** As yargs takes it: required arguments in angle brackets. */
  readonly usage: string;
  readonly describe: string;
  /** Time for an answer unless `--timeout` says another: looking is quick, what changes something may take long. */
  readonly timeoutMs: number;
  readonly options?: (parser: Yargs) => Yargs;
}

const LOOK_MS = 500;

export const commands: Readonly<Record<CommandName, CommandWords>> = {
  status: { usage: 'status', describe: 'The server, its totals, and the state of every worker', timeoutMs: LOOK_MS },
  workers: {
    usage: 'workers',
    describe: 'Every worker: load, memory, restarts, what it serves',
    timeoutMs: LOOK_MS,
  },
  streams: {
    usage: 'streams',
    describe: 'Every stream: its publisher, its players on all workers, its ring',
    timeoutMs: LOOK_MS,
  },
  clients: { usage: 'clients', describe: 'Every connection', timeoutMs: LOOK_MS },
  top: {
    usage: 'top',
    describe: 'Workers, streams and clients, refreshed every second',
    timeoutMs: LOOK_MS,
    options: (parser) =>
      parser.option('once', { type: 'boolean', default: false, describe: 'Print one frame and end, for scripts' }),
  },
  explain: {
    usage: 'explain <subject>',
    describe: 'One client or stream: where its data comes from, what is wrong with it, what to change',
    timeoutMs: LOOK_MS,
    options: (parser) =>
      parser.positional('subject', { type: 'string', describe: 'A client id, or a stream: [VHOST/]APP/STREAM or its URL' }),
  },
  config: {
    usage: 'config [pattern]',
    describe: 'The configuration in force, and where each value comes from',
    timeoutMs: LOOK_MS,
    options: (parser) =>
      parser.positional('pattern', {
        type: 'string',
        describe: 'Only directives that contain it; * stands for anything between two parts',
      }),
  },
  kick: {
    usage: 'kick <id>',
    describe: 'Disconnect a client',
    timeoutMs: LOOK_MS,
    options: (parser) => parser.positional('id', { type: 'string', describe: 'As in clients, and in the log' }),
  },
  record: {
    usage: 'record <stream> <wish>',
    describe: 'Record a published stream whatever the configuration says, or end its recording, until its publish ends',
    timeoutMs: 5_000,
    options: (parser) =>
      parser
        .positional('stream', { type: 'string', describe: 'A stream: [VHOST/]APP/STREAM or its URL' })
        .positional('wish', { type: 'string', choices: recordWishes, describe: 'auto: as the configuration says' }),
  },
  forward: {
    usage: 'forward <action> [stream] [destination]',
    describe: 'List what streams are pushed to; push a published stream to another destination, or not any more',
    timeoutMs: 5_000,
    options: (parser) =>
      parser
        .positional('action', {
          type: 'string',
          choices: forwardActions,
          describe: 'add and remove want both, list a stream or none',
        })
        .positional('stream', { type: 'string', describe: 'A stream: [VHOST/]APP/STREAM or its URL' })
        .positional('destination', { type: 'string', describe: 'host[:port], or rtmp://host[:port]/app/stream, also rtmps' }),
  },
  reload: {
    usage: 'reload',
    describe: 'Read the configuration file again and apply what has changed',
    timeoutMs: 30_000,
    options: (parser) =>
      parser.option('dry-run', { type: 'boolean', default: false, describe: 'Only check the file and tell what would change' }),
  },
  drain: {
    usage: 'drain [worker]',
    describe: 'Let the clients of a worker leave within a limit, then start it again; or those of the whole server',
    timeoutMs: 5_000,
    options: (parser) =>
      parser
        .positional('worker', { type: 'string', describe: 'Its slot, as in workers' })
        .option('all', { type: 'boolean', default: false, describe: 'The whole server: it takes nobody any more' })
        .option('to', {
          type: 'string',
          requiresArg: true,
          describe: 'rtmp://host[:port] of the server that takes them (RTMP 302)',
        })
        .option('within', {
          type: 'string',
          requiresArg: true,
          describe: 'How long clients may stay, such as 90, 90s, 10m, 2h; workers { drain_timeout } unless given',
        })
        .option('now', { type: 'boolean', default: false, describe: 'Tell those who are there to go at once' })
        .option('stop', { type: 'boolean', default: false, describe: 'End the server when it is empty' })
        .option('cancel', { type: 'boolean', default: false, describe: 'Take clients again' }),
  },
  'log-level': {
    usage: 'log-level <level>',
    describe: 'Change how much is logged, until a reload changes it',
    timeoutMs: 5_000,
    options: (parser) =>
      parser.positional('level', { type: 'string', choices: logLevels, describe: 'The least important lines that are written' }),
  },
  completion: {
    usage: 'completion [shell]',
    describe: 'Print a script that completes commands in bash or zsh',
    timeoutMs: LOOK_MS,
    options: (parser) =>
      parser.positional('shell', { type: 'string', choices: shells, describe: 'Unless given, that of $SHELL' }),
  },
};

export const commandNames = Object.keys(commands) as readonly CommandName[];

/** Client ids are numbered by 32 bits. */
const MAX_CLIENT_ID = 0xffff_ffff;
/** More slots than any server has. */
const MAX_SLOT = 65_535;

/** @param values what the parser has found, by name. @throws BadArguments */
export function readCommand(name: CommandName, values: Readonly<Record<string, unknown>>): CliCommand {
  const text = (key: string): string => String(values[key]);
  switch (name) {
    case 'status':
    case 'workers':
    case 'streams':
    case 'clients':
      return { name };
    case 'kick':
      return { name, id: wholeNumber('client id', text('id'), MAX_CLIENT_ID) };
    case 'drain':
      return { name, wish: readDrainWish(values) };
    case 'record':
      return { name, subject: text('stream'), wish: oneOf('wish', recordWishes, text('wish')) };
    case 'forward':
      return { name, wish: readForwardWish(values) };
    case 'reload':
      return { name, isDryRun: values['dry-run'] === true };
    case 'log-level':
      return { name, level: oneOf('level', logLevels, text('level')) };
    case 'config':
      return { name, pattern: values.pattern === undefined ? undefined : text('pattern') };
    case 'top':
      return { name, isOnce: values.once === true };
    case 'explain':
      return { name, subject: text('subject') };
    case 'completion':
      return { name, shell: values.shell === undefined ? undefined : oneOf('shell', shells, text('shell')) };
  }
}

function readForwardWish(values: Readonly<Record<string, unknown>>): ForwardWish {
  const action = oneOf('action', forwardActions, String(values.action));
  const textOf = (key: string): string | undefined => (typeof values[key] === 'string' ? values[key] : undefined);
  const [subject, destination] = [textOf('stream'), textOf('destination')];
  if (action === 'list') {
    if (destination === undefined) return { action, subject };
    throw new BadArguments(`${JSON.stringify(destination)} is too much for forward list [stream]`);
  }
  if (subject !== undefined && destination !== undefined) return { action, subject, destination };
  throw new BadArguments(`"forward ${action}" lacks its arguments: forward ${action} <stream> <destination>`);
}

function readDrainWish(values: Readonly<Record<string, unknown>>): DrainWish {
  const { worker, all, now, stop, cancel } = values;
  const textOf = (key: string): string | undefined => (typeof values[key] === 'string' ? values[key] : undefined);
  const [to, within] = [textOf('to'), textOf('within')];
  const chosen = [worker !== undefined, all === true, cancel === true].filter(Boolean).length;
  if (chosen !== 1) throw new BadArguments('"drain" wants one of: the slot of a worker, --all, --cancel');
  if (all !== true && (to !== undefined || within !== undefined || now === true || stop === true)) {
    throw new BadArguments('--to, --within, --now and --stop go with drain --all');
  }
  if (cancel === true) return { kind: 'cancel' };
  if (all !== true) return { kind: 'slot', slot: wholeNumber('worker', String(worker), MAX_SLOT) };
  if (now === true && within !== undefined) throw new BadArguments('--now and --within cannot go together');
  return {
    kind: 'server',
    to,
    withinSeconds: now === true ? 0 : within === undefined ? undefined : readSeconds(within),
    isStopping: stop === true,
  };
}

const secondsOf: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };
/** A day. */
const MAX_WITHIN_SECONDS = 86_400;

function readSeconds(text: string): number {
  const [, digits = '', unit = 's'] = /^(\d{1,5})([smh])?$/.exec(text) ?? [];
  const seconds = Number(digits) * (secondsOf[unit] ?? 1);
  if (digits !== '' && seconds <= MAX_WITHIN_SECONDS) return seconds;
  throw new BadArguments(`--within ${JSON.stringify(text)} must be 0..24h, such as 90, 90s, 10m or 2h`);
}

function wholeNumber(what: string, text: string, max: number): number {
  const value = Number(text);
  if (/^\d{1,10}$/.test(text) && value <= max) return value;
  throw new BadArguments(`${what} ${JSON.stringify(text)} must be a whole number in 0..${max}`);
}

function oneOf<T extends string>(what: string, known: readonly T[], text: string): T {
  const value = known.find((each) => each === text);
  if (value !== undefined) return value;
  throw new BadArguments(`${what} ${JSON.stringify(text)} must be one of ${known.join(', ')}`);
}
