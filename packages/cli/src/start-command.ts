/** Starts the server, publishes the test stream to it, and ends both together. */
import { FlvLoop, formatTcUrl, type RtmpTarget, readClip } from '@srs/client';
import { ConfigError, type ListenAddress, type LoadResult } from '@srs/config';
import { describeError } from '@srs/kernel';
import { loadConfigFile } from '@srs/master';
import { findLanAddress, localHostOf, startGuide, testApp, testStream } from './start-guide.ts';
import { parseStartOptions, type StartCommand, startHelpText } from './start-options.ts';
import { type ServerEnd, type ServerStart, StartedServer } from './start-server.ts';

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const complain = (text: string): void => void process.stderr.write(`${text}\n`);

/** Runs until a signal comes or the server ends by itself; then the process exits. */
export async function runStart(args: readonly string[]): Promise<void> {
  try {
    const command = parseStartOptions(args);
    if (command.kind === 'help') say(startHelpText.trimEnd());
    else process.exit(await run(command));
  } catch (error) {
    complain(error instanceof ConfigError ? error.message : `npm start: ${describeError(error)}`);
    process.exit(1);
  }
}

/** @returns the exit status */
async function run(command: StartCommand & { readonly kind: 'run' }): Promise<number> {
  const { config }: LoadResult = loadConfigFile(command.configFile, process.env);
  const clip = readClip(command.clipFile);
  const stopSignal = awaitStopSignal();
  const server = new StartedServer(command.configFile, command.serverArgs);
  const start = await Promise.race([server.started, stopSignal]);
  if (start === 'stop') return statusOf(await server.stop());
  if (!start.isReady) {
    complain(explainFailure(start));
    await server.ended;
    return start.exitCode;
  }

  let isGuided = false;
  let lastReason = '';
  const loop = FlvLoop.start({
    clip,
    target: targetAt(config.listen[0]!),
    onPublishing: () => {
      lastReason = '';
      if (isGuided) say('The test stream is back.');
      else process.stdout.write(startGuide(config, findLanAddress()));
      isGuided = true;
    },
    onLost: (reason) => {
      // Tried again every few seconds: the same reason is told once.
      if (reason !== lastReason) complain(`The test stream has no server, trying again: ${reason}`);
      lastReason = reason;
    },
  });
  const end = await Promise.race([server.ended, stopSignal]);
  await loop.stop();
  if (end === 'stop') return statusOf(await server.stop());
  complain(`npm start: the server has ended: ${end.signal ?? `exit status ${end.code}`}`);
  return statusOf(end);
}

/** Settles with the first signal; the ones after it change nothing, since all is on its way to an end already. */
function awaitStopSignal(): Promise<'stop'> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGHUP'] as const) process.on(signal, () => resolve('stop'));
  });
}

function targetAt(address: ListenAddress): RtmpTarget {
  const host = localHostOf(address);
  const { port } = address;
  return { host, port, isSecure: false, tcUrl: formatTcUrl(host, port, testApp), app: testApp, streamName: testStream };
}

const statusOf = (end: ServerEnd): number => end.code ?? 1;

function explainFailure(start: ServerStart & { readonly isReady: false }): string {
  const reason = start.text === '' ? `npm start: the server ended while it started, exit status ${start.exitCode}` : start.text;
  if (!reason.includes('EADDRINUSE')) return reason;
  return `${reason}
Another program listens there: end it, or copy conf/start.conf, change its ports, and run
  npm start -- --config FILE`;
}
