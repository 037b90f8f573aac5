/** Whoever has a say about a connect beside this server: the origins of an edge. */
import type { VhostConfig } from '@srs/config';
import { SrsError } from '@srs/kernel';
import type { ConnectRequest } from '@srs/rtmp';

export type ConnectVerdict =
  | { readonly isAllowed: true }
  /** What the client is told. */
  | { readonly isAllowed: false; readonly code: string; readonly description: string };

export interface OriginGate {
  /**
   * @param signal the client has left
   * @returns undefined when nobody is to be asked
   * @throws SrsError when there is no answer
   */
  ask(vhost: VhostConfig, request: ConnectRequest, signal: AbortSignal): Promise<ConnectVerdict> | undefined;
}

/** Said by another server. */
export class OriginRefusal extends SrsError {
  readonly statusCode: string;

  constructor({ code, description }: Extract<ConnectVerdict, { readonly isAllowed: false }>) {
    super('RtmpRejected', description);
    this.statusCode = code;
  }
}
