/** What is thrown when the operating system refuses. */
import { getSystemErrorMessage, getSystemErrorName } from 'node:util';
import { type ErrorName, SrsError } from '@srs/kernel';
import { lastErrorNumber } from './libc.ts';

/** A system call that failed: `bind 0.0.0.0:80: EACCES, permission denied`. */
export class SystemCallError extends SrsError {
  readonly systemCall: string;
  readonly errorNumber: number;
  /** The system's word: `EADDRINUSE`. */
  readonly errorWord: string;

  /** @param what the call's name and what it was applied to */
  constructor(errorName: ErrorName, systemCall: string, what: string, errorNumber: number = lastErrorNumber()) {
    const word = nameOf(errorNumber);
    super(errorName, `${systemCall} ${what}: ${word}, ${messageOf(errorNumber)}`);
    this.systemCall = systemCall;
    this.errorNumber = errorNumber;
    this.errorWord = word;
  }
}

function nameOf(errorNumber: number): string {
  return errorNumber > 0 ? getSystemErrorName(-errorNumber) : `errno ${errorNumber}`;
}

function messageOf(errorNumber: number): string {
  return errorNumber > 0 ? getSystemErrorMessage(-errorNumber) : 'unknown error';
}
