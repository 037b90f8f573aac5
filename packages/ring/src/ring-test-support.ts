/** What the tests of rings share. */
import { type Region, RingReader, RingWriter, type RingWriterOptions, ringBytes } from './index.ts';
import { MemoryArena } from './memory-arena.ts';
import type { ViewSink } from './ring-reader.ts';

export interface TestRing {
  readonly arena: MemoryArena;
  readonly region: Region;
  readonly writer: RingWriter;
}

export function createTestRing(capacityBytes: number, options: Partial<RingWriterOptions> = {}): TestRing {
  const sizeBytes = ringBytes(capacityBytes);
  const arena = new MemoryArena(sizeBytes);
  const region: Region = { index: 0, offset: 0, sizeBytes, generation: options.generation ?? 7 };
  return { arena, region, writer: RingWriter.create(arena, region, { writerSlot: 3, writerPid: 4321, ...options }) };
}

export interface ReadRecord {
  readonly type: number;
  readonly flags: number;
  readonly timestampMs: number;
  readonly wallMs: number;
  readonly sequence: number;
  readonly payload: Buffer;
}

/** Keeps copies of the records it is given, without those that turn out to be torn. */
export class CollectingSink implements ViewSink {
  readonly records: ReadRecord[] = [];
  tornRecords = 0;

  onRecord(type: number, flags: number, timestampMs: number, wallMs: number, sequence: number, payload: Buffer): void {
    this.records.push({ type, flags, timestampMs, wallMs, sequence, payload: Buffer.from(payload) });
  }

  onTorn(): void {
    this.records.pop();
    this.tornRecords++;
  }

  take(): ReadRecord[] {
    return this.records.splice(0);
  }

  /** The payloads as text. */
  takeTexts(): string[] {
    return this.take().map((each) => each.payload.toString());
  }
}

/** Reads everything there is; the texts of the payloads. */
export function readTexts(reader: RingReader): string[] {
  const sink = new CollectingSink();
  while (reader.poll(sink) > 0);
  return sink.takeTexts();
}

export function openReader(ring: TestRing): RingReader {
  return new RingReader(ring.arena, ring.region);
}
