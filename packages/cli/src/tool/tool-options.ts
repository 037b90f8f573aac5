/** The options of `srs-tool`. */
import { readFileSync } from 'node:fs';
import { formatAddress, parseAddress, type StreamUse } from '@srs/access';
import { defaultRtmpPort, defaultVhostName, parseServerAddress, parseStreamName } from '@srs/config';
import { describeError } from '@srs/kernel';
import yargs, { type ParsedArguments } from 'yargs';
import { BadArguments } from '../cli-commands.ts';
import { parseExpiry } from './expiry.ts';

export interface SignRequest {
  readonly kind: 'sign';
  readonly use: StreamUse;
  /** By its name in the configuration. */
  readonly vhost: string;
  readonly app: string;
  readonly stream: string;
  /** Seconds since 1970. */
  readonly expires: number;
  /** Undefined when any client may use the address. */
  readonly ip: string | undefined;
  readonly secret: string;
  /** Given on the command line, where others can read it. */
  readonly isSecretExposed: boolean;
  /** `host` or `host:port`, for the printed address. */
  readonly host: string;
  readonly isJson: boolean;
  /** Now. */
  readonly unixSeconds: number;
}

export type ToolRequest = { readonly kind: 'help'; readonly text: string } | SignRequest;

/** As the configuration has them: what is no secret there must not be signed with. */
const secretPattern = /^[A-Za-z0-9_-]{16,256}$/;
const secretRule = '16..256 letters, digits, _ and -, as secret in publish_auth and play_auth';
const MAX_SECRET_FILE_BYTES = 4096;

/** @throws BadArguments, in whose message there is no secret */
export function parseToolOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  unixMs: number,
): ToolRequest {
  let fault: string | undefined;
  let output = '';
  const parser = yargs()
    .scriptName('srs-tool')
    .usage('Usage: $0 sign --use play --stream NAME --secret-file FILE [options]')
    .command('sign', 'Print the signed address of a stream, which lets somebody publish or play it until it expires')
    .option('use', { type: 'string', requiresArg: true, describe: 'What it is for: publish or play' })
    .option('stream', { type: 'string', requiresArg: true, describe: 'Name of the stream' })
    .option('app', { type: 'string', default: 'live', requiresArg: true, describe: 'Name of the app' })
    .option('vhost', {
      type: 'string',
      default: defaultVhostName,
      requiresArg: true,
      describe: 'The vhost by its name in the configuration',
    })
    .option('expires', {
      type: 'string',
      default: '1h',
      requiresArg: true,
      describe: 'How long it holds (90s, 30m, 2h, 7d), or a time (2030-01-31T12:00:00Z), or seconds since 1970',
    })
    .option('ip', {
      type: 'string',
      requiresArg: true,
      describe: 'The only client address that may use it; anybody may unless given',
    })
    .option('secret-file', {
      type: 'string',
      requiresArg: true,
      describe: 'File with the secret, and nothing else; - is standard input',
    })
    .option('secret-env', { type: 'string', requiresArg: true, describe: 'Environment variable with the secret' })
    .option('secret', { type: 'string', requiresArg: true, describe: 'The secret itself; other users of the machine can see it' })
    .option('host', {
      type: 'string',
      default: '127.0.0.1',
      requiresArg: true,
      describe: 'The server in the address: host or host:port',
    })
    .option('json', { type: 'boolean', default: false, describe: 'Print one JSON document with all parts' })
    .strictOptions()
    // A stream named 007 is not 7.
    .parserConfiguration({ 'duplicate-arguments-array': false, 'boolean-negation': false, 'parse-numbers': false })
    .help('help')
    .alias('help', 'h')
    .version(false)
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
  if (parsed._.length !== 1 || parsed._[0] !== 'sign') {
    const given = parsed._.length === 0 ? 'a command is missing' : `${JSON.stringify(parsed._.join(' '))} is no command`;
    throw new BadArguments(`${given}; there is sign`);
  }
  return signRequest(parsed, env, unixMs);
}

function signRequest(parsed: ParsedArguments, env: Readonly<Record<string, string | undefined>>, unixMs: number): SignRequest {
  const { use } = parsed;
  if (use !== 'publish' && use !== 'play') throw new BadArguments(`--use ${shown(use)} must be publish or play`);
  const unixSeconds = Math.floor(unixMs / 1000);
  return {
    kind: 'sign',
    use,
    vhost: parseVhost(String(parsed.vhost)),
    app: parseName('app', parsed.app),
    stream: parseName('stream', parsed.stream),
    expires: parseExpiry(String(parsed.expires), unixSeconds),
    ip: typeof parsed.ip === 'string' ? parseIp(parsed.ip) : undefined,
    secret: readSecret(parsed, env),
    isSecretExposed: parsed.secret !== undefined,
    host: parseHost(String(parsed.host)),
    isJson: parsed.json === true,
    unixSeconds,
  };
}

const shown = (value: unknown): string => (value === undefined ? 'is missing and' : JSON.stringify(value));

function parseName(option: string, value: unknown): string {
  const text = typeof value === 'string' ? value : '';
  try {
    const { stream, param } = parseStreamName(text);
    // The server takes blanks and double slashes out of names: what is signed must be what is compared.
    if (stream === text && param === '') return text;
  } catch (error) {
    throw new BadArguments(`--${option} ${shown(value)} must be a name: ${describeError(error)}`);
  }
  throw new BadArguments(`--${option} ${shown(value)} must be a name without blanks, parameters and needless slashes`);
}

function parseVhost(text: string): string {
  if (/^[^\s/?&=,]{1,253}$/.test(text)) return text;
  throw new BadArguments(`--vhost ${shown(text)} must be the name of a vhost`);
}

function parseIp(text: string): string {
  const address = parseAddress(text);
  if (address === undefined) throw new BadArguments(`--ip ${shown(text)} must be an IPv4 or IPv6 address`);
  return formatAddress(address);
}

function parseHost(text: string): string {
  const address = parseServerAddress(text);
  if (address === undefined) throw new BadArguments(`--host ${shown(text)} must be host, host:port or [ipv6]:port`);
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return address.port === defaultRtmpPort ? host : `${host}:${address.port}`;
}

function readSecret(parsed: ParsedArguments, env: Readonly<Record<string, string | undefined>>): string {
  const file = parsed['secret-file'];
  const name = parsed['secret-env'];
  const { secret } = parsed;
  if ([file, name, secret].filter((value) => value !== undefined).length !== 1) {
    throw new BadArguments('one of --secret-file, --secret-env and --secret must say what to sign with');
  }
  if (typeof file === 'string') return checkSecret(readSecretFile(file), `the content of ${shown(file)}`);
  if (typeof name === 'string') {
    const value = env[name];
    if (value === undefined) throw new BadArguments(`--secret-env ${shown(name)} must be a variable that is set`);
    return checkSecret(value, `the variable ${shown(name)}`);
  }
  return checkSecret(String(secret), 'the value of --secret');
}

function readSecretFile(file: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file === '-' ? 0 : file);
  } catch (error) {
    throw new BadArguments(`--secret-file ${shown(file)} cannot be read: ${describeError(error)}`);
  }
  if (bytes.length > MAX_SECRET_FILE_BYTES) {
    throw new BadArguments(`--secret-file ${shown(file)} has ${bytes.length} bytes, must have at most ${MAX_SECRET_FILE_BYTES}`);
  }
  return bytes.toString('utf8').trim();
}

function checkSecret(secret: string, where: string): string {
  if (secretPattern.test(secret)) return secret;
  throw new BadArguments(`${where} must be ${secretRule}; it has ${secret.length} characters`);
}
