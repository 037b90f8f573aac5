/** What live streams over HTTP need from the process they are served in. */
import type { AddressLimiter } from '@srs/access';
import type { ClientHooks, ServerDrain } from '@srs/clients';
import type { Config } from '@srs/config';
import type { Clock, Log } from '@srs/kernel';
import type { Batch, FlushBudget, LiveStreams } from '@srs/stream';

export interface LiveServices {
  /** The configuration in force; asked for at each use, so that a reload counts for the next client. */
  config(): Config;
  /** For the Server header. */
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly slot: number;
  readonly liveStreams: LiveStreams;
  /** Memory that all fan-outs encode into. */
  readonly batch: Batch;
  /** What sending may cost all of them. */
  readonly flushBudget: FlushBudget;
  readonly hooks: ClientHooks;
  readonly drain: Pick<ServerDrain, 'assertOpen'>;
  /** A trackable id for a new client. */
  nextCid(): number;
  /** Counts the clients of each address over all processes. */
  readonly addresses: AddressLimiter;
  /** Counts a connection; false when the server has as many as it may have. */
  claimConnection(): boolean;
  releaseConnection(): void;
}
