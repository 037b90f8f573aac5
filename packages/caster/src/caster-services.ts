/** What a caster needs from the process it lives in. */
import type { AddressLimiter } from '@srs/access';
import type { ClientHooks, PublishServices, ServerDrain } from '@srs/clients';
import type { Config } from '@srs/config';
import type { Log } from '@srs/kernel';

export interface CasterServices extends PublishServices {
  /** The configuration in force; asked for at each use, so that a reload counts for the next client. */
  config(): Config;
  readonly log: Log;
  readonly hooks: ClientHooks;
  readonly drain: Pick<ServerDrain, 'assertOpen'>;
  /** A trackable id for a new client. */
  nextCid(): number;
  /** Counts the clients of each address over all processes. */
  readonly addresses: AddressLimiter;
}
