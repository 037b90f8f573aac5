/** Random histories of a ring, held against a list that forgets nothing. */
import { frameFlags } from '@srs/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pollResults, type RingReader, ringEndReasons } from './index.ts';
import { MAX_RECORD_FRACTION, RECORD_HEADER_BYTES, RECORDS_OFFSET, recordBytes, words } from './layout.ts';
import { CollectingSink, createTestRing, openReader, type ReadRecord, type TestRing } from './ring-test-support.ts';

const CAPACITIES = [4096, 16_384, 65_536];
/** Around the places where an Int32 changes sign and where it wraps around. */
const FIRST_POSITIONS = [0, 4096 - 8, 2 ** 31 - 5000, 2 ** 31 - 8, 2 ** 31, 2 ** 32 - 9000, 2 ** 32 - 8];
const FIRST_SEQUENCES = [0, 2 ** 31 - 3, 2 ** 32 - 3];

interface Written extends ReadRecord {
  /** Where it stands on a line without end. */
  readonly start: number;
  readonly end: number;
}

/** What the ring must be like, in numbers that do not wrap. */
class Model {
  readonly capacity: number;
  readonly records: Written[] = [];
  readonly firstSequence: number;
  tail: number;
  keyFrame: Written | undefined;
  #content = 1;

  constructor(capacity: number, firstPosition: number, firstSequence: number) {
    this.capacity = capacity;
    this.tail = firstPosition;
    this.firstSequence = firstSequence;
  }

  write(ring: TestRing, size: number, flags: number): void {
    const payload = Buffer.alloc(size);
    for (let i = 0; i < size; i++) {
      this.#content = (Math.imul(this.#content, 1_103_515_245) + 12_345) | 0;
      payload[i] = this.#content >>> 24;
    }
    const sequence = (this.firstSequence + this.records.length) | 0;
    const facts = { type: 1 + (size % 255), flags, timestampMs: this.records.length * 23, wallMs: this.records.length };
    const isWritten = ring.writer.write(facts.type, flags, facts.timestampMs, facts.wallMs, payload);
    expect(isWritten).toBe(size <= this.capacity / MAX_RECORD_FRACTION - RECORD_HEADER_BYTES);
    if (!isWritten) return;
    const bytes = recordBytes(size);
    const room = this.capacity - (this.tail % this.capacity);
    const start = bytes > room ? this.tail + room : this.tail;
    this.tail = start + bytes;
    const record = { ...facts, payload, sequence, start, end: this.tail };
    this.records.push(record);
    if ((flags & frameFlags.keyFrame) !== 0 && (flags & frameFlags.sequenceHeader) === 0) this.keyFrame = record;
    expect(ring.writer.gopBytes).toBe(this.keyFrame === undefined ? 0 : this.tail - this.keyFrame.start);
  }

  isIntact(position: number): boolean {
    return this.tail - position <= this.capacity;
  }

  get keyFrameInRing(): Written | undefined {
    return this.keyFrame !== undefined && this.isIntact(this.keyFrame.start) ? this.keyFrame : undefined;
  }
}

class ModelReader {
  readonly reader: RingReader;
  readonly model: Model;
  /** Index of the next record. */
  next: number;
  position: number;
  laps = 0;
  skippedRecords = 0;

  constructor(reader: RingReader, model: Model) {
    this.reader = reader;
    this.model = model;
    this.next = model.records.length;
    this.position = model.tail;
  }

  goTo(record: Written | undefined): void {
    this.next = record === undefined ? this.model.records.length : this.model.records.indexOf(record);
    this.position = record === undefined ? this.model.tail : record.start;
  }

  lap(): void {
    const before = this.next;
    this.goTo(this.model.keyFrameInRing);
    this.laps++;
    this.skippedRecords += this.next - before;
  }

  check(): void {
    const { reader, model } = this;
    expect(reader.position).toBe(this.position | 0);
    expect(reader.sequence).toBe((model.firstSequence + this.next) | 0);
    expect(reader.lagBytes).toBe(model.tail - this.position);
    expect([reader.laps, reader.skippedRecords]).toEqual([this.laps, this.skippedRecords]);
    expect(reader.newestSequence).toBe((model.firstSequence + model.records.length - 1) | 0);
  }
}

function withoutPlaces({ start: _start, end: _end, ...record }: Written): ReadRecord {
  return record;
}

