/** What `srs` does with its options. */
import { existsSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Config, ConfigError, formatProblem } from '@srs/config';
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
    const loaded = loadConfigFile(command.configFile, process.env);
    const { log, process: settings } = loaded.config;
    if (!command.isDaemonChild && isDaemon(loaded.config, command.daemon)) {
      process.exit(await startInBackground(scriptPath, args, log.tank === 'console'));
    }
    if (settings.isChild) checkParent();
    // Found from where it was named, also when it is read again from another directory.
    const configFile = command.configFile === undefined ? undefined : resolve(command.configFile);
    const files = loaded.files.map((file) => resolve(file));
    const hasMoved = enterDirectory(settings.workDirectory);
    await runServer({
      ...loaded,
      files,
      load: () => loadConfigFile(hasMoved ? configFile : command.configFile, process.env),
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

/** @throws SrsError ConfigInvalid when nobody would be left to end the server */
function isDaemon({ daemon, process: settings }: Config, option: boolean | undefined): boolean {
  const isWanted = option ?? (daemon && !(settings.isForegroundInContainer && isInContainer()));
  if (isWanted && settings.isChild)
    throw new SrsError('ConfigInvalid', 'asprocess on needs daemon off: a daemon has no parent process');
  return isWanted;
}

/** @throws SrsError ConfigInvalid when the process that started the server is gone already */
function checkParent(): void {
  if (process.ppid === 1)
    throw new SrsError('ConfigInvalid', 'asprocess on: the parent process 1 is never gone, start the server as a child');
}

/**
 * Whether a container ends with this process: it is the first one, or what the first one was told to run. The marks of Docker and Podman alone
 * say little: they stay in machines that were made from an image.
 */
function isInContainer(): boolean {
  return process.pid === 1 || (process.ppid === 1 && ['/.dockerenv', '/run/.containerenv'].some((mark) => existsSync(mark)));
}

/**
 * @returns whether that is another one than before
 * @throws SrsError FileOpen naming the directory
 */
function enterDirectory(path: string): boolean {
  const before = process.cwd();
  try {
    process.chdir(path);
    return process.cwd() !== before;
  } catch (cause) {
    throw new SrsError('FileOpen', `work_dir ${path} cannot be entered`, { cause });
  }
}

/** Configuration problems stand a line each, ready for an editor to jump to. */
function failureText(error: unknown): string {
  return error instanceof ConfigError ? error.message : `srs: ${describeError(error)}`;
}
