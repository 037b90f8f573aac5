/** Memory that the C library keeps after it was freed, given back to the system. */
import { type Libc, libc } from './libc.ts';

let mallocTrim: Libc['malloc_trim'] | null | undefined;

/**
 * Takes a few milliseconds after tens of megabytes were freed, and holds up who allocates meanwhile. Does nothing where the C library
 * has no such call (musl, macOS).
 * @returns whether there was something to give back
 */
export function trimMemory(): boolean {
  if (mallocTrim === undefined) mallocTrim = findMallocTrim();
  return mallocTrim !== null && mallocTrim(0) === 1;
}

function findMallocTrim(): Libc['malloc_trim'] | null {
  try {
    return libc('malloc_trim');
  } catch {
    return null;
  }
}
