/** A ring as somebody sees it who neither writes nor plays it. */
import type { RingRef } from '@srs/control';
import type { Arena } from '@srs/kernel';
import { RingReader } from '@srs/ring';
import type { TrackFacts, TrackFactsCache } from '@srs/stream';
import type { RingDescription } from '@srs/survey';

/** @returns null when the ring is gone: it can end between the look into the directory and the look into the memory */
export function describeRing(arena: Arena, ring: RingRef): RingDescription | null {
  const reader = openRing(arena, ring);
  return reader === null ? null : describeReader(reader, ring);
}

/** With what the headers in it say. @returns null when the ring is gone */
export function describeStreamRing(
  arena: Arena,
  ring: RingRef,
  cache: TrackFactsCache,
): { readonly ring: RingDescription; readonly tracks: TrackFacts } | null {
  const reader = openRing(arena, ring);
  return reader === null ? null : { ring: describeReader(reader, ring), tracks: tracksOf(reader, cache) };
}

/** A broken ring is told about where it is played. */
function tracksOf(reader: RingReader, cache: TrackFactsCache): TrackFacts {
  try {
    return cache.factsOf(reader);
  } catch {
    return { video: null, audio: null };
  }
}

function openRing(arena: Arena, ring: RingRef): RingReader | null {
  try {
    return new RingReader(arena, ring);
  } catch {
    return null;
  }
}

function describeReader(reader: RingReader, ring: RingRef): RingDescription {
  const { capacityBytes, newestSequence, newestTimestampMs, rejectedRecords } = reader;
  const gopBytes = reader.seekToNewestKeyFrame() ? reader.lagBytes : 0;
  return { sizeBytes: ring.sizeBytes, capacityBytes, gopBytes, newestSequence, newestTimestampMs, rejectedRecords };
}
