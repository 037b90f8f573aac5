/** Completes commands in a shell: the script that a shell reads once, and the words it asks for at every Tab. */
import type { ServerAddress } from '@srs/config';
import { askClients, askMaster, askStreams, askWorkers } from '@srs/survey';
import {
  BadArguments,
  type CommandName,
  commandNames,
  commands,
  forwardActions,
  logLevels,
  recordWishes,
  type Shell,
  shells,
} from './cli-commands.ts';
import { cliParser, DEFAULT_API, parseApiAddress } from './cli-options.ts';
import { choosePublished } from './cli-published.ts';
import { shortStreamName } from './cli-text.ts';

/** The first argument when it is a shell that asks; the words of the line follow, the last one may be begun only. */
export const COMPLETION_FLAG = '--get-yargs-completions';

/** Whoever presses Tab does not wait for longer. */
const SURVEY_TIMEOUT_MS = 300;

interface Candidate {
  readonly word: string;
  /** Shells that can show it do. */
  readonly meaning: string;
}

/** @param path of the command as the shell is to call it; @param shell that of the variable SHELL unless given */
export function completionScript(path: string, shell: Shell | undefined): string {
  const { env } = process;
  const before = env.SHELL;
  const { log } = console;
  let script = '';
  try {
    // The library is told by the environment, and tells by the console.
    if (shell !== undefined) env.SHELL = `/bin/${shell}`;
    console.log = (text: string) => {
      script += `${text}\n`;
    };
    cliParser().showCompletionScript(path, 'completion');
  } finally {
    console.log = log;
    if (before === undefined) delete env.SHELL;
    else env.SHELL = before;
  }
  return script;
}

/** One candidate a line, as the scripts expect them. @param words the line, beginning with the name of the program */
export async function completionLines(
  words: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const withMeaning = env.SHELL?.includes('zsh') === true;
  const candidates = await candidatesFor(words.slice(1, -1), words.at(-1) ?? '');
  return candidates.map(({ word, meaning }) => `${withMeaning ? `${word.replaceAll(':', '\\:')}:${meaning}` : word}\n`).join('');
}

/** What may stand after `words`, if it begins with `begun`. */
export async function candidatesFor(words: readonly string[], begun: string): Promise<readonly Candidate[]> {
  const { plain, api, awaitsValue } = readWords(words);
  if (awaitsValue) return [];
  const name = commandNames.find((known) => known === plain[0]);
  if (begun.startsWith('-')) return optionsOf(name).filter(({ word }) => word.startsWith(begun) && !words.includes(word));
  if (name === undefined) return plain.length > 0 ? [] : commandCandidates().filter(({ word }) => word.startsWith(begun));
  const candidates = await (plain.length > 1 ? furtherArgumentsOf(name, plain, api) : argumentsOf(name, api)).catch(() => []);
  return candidates.filter(({ word }) => word.startsWith(begun));
}

interface Words {
  /** Those that are no options. */
  readonly plain: readonly string[];
  readonly api: string;
  /** The next word belongs to an option. */
  readonly awaitsValue: boolean;
}

function readWords(words: readonly string[]): Words {
  const plain: string[] = [];
  let api = DEFAULT_API;
  let option: string | undefined;
  for (const word of words) {
    if (option !== undefined) {
      if (option === '--api') api = word;
      option = undefined;
    } else if (word === '--api' || word === '--timeout') option = word;
    else if (word.startsWith('--api=')) api = word.slice('--api='.length);
    else if (!word.startsWith('-')) plain.push(word);
  }
  return { plain, api, awaitsValue: option !== undefined };
}

const commandCandidates = (): Candidate[] => commandNames.map((word) => ({ word, meaning: commands[word].describe }));

const commonOptions: readonly Candidate[] = [
  { word: '--api', meaning: "Address of the master's private API" },
  { word: '--json', meaning: 'Print one JSON document instead of tables' },
  { word: '--timeout', meaning: 'Milliseconds for an answer' },
  { word: '--help', meaning: 'Show help' },
];

