/** What the API needs of the process that it runs in. */
import type { Config } from '@srs/config';
import type { PublishedPlace } from '@srs/control';
import type { Clock, Log } from '@srs/kernel';
import type { ServerView } from './server-view.ts';
import type { SystemStatistics } from './system-statistics.ts';

export interface ApiServices {
  readonly view: ServerView;
  readonly statistics: SystemStatistics;
  /**
   * What other servers are told of a stream (`vhost/app/stream`); null unless it has its publisher on this server.
   *
   * @param seenAs the host by which they know this server; empty when they do not say
   */
  placeOf(streamId: string, seenAs: string): Promise<PublishedPlace | null>;
  /** In force, asked for at each request. */
  config(): Config;
  readonly identity: ApiIdentity;
  /** What this server can do, by name. */
  readonly features: Readonly<Record<string, boolean>>;
  readonly masterPid: number;
  readonly clock: Clock;
  readonly log: Log;
}

export interface ApiIdentity {
  readonly version: string;
  readonly primary: string;
  readonly authors: string;
  readonly site: string;
}
