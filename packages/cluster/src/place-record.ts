/** A place as it stands in a registry: JSON, the same for all servers that share one. */
import { formatAddress, parseServerAddress } from '@srs/config';
import type { StreamPlace } from './stream-registry.ts';

/*
 *   {"address":"10.0.0.2:1935","instance":"...","id":105,"hops":[]}
 */

/** Nobody who keeps to the form needs more. */
const MAX_RECORD_LENGTH = 4096;
const MAX_HOPS = 32;

export function formatPlace({ address, instanceId, cid, hops }: StreamPlace): string {
  return JSON.stringify({ address: formatAddress(address), instance: instanceId, id: cid, hops });
}

/** @returns undefined for a text that is no place: others may write to a registry too */
export function parsePlace(text: string): StreamPlace | undefined {
  if (text.length > MAX_RECORD_LENGTH) return undefined;
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof record !== 'object' || record === null) return undefined;
  const { address: addressText, instance, id, hops } = record as Readonly<Record<string, unknown>>;
  const address = typeof addressText === 'string' ? parseServerAddress(addressText) : undefined;
  if (address === undefined || typeof instance !== 'string' || instance === '') return undefined;
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 0 || !isHops(hops)) return undefined;
  return { address, instanceId: instance, cid: id, hops };
}

export function isHops(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length <= MAX_HOPS && value.every((hop) => typeof hop === 'string');
}