function optionsOf(name: CommandName | undefined): readonly Candidate[] {
  if (name === 'top') return [...commonOptions, { word: '--once', meaning: 'Print one frame and end' }];
  if (name === 'reload') return [...commonOptions, { word: '--dry-run', meaning: 'Only check the file' }];
  return commonOptions;
}

/** @param plain the command and what has been given of its arguments */
async function furtherArgumentsOf(name: CommandName, plain: readonly string[], apiText: string): Promise<readonly Candidate[]> {
  const [, first, second, more] = plain;
  if (more !== undefined) return [];
  if (name === 'record' && second === undefined) return recordWishes.map((word) => ({ word, meaning: '' }));
  if (name !== 'forward') return [];
  if (second === undefined) return await streamCandidates(apiOf(apiText));
  return first === 'remove' ? await addedCandidates(apiOf(apiText), second) : [];
}

async function argumentsOf(name: CommandName, apiText: string): Promise<readonly Candidate[]> {
  switch (name) {
    case 'log-level':
      return logLevels.map((word) => ({ word, meaning: '' }));
    case 'forward':
      return forwardActions.map((word) => ({ word, meaning: '' }));
    case 'completion':
      return shells.map((word) => ({ word, meaning: '' }));
    case 'drain':
      return (await askMaster(apiOf(apiText), SURVEY_TIMEOUT_MS)).workers.map(({ slot, role, pid }) => ({
        word: String(slot),
        meaning: `${role} worker, pid ${pid}`,
      }));
    case 'kick':
      return await clientCandidates(apiOf(apiText));
    case 'record':
      return await streamCandidates(apiOf(apiText));
    case 'explain': {
      const api = apiOf(apiText);
      return (await Promise.all([streamCandidates(api), clientCandidates(api)])).flat();
    }
    default:
      return [];
  }
}

function apiOf(text: string): ServerAddress {
  try {
    return parseApiAddress(text);
  } catch (error) {
    // Whoever is still writing an address has no server yet.
    if (error instanceof BadArguments) return parseApiAddress(DEFAULT_API);
    throw error;
  }
}

async function clientCandidates(api: ServerAddress): Promise<readonly Candidate[]> {
  const { workers } = await askMaster(api, SURVEY_TIMEOUT_MS);
  const answers = await askWorkers(api, workers, (address) => askClients(address, SURVEY_TIMEOUT_MS));
  return answers.flatMap(({ data }) =>
    (data ?? []).map(({ id, type, ip, streamId }) => ({
      word: String(id),
      meaning: `${type} ${shortStreamName(streamId)} ${ip}`,
    })),
  );
}

async function streamCandidates(api: ServerAddress): Promise<readonly Candidate[]> {
  const { workers } = await askMaster(api, SURVEY_TIMEOUT_MS);
  const answers = await askWorkers(api, workers, (address, worker) => askStreams(address, worker, SURVEY_TIMEOUT_MS));
  const names = new Set(answers.flatMap(({ data }) => (data?.streams ?? []).map(({ streamId }) => shortStreamName(streamId))));
  return Array.from(names, (word) => ({ word, meaning: 'stream' }));
}

/** What can be taken away from a stream. */
async function addedCandidates(api: ServerAddress, subject: string): Promise<readonly Candidate[]> {
  const { workers } = await askMaster(api, SURVEY_TIMEOUT_MS);
  const backSources = workers.filter(({ role }) => role === 'back-source');
  const answers = await askWorkers(api, backSources, (address, worker) => askStreams(address, worker, SURVEY_TIMEOUT_MS));
  const { streamId } = choosePublished(subject, answers);
  const streams = answers.flatMap(({ data }) => (data?.role === 'back-source' ? data.streams : []));
  const pushes = streams.find((stream) => stream.streamId === streamId)?.pushes ?? [];
  return pushes.filter(({ source }) => source === 'api').map(({ destination, state }) => ({ word: destination, meaning: state }));
}
