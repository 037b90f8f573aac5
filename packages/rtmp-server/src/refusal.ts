/** What is said when a client may not have what it asked for: to the client in its terms, to the log with SRS's number. */
import type { StreamUse } from '@srs/access';
import { describeError, type ErrorName, SrsError } from '@srs/kernel';
import { statusCodes } from '@srs/rtmp';

/** The number of an error as SRS's log lines end with it; '' for an error without one. */
export const errorNumber = (error: unknown): string => (error instanceof SrsError ? `. ret=${error.code}` : '');

/** The stream may well be there. */
const denials: readonly ErrorName[] = [
  'RtmpAccessDenied',
  'SecurityDenied',
  'SecurityNotAllowed',
  'AddressLimit',
  'ServerDrained',
  'HttpAnswer',
];

/** The status code that clients of that use understand as a no. */
export function refusalCode(use: StreamUse, error: unknown): string {
  if (use === 'publish') return statusCodes.publishBadName;
  const isDenied = error instanceof SrsError && denials.includes(error.errorName);
  return isDenied ? 'NetStream.Play.Failed' : statusCodes.playStreamNotFound;
}

/** What the client is told. What lies behind an error, such as the address of a hook server, is for the operator's log. */
export const refusalText = (reason: unknown): string => (reason instanceof SrsError ? reason.message : describeError(reason));
