/** What `srs-bench` does: reads its options, checks that the machine is able to, runs, reports. */
import { SrsError } from '@srs/kernel';
import { assertFeasible } from './feasibility.ts';
import { LoadProcessError } from './load-process.ts';
import { LoadRun } from './load-run.ts';
import { BadArguments } from './option-parser.ts';
import { type BenchRequest, parseBenchOptions } from './options.ts';
import { createOutput } from './output.ts';
import { exitStatuses, exitStatusOf } from './verdict.ts';

/** @returns the exit status */
export async function runBench(args: readonly string[]): Promise<number> {
  let request: BenchRequest;
  try {
    request = parseBenchOptions(args);
  } catch (error) {
    if (!(error instanceof BadArguments)) throw error;
    process.stderr.write(`srs-bench: ${error.message}\nTry srs-bench --help\n`);
    return exitStatuses.badArguments;
  }
  if (request.kind === 'help') {
    process.stdout.write(request.text);
    return exitStatuses.fine;
  }
  const { plan } = request;
  const output = createOutput(plan);
  try {
    assertFeasible(plan);
    const run = new LoadRun(plan, ['srs-bench', ...args].join(' '), output);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => run.stop());
    const summary = await run.run();
    output.onSummary(summary);
    return exitStatusOf(summary);
  } catch (error) {
    if (!(error instanceof SrsError || error instanceof LoadProcessError)) throw error;
    output.close();
    process.stderr.write(`srs-bench: ${error.message}\n`);
    return error instanceof SrsError ? exitStatuses.badArguments : exitStatuses.failed;
  }
}
