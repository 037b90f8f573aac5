/** What all benchmarks share as programs: options, folders, documents, interruption, exit status. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describeError } from '@srs/kernel';
import yargs, { type ParsedArguments, type YargsOption } from 'yargs';
import type { BenchEnvironment } from './bench-environment.ts';
import type { Figure } from './figure.ts';
import { Interrupted, Workbench } from './workbench.ts';

export interface BenchDocument {
  readonly kind: string;
  readonly environment: BenchEnvironment;
  readonly figures: readonly Figure[];
}

export interface BenchProgram<Settings, Document extends BenchDocument> {
  /** Of the npm script `bench:NAME`. */
  readonly name: string;
  /** Of the documents, without ending; as the script unless told. */
  readonly file?: string;
  readonly purpose: string;
  readonly options: Readonly<Record<string, YargsOption>>;
  /** @throws BadOption */
  read(parsed: ParsedArguments): Settings;
  /** @param out folder of the documents, for a benchmark that consists of others */
  run(bench: Workbench, settings: Settings, command: string, out: string): Promise<Document>;
  /** Documents beside the JSON one, by the ending of their name: `{ md: '...' }`. */
  write(document: Document): Readonly<Record<string, string>>;
  /** False when something could not be measured. */
  isComplete(document: Document): boolean;
}

const exitCodes = { ok: 0, incomplete: 1, badOption: 2, interrupted: 130 } as const;
const defaultOut = 'docs/benchmarks';

/** The command line cannot be followed; the message says why. */
class BadOption extends Error {
  override readonly name = 'BadOption';
}

/** What the command line asks for. */
interface Request<Settings> {
  readonly settings: Settings;
  readonly out: string | undefined;
  readonly isJson: boolean;
}

/** Runs a benchmark as the command line wants it. @returns the exit status */
export async function runBenchProgram<Settings, Document extends BenchDocument>(
  program: BenchProgram<Settings, Document>,
  args: readonly string[],
): Promise<number> {
  let request: Request<Settings> | undefined;
  try {
    request = readRequest(program, args);
  } catch (thrown) {
    if (!(thrown instanceof BadOption)) throw thrown;
    process.stderr.write(`bench:${program.name}: ${thrown.message}\n`);
    return exitCodes.badOption;
  }
  if (request === undefined) return exitCodes.ok;
  using bench = new Workbench();
  try {
    const out = resolve(bench.root, request.out ?? defaultOut);
    const document = await program.run(bench, request.settings, commandOf(program.name, args), out);
    bench.signal.throwIfAborted();
    const files = writeDocuments(out, program, document);
    if (request.isJson) process.stdout.write(`${JSON.stringify(document)}\n`);
    else bench.say(`written: ${files.join(' ')}`);
    return program.isComplete(document) ? exitCodes.ok : exitCodes.incomplete;
  } catch (thrown) {
    const isInterrupted = bench.signal.aborted || thrown instanceof Interrupted;
    process.stderr.write(`bench:${program.name}: ${isInterrupted ? 'interrupted' : describeError(thrown)}\n`);
    return isInterrupted ? exitCodes.interrupted : exitCodes.incomplete;
  }
}

/** Runs a benchmark as a part of another one, and writes its documents into the folder `out`. */
export async function runPart<Settings, Document extends BenchDocument>(
  bench: Workbench,
  program: BenchProgram<Settings, Document>,
  args: readonly string[],
  out: string,
): Promise<Document> {
  const request = readRequest(program, args);
  if (request === undefined) throw new BadOption(`${args.join(' ')} only shows the help of bench:${program.name}`);
  const document = await program.run(bench, request.settings, commandOf(program.name, args), out);
  writeDocuments(out, program, document);
  return document;
}

function commandOf(name: string, args: readonly string[]): string {
  return ['npm run', `bench:${name}`, ...(args.length === 0 ? [] : ['--', ...args])].join(' ');
}

