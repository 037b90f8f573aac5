import type { RingRef, StreamState } from '@srs/control';
import { silentLog } from '@srs/kernel';
import { MemoryArena } from '@srs/ring';
import { describe, expect, it } from 'vitest';
import type { DirectoryClient, Subscriber } from './directory-client.ts';
import { LiveStreams, type StreamConsumer } from './live-stream.ts';
import type { RingSource } from './ring-source.ts';

const ring = (index: number): RingRef => ({ arena: 0, index, generation: index, offset: 0, sizeBytes: 1 << 20 });

function setUp() {
  const held: string[] = [];
  let tell: (state: StreamState) => void = () => {};
  const directory = {
    subscribe: (_streamId: string, subscriber: Subscriber) => {
      tell = (state) => subscriber.onState(state);
    },
    unsubscribe: () => {},
    holdRing: ({ index }: RingRef) => held.push(`hold ${index}`),
    releaseRing: ({ index }: RingRef) => held.push(`release ${index}`),
  } as unknown as DirectoryClient;
  const stream = new LiveStreams({ directory, arenas: [new MemoryArena(1 << 20)], log: silentLog }).follow('v/a/s');
  const sources: RingSource[] = [];
  const consumer: StreamConsumer = { onSource: (source) => sources.push(source), onWake: () => {} };
  stream.attach(consumer);
  return {
    stream,
    consumer,
    sources,
    held,
    publish: (now: RingRef | null) => tell({ streamId: 'v/a/s', ring: now, publisher: null }),
  };
}

describe('LiveStream', () => {
  it('links the ring of the next publish to the one that is still being read', () => {
    const { publish, sources, held } = setUp();
    publish(ring(1));
    const reading = sources[0]!.retain();
    publish(null);
    publish(ring(2));
    expect(reading.next).toBe(sources[1]);
    publish(null);
    expect(held).toEqual(['hold 1', 'hold 2']);
    reading.release();
    expect(held).toEqual(['hold 1', 'hold 2', 'release 1', 'release 2']);
  });

  it('a publish that was said to be over and is not goes on in the same source, and never follows upon itself', () => {
    const { publish, sources, stream, held } = setUp();
    publish(ring(1));
    const reading = sources[0]!.retain();
    publish(null);
    publish(ring(1));
    expect(stream.source).toBe(reading);
    expect(reading.next).toBeUndefined();
    publish(ring(2));
    expect(reading.next?.ring.index).toBe(2);
    expect(held).toEqual(['hold 1', 'hold 2']);
  });

  it('takes a ring anew that it had let go of already', () => {
    const { publish, held, stream } = setUp();
    publish(ring(1));
    publish(null);
    publish(ring(1));
    expect(stream.source?.ring.index).toBe(1);
    expect(held).toEqual(['hold 1', 'release 1', 'hold 1']);
  });

  it('a state that repeats what is known changes nothing', () => {
    const { publish, sources, held } = setUp();
    publish(ring(1));
    publish(ring(1));
    expect(sources).toHaveLength(1);
    expect(held).toEqual(['hold 1']);
  });

  it('lets go of its ring with its last consumer', () => {
    const { publish, stream, consumer, held } = setUp();
    publish(ring(1));
    stream.detach(consumer);
    expect(held).toEqual(['hold 1', 'release 1']);
  });
});
