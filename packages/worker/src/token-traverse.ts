/** `token_traverse`: the origins of an edge are asked about each connect over RTMP. */
import { rtmpOrigins, type VhostConfig } from '@srs/config';
import type { ConnectProbes } from '@srs/edge';
import { SrsError, systemClock } from '@srs/kernel';
import type { ConnectRequest } from '@srs/rtmp';
import type { ConnectVerdict, OriginGate } from '@srs/rtmp-server';
import type { WorkerEnvironment } from './environment.ts';
import { isOwnAddress } from './own-address.ts';

export class TokenTraverse implements OriginGate {
  readonly #environment: WorkerEnvironment;
  #probes: Promise<ConnectProbes> | undefined;

  constructor(environment: WorkerEnvironment) {
    this.#environment = environment;
  }

  ask(vhost: VhostConfig, request: ConnectRequest, signal: AbortSignal): Promise<ConnectVerdict> | undefined {
    return vhost.mode === 'remote' && vhost.tokenTraverse ? this.#ask(vhost, request, signal) : undefined;
  }

  async #ask(vhost: VhostConfig, request: ConnectRequest, signal: AbortSignal): Promise<ConnectVerdict> {
    // One that asks itself would ask without end.
    const origins = rtmpOrigins(vhost).filter((origin) => !isOwnAddress(this.#environment.config, origin));
    if (origins.length === 0)
      throw new SrsError('SocketConnect', `vhost ${vhost.name} has no origin to be asked about this connect`);
    this.#probes ??= openProbes();
    const hops = [...request.hops, this.#environment.instanceId];
    return (await this.#probes).ask(origins, { ...request, hops }, signal);
  }
}

/** Most servers need none. */
async function openProbes(): Promise<ConnectProbes> {
  const edge = await import('@srs/edge');
  return new edge.ConnectProbes({ pool: new edge.OriginPool({ clock: systemClock, random: Math.random }) });
}