/** Polls and compares; `during` is called within each `onRecord`, before the bytes are taken. */
function poll(each: ModelReader, isCopying: boolean, maxBytes: number, during: () => void): void {
  const { reader, model } = each;
  const sink = new CollectingSink();
  // The expectation is built record by record, because the writer goes on meanwhile.
  const available = model.tail - each.position;
  let expected: number;
  const visible = model.records.length;
  const torn = { count: 0 };
  const delivered: Written[] = [];
  const callbacks = {
    onRecord: (...record: Parameters<CollectingSink['onRecord']>) => {
      during();
      sink.onRecord(...record);
    },
    onTorn: () => sink.onTorn(),
  };
  if (each.next === visible) {
    expected = pollResults.idle;
  } else if (available > model.capacity) {
    expected = pollResults.lapped;
  } else {
    expected = 1;
  }
  const startPosition = each.position;
  const result = isCopying ? reader.pollCopies(callbacks, maxBytes) : reader.poll(callbacks, maxBytes);
  if (expected <= 0) {
    expect(result).toBe(expected);
    expect(sink.records).toEqual([]);
    if (expected === pollResults.lapped) each.lap();
    return;
  }
  for (const _ of sink.records) {
    const record = model.records[each.next]!;
    delivered.push(record);
    each.next++;
    each.position = record.end;
  }
  expect(sink.records).toEqual(delivered.map(withoutPlaces));
  torn.count = sink.tornRecords;
  if (result === pollResults.lapped) {
    // What stands at the position must really have been overwritten: the torn record, or the record or the padding in front of it.
    const overwritten = torn.count > 0 ? model.records[each.next]!.start : each.position;
    expect(model.isIntact(overwritten)).toBe(false);
    expect(torn.count).toBeLessThanOrEqual(isCopying ? 0 : 1);
    each.lap();
    return;
  }
  expect(torn.count).toBe(0);
  expect(result).toBe(sink.records.length);
  // All there was when the call began, or stopped by the limit and not sooner.
  const last = delivered.at(-1)!;
  const beforeLast = delivered.length > 1 ? delivered.at(-2)!.end - startPosition : 0;
  if (each.next < visible) expect(last.end - startPosition).toBeGreaterThanOrEqual(maxBytes);
  if (delivered.length > 1) expect(beforeLast).toBeLessThan(maxBytes);
}

