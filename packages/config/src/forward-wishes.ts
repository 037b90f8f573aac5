/** What a vhost wants its streams forwarded to. */
import type { VhostConfig } from './config.ts';
import type { ForwardDestination } from './forward-destination.ts';

/** In whichever way the vhost names them. */
export function destinationsOf({ forward, forwarding }: VhostConfig): readonly ForwardDestination[] {
  return forwarding.enabled ? [...forward, ...forwarding.destinations] : forward;
}

/** Who is asked for more of them; empty for nobody. */
export function forwardBackendOf({ forwarding }: VhostConfig): string {
  return forwarding.enabled ? forwarding.backend : '';
}
