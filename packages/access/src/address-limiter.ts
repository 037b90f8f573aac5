/** Holds every client address to the `limits` of the configuration, over all processes of a server. */
import type { Config } from '@srs/config';
import type { Clock } from '@srs/kernel';
import { type AddressWords, parseAddress } from './address.ts';
import type { AddressTable, Counter } from './address-table.ts';
import { isInNetworks } from './network.ts';
import type { Refusal, StreamUse } from './refusal.ts';

export interface AddressLimiterOptions {
  readonly table: AddressTable;
  /** What is in force; asked for each time, so that a reload counts for the next client. */
  limits(): Config['limits'];
  readonly clock: Clock;
}

/** An address that cannot be read (the client has gone), or for which the table has no room: counted nowhere, limited by nothing. */
const NO_ENTRY = -1;

const useCounters: Readonly<Record<StreamUse, Counter>> = { publish: 'publishers', play: 'players' };
const useBits: Readonly<Record<StreamUse, number>> = { publish: 1, play: 2 };

export class AddressLimiter {
  readonly #options: AddressLimiterOptions;

  constructor(options: AddressLimiterOptions) {
    this.#options = options;
  }

  /** Counts a connection that has been accepted, and nothing else yet done for. Who gets a place leaves it in the end. */
  connect(ip: string): AddressPlace | Refusal {
    const { table, clock } = this.#options;
    const unixMs = clock.wallMs();
    const address = parseAddress(ip);
    const entry = address === undefined ? NO_ENTRY : table.claim(address, Math.floor(unixMs / 1000));
    if (address === undefined || entry === NO_ENTRY) return new AddressPlace(this.#options, NO_ENTRY);
    const { connectsPerSecondPerIp, connectionsPerIp } = limitsOf(this.#options.limits(), address);
    if (!table.addOpened(entry, unixMs, connectsPerSecondPerIp)) {
      return refusal(`${ip} connects more often than connects_per_second_per_ip ${connectsPerSecondPerIp}`);
    }
    if (!table.add(entry, 'connections', connectionsPerIp)) {
      return refusal(`${ip} has as many connections as connections_per_ip ${connectionsPerIp} allows`);
    }
    return new AddressPlace(this.#options, entry);
  }
}

/** What one connection counts for. There is one for each client, so it keeps no more than it must. */
export class AddressPlace {
  readonly #options: AddressLimiterOptions;
  #entry: number;
  #uses = 0;

  constructor(options: AddressLimiterOptions, entry: number) {
    this.#options = options;
    this.#entry = entry;
  }

  /**
   * Begins to publish or to play.
   * @param ip the same as for `connect`
   * @returns undefined when it may
   */
  begin(use: StreamUse, ip: string): Refusal | undefined {
    const address = this.#entry === NO_ENTRY ? undefined : parseAddress(ip);
    if (address === undefined || (this.#uses & useBits[use]) !== 0) return undefined;
    const { publishersPerIp, playersPerIp } = limitsOf(this.#options.limits(), address);
    const limit = use === 'publish' ? publishersPerIp : playersPerIp;
    if (!this.#options.table.add(this.#entry, useCounters[use], limit)) {
      return refusal(
        `this address ${use === 'publish' ? 'publishes' : 'plays'} as many streams as ${useCounters[use]}_per_ip ${limit} allows`,
      );
    }
    this.#uses |= useBits[use];
    return undefined;
  }

  /** Ends it; without effect when it has not begun. */
  end(use: StreamUse): void {
    if (this.#entry === NO_ENTRY || (this.#uses & useBits[use]) === 0) return;
    this.#uses &= ~useBits[use];
    this.#options.table.subtract(this.#entry, useCounters[use]);
  }

  /** The connection is no more. May be called twice. */
  leave(): void {
    if (this.#entry === NO_ENTRY) return;
    this.end('publish');
    this.end('play');
    this.#options.table.subtract(this.#entry, 'connections');
    this.#entry = NO_ENTRY;
  }
}

const noLimits: Config['limits'] = {
  connectionsPerIp: 0,
  publishersPerIp: 0,
  playersPerIp: 0,
  connectsPerSecondPerIp: 0,
  exempt: [],
};

/** Whom no limit holds is counted all the same: a reload may change that. */
function limitsOf(limits: Config['limits'], address: AddressWords): Config['limits'] {
  return isInNetworks(address, limits.exempt) ? noLimits : limits;
}

function refusal(text: string): Refusal {
  return { kind: 'limit', text };
}
