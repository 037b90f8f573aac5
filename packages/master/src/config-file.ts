/** Reads a configuration from disk, with what this machine adds to it: environment, processors, limits. */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { configFromEnv, type LoadResult, loadConfig, maxConfigFileBytes } from '@srs/config';
import { SrsError } from '@srs/kernel';
import { openFilesLimit } from '@srs/native';

/**
 * @param path undefined: from the environment alone
 * @throws ConfigError with every problem found, SrsError FileOpen or FileRead when a file cannot be read
 */
export function loadConfigFile(path: string | undefined, env: NodeJS.ProcessEnv): LoadResult {
  const machine = { cpuCount: availableParallelism(), openFilesLimit: openFilesLimit() };
  if (path === undefined) return configFromEnv(env, machine);
  return loadConfig(readConfigText(path), {
    ...machine,
    env,
    fileName: path,
    readInclude: (included, from) => readConfigText(isAbsolute(included) ? included : join(dirname(from), included)),
  });
}

function readConfigText(path: string): string {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (cause) {
    throw new SrsError('FileOpen', `configuration file ${path} cannot be opened`, { cause });
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new SrsError('FileOpen', `configuration file ${path} must be a regular file`);
    if (stat.size > maxConfigFileBytes) {
      throw new SrsError('FileRead', `configuration file ${path} of ${stat.size} bytes must be at most ${maxConfigFileBytes}`);
    }
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}
