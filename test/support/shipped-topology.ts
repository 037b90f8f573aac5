/** Servers of `conf/` and `deploy/`, started from the very files, next to each other: only ports, log and pid file are those of a test. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot, type ServerPlace, ServerProcess } from './server-process.ts';

/** Where a port in a file is listened on: a directive, and the block that it stands in. */
const listeners: readonly (readonly [pattern: RegExp, port: keyof ServerPlace])[] = [
  [/^listen\s+(\d+);/m, 'rtmpPort'],
  [/^http_server\s*\{[^}]*listen\s+(\d+);/m, 'httpServerPort'],
  [/^http_api\s*\{[^}]*listen\s+(\d+);/m, 'httpApiPort'],
  [/^exporter\s*\{[^}]*listen\s+(\d+);/m, 'sparePort'],
];

export interface Topology extends AsyncDisposable {
  /** In the order of the names. */
  readonly servers: readonly ServerProcess[];
}

/** What stands in a file besides, such as the name of a machine: texts and what to put in their place. */
export type Replacements = (started: readonly ServerProcess[]) => Readonly<Record<string, string>>;

/**
 * Starts one server after the other, in the order of the files: who is connected to comes before who connects.
 *
 * @param files from the top of the project, `conf/origin.conf`
 */
export async function startShipped(files: readonly string[], replacements: Replacements = () => ({})): Promise<Topology> {
  /** Ports of the files, and those of the test. */
  const ports = new Map<string, number>();
  const servers: ServerProcess[] = [];
  const stop = async (): Promise<void> => {
    for (const server of servers.toReversed()) await server.stop();
  };
  try {
    for (const file of files) servers.push(await startOne(file, ports, replacements(servers)));
  } catch (error) {
    await stop();
    throw error;
  }
  return { servers, [Symbol.asyncDispose]: stop };
}

function startOne(file: string, ports: Map<string, number>, replacements: ReturnType<Replacements>): Promise<ServerProcess> {
  const written = readFileSync(join(repositoryRoot, file), 'utf8');
  return ServerProcess.start({
    config: (place) => {
      for (const [pattern, port] of listeners) {
        const number = pattern.exec(written)?.[1];
        if (number !== undefined) ports.set(number, Number(place[port]));
      }
      const own = written.replace(/^private_api\s*\{[^}]*\}/m, '').replace(/^workers\s*\{[^}]*\}/m, '');
      const placed = Object.entries(replacements).reduce((all, [from, to]) => all.replaceAll(from, to), own);
      const text = placed.replaceAll(/\b\d{4,5}\b/g, (number) => String(ports.get(number) ?? number));
      return `${text}\nprivate_api { listen ${place.host}:${place.privatePort}; }\nworkers { mode single; }\n`;
    },
    env: { SRS_DAEMON: 'off', SRS_SRS_LOG_TANK: 'console', SRS_PID: './objs/srs.pid' },
  });
}
