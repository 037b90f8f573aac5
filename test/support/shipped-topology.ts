/** Servers of `conf/`, started from the very files, next to each other: only ports, log and pid file are those of a test. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot, type ServerPlace, ServerProcess } from './server-process.ts';

/** Where a port in a file is listened on: a directive, and the block that it stands in. */
const listeners: readonly (readonly [pattern: RegExp, port: keyof ServerPlace])[] = [
  [/^listen\s+(\d+);/m, 'rtmpPort'],
  [/^http_server\s*\{[^}]*listen\s+(\d+);/m, 'httpServerPort'],
  [/^http_api\s*\{[^}]*listen\s+(\d+);/m, 'httpApiPort'],
];

export interface Topology extends AsyncDisposable {
  /** In the order of the names. */
  readonly servers: readonly ServerProcess[];
}

/**
 * Starts one server after the other, in the order of the names: who is connected to comes before who connects.
 *
 * @param names of files in `conf/`, without `.conf`
 * @param more what stands in a file besides, such as the address of a helper that the test has started: text and its replacement
 */
export async function startShipped(names: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Topology> {
  /** Ports of the files, and those of the test. */
  const ports = new Map<string, number>();
  const servers: ServerProcess[] = [];
  const stop = async (): Promise<void> => {
    for (const server of servers.toReversed()) await server.stop();
  };
  try {
    for (const name of names) servers.push(await startOne(name, ports, more));
  } catch (error) {
    await stop();
    throw error;
  }
  return { servers, [Symbol.asyncDispose]: stop };
}

function startOne(name: string, ports: Map<string, number>, more: Readonly<Record<string, string>>): Promise<ServerProcess> {
  const file = readFileSync(join(repositoryRoot, 'conf', `${name}.conf`), 'utf8');
  return ServerProcess.start({
    config: (place) => {
      for (const [pattern, port] of listeners) {
        const written = pattern.exec(file)?.[1];
        if (written !== undefined) ports.set(written, Number(place[port]));
      }
      const replaced = Object.entries(more).reduce((text, [from, to]) => text.replaceAll(from, to), withoutPrivateApi(file));
      const text = replaced.replaceAll(/\b\d{4,5}\b/g, (number) => String(ports.get(number) ?? number));
      return `${text}\nprivate_api { listen ${place.host}:${place.privatePort}; }\nworkers { mode single; }\n`;
    },
    env: { SRS_DAEMON: 'off', SRS_SRS_LOG_TANK: 'console', SRS_PID: './objs/srs.pid' },
  });
}

const withoutPrivateApi = (text: string): string => text.replace(/^private_api\s*\{[^}]*\}/m, '');
