/** How many descriptors this process may open. */
import { libc } from './libc.ts';
import { platform } from './platform.ts';
import { SystemCallError } from './system-call-error.ts';

/** What the kernel writes for "no limit" differs; each is far above any number of descriptors. */
const INFINITY_FROM = 2n ** 53n;

/**
 * The soft limit of open files (Node raises it to the hard limit when it starts); Infinity when there is none.
 * @throws SrsError FileOpen when the system does not tell
 */
export function openFilesLimit(): number {
  const limit = Buffer.alloc(16);
  if (libc('getrlimit')(platform.RLIMIT_NOFILE, limit) !== 0) {
    throw new SystemCallError('FileOpen', 'getrlimit', 'of open files');
  }
  const soft = limit.readBigUInt64LE(0);
  return soft >= INFINITY_FROM ? Number.POSITIVE_INFINITY : Number(soft);
}
