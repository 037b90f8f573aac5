/** The machine and the code that figures come from. */
import { execFile } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';
import { promisify } from 'node:util';
import type { Workbench } from './workbench.ts';

const run = promisify(execFile);

export interface BenchEnvironment {
  /** When the benchmark began, ISO 8601. */
  readonly date: string;
  readonly command: string;
  /** Of this project; with `+` when files differ from it. */
  readonly commit: string;
  readonly node: string;
  readonly kernel: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryMb: number;
  /** Whether servers and testers had a core each. */
  readonly isPinned: boolean;
}

export async function describeEnvironment(bench: Workbench, command: string): Promise<BenchEnvironment> {
  const cores = cpus();
  return {
    date: new Date().toISOString(),
    command,
    commit: await describeCommit(bench.root),
    node: process.versions.node,
    kernel: `${process.platform} ${release()}`,
    cpu: cores[0]?.model.trim() ?? 'unknown',
    cores: cores.length,
    memoryMb: Math.round(totalmem() / 1024 / 1024),
    isPinned: bench.serverCores !== undefined,
  };
}

/** Lines for the head of a document. */
export function environmentLines(environment: BenchEnvironment): string {
  const { date, command, commit, node, kernel, cpu, cores, memoryMb, isPinned } = environment;
  return [
    `- Date: ${date}`,
    `- Command: \`${command}\``,
    `- Commit: ${commit}`,
    `- Machine: ${cores} cores of ${cpu}, ${memoryMb} MB, ${kernel}, Node ${node}`,
    `- ${isPinned ? 'Pinned: servers on core 0, testers and publishers on core 1' : 'Not pinned: there is one core only, or no taskset'}`,
  ].join('\n');
}

async function describeCommit(root: string): Promise<string> {
  const git = async (...args: string[]): Promise<string> => (await run('git', ['-C', root, ...args])).stdout.trim();
  try {
    const commit = await git('rev-parse', '--short=12', 'HEAD');
    const changes = await git('status', '--porcelain', '--untracked-files=no');
    return changes === '' ? commit : `${commit}+`;
  } catch {
    // A release without its history.
    return 'unknown';
  }
}
