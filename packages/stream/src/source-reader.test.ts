import type { PublisherInfo } from '@srs/control';
import { frameFlags, frameTypes } from '@srs/kernel';
import { MemoryArena, RegionTable, RingWriter, ringBytes, ringEndReasons } from '@srs/ring';
import { describe, expect, it } from 'vitest';
import { RingSource } from './ring-source.ts';
import { SourceReader } from './source-reader.ts';

const arena = new MemoryArena(16 << 20);
const table = RegionTable.create(arena);
const publisher = (cid: number): PublisherInfo => ({ slot: 1, pid: 42, cid, ip: '10.0.0.1' });
const fail = (error: Error): never => {
  throw error;
};

function openRing(cid: number, firstSequence = 0) {
  const region = table.allocate(ringBytes(64 * 1024))!;
  const writer = RingWriter.create(arena, region, { writerSlot: 1, writerPid: 42, firstSequence });
  const source = new RingSource({
    ring: { arena: 0, ...region },
    arena,
    publisher: publisher(cid),
    wasAwaited: false,
    onReleased: () => {},
  });
  const write = () => writer.write(frameTypes.video, frameFlags.keyFrame, 0, 0, Buffer.from('frame'));
  return { writer, source, write };
}

function readAll(reader: SourceReader): { readonly frames: number; readonly result: string } {
  let frames = 0;
  const sink = {
    onRecord: () => {
      frames += 1;
    },
    onTorn: () => {},
  };
  for (;;) {
    const result = reader.read(sink, 4096, fail);
    if (result !== 'more') return { frames, result };
  }
}

describe('SourceReader', () => {
  it('waits for more as long as nobody else publishes', () => {
    const { source, write } = openRing(1);
    const reader = SourceReader.open(source, fail)!;
    write();
    expect(readAll(reader)).toEqual({ frames: 1, result: 'drained' });
  });

  it('leaves a ring that was never ended, once it has been read, when somebody else publishes', () => {
    const [hung, next] = [openRing(1), openRing(2)];
    const reader = SourceReader.open(hung.source, fail)!;
    hung.write();
    hung.source.setNext(next.source);
    expect(readAll(reader)).toEqual({ frames: 1, result: 'ended' });
    expect(reader.hasMoved).toBe(false);
  });

  it('waits for the end of a ring that its own publisher is about to leave for a bigger one', () => {
    const [small, bigger] = [openRing(1), openRing(1, 2)];
    const reader = SourceReader.open(small.source, fail)!;
    small.write();
    small.source.setNext(bigger.source);
    expect(readAll(reader)).toEqual({ frames: 1, result: 'drained' });
    small.write();
    small.writer.end(ringEndReasons.moved);
    expect(readAll(reader)).toEqual({ frames: 1, result: 'ended' });
    bigger.write();
    expect(reader.followMove(bigger.source, fail)).toBe(true);
    expect(readAll(reader)).toEqual({ frames: 1, result: 'drained' });
  });
});
