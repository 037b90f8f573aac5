/** What the HTTP server of files and streams needs of the process that it runs in. */
import type { IncomingMessage } from 'node:http';
import type { Config } from '@srs/config';
import type { Clock, Log } from '@srs/kernel';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiIdentity } from './api-services.ts';

export interface MediaServices {
  /** In force, asked for at each request. */
  config(): Config;
  readonly identity: Pick<ApiIdentity, 'version'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether the file that a request names is kept from it, as if it were not there. */
  readonly hides?: (request: IncomingMessage) => boolean;
  /** Is asked when there is no such file, last of all; undefined when it has no answer either. */
  readonly otherwise?: (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined>;
  /** For tests that do not want to wait so long. */
  readonly times?: MediaTimes;
}

export interface MediaTimes {
  /** A client that takes nothing for so long is let go. */
  readonly stallMs: number;
}
