/** Which vhost serves a client. */
import { type Config, defaultVhostName, type VhostConfig } from './config.ts';

export type VhostResolution =
  | { readonly kind: 'found'; readonly vhost: VhostConfig }
  | { readonly kind: 'unknown'; readonly reason: string }
  | { readonly kind: 'disabled'; readonly vhost: VhostConfig; readonly reason: string };

/**
 * Finds the vhost of that exact name, or else `__defaultVhost__`. From then on the session belongs to `vhost.name`, which is the
 * default's name when the default took it in. A vhost that is disabled refuses; it does not fall back.
 *
 * @param name the vhost the client asked for: of its stream name, or else of its tcUrl
 */
export function resolveVhost(config: Config, name: string): VhostResolution {
  const vhost = config.vhosts.get(name) ?? config.vhosts.get(defaultVhostName);
  if (vhost === undefined)
    return { kind: 'unknown', reason: `vhost ${name} is not configured, and there is no ${defaultVhostName}` };
  if (!vhost.enabled) return { kind: 'disabled', vhost, reason: `vhost ${vhost.name} is disabled` };
  return { kind: 'found', vhost };
}
