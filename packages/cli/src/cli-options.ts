/** The options of `srs-cli`. */
import type { ServerAddress } from '@srs/config';
import yargs, { type Yargs } from 'yargs';
import { BadArguments, type CliCommand, type CommandName, commandNames, commands, readCommand } from './cli-commands.ts';

export type CliRequest = { readonly kind: 'help'; readonly text: string } | (CliAsk & { readonly kind: 'ask' });

export interface CliAsk {
  readonly command: CliCommand;
  /** The master's private API. */
  readonly api: ServerAddress;
  readonly isJson: boolean;
  readonly timeoutMs: number;
}

/** What `private_api { listen }` is unless configured. */
export const DEFAULT_API = '127.0.0.1:33330';
const MIN_TIMEOUT_MS = 10;
const MAX_TIMEOUT_MS = 600_000;

/** @throws BadArguments */
export function parseCliOptions(args: readonly string[]): CliRequest {
  let fault: string | undefined;
  let output = '';
  const parser = cliParser().fail((message, error) => {
    fault ??= message ?? error?.message ?? 'the arguments cannot be understood';
  });
  const parsed = parser.parseSync(args, {}, (_error, _parsed, text) => {
    output = text;
  });
  if (parsed.help === true) return { kind: 'help', text: `${output}\n` };
  if (fault !== undefined && !isCheckedHere(fault)) throw new BadArguments(lineOf(fault, parsed._));
  const name = commandOf(parsed._);
  return {
    kind: 'ask',
    command: readCommand(name, parsed),
    api: parseApiAddress(String(parsed.api)),
    isJson: parsed.json === true,
    timeoutMs: parsed.timeout === undefined ? commands[name].timeoutMs : parseTimeout(parsed.timeout),
  };
}

/** All commands and options, for parsing and for completion. */
export function cliParser(): Yargs {
  const parser = yargs()
    .scriptName('srs-cli')
    .usage('Usage: $0 [options] COMMAND')
    .option('api', {
      type: 'string',
      default: DEFAULT_API,
      requiresArg: true,
      describe: "Address of the master's private API, as in private_api { listen }: ip:port, [ipv6]:port, name:port or port",
    })
    .option('json', { type: 'boolean', default: false, describe: 'Print one JSON document instead of tables' })
    .option('timeout', {
      type: 'number',
      requiresArg: true,
      describe: 'Milliseconds that the master, and then every worker, has for an answer',
    })
    .strictOptions()
    .parserConfiguration({ 'duplicate-arguments-array': false, 'boolean-negation': false, 'camel-case-expansion': false })
    .help('help')
    .alias('help', 'h')
    .version(false)
    // Exit status and messages do not depend on the language of the terminal.
    .locale('en')
    .wrap(null)
    .exitProcess(false);
  for (const { usage, describe, options } of Object.values(commands)) parser.command(usage, describe, options ?? same);
  return parser;
}

const same = (parser: Yargs): Yargs => parser;

/** What one of a few words must be is told better where the command is read. */
const isCheckedHere = (fault: string): boolean => fault.startsWith('Invalid values');

/** What yargs tells in several lines, in one. It counts what is missing; people want its name. */
function lineOf(fault: string, words: readonly (string | number)[]): string {
  const command = commandNames.find((known) => known === words[0]);
  if (command !== undefined && fault.startsWith('Not enough non-option arguments')) {
    return `${JSON.stringify(command)} lacks its argument: ${commands[command].usage}`;
  }
  return fault.trim().replace(/\s*\n\s*/g, ' ');
}

function commandOf(words: readonly (string | number)[]): CommandName {
  const [word, more] = words;
  const name = commandNames.find((known) => known === word);
  if (name === undefined) {
    const fault = word === undefined ? 'a command is missing' : `${JSON.stringify(String(word))} is no command`;
    throw new BadArguments(`${fault}; there are ${commandNames.join(', ')}`);
  }
  if (more !== undefined) throw new BadArguments(`${JSON.stringify(String(more))} is too much for ${commands[name].usage}`);
  return name;
}

/** @throws BadArguments */
export function parseApiAddress(text: string): ServerAddress {
  const [, ipv6, name, digits = ''] = /^(?:\[([0-9a-fA-F:.]+)\]:|([^\s:[\]/@]+):)?(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === '' || port < 1 || port > 65535) {
    throw new BadArguments(`--api ${JSON.stringify(text)} must be ip:port, [ipv6]:port, name:port or port (1..65535)`);
  }
  return { host: ipv6 ?? name ?? '127.0.0.1', port };
}

function parseTimeout(value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= MIN_TIMEOUT_MS && value <= MAX_TIMEOUT_MS) return value;
  throw new BadArguments(`--timeout must be a whole number in ${MIN_TIMEOUT_MS}..${MAX_TIMEOUT_MS} (milliseconds)`);
}
