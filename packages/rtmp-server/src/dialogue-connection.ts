/** What a dialogue with a client needs of the connection it is held on, and of the server. */

import type { AddressPlace } from '@srs/access';
import type { ClientDeadline, ClientRedirect, PithyMember, PithyPrint, PlayHub, SocketOutput } from '@srs/clients';
import type { Log } from '@srs/kernel';
import type { Redirect } from '@srs/rtmp';
import type { RtmpServices } from './services.ts';

/** What the clients of one server share. */
export interface DialogueShared {
  readonly services: RtmpServices;
  readonly hub: PlayHub;
  readonly publishers: PithyPrint;
  readonly players: PithyPrint;
}

/** The connection that the dialogue is held on. */
export interface DialogueConnection extends PithyMember {
  readonly cid: number;
  readonly ip: string;
  readonly localIp: string;
  readonly place: AddressPlace;
  readonly log: Log;
  readonly output: SocketOutput;
  readonly deadline: ClientDeadline;
  /** It has ended, or ends. */
  readonly isOver: boolean;
  setNoDelay(isOn: boolean): void;
  /** What the client has sent is read again, after it had to wait. */
  resume(): void;
  /** The client does not get what it asked for: it is told, then let go. */
  refuse(code: string, reason: unknown): void;
  /** The client is served elsewhere: it is told where, then let go. */
  redirect(addresses: Redirect, reason: ClientRedirect): void;
  /** It has said that it goes there. */
  onRedirectAccepted(): void;
  /** The client broke the protocol, or this server failed it. */
  fail(error: unknown): void;
  /** Lets go of the client, when it has heard what has been said. */
  end(reason?: string): void;
}
