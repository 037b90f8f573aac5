/** Who is asked before a client may do something, and told when it is over: the HTTP hooks, as connections see them. */
import type { VhostConfig } from '@srs/config';
import type { Log } from '@srs/kernel';

export type HookQuestionName = 'on_connect' | 'on_publish' | 'on_play';
export type HookNoticeName = 'on_close' | 'on_unpublish' | 'on_stop';

/** The client, and the stream where the event is about one. */
export interface HookSubject {
  readonly cid: number;
  readonly ip: string;
  /** That of the stream, for an event about one. Its settings count only if it is not in the configuration any more. */
  readonly vhost: VhostConfig;
  readonly app: string;
  /** As the client wrote them. */
  readonly tcUrl: string;
  readonly pageUrl: string;
  readonly stream?: string;
  /** From the `?` of the stream name on, or else of the tcUrl. */
  readonly param: string;
  readonly log: Log;
}

/** Bytes of a client that has gone. */
export interface HookTraffic {
  readonly sendBytes: number;
  readonly recvBytes: number;
}

export interface ClientHooks {
  /** Whether `ask` would ask anybody. */
  isAsked(event: HookQuestionName, vhost: VhostConfig): boolean;
  /**
   * @returns the ticket for the notice that belongs to the question, which must then be told once; at once when there is nobody to ask
   * @throws SrsError HttpAnswer when the client may not; ClientRedirect when it is to go elsewhere
   */
  ask(event: HookQuestionName, subject: HookSubject): number | Promise<number>;
  tell(event: HookNoticeName, subject: HookSubject, ticket: number, traffic?: HookTraffic): void;
}
