import type { RingRef } from '@srs/control';
import { frameFlags, frameTypes } from '@srs/kernel';
import { MemoryArena, RingWriter, ringBytes } from '@srs/ring';
import { describe, expect, it } from 'vitest';
import { describeRing } from './ring-description.ts';

const capacityBytes = 64 * 1024;
const ref: RingRef = { arena: 0, index: 0, generation: 3, offset: 0, sizeBytes: ringBytes(capacityBytes) };

function setUp(): { arena: MemoryArena; writer: RingWriter } {
  const arena = new MemoryArena(ref.sizeBytes);
  return { arena, writer: RingWriter.create(arena, ref, { writerSlot: 1, writerPid: 1 }) };
}

describe('describeRing', () => {
  it('tells of a ring that nothing was written to', () => {
    const { arena } = setUp();
    expect(describeRing(arena, ref)).toEqual({
      sizeBytes: ref.sizeBytes,
      capacityBytes,
      gopBytes: 0,
      newestSequence: -1,
      newestTimestampMs: 0,
      rejectedRecords: 0,
    });
  });

  it('counts from the newest key frame on, as the writer does', () => {
    const { arena, writer } = setUp();
    for (const [flags, timestampMs] of [
      [frameFlags.keyFrame, 0],
      [0, 40],
      [frameFlags.keyFrame, 80],
      [0, 120],
    ] as const) {
      writer.write(frameTypes.video, flags, timestampMs, 0, Buffer.alloc(1000));
    }
    writer.write(frameTypes.video, 0, 160, 0, Buffer.alloc(capacityBytes));
    expect(describeRing(arena, ref)).toMatchObject({
      gopBytes: writer.gopBytes,
      newestSequence: 3,
      newestTimestampMs: 120,
      rejectedRecords: 1,
    });
    expect(writer.gopBytes).toBeGreaterThan(2000);
    expect(writer.gopBytes).toBeLessThan(3000);
  });

  it('is null for a ring that has made room for another one', () => {
    const { arena } = setUp();
    expect(describeRing(arena, { ...ref, generation: 2 })).toBeNull();
  });
});
