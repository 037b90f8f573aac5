/** What `srs-cli` does: reads its options, asks, prints. */
import { fileURLToPath } from 'node:url';
import type { ServerAddress } from '@srs/config';
import { isColorful, SrsError } from '@srs/kernel';
import { askClients, askMaster, askStreams, askSummary, askWorkers } from '@srs/survey';
import picocolors from 'picocolors';
import { changeLogLevel, drain, kick } from './cli-actions.ts';
import { clientsReport } from './cli-clients.ts';
import { BadArguments, type DrainWish } from './cli-commands.ts';
import { COMPLETION_FLAG, completionLines, completionScript } from './cli-completion.ts';
import { config } from './cli-config.ts';
import { type CliAsk, type CliRequest, parseCliOptions } from './cli-options.ts';
import { record } from './cli-record.ts';
import { reload } from './cli-reload.ts';
import type { Report } from './cli-report.ts';
import { statusReport, workersReport } from './cli-status.ts';
import { streamsReport } from './cli-streams.ts';
import type { TopProcess } from './top/top-terminal.ts';

/** What the command needs of its process. */
export interface CliProcess extends TopProcess {
  readonly stderr: { write(text: string): unknown };
}

const exitCodes = {
  ok: 0,
  /** What was asked for cannot be told or was not done; the reason is on standard error. */
  notDone: 1,
  badArguments: 2,
} as const;

/** The command as a shell calls it. */
const launcherPath = fileURLToPath(new URL('../../../bin/srs-cli', import.meta.url));

/** @returns the exit status */
export async function runCli(args: readonly string[], process: CliProcess): Promise<number> {
  const { stdout, stderr, env } = process;
  if (args[0] === COMPLETION_FLAG) {
    stdout.write(await completionLines(args.slice(1), env));
    return exitCodes.ok;
  }
  let request: CliRequest;
  try {
    request = parseCliOptions(args);
  } catch (error) {
    if (!(error instanceof BadArguments)) throw error;
    stderr.write(`srs-cli: ${error.message}\nTry srs-cli --help\n`);
    return exitCodes.badArguments;
  }
  if (request.kind === 'help') {
    stdout.write(request.text);
    return exitCodes.ok;
  }
  const { command } = request;
  try {
    if (command.name === 'completion') {
      stdout.write(completionScript(launcherPath, command.shell));
      return exitCodes.ok;
    }
    if (command.name === 'top' && !command.isOnce && !request.isJson) {
      const { runTop } = await import('./top/top.ts');
      return await runTop(request, process);
    }
    return print(await answer(request, process), request, process);
  } catch (error) {
    if (error instanceof BadArguments) {
      stderr.write(`srs-cli: ${error.message}\n`);
      return exitCodes.badArguments;
    }
    if (!(error instanceof SrsError)) throw error;
    stderr.write(`srs-cli: ${error.message}\n`);
    return exitCodes.notDone;
  }
}

function print({ document, text, failure }: Report, { isJson }: CliAsk, { stdout, stderr, env }: CliProcess): number {
  const colors = picocolors.createColors(isColorful(stdout, env));
  stdout.write(isJson ? `${JSON.stringify(document, null, 2)}\n` : text(colors));
  if (failure === undefined) return exitCodes.ok;
  stderr.write(`srs-cli: ${failure}\n`);
  return exitCodes.notDone;
}

/** What is large is loaded when it is asked for: most of the time of a command is that of its start. */
async function answer({ command, api, timeoutMs, isJson }: CliAsk, { stderr }: CliProcess): Promise<Report> {
  switch (command.name) {
    case 'kick':
      return await kick(api, command.id, timeoutMs);
    case 'record':
      return await record(api, command.subject, command.wish, timeoutMs);
    case 'forward': {
      const { forward } = await import('./cli-forward.ts');
      return await forward(api, command.wish, timeoutMs);
    }
    case 'reload':
      return await reload(api, command.isDryRun, timeoutMs);
    case 'drain':
      return await drainAny(command.wish, { api, timeoutMs, tell: (line) => void (isJson || stderr.write(`${line}\n`)) });
    case 'log-level':
      return await changeLogLevel(api, command.level, timeoutMs);
    case 'config':
      return await config(api, command.pattern, timeoutMs);
    case 'explain': {
      const { explain } = await import('./explain/explain.ts');
      return await explain(api, command.subject, timeoutMs);
    }
    case 'top': {
      const { topOnce } = await import('./top/top.ts');
      return await topOnce({ api, timeoutMs });
    }
    case 'status':
    case 'workers':
    case 'streams':
    case 'clients':
      return await look(command.name, api, timeoutMs);
    case 'completion':
      throw new Error('the script is printed without asking anybody');
  }
}

async function drainAny(
  wish: DrainWish,
  { api, timeoutMs, tell }: Pick<CliAsk, 'api' | 'timeoutMs'> & { readonly tell: (line: string) => void },
): Promise<Report> {
  if (wish.kind === 'slot') return await drain(api, wish.slot, timeoutMs);
  const { cancelDrain, drainServer } = await import('./cli-drain.ts');
  return wish.kind === 'cancel' ? await cancelDrain(api, timeoutMs) : await drainServer(api, wish, timeoutMs, tell);
}

async function look(what: 'status' | 'workers' | 'streams' | 'clients', api: ServerAddress, timeoutMs: number): Promise<Report> {
  const directory = await askMaster(api, timeoutMs);
  const { workers } = directory;
  switch (what) {
    case 'status':
      return statusReport(api, directory, await askWorkers(api, workers, (address) => askSummary(address, timeoutMs)));
    case 'workers':
      return workersReport(api, directory, await askWorkers(api, workers, (address) => askSummary(address, timeoutMs)));
    case 'streams':
      return streamsReport(
        api,
        directory,
        await askWorkers(api, workers, (address, worker) => askStreams(address, worker, timeoutMs)),
      );
    case 'clients':
      return clientsReport(api, directory, await askWorkers(api, workers, (address) => askClients(address, timeoutMs)));
  }
}
