/** What the master orders of a worker while the whole server is drained. */
import type { ClientsView, SentAway, ServerDrain } from '@srs/clients';
import { parseRedirectTarget } from '@srs/config';
import type { DrainOrder } from '@srs/control';

/** @returns how many clients were told to go */
export function followDrainOrder(drain: ServerDrain, registry: Pick<ClientsView, 'clients'>, order: DrainOrder | null): SentAway {
  drain.set(order === null ? undefined : { to: order.to === null ? undefined : parseRedirectTarget(order.to) });
  return order?.isOver === true ? drain.sendAway(registry.clients()) : { redirected: 0, dismissed: 0 };
}
