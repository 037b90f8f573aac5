/** A ring as somebody sees it who neither writes nor plays it. */
import type { RingRef } from '@srs/control';
import type { Arena } from '@srs/kernel';
import { RingReader } from '@srs/ring';
import type { RingDescription } from './private-documents.ts';

/** @returns null when the ring is gone: it can end between the look into the directory and the look into the memory */
export function describeRing(arena: Arena, ring: RingRef): RingDescription | null {
  let reader: RingReader;
  try {
    reader = new RingReader(arena, ring);
  } catch {
    return null;
  }
  const { capacityBytes, newestSequence, newestTimestampMs, rejectedRecords } = reader;
  const gopBytes = reader.seekToNewestKeyFrame() ? reader.lagBytes : 0;
  return { sizeBytes: ring.sizeBytes, capacityBytes, gopBytes, newestSequence, newestTimestampMs, rejectedRecords };
}
