/** One name for this server in what it tells others. */
import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import type { Config } from '@srs/config';

const ID_LENGTH = 7;

/**
 * The same in all processes of a server and after each start, as long as host and pid file stay; two servers on one host have two pid
 * files. In the form of later SRS: `vid-` and seven letters or digits.
 */
export function serverIdOf({ pid }: Pick<Config, 'pid'>): string {
  const digest = createHash('sha256')
    .update(`${hostname()}\n${resolve(pid)}`)
    .digest();
  return `vid-${digest.readBigUInt64BE().toString(36).slice(-ID_LENGTH).padStart(ID_LENGTH, '0')}`;
}
