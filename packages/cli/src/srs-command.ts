/** What `srs` does with its options. */
import { flushCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { ConfigError, formatProblem, type LoadResult } from '@srs/config';
import { describeError, SrsError } from '@srs/kernel';
import { loadConfigFile, runServer } from '@srs/master';
import { identity } from '@srs/worker';
import { startInBackground, tellDaemonNews } from './daemon.ts';
import { helpText, parseSrsOptions, type SrsCommand } from './srs-options.ts';

const scriptPath = fileURLToPath(new URL('./srs.ts', import.meta.url));

/** The exit status of a failure, as SRS 1.0 gives it: the internal number modulo 256. */
const exitCodeOf = (error: unknown): number => (error instanceof SrsError ? error.code % 256 || 1 : 1);

export async function runSrs(args: readonly string[]): Promise<void> {
  let command: SrsCommand;
  try {
    command = parseSrsOptions(args);
  } catch (error) {
    process.stderr.write(`srs: ${describeError(error)}\n${helpText}`);
    process.exit(exitCodeOf(error));
  }
  switch (command.kind) {
    case 'help':
      process.stdout.write(helpText);
      return;
    case 'version':
      process.stderr.write(`${identity.version}\n`);
      return;
    case 'check':
      check(command.configFile);
      return;
    case 'run':
      await run(command, args);
      return;
  }
}

function check(configFile: string | undefined): void {
  const name = configFile ?? 'the environment';
  try {
    const { warnings } = loadConfigFile(configFile, process.env);
    for (const warning of warnings) process.stderr.write(`warning: ${formatProblem(warning)}\n`);
    process.stdout.write(`${name}: the configuration is valid\n`);
  } catch (error) {
    process.stderr.write(`${failureText(error)}\n`);
    process.exit(exitCodeOf(error));
  }
}

async function run(command: SrsCommand & { readonly kind: 'check' | 'run' }, args: readonly string[]): Promise<void> {
  try {
    const loaded = withDaemon(loadConfigFile(command.configFile, process.env), command.daemon);
    if (loaded.config.daemon && !command.isDaemonChild) {
      process.exit(await startInBackground(scriptPath, args, loaded.config.log.tank === 'console'));
    }
    await runServer({
      ...loaded,
      configName: command.configFile ?? 'the environment',
      onReady: () => {
        if (command.isDaemonChild) void tellDaemonNews({ kind: 'ready' });
        setImmediate(() => flushCompileCache());
      },
    });
  } catch (error) {
    const exitCode = exitCodeOf(error);
    if (command.isDaemonChild) await tellDaemonNews({ kind: 'failed', exitCode, text: failureText(error) });
    else process.stderr.write(`${failureText(error)}\n`);
    process.exit(exitCode);
  }
}

function withDaemon(loaded: LoadResult, daemon: boolean | undefined): LoadResult {
  return daemon === undefined ? loaded : { ...loaded, config: { ...loaded.config, daemon } };
}

/** Configuration problems stand a line each, ready for an editor to jump to. */
function failureText(error: unknown): string {
  return error instanceof ConfigError ? error.message : `srs: ${describeError(error)}`;
}
