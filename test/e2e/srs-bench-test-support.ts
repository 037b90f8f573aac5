/** Runs the load tester, and reads what it tells. */
import { join } from 'node:path';
import { ChildProgram } from '../support/child-program.ts';
import { repositoryRoot, type ServerPlace } from '../support/server-process.ts';

export const command = join(repositoryRoot, 'bin/srs-bench');
export const httpServer = ({ httpServerPort, directory }: ServerPlace): string =>
  `http_server { enabled on; listen ${httpServerPort}; dir ${directory}/html; }`;

interface Counts {
  readonly wanted: number;
  readonly connected: number;
  readonly failed: number;
  readonly lost: number;
  readonly failures: Readonly<Record<string, number>>;
}

interface Requests {
  readonly count: number;
  readonly perSecond: number;
  readonly playlists: { readonly count: number };
  readonly segments: { readonly count: number };
}

interface Summary {
  readonly type: 'summary';
  readonly valid: boolean;
  readonly players: Counts;
  readonly publishers: Counts | null;
  readonly seconds: number;
  readonly bytes: number;
  readonly frames: number;
  readonly kbps: { readonly min: number; readonly avg: number; readonly total: number };
  readonly latencyMs: { readonly p50: number; readonly max: number } | null;
  readonly slow: Counts & { readonly kbps: { readonly avg: number } };
  readonly requests: Requests | null;
  readonly server: { readonly pssKb: number; readonly processes: readonly { readonly pid: number; readonly label: string }[] };
}

export interface Second {
  readonly type: 'second';
  readonly phase: string;
  readonly connected: number;
  readonly bytes: number;
  readonly frames: number;
}

interface Finished {
  readonly code: number | null;
  readonly stderr: string;
  readonly seconds: readonly Second[];
  readonly summary: Summary;
}

export function documentsIn(lines: readonly string[]): Pick<Finished, 'seconds' | 'summary'> {
  const documents = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Second | Summary);
  const summary = documents.at(-1);
  if (summary?.type !== 'summary') throw new Error(`no summary at the end of ${lines.join('\n')}`);
  return { summary, seconds: documents.filter((document) => document.type === 'second') };
}

/** @param options as typed, with blanks between them */
export async function bench(mode: 'play' | 'publish' | 'hls', url: string, options: string): Promise<Finished> {
  const { code, stdout, stderr } = await ChildProgram.run(command, argumentsOf(mode, url, options));
  return { code, stderr, ...documentsIn(stdout.split('\n')) };
}

export function argumentsOf(mode: string, url: string, options: string): string[] {
  return [mode, ...url.split(' '), ...options.split(' '), '--json'];
}

/** All is well; a tester on a busy machine may still have been the limit, and says so. */
export function statusOfFine({ valid }: Summary): number {
  return valid ? 0 : 3;
}
