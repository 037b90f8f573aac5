/** The SrsError that `run` throws; anything else it throws, or nothing, fails the test. */
import { SrsError } from '@srs/kernel';

export function failureOf(run: () => unknown): SrsError {
  try {
    run();
  } catch (error) {
    if (error instanceof SrsError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