const size = fc.oneof(fc.nat(80), fc.nat(1100), fc.nat(17_000));
const flags = fc.oneof(
  { weight: 6, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.constant(frameFlags.keyFrame) },
  { weight: 1, arbitrary: fc.constant(frameFlags.keyFrame | frameFlags.sequenceHeader) },
);
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('write' as const), size, flags, times: fc.integer({ min: 1, max: 12 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('poll' as const),
      who: fc.nat(),
      isCopying: fc.boolean(),
      maxBytes: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.nat(5000)),
      // Sizes of the records that the writer appends while the reader is within each call.
      during: fc.array(fc.nat(1100), { maxLength: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fork' as const), who: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('key frame' as const), who: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('live' as const), who: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('sequence' as const), who: fc.nat(), back: fc.integer({ min: -3, max: 60 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const) }) },
);

const history = fc.record({
  capacity: fc.constantFrom(...CAPACITIES),
  firstPosition: fc.constantFrom(...FIRST_POSITIONS),
  firstSequence: fc.constantFrom(...FIRST_SEQUENCES),
  steps: fc.array(step, { maxLength: 80, size: 'max' }),
});

describe('any history of one writer and several readers', () => {
  it('delivers to each reader what was written, in order, or tells what it missed', () => {
    fc.assert(
      fc.property(history, ({ capacity, firstPosition, firstSequence, steps }) => {
        const ring = createTestRing(capacity, { firstPosition, firstSequence });
        const model = new Model(capacity, firstPosition, firstSequence);
        const readers = [new ModelReader(openReader(ring), model)];
        for (const each of steps) {
          const who = 'who' in each ? readers[each.who % readers.length]! : readers[0]!;
          switch (each.do) {
            case 'write':
              for (let i = 0; i < each.times; i++) model.write(ring, each.size, i === 0 ? each.flags : 0);
              break;
            case 'poll': {
              const during = each.during.slice();
              poll(who, each.isCopying, each.maxBytes, () => {
                const next = during.pop();
                if (next !== undefined) model.write(ring, next, 0);
              });
              break;
            }
            case 'fork': {
              const forked = new ModelReader(who.reader.fork(), model);
              forked.next = who.next;
              forked.position = who.position;
              readers.push(forked);
              break;
            }
            case 'key frame': {
              const keyFrame = model.keyFrameInRing;
              expect(who.reader.seekToNewestKeyFrame()).toBe(keyFrame !== undefined);
              if (keyFrame !== undefined) who.goTo(keyFrame);
              break;
            }
            case 'live':
              who.reader.seekToLiveEdge();
              who.goTo(undefined);
              break;
            case 'sequence': {
              const index = model.records.length - each.back;
              const from = model.keyFrameInRing?.start ?? Number.POSITIVE_INFINITY;
              const record = model.records[index];
              const isFirstThere = model.isIntact(firstPosition);
              const isFound = record === undefined ? index === model.records.length : record.start >= from || isFirstThere;
              const canWalk = isFirstThere || model.keyFrameInRing !== undefined;
              const isExpected = isFound && canWalk;
              expect(who.reader.seekToSequence((firstSequence + index) | 0)).toBe(isExpected);
              if (isExpected) who.goTo(record);
              // Behind the last record, or in front of the padding before it: the same place for a reader.
              if (isExpected && record !== undefined) who.position = index === 0 ? firstPosition : model.records[index - 1]!.end;
              if (isExpected && record !== undefined && record === model.keyFrameInRing) who.position = record.start;
              break;
            }
            case 'forget':
              ring.writer.forgetKeyFrame();
              model.keyFrame = undefined;
              break;
          }
          for (const reader of readers) reader.check();
        }
        // In the end all is read, and the end is seen by each.
        ring.writer.end(ringEndReasons.finished);
        for (const each of readers) {
          while (each.next < model.records.length) poll(each, false, Number.POSITIVE_INFINITY, () => {});
          expect(each.reader.poll(new CollectingSink())).toBe(pollResults.ended);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('a writer killed within a record', () => {
  it('leaves nothing visible but what was complete, wherever it was killed', () => {
    const sizes = fc.array(fc.nat(1000), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(sizes, fc.nat(1000), fc.nat(), fc.constantFrom(...FIRST_POSITIONS), (sizesBefore, last, cut, firstPosition) => {
        const ring = createTestRing(4096, { firstPosition });
        const reader = openReader(ring);
        const early = reader.fork();
        const model = new Model(4096, firstPosition, 0);
        for (const each of sizesBefore) {
          model.write(ring, each, frameFlags.keyFrame);
          reader.poll(new CollectingSink());
        }
        const bytes = ring.arena.region(0, ring.region.sizeBytes);
        const memory = new Int32Array(bytes.buffer, 0, bytes.length / 4);
        const before = memory.slice();
        model.write(ring, last, frameFlags.keyFrame);
        const after = memory.slice();

        // The writer's stores in its order: half turns, intent, then record and counters; tail and key frame never.
        const order: number[] = [words.halfTurns, words.tailIntent];
        const never: number[] = [words.tail, words.keyFrame, ...order];
        const changed = (word: number) => before[word] !== after[word] && !never.includes(word);
        for (let word = 0; word < 1024; word++) if (changed(word)) order.push(word);
        for (let word = RECORDS_OFFSET / 4; word < memory.length; word++) if (changed(word)) order.push(word);
        memory.set(before);
        for (const word of order.slice(0, cut % (order.length + 1))) memory[word] = after[word]!;

        const sink = new CollectingSink();
        expect(reader.poll(sink)).toBe(pollResults.idle);
        expect(reader.arm(0)).toBe(true);
        const { records } = model;
        const newest = records[records.length - 2]!;
        let result = early.poll(sink);
        if (result === pollResults.lapped) {
          result = early.poll(sink);
          expect([pollResults.idle, 1]).toContain(result);
        }
        // Whatever is delivered is complete, in order and up to the newest complete record.
        const got = sink.take();
        expect(got).toEqual(records.slice(records.length - 1 - got.length, -1).map(withoutPlaces));
        expect(result === pollResults.idle || got.at(-1)!.sequence === newest.sequence).toBe(true);
        expect(early.poll(sink)).toBe(pollResults.idle);
      }),
      { numRuns: 500 },
    );
  });
});
