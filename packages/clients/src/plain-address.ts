/** Addresses as people write them. */

/** IPv4 also where the socket speaks IPv6. */
export function plainAddress(address: string | undefined): string {
  return (address ?? 'unknown').replace(/^::ffff:/, '');
}