/** Undefined when the user has asked for the help, which is then printed. @throws BadOption */
function readRequest<Settings>(
  program: Pick<BenchProgram<Settings, never>, 'name' | 'purpose' | 'options' | 'read'>,
  args: readonly string[],
): Request<Settings> | undefined {
  const { parsed, output } = parse(program, args);
  if (parsed.help === true) {
    process.stdout.write(`${output}\n`);
    return undefined;
  }
  const out = typeof parsed.out === 'string' ? parsed.out : undefined;
  return { settings: program.read(parsed), out, isJson: parsed.json === true };
}

function writeDocuments<Document extends BenchDocument>(
  out: string,
  program: Pick<BenchProgram<never, Document>, 'name' | 'file' | 'write'>,
  document: Document,
): string[] {
  mkdirSync(out, { recursive: true });
  const texts = { json: `${JSON.stringify(document, null, 2)}\n`, ...program.write(document) };
  return Object.entries(texts).map(([ending, text]) => {
    const file = join(out, `${program.file ?? program.name}.${ending}`);
    writeFileSync(file, text);
    return file;
  });
}

function parse(
  program: Pick<BenchProgram<never, never>, 'name' | 'purpose' | 'options'>,
  args: readonly string[],
): { readonly parsed: ParsedArguments; readonly output: string } {
  let fault: string | undefined;
  let output = '';
  const parser = yargs()
    .scriptName(`npm run bench:${program.name} --`)
    .usage(`Usage: $0 [options]\n\n${program.purpose}`)
    .option('out', { type: 'string', requiresArg: true, describe: `Folder of the documents; ${defaultOut} of the repository` })
    .option('json', { type: 'boolean', default: false, describe: 'Also print the document' })
    .strictOptions()
    .parserConfiguration({ 'duplicate-arguments-array': false, 'boolean-negation': false })
    .help('help')
    .version(false)
    .locale('en')
    .wrap(null)
    .exitProcess(false)
    .fail((message, error) => {
      fault ??= message ?? error?.message ?? 'the options cannot be understood';
    });
  for (const [name, option] of Object.entries(program.options)) parser.option(name, option);
  const parsed = parser.parseSync(args, {}, (_error, _parsed, text) => {
    output = text;
  });
  if (parsed.help !== true && fault !== undefined) throw new BadOption(fault);
  const [word] = parsed._;
  if (parsed.help !== true && word !== undefined) throw new BadOption(`${JSON.stringify(String(word))} is no option; see --help`);
  return { parsed, output };
}

/** A whole number from `least` to `most`. @throws BadOption */
export function readNumber(parsed: ParsedArguments, name: string, least: number, most: number): number {
  const value = parsed[name];
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new BadOption(`--${name} ${String(value)} must be a whole number in ${least}..${most}`);
}

/** Whole numbers with commas between them. @throws BadOption */
export function readNumbers(parsed: ParsedArguments, name: string, least: number, most: number): number[] {
  const text = String(parsed[name]);
  const numbers = text.split(',').map((word) => (/^\d+$/.test(word) ? Number(word) : Number.NaN));
  if (numbers.every((number) => number >= least && number <= most)) return numbers;
  throw new BadOption(`--${name} ${text} must be whole numbers in ${least}..${most} with commas between them`);
}

/** Words of a list with commas between them. @throws BadOption */
export function readWords<Word extends string>(parsed: ParsedArguments, name: string, known: readonly Word[]): Word[] {
  return String(parsed[name])
    .split(',')
    .map((text) => {
      const word = known.find((one) => one === text);
      if (word === undefined)
        throw new BadOption(`--${name} ${JSON.stringify(text)} is not known; there are ${known.join(', ')}`);
      return word;
    });
}

/** Options that several benchmarks have. */
export const commonOptions = {
  port: {
    type: 'number',
    default: 21_100,
    requiresArg: true,
    describe: 'The servers listen here; those after it are used too, up to 20',
  },
  seconds: { type: 'number', default: 10, requiresArg: true, describe: 'Measured per run' },
  kbps: { type: 'number', default: 500, requiresArg: true, describe: 'Bitrate of each stream' },
} as const satisfies Readonly<Record<string, YargsOption>>;

/** Room for the ports after the first one. */
export const maxPort = 65_500;
