/** Errors that a test expects. */
import { SrsError } from '@srs/kernel';

/** The SrsError that `run` throws; anything else it throws, or nothing, fails the test. */
export function failureOf(run: () => unknown): SrsError {
  try {
    run();
  } catch (error) {
    if (error instanceof SrsError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** Name and message of the SrsError that `run` throws. */
export function failureText(run: () => unknown): string {
  const { errorName, message } = failureOf(run);
  return `${errorName}: ${message}`;
}
