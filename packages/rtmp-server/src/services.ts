/** What the RTMP server needs from the process it lives in. */

import type { AddressLimiter } from '@srs/access';
import type { ClientHooks, PublishServices, StreamRoutes } from '@srs/clients';
import type { Config } from '@srs/config';
import type { Log } from '@srs/kernel';
import type { Batch, FlushBudget, LiveStreams } from '@srs/stream';
import type { OriginGate } from './origin-gate.ts';

export interface RtmpServices extends PublishServices {
  /** The configuration in force; asked for at each use, so that a reload counts for the next connection. */
  config(): Config;
  readonly log: Log;
  readonly liveStreams: LiveStreams;
  /** Memory that all fan-outs encode into. */
  readonly batch: Batch;
  /** What sending may cost all of them. */
  readonly flushBudget: FlushBudget;
  readonly hooks: ClientHooks;
  readonly routes: StreamRoutes;
  /** Absent where there are no origins to ask. */
  readonly originGate?: OriginGate;
  /** A trackable id for a new connection. */
  nextCid(): number;
  /** Counts the clients of each address over all processes. */
  readonly addresses: AddressLimiter;
  /** Counts a connection; false when the server has as many as it may have. */
  claimConnection(): boolean;
  releaseConnection(): void;
}
