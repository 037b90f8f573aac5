/** The question by which a back-source is told to push a stream to a destination, or not any more. */
import { SrsError } from '@srs/kernel';

interface ForwardRequest {
  /** `vhost/app/stream`. */
  readonly streamId: string;
  /** Not looked at. */
  readonly destination: string;
}

/** @throws SrsError RequestUri naming the parameter that is missing, and what it is */
export function parseForwardRequest({ stream, destination }: Readonly<Record<string, unknown>>): ForwardRequest {
  if (typeof stream !== 'string' || stream === '') throw new SrsError('RequestUri', 'stream is missing: VHOST/APP/STREAM');
  if (typeof destination !== 'string' || destination === '')
    throw new SrsError('RequestUri', 'destination is missing: host[:port] or the URL of a stream');
  return { streamId: stream, destination };
}
