/** What `srs-cli` does: reads its options, asks, prints. */
import { SrsError } from '@srs/kernel';
import { askClients, askMaster, askStreams, askSummary, askWorkers } from '@srs/worker';
import picocolors from 'picocolors';
import { clientsReport } from './cli-clients.ts';
import { BadArguments, type CliRequest, parseCliOptions } from './cli-options.ts';
import type { Report, ReportBase } from './cli-report.ts';
import { statusReport, workersReport } from './cli-status.ts';
import { streamsReport } from './cli-streams.ts';

/** What the command needs of its process. */
export interface CliProcess {
  readonly stdout: CliOutput;
  readonly stderr: CliOutput;
  readonly env: Readonly<Record<string, string | undefined>>;
}

interface CliOutput {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

const exitCodes = {
  ok: 0,
  /** Nothing can be told without the master. */
  unreachable: 1,
  badArguments: 2,
} as const;

type Question = CliRequest & { readonly kind: 'ask' };

/** @returns the exit status */
export async function runCli(args: readonly string[], { stdout, stderr, env }: CliProcess): Promise<number> {
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
  let report: Report<ReportBase>;
  try {
    report = await answer(request);
  } catch (error) {
    if (!(error instanceof SrsError)) throw error;
    stderr.write(`srs-cli: ${error.message}\n`);
    return exitCodes.unreachable;
  }
  const colors = picocolors.createColors(isColorful(stdout, env));
  stdout.write(request.isJson ? `${JSON.stringify(report.document, null, 2)}\n` : report.text(colors));
  return exitCodes.ok;
}

async function answer({ question, api, timeoutMs }: Question): Promise<Report<ReportBase>> {
  const directory = await askMaster(api, timeoutMs);
  const { workers } = directory;
  switch (question) {
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

/** Colours are for a terminal. https://no-color.org: any value of NO_COLOR but the empty one turns them off. */
function isColorful(stdout: CliOutput, env: CliProcess['env']): boolean {
  return stdout.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
}
