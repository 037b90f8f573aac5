/** The other process of this package's tests. */
import { execFileSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { Server, type Socket } from 'node:net';
import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import { lockFile, openSharedArena, receiveDescriptors } from './index.ts';

const INHERITED_FD = 4;

function tell(value: unknown): void {
  process.send?.(value);
}

/** Performance entries are delivered from the event loop. */
async function pause(): Promise<void> {
  for (let i = 0; i < 10; i++) await setImmediate();
}

async function mapAll(sizeBytes: number): Promise<void> {
  let majorCollections = 0;
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as (PerformanceEntry & { readonly detail: { readonly kind: number } })[]) {
      if (entry.detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) majorCollections++;
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  const arena = openSharedArena(INHERITED_FD, sizeBytes);
  let windows = 0;
  for (let at = 0; at < sizeBytes; at += arena.windowBytes) {
    arena.region(at, 4096)[0] = 1;
    windows++;
  }
  // Mapping a window costs about one collection. What matters is that they do not go on.
  await pause();
  majorCollections = 0;
  let kept: Buffer[] = [];
  for (let i = 0; i < 200_000; i++) {
    kept.push(arena.region((i % 1000) * 8, 8));
    if (kept.length > 1000) kept = [];
    if (i % 10_000 === 0) await setImmediate();
  }
  await pause();
  tell({ windows, majorCollections });
  process.disconnect();
}

function lockAndHold(path: string): void {
  const lock = lockFile(path);
  lock.writePid(process.pid);
  tell('locked');
  process.on('message', () => process.exit(0));
}

function startAnother(): void {
  openSharedArena(INHERITED_FD, 4096);
  const own = readlinkSync(`/proc/self/fd/${INHERITED_FD}`);
  const listing = execFileSync('sh', ['-c', 'readlink /proc/$$/fd/* || true'], { stdio: ['ignore', 'pipe', 'ignore'] });
  tell({ own, started: listing.toString() });
  process.disconnect();
}

/** Accepts on the listening socket that parcel `ticket` brings, once a message tells that it has been sent; greets each client. */
function acceptPassed(ticket: number): void {
  process.once('message', () => {
    const [fd = -1] = receiveDescriptors(INHERITED_FD, ticket);
    const server = new Server((socket: Socket) => socket.end(String(process.pid)));
    server.listen({ fd }, () => tell('accepting'));
    process.once('message', () => process.exit(0));
  });
}

const [action, argument = ''] = process.argv.slice(2);
if (action === 'map') await mapAll(Number(argument));
else if (action === 'lock') lockAndHold(argument);
else if (action === 'start-another') startAnother();
else if (action === 'accept-passed') acceptPassed(Number(argument));
else throw new Error(`unknown action ${action}`);
