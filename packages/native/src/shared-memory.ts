/** Memory that a master creates and its workers map: a sparse memfd on Linux, an unlinked temporary file elsewhere. */
import { closeSync, fstatSync, ftruncateSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Arena, SrsError } from '@srs/kernel';
import { setCloseOnExec } from './descriptor.ts';
import { lastErrorNumber, libc, viewMemory } from './libc.ts';
import {
  F_ADD_SEALS,
  F_SEAL_SIZE,
  FALLOC_FL_KEEP_SIZE_PUNCH_HOLE,
  isLinux,
  MAP_SHARED,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  PROT_READ_WRITE,
} from './platform.ts';
import { SystemCallError } from './system-call-error.ts';

const PAGE_BYTES = 4096;
/** Large, so that few mappings are needed; a power of two, so that aligned blocks never cross its edge. */
const DEFAULT_WINDOW_BYTES = 2 ** 30;
const MAX_ARENA_BYTES = 2 ** 42;
const MAP_FAILED = 2n ** 64n - 1n;
const EINTR = 4;

/**
 * Creates sparse memory of `sizeBytes`; no page is used before it is written. The caller owns the descriptor: it passes it to
 * children through `stdio` and closes it with `closeFd`. On Linux the size is sealed, because a file that shrinks under a
 * mapping kills the processes that read it.
 * @param name shown in /proc/PID/maps
 * @throws SrsError SharedMemory
 */
export function createSharedMemory(name: string, sizeBytes: number): number {
  checkSize(sizeBytes);
  return isLinux ? createMemfd(name, sizeBytes) : createUnlinkedFile(name, sizeBytes);
}

function createMemfd(name: string, sizeBytes: number): number {
  const fd = libc('memfd_create')(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) throw new SystemCallError('SharedMemory', 'memfd_create', name);
  try {
    if (libc('ftruncate')(fd, sizeBytes) !== 0) {
      throw new SystemCallError('SharedMemory', 'ftruncate', `${name} to ${sizeBytes} bytes`);
    }
    if (libc('fcntlNumber')(fd, F_ADD_SEALS, 'int', F_SEAL_SIZE) !== 0) {
      throw new SystemCallError('SharedMemory', 'fcntl', `seal the size of ${name}`);
    }
  } catch (thrown) {
    closeSync(fd);
    throw thrown;
  }
  return fd;
}

function createUnlinkedFile(name: string, sizeBytes: number): number {
  try {
    const directory = mkdtempSync(join(tmpdir(), `${name}-`));
    try {
      const fd = openSync(join(directory, 'memory'), 'wx+', 0o600);
      try {
        ftruncateSync(fd, sizeBytes);
      } catch (thrown) {
        closeSync(fd);
        throw thrown;
      }
      return fd;
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  } catch (cause) {
    throw new SrsError('SharedMemory', `create a file of ${sizeBytes} bytes for ${name} in ${tmpdir()}`, { cause });
  }
}

/**
 * Opens memory that `createSharedMemory` made, in any process that holds the descriptor. Windows are mapped when they are
 * first asked for and never unmapped: a view of unmapped memory is a segmentation fault. The descriptor must stay open and
 * is kept out of programs started later. Mapped windows count in `process.memoryUsage().external` whether used or not.
 * @throws SrsError SharedMemory when the descriptor is not open or holds less than `sizeBytes`
 */
export function openSharedArena(fd: number, sizeBytes: number, options: { readonly windowBytes?: number } = {}): Arena {
  return new SharedArena(fd, sizeBytes, options.windowBytes ?? DEFAULT_WINDOW_BYTES);
}

class SharedArena implements Arena {
  readonly sizeBytes: number;
  readonly windowBytes: number;
  readonly #fd: number;
  readonly #windows: (ArrayBuffer | undefined)[] = [];

  constructor(fd: number, sizeBytes: number, windowBytes: number) {
    checkSize(sizeBytes);
    if (windowBytes < PAGE_BYTES || windowBytes > MAX_ARENA_BYTES || !Number.isInteger(Math.log2(windowBytes))) {
      throw new SrsError('SharedMemory', `window of ${windowBytes} bytes must be a power of two of at least ${PAGE_BYTES}`);
    }
    const heldBytes = sizeOf(fd);
    if (heldBytes < sizeBytes) {
      throw new SrsError('SharedMemory', `descriptor ${fd} holds ${heldBytes} bytes, fewer than the ${sizeBytes} of the arena`);
    }
    setCloseOnExec(fd);
    this.#fd = fd;
    this.sizeBytes = sizeBytes;
    this.windowBytes = windowBytes;
  }

  region(offset: number, sizeBytes: number): Buffer {
    this.#check(offset, sizeBytes, 8);
    const index = Math.floor(offset / this.windowBytes);
    const start = index * this.windowBytes;
    if (offset + sizeBytes > start + this.windowBytes) {
      throw new SrsError('SharedMemory', `${sizeBytes} bytes at ${offset} cross a window of ${this.windowBytes} bytes`);
    }
    return Buffer.from(this.#window(index), offset - start, sizeBytes);
  }

  discard(offset: number, sizeBytes: number): void {
    this.#check(offset, sizeBytes, PAGE_BYTES);
    if (sizeBytes === 0 || this.#punchHole(offset, sizeBytes)) return;
    const end = offset + sizeBytes;
    for (let at = offset; at < end; ) {
      const next = Math.min(end, (Math.floor(at / this.windowBytes) + 1) * this.windowBytes);
      this.region(at, next - at).fill(0);
      at = next;
    }
  }

  #punchHole(offset: number, sizeBytes: number): boolean {
    if (!isLinux) return false;
    const fallocate = libc('fallocate');
    while (fallocate(this.#fd, FALLOC_FL_KEEP_SIZE_PUNCH_HOLE, offset, sizeBytes) !== 0) {
      if (lastErrorNumber() !== EINTR) return false;
    }
    return true;
  }

  #window(index: number): ArrayBuffer {
    const known = this.#windows[index];
    if (known !== undefined) return known;
    const start = index * this.windowBytes;
    const length = Math.min(this.windowBytes, this.sizeBytes - start);
    const address = BigInt(libc('mmap')(0, length, PROT_READ_WRITE, MAP_SHARED, this.#fd, start));
    if (address === MAP_FAILED) {
      throw new SystemCallError('SharedMemory', 'mmap', `${length} bytes at ${start} of descriptor ${this.#fd}`);
    }
    const window = viewMemory(address, length);
    this.#windows[index] = window;
    return window;
  }

  #check(offset: number, sizeBytes: number, alignment: number): void {
    const isInside = offset >= 0 && sizeBytes >= 0 && offset + sizeBytes <= this.sizeBytes;
    if (!isInside || offset % alignment !== 0 || !Number.isSafeInteger(sizeBytes)) {
      throw new SrsError(
        'SharedMemory',
        `${sizeBytes} bytes at ${offset} must lie in 0..${this.sizeBytes}, aligned to ${alignment}`,
      );
    }
  }
}

function checkSize(sizeBytes: number): void {
  if (sizeBytes < PAGE_BYTES || sizeBytes > MAX_ARENA_BYTES || sizeBytes % PAGE_BYTES !== 0) {
    throw new SrsError(
      'SharedMemory',
      `size ${sizeBytes} must be a multiple of ${PAGE_BYTES} in ${PAGE_BYTES}..${MAX_ARENA_BYTES}`,
    );
  }
}

function sizeOf(fd: number): number {
  try {
    return fstatSync(fd).size;
  } catch (cause) {
    throw new SrsError('SharedMemory', `descriptor ${fd} is not open`, { cause });
  }
}
