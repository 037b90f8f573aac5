/** The address that stands for this machine: `stats { network }`. */
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';

type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/** The IPv4 addresses of the interfaces in their order, without the loopback. */
export function localAddresses(interfaces: Interfaces = networkInterfaces()): readonly string[] {
  return Object.values(interfaces).flatMap((addresses = []) =>
    addresses.filter(({ family, internal }) => family === 'IPv4' && !internal).map(({ address }) => address),
  );
}

/** @param index of `stats { network }`; where there are fewer addresses the first one stands in, and the loopback for none */
export function deviceAddress(index: number, addresses: readonly string[] = localAddresses()): string {
  return addresses[index] ?? addresses[0] ?? '127.0.0.1';
}
