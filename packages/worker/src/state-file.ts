/** Small files beside the pid file: what a process has to know of the one before it. */
import { resolve } from 'node:path';
import type { Config } from '@srs/config';

/** Two servers on one host have two pid files. The same after each start, as long as the pid file is. @param name with its ending */
export function stateFile({ pid }: Pick<Config, 'pid'>, name: string): string {
  return `${resolve(pid).replace(/\.pid$/, '')}.${name}`;
}
