import { MemoryArena, RingReader, RingWriter, ringBytes } from '@srs/ring';
import { expect, it } from 'vitest';
import { ArenaRingStore } from './ring-store.ts';

const SIZE_BYTES = ringBytes(65_536);

it('a reader opens a ring that its writer has not opened yet, and gets all that is written', () => {
  const arena = new MemoryArena(64 * 1024 * 1024);
  const store = new ArenaRingStore({
    backSource: 0,
    arena,
    initialSizeBytes: SIZE_BYTES,
    maxSizeBytes: SIZE_BYTES,
    memoryBytes: arena.sizeBytes,
  });
  // The second one lies where the first was: nothing of it is left.
  for (const text of ['one', 'two']) {
    const ring = store.allocate()!;
    const reader = new RingReader(arena, ring);
    RingWriter.open(arena, ring, { writerSlot: 1, writerPid: 2 }).write(9, 0, 40, 0, Buffer.from(text));
    const texts: string[] = [];
    reader.pollCopies({ onRecord: (_type, _flags, _timestampMs, _wallMs, _sequence, payload) => texts.push(payload.toString()) });
    expect(texts).toEqual([text]);
    expect(store.endForDeadWriter(ring)).toBe(40);
    store.free(ring);
  }
});
