/** What a server says that works and does not want to. */
import { HttpRefusal } from './http-refusal.ts';
import { RtmpRefusal } from './rtmp-refusal.ts';

/** Statuses from here on say that the server itself is in trouble. */
const FIRST_SERVER_ERROR = 500;

/** The server has understood and said no: that tells of this stream, and nothing of the others. */
export function isRefusal(error: unknown): boolean {
  return error instanceof RtmpRefusal || (error instanceof HttpRefusal && error.status < FIRST_SERVER_ERROR);
}
