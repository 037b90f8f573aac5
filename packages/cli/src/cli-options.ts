/** The options of `srs-cli`. */
import type { ServerAddress } from '@srs/config';
import yargs from 'yargs';

const cliQuestions = ['status', 'workers', 'streams', 'clients'] as const;
type CliQuestion = (typeof cliQuestions)[number];

export type CliRequest =
  | { readonly kind: 'help'; readonly text: string }
  | {
      readonly kind: 'ask';
      readonly question: CliQuestion;
      /** The master's private API. */
      readonly api: ServerAddress;
      readonly isJson: boolean;
      readonly timeoutMs: number;
    };

/** What `private_api { listen }` is unless configured. */
const DEFAULT_API = '127.0.0.1:33330';
const DEFAULT_TIMEOUT_MS = 500;
const MIN_TIMEOUT_MS = 10;
const MAX_TIMEOUT_MS = 60_000;

/** The command line cannot be followed; the message says why. */
export class BadArguments extends Error {
  override readonly name = 'BadArguments';
}

/** @throws BadArguments */
export function parseCliOptions(args: readonly string[]): CliRequest {
  let fault: string | undefined;
  let output = '';
  const parser = yargs()
    .scriptName('srs-cli')
    .usage('Usage: $0 [options] status|workers|streams|clients')
    .command('status', 'The server, its totals, and the state of every worker')
    .command('workers', 'Every worker: load, memory, restarts, what it serves')
    .command('streams', 'Every stream: its publisher, its players on all workers, its ring')
    .command('clients', 'Every connection')
    .option('api', {
      type: 'string',
      default: DEFAULT_API,
      requiresArg: true,
      describe: "Address of the master's private API, as in private_api { listen }: ip:port, [ipv6]:port, name:port or port",
    })
    .option('json', { type: 'boolean', default: false, describe: 'Print one JSON document instead of tables' })
    .option('timeout', {
      type: 'number',
      default: DEFAULT_TIMEOUT_MS,
      requiresArg: true,
      describe: 'Milliseconds that the master, and then every worker, has for an answer',
    })
    .strictOptions()
    .parserConfiguration({ 'duplicate-arguments-array': false, 'boolean-negation': false })
    .help('help')
    .alias('help', 'h')
    .version(false)
    // Exit status and messages do not depend on the language of the terminal.
    .locale('en')
    .wrap(null)
    .exitProcess(false)
    .fail((message, error) => {
      fault ??= message ?? error?.message ?? 'the arguments cannot be understood';
    });
  const parsed = parser.parseSync(args, {}, (_error, _parsed, text) => {
    output = text;
  });
  if (parsed.help === true) return { kind: 'help', text: `${output}\n` };
  if (fault !== undefined) throw new BadArguments(fault);
  return {
    kind: 'ask',
    question: questionOf(parsed._),
    api: parseApiAddress(String(parsed.api)),
    isJson: parsed.json === true,
    timeoutMs: parseTimeout(parsed.timeout),
  };
}

function questionOf(words: readonly (string | number)[]): CliQuestion {
  const [word, more] = words;
  const question = cliQuestions.find((known) => known === word);
  if (question !== undefined && more === undefined) return question;
  const fault = word === undefined ? 'a command is missing' : `${JSON.stringify(words.join(' '))} is no command`;
  throw new BadArguments(`${fault}; there are ${cliQuestions.join(', ')}`);
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
