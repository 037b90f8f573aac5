/** Ports for servers under test, so that test files which run at the same time do not meet. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { isAlive } from './proc.ts';

/** Blocks lie below the range from which Linux takes the ports of outgoing connections (32768 on). */
const FIRST_PORT = 20_000;
const END_PORT = 32_000;
/** A server takes its listeners and one private port per worker from its block. */
export const BLOCK_PORTS = 32;
const BLOCKS = (END_PORT - FIRST_PORT) / BLOCK_PORTS;

const claims = join(tmpdir(), `srs-test-ports-${userInfo().uid}`);

export interface PortBlock {
  /** The ports `first` .. `first + 31` belong to the holder of the block. */
  readonly first: number;
  release(): void;
}

/** Claims a block of free ports against all other test processes of this user. */
export async function claimPorts(): Promise<PortBlock> {
  mkdirSync(claims, { recursive: true });
  const start = Math.floor(Math.random() * BLOCKS);
  for (let step = 0; step < BLOCKS; step++) {
    const first = FIRST_PORT + ((start + step) % BLOCKS) * BLOCK_PORTS;
    const claim = join(claims, String(first));
    if (!take(claim)) continue;
    let isHeld = true;
    const release = () => {
      // Once only: afterwards the block may belong to somebody else.
      if (isHeld) rmSync(claim, { force: true });
      isHeld = false;
    };
    const ports = Array.from({ length: BLOCK_PORTS }, (_, index) => first + index);
    const free = await Promise.all(ports.map(isFree));
    if (free.every(Boolean)) return { first, release };
    release();
  }
  throw new Error(`no block of ${BLOCK_PORTS} free ports in ${FIRST_PORT}..${END_PORT - 1}`);
}

/** A claim is a file that holds the process id of its owner; the claim of a dead process is void. */
function take(claim: string): boolean {
  try {
    writeFileSync(claim, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    const owner = readOwner(claim);
    if (owner !== undefined && !isAlive(owner)) rmSync(claim, { force: true });
    return false;
  }
}

function readOwner(claim: string): number | undefined {
  try {
    const text = readFileSync(claim, 'utf8');
    return text === '' ? undefined : Number(text);
  } catch {
    return undefined;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
