/** What an edge asks its origins for, and where. */
import { defaultRtmpPort, type ServerAddress } from './address-type.ts';
import type { VhostConfig } from './config.ts';

/** Those of `rtmp` clients, and of this server's HTTP server. */
const defaultPorts = { rtmp: defaultRtmpPort, flv: 8080, flvs: 8088 } as const;

/** Where its streams are got. */
export function pullOrigins({ origin, cluster: { protocol } }: VhostConfig): readonly ServerAddress[] {
  return origin.map(({ host, port = defaultPorts[protocol] }) => ({ host, port }));
}

/** Where its clients are asked about, and what is published on it goes: over RTMP in any case. */
export function rtmpOrigins({ origin, cluster: { protocol } }: VhostConfig): readonly ServerAddress[] {
  return origin.map(({ host, port }) => ({ host, port: (protocol === 'rtmp' ? port : undefined) ?? defaultRtmpPort }));
}

/** The name of the vhost there. */
export function vhostAtOrigins({ name, cluster: { vhost } }: VhostConfig): string {
  return vhost.replaceAll('[vhost]', () => name);
}
