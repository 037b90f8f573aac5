/** Skips tests whose foreign programs are not on this machine. */
import { beforeEach } from 'vitest';
import { findProgram, missingNote, type Program } from './programs.ts';

/**
 * Call at the top of a test file or of a `describe`: its tests are skipped, with a note that names the package, when one of the
 * programs is not installed. Hooks that run before all tests are not skipped: they look at the returned value.
 *
 * @returns whether everything is there
 */
export function requires(...programs: readonly Program[]): boolean {
  const missing = programs.filter((program) => findProgram(program) === undefined);
  const note = missingNote(missing);
  beforeEach((context) => {
    context.skip(missing.length > 0, note);
  });
  return missing.length === 0;
}
