/** A server that is drained, as its clients meet it: nobody new gets a stream, and who is there is sent away when the time is over. */
import type { RedirectTarget } from '@srs/config';
import { SrsError } from '@srs/kernel';
import type { RedirectAnswer, StreamRoutes } from './client-redirect.ts';
import type { RegisteredClient } from './client-registry.ts';

/** How many clients went how. */
export interface SentAway {
  readonly redirected: number;
  readonly dismissed: number;
}

interface DrainOrder {
  /** Undefined: there is no other server for the clients. */
  readonly to: RedirectTarget | undefined;
}

const REASON = 'the server is drained';

export class ServerDrain implements StreamRoutes {
  #order: DrainOrder | undefined;

  /** @param order undefined takes clients again */
  set(order: DrainOrder | undefined): void {
    this.#order = order;
  }

  /** Of RTMP clients. @throws SrsError ServerDrained when there is no other server for them */
  find(): RedirectAnswer | undefined {
    const to = this.#order?.to;
    if (to !== undefined) return { kind: 'redirect', to, why: REASON };
    this.assertOpen();
    return undefined;
  }

  /** For who cannot be sent to an RTMP server. @throws SrsError ServerDrained */
  assertOpen(): void {
    if (this.#order !== undefined) throw new SrsError('ServerDrained', `${REASON} and takes no new clients`);
  }

  /** Tells those who are there to go: to the other server if they can. */
  sendAway(clients: Iterable<RegisteredClient>): SentAway {
    const to = this.#order?.to;
    let redirected = 0;
    let dismissed = 0;
    for (const client of Array.from(clients)) {
      if (to !== undefined && client.sendTo?.({ kind: 'redirect', to, why: REASON }) === true) redirected += 1;
      else {
        client.dismiss(REASON);
        dismissed += 1;
      }
    }
    return { redirected, dismissed };
  }
}
