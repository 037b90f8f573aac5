import { frameFlags } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { failureText } from '../../../test/support/failure.ts';
import {
  endRing,
  MemoryArena,
  maxPayloadBytes,
  pollResults,
  RingReader,
  RingWriter,
  ringBytes,
  ringEndReasons,
  stickyBytes,
  stickySlots,
} from './index.ts';
import { words } from './layout.ts';
import { CollectingSink, createTestRing, openReader, readTexts, type TestRing } from './ring-test-support.ts';

const VIDEO = 9;
const AUDIO = 8;
const KEY = frameFlags.keyFrame;

function write(ring: TestRing, text: string, flags = 0, timestampMs = 0): boolean {
  return ring.writer.write(VIDEO, flags, timestampMs, 0, Buffer.from(text));
}

function headerOf(ring: TestRing): Int32Array {
  const bytes = ring.arena.region(ring.region.offset, 4096);
  return new Int32Array(bytes.buffer, bytes.byteOffset, 1024);
}

describe('a ring', () => {
  it('gives every reader every record with all its facts', () => {
    const ring = createTestRing(4096, { firstSequence: 41 });
    const readers = [openReader(ring), openReader(ring)];
    expect(ring.writer.write(VIDEO, KEY | frameFlags.metadata, 0x7fffffff, 1_700_000_000_123, Buffer.from('one'))).toBe(true);
    expect(ring.writer.write(255, 0xffffff, 0xffffffff, 5, Buffer.alloc(0))).toBe(true);
    for (const reader of readers) {
      const sink = new CollectingSink();
      expect(reader.poll(sink)).toBe(2);
      expect(sink.take()).toEqual([
        {
          type: VIDEO,
          flags: KEY | frameFlags.metadata,
          timestampMs: 0x7fffffff,
          wallMs: 1_700_000_000_123 | 0,
          sequence: 41,
          payload: Buffer.from('one'),
        },
        { type: 255, flags: 0xffffff, timestampMs: 0xffffffff, wallMs: 5, sequence: 42, payload: Buffer.alloc(0) },
      ]);
      expect(reader.poll(sink)).toBe(pollResults.idle);
    }
  });

  it('tells whether anything, and whether a picture, is still to be read', () => {
    const ring = createTestRing(4096, { firstSequence: -1 });
    const reader = openReader(ring);
    const seen = () => [reader.hasNews, reader.hasPictureAhead, reader.hasHadPicture];
    expect(seen()).toEqual([false, false, false]);
    ring.writer.write(AUDIO, 0, 0, 0, Buffer.from('sound'));
    ring.writer.write(VIDEO, KEY | frameFlags.sequenceHeader, 0, 0, Buffer.from('header'));
    expect(seen()).toEqual([true, false, false]);
    ring.writer.write(VIDEO, KEY, 0, 0, Buffer.from('picture'));
    ring.writer.write(AUDIO, 0, 0, 0, Buffer.from('sound'));
    expect(seen()).toEqual([true, true, true]);
    reader.poll(new CollectingSink());
    expect(seen()).toEqual([false, false, true]);
    ring.writer.end(ringEndReasons.finished);
    expect(seen()).toEqual([true, false, true]);
  });

  it('is taken over by its writer without a word to the readers that came first', () => {
    const ring = createTestRing(4096, { firstSequence: 5 });
    const reader = openReader(ring);
    expect(reader.arm(9)).toBe(true);
    const writer = RingWriter.open(ring.arena, ring.region, { writerSlot: 9, writerPid: 99 });
    expect(writer.write(VIDEO, KEY, 0, 0, Buffer.from('one'))).toBe(true);
    const woken: number[] = [];
    writer.takeArmed((slot) => woken.push(slot));
    expect(woken).toEqual([9]);
    expect(readTexts(reader)).toEqual(['one']);
    expect([reader.writerSlot, reader.writerPid, reader.newestSequence]).toEqual([9, 99, 5]);
  });

  it('that is not there is not taken over', () => {
    const ring = createTestRing(4096);
    const other = { ...ring.region, generation: 8 };
    expect(failureText(() => RingWriter.open(ring.arena, other, { writerSlot: 9, writerPid: 99 }))).toBe(
      'RingCorrupt: ring at 0: generation 7 must be 8',
    );
  });

  it('tells the age of a record by the low bits of the wall clock', () => {
    const arrivedMs = 1_700_000_000_123;
    const ring = createTestRing(4096);
    const reader = openReader(ring);
    ring.writer.write(VIDEO, 0, 0, arrivedMs, Buffer.from('x'));
    const sink = new CollectingSink();
    reader.poll(sink);
    expect((arrivedMs + 42 - sink.take()[0]!.wallMs) | 0).toBe(42);
  });

  it('delivers at least one record and otherwise no more than asked for', () => {
    const ring = createTestRing(65_536);
    const reader = openReader(ring);
    for (let i = 0; i < 10; i++) write(ring, 'x'.repeat(1000));
    const sink = new CollectingSink();
    expect(reader.poll(sink, 1)).toBe(1);
    expect(reader.poll(sink, 2048)).toBe(2);
    expect(reader.pollCopies(sink, 0)).toBe(1);
    expect(reader.pollCopies(sink, 3000)).toBe(3);
    expect(reader.poll(sink)).toBe(3);
  });

  it('delivers the record behind a padding whatever the limit', () => {
    const ring = createTestRing(4096);
    const reader = openReader(ring);
    for (let i = 0; i < 4; i++) write(ring, String(i).repeat(900));
    const sink = new CollectingSink();
    expect(reader.poll(sink)).toBe(4);
    write(ring, 'y'.repeat(900));
    const forked = reader.fork();
    expect(reader.poll(sink, 1)).toBe(1);
    expect(forked.pollCopies(sink, 1)).toBe(1);
    expect(sink.take().at(-1)!.payload.toString()).toBe('y'.repeat(900));
  });

  it('refuses what is too large, counts it, and goes on', () => {
    const ring = createTestRing(4096);
    const reader = openReader(ring);
    const largest = maxPayloadBytes(4096);
    expect(largest).toBe(1000);
    expect(write(ring, 'a'.repeat(largest))).toBe(true);
    expect(write(ring, 'b'.repeat(largest + 1))).toBe(false);
    expect(ring.writer.write(0, 0, 0, 0, Buffer.from('c'))).toBe(false);
    expect(ring.writer.write(256, 0, 0, 0, Buffer.from('c'))).toBe(false);
    expect(ring.writer.write(VIDEO, 0x1000000, 0, 0, Buffer.from('c'))).toBe(false);
    expect(ring.writer.write(VIDEO, -1, 0, 0, Buffer.from('c'))).toBe(false);
    expect(ring.writer.rejectedRecords).toBe(5);
    expect(reader.rejectedRecords).toBe(5);
    expect(readTexts(reader)).toEqual(['a'.repeat(largest)]);
  });

  it('does not meet a record again that made the sink throw', () => {
    const ring = createTestRing(4096);
    const reader = openReader(ring);
    write(ring, 'bad');
    write(ring, 'good');
    const failing = {
      onRecord: () => {
        throw new Error('no');
      },
      onTorn: () => {},
    };
    expect(() => reader.poll(failing)).toThrow('no');
    expect(readTexts(reader)).toEqual(['good']);
    write(ring, 'bad');
    write(ring, 'good');
    expect(() => reader.pollCopies(failing)).toThrow('no');
    expect(readTexts(reader)).toEqual(['good']);
  });

  it('tells how far a reader is behind and what is newest', () => {
    const ring = createTestRing(4096, { firstPosition: 0x7fffffc0 });
    const reader = openReader(ring);
    expect(reader.lagBytes).toBe(0);
    for (let i = 1; i <= 10; i++) write(ring, 'x'.repeat(1000), 0, i * 40);
    expect(reader.lagBytes).toBeGreaterThanOrEqual(10 * 1024);
    expect([reader.newestTimestampMs, reader.newestSequence, reader.payloadBytes]).toEqual([400, 9, 10_000]);
    for (const flags of [frameFlags.metadata, KEY | frameFlags.sequenceHeader, frameFlags.videoMetadata]) write(ring, '', flags);
    expect([reader.newestTimestampMs, reader.newestSequence]).toEqual([400, 12]);
    expect([reader.writerSlot, reader.writerPid, reader.capacityBytes]).toEqual([3, 4321, 4096]);
  });
});

describe('a reader lapped by the writer', () => {
  it('resumes at the newest key frame and tells what it missed', () => {
    const ring = createTestRing(4096);
    const reader = openReader(ring);
    for (let i = 0; i < 50; i++) write(ring, `${i}`, i % 20 === 0 ? KEY : 0);
    for (let i = 50; i < 200; i++) write(ring, `${i}`, i % 20 === 0 ? KEY : 0);
    const sink = new CollectingSink();
    expect(reader.poll(sink)).toBe(pollResults.lapped);
    expect(sink.take()).toEqual([]);
    expect([reader.laps, reader.skippedRecords, reader.sequence]).toEqual([1, 180, 180]);
    expect(readTexts(reader)).toEqual(Array.from({ length: 20 }, (_, i) => `${180 + i}`));
  });

  it('resumes at the live edge when no key frame is in the ring', () => {
    const ring = createTestRing(4096);
    const reader = openReader(ring);
    for (let i = 0; i < 200; i++) write(ring, `${i}`, i === 10 ? KEY : 0);
    expect(reader.pollCopies(new CollectingSink())).toBe(pollResults.lapped);
    expect([reader.sequence, reader.lagBytes, reader.skippedRecords]).toEqual([200, 0, 200]);
    write(ring, 'next');
    expect(readTexts(reader)).toEqual(['next']);
  });

  it('notices it after whole turns of 2^32 bytes', () => {
    const capacity = 2 ** 20;
    const ring = createTestRing(capacity);
    const reader = openReader(ring);
    write(ring, 'first');
    const header = headerOf(ring);
    const payload = Buffer.alloc(maxPayloadBytes(capacity));
    const recordsPerTurn = 2 ** 32 / (capacity / 4);
    for (let i = 1; i < recordsPerTurn; i++) ring.writer.write(VIDEO, 0, 0, 0, payload);
    // The tail is back near where the reader stands.
    expect(Math.abs(header[words.tail]! - reader.position)).toBeLessThan(capacity);
    expect(reader.lagBytes).toBeGreaterThan(2 ** 32 - capacity);
    expect(reader.poll(new CollectingSink())).toBe(pollResults.lapped);
  });
});

describe('a record that is overwritten while it is read', () => {
  it('is taken back, and the reader is lapped', () => {
    const ring = createTestRing(4096);
    const reader = openReader(ring);
    for (let i = 0; i < 3; i++) write(ring, `${i}`.repeat(500));
    const sink = new CollectingSink();
    const result = reader.poll({
      onRecord: (...record) => {
        sink.onRecord(...record);
        if (sink.records.length === 2) for (let i = 0; i < 20; i++) write(ring, `${i % 10}`.repeat(500), i === 19 ? KEY : 0);
      },
      onTorn: () => sink.onTorn(),
    });
    expect(result).toBe(pollResults.lapped);
    expect(sink.tornRecords).toBe(1);
    expect(sink.takeTexts()).toEqual(['0'.repeat(500)]);
    expect(reader.skippedRecords).toBe(21);
    expect(readTexts(reader)).toEqual(['9'.repeat(500)]);
  });

  it('is right as long as the writer has only come close', () => {
    // Records of 1024 bytes: three fit behind the first before it is touched.
    const ring = createTestRing(4096);
    const reader = openReader(ring);
    write(ring, 'a'.repeat(1000));
    const sink = new CollectingSink();
    const result = reader.poll({
      onRecord: (...record) => {
        for (let i = 0; i < 3; i++) write(ring, 'b'.repeat(1000));
        sink.onRecord(...record);
      },
      onTorn: () => sink.onTorn(),
    });
    expect([result, sink.tornRecords]).toEqual([1, 0]);
    expect(sink.takeTexts()).toEqual(['a'.repeat(1000)]);
  });

  it('is torn from the first byte on that the writer claims', () => {
    for (const [payloadBytes, expected] of [
      [0, 1],
      [1, pollResults.lapped],
    ] as const) {
      const ring = createTestRing(4096);
      write(ring, '');
      const reader = openReader(ring);
      // 24 bytes before the record; behind it exactly as many as are left.
      write(ring, '');
      for (const bytes of [1000, 1000, 1000, 952]) write(ring, 'x'.repeat(bytes));
      expect(reader.lagBytes).toBe(4096 - 24);
      const sink = new CollectingSink();
      const result = reader.poll(
        {
          onRecord: (...record) => {
            sink.onRecord(...record);
            write(ring, 'y'.repeat(payloadBytes));
          },
          onTorn: () => sink.onTorn(),
        },
        1,
      );
      expect([result, sink.tornRecords]).toEqual([expected, expected === 1 ? 0 : 1]);
    }
  });

  it('cannot be seen in copies', () => {
    const ring = createTestRing(4096);
    const reader = openReader(ring);
    write(ring, 'a'.repeat(500));
    const texts: string[] = [];
    const result = reader.pollCopies({
      onRecord: (_type, _flags, _timestampMs, _wallMs, _sequence, payload) => {
        for (let i = 0; i < 20; i++) write(ring, 'b'.repeat(500));
        texts.push(payload.toString());
      },
    });
    expect([result, texts]).toEqual([1, ['a'.repeat(500)]]);
    expect(reader.pollCopies(new CollectingSink())).toBe(pollResults.lapped);
  });
});

describe('a joiner', () => {
  it('that has waited starts at the first record, until that is overwritten', () => {
    const ring = createTestRing(4096, { firstSequence: 41, firstPosition: 0x7ffffff8 });
    const reader = openReader(ring);
    expect(reader.seekToFirst()).toBe(true);
    for (let i = 0; i < 3; i++) write(ring, `${i}`.padEnd(1000), KEY);
    const joiner = openReader(ring);
    expect(joiner.seekToFirst()).toBe(true);
    expect(joiner.sequence).toBe(41);
    expect(readTexts(joiner).map((text) => text.trim())).toEqual(['0', '1', '2']);
    write(ring, '3'.padEnd(1000), KEY);
    expect(joiner.seekToFirst()).toBe(false);
    expect(readTexts(joiner).map((text) => text.trim())).toEqual(['3']);
  });

  it('starts at the newest key frame, a sequence header being none', () => {
    const ring = createTestRing(4096);
    const reader = openReader(ring);
    expect(reader.seekToNewestKeyFrame()).toBe(false);
    write(ring, 'header', KEY | frameFlags.sequenceHeader);
    expect(reader.seekToNewestKeyFrame()).toBe(false);
    for (const [text, flags] of [
      ['k1', KEY],
      ['p', 0],
      ['k2', KEY],
      ['h', KEY | frameFlags.sequenceHeader],
      ['q', 0],
    ] as const)
      write(ring, text, flags);
    expect(reader.seekToNewestKeyFrame()).toBe(true);
    expect(reader.sequence).toBe(3);
    expect(readTexts(reader)).toEqual(['k2', 'h', 'q']);
  });

  it.each([
    ['at the beginning of its positions', 0],
    ['where positions become negative', 0x7fff_f800],
    ['where positions wrap around', 0xffff_f800 | 0],
  ])('starts so far back as it asks for, or as the ring reaches, %s', (_, firstPosition) => {
    const ring = createTestRing(4096, { firstPosition, firstSequence: 90 });
    const reader = openReader(ring);
    expect(reader.seekBack(1000)).toBe(false);
    let longest = 0;
    for (let index = 0; index < 400; index++) {
      // Of all lengths, with what a scan could mistake for a record; a header has no time of its own.
      write(ring, '\0'.repeat((index * 37) % 200), 0, index * 20);
      write(ring, 'header', frameFlags.sequenceHeader, 0);
      const joiner = openReader(ring);
      expect(joiner.seekBack(100)).toBe(true);
      const sink = new CollectingSink();
      while (joiner.poll(sink) > 0);
      const media = sink.take().filter(({ flags }) => flags === 0);
      expect(media.map(({ timestampMs }) => timestampMs)).toEqual(
        [5, 4, 3, 2, 1, 0].filter((back) => back <= index).map((back) => (index - back) * 20),
      );
      expect(media.at(-1)?.sequence).toBe(90 + 2 * index);
      expect(reader.seekBack(1_000_000)).toBe(true);
      longest = Math.max(longest, (ring.writer.nextSequence - reader.sequence) | 0);
      expect(readTexts(reader).at(-1)).toBe('header');
    }
    expect(longest).toBeGreaterThan(20);
    expect(longest).toBeLessThan(200);
  });

  it('starts live once the key frame was forgotten, until there is another', () => {
    const ring = createTestRing(4096);
    write(ring, 'k', KEY);
    write(ring, 'p');
    expect(ring.writer.gopBytes).toBe(64);
    ring.writer.forgetKeyFrame();
    expect(ring.writer.gopBytes).toBe(0);
    const reader = openReader(ring);
    expect(reader.seekToNewestKeyFrame()).toBe(false);
    expect(readTexts(reader)).toEqual([]);
    write(ring, 'p');
    expect(ring.writer.gopBytes).toBe(0);
    write(ring, 'k', KEY);
    expect(reader.seekToNewestKeyFrame()).toBe(true);
  });

  it('finds no key frame that has been overwritten, while its distance keeps counting', () => {
    const ring = createTestRing(4096);
    write(ring, 'k', KEY);
    const reader = openReader(ring);
    for (let i = 0; i < 6; i++) {
      write(ring, 'p'.repeat(1000));
      expect(reader.seekToNewestKeyFrame(), `${i}`).toBe(i < 3);
    }
    expect(ring.writer.gopBytes).toBeGreaterThan(6 * 1024);
    expect(headerOf(ring)[words.keyFrame]).toBe(0);
  });
});

describe('a cursor', () => {
  it('forked goes its own way from the same place', () => {
    const ring = createTestRing(4096);
    const reader = openReader(ring);
    write(ring, 'a');
    write(ring, 'b');
    reader.poll(new CollectingSink(), 1);
    const forked = reader.fork();
    expect(readTexts(reader)).toEqual(['b']);
    expect([forked.sequence, forked.laps]).toEqual([1, 0]);
    expect(readTexts(forked)).toEqual(['b']);
  });

  it('goes to a record by its number, from the key frame or from the first record on', () => {
    const ring = createTestRing(4096, { firstSequence: -2, firstPosition: -64 });
    const reader = openReader(ring);
    const texts = ['a', 'b', 'c', 'd', 'e'];
    texts.forEach((text, i) => {
      write(ring, text, i === 2 ? KEY : 0);
    });
    texts.forEach((_, i) => {
      expect(reader.seekToSequence(i - 2)).toBe(true);
      expect(readTexts(reader)).toEqual(texts.slice(i));
    });
    expect(reader.seekToSequence(3)).toBe(true);
    expect(readTexts(reader)).toEqual([]);
    for (const missing of [4, -3, 2 ** 31]) expect(reader.seekToSequence(missing)).toBe(false);
    expect(reader.sequence).toBe(3);
    for (let i = 0; i < 200; i++) write(ring, `${i}`);
    expect(reader.seekToSequence(0)).toBe(false);
  });

  it('goes on in a bigger ring where the smaller one ended', () => {
    const small = createTestRing(4096);
    const reader = openReader(small);
    write(small, 'a', KEY);
    write(small, 'b');
    reader.poll(new CollectingSink(), 1);
    const source = openReader(small);
    expect(source.seekToNewestKeyFrame()).toBe(true);
    const big = createTestRing(16_384, { generation: 8, firstSequence: source.sequence });
    source.pollCopies({
      onRecord: (type, flags, timestampMs, wallMs, _sequence, payload) =>
        big.writer.write(type, flags, timestampMs, wallMs, payload),
    });
    small.writer.end(ringEndReasons.moved);
    write(big, 'c');
    expect(readTexts(reader)).toEqual(['b']);
    expect(reader.poll(new CollectingSink())).toBe(pollResults.ended);
    expect(reader.ended).toBe(ringEndReasons.moved);
    const next = openReader(big);
    expect(next.seekToSequence(reader.sequence)).toBe(true);
    expect(readTexts(next)).toEqual(['c']);
  });
});

describe('the end of a ring', () => {
  it('comes behind the last record, and nothing can be written after it', () => {
    const ring = createTestRing(4096);
    const reader = openReader(ring);
    write(ring, 'last');
    expect(ring.writer.ended).toBe(0);
    ring.writer.end(ringEndReasons.finished);
    ring.writer.end(ringEndReasons.moved);
    expect(ring.writer.ended).toBe(ringEndReasons.finished);
    expect(write(ring, 'too late')).toBe(false);
    expect(reader.ended).toBe(0);
    const sink = new CollectingSink();
    expect(reader.poll(sink)).toBe(1);
    expect(reader.poll(sink)).toBe(pollResults.ended);
    expect(reader.pollCopies(sink)).toBe(pollResults.ended);
    expect([sink.takeTexts(), reader.ended]).toEqual([['last'], ringEndReasons.finished]);
  });

  it('is marked for a dead writer, and the sleepers are told', () => {
    const ring = createTestRing(4096);
    const reader = openReader(ring);
    expect(reader.arm(33)).toBe(true);
    const woken: number[] = [];
    expect(endRing(ring.arena, ring.region, ringEndReasons.writerDied, (slot) => woken.push(slot))).toBe(true);
    expect(woken).toEqual([33]);
    expect(reader.poll(new CollectingSink())).toBe(pollResults.ended);
    expect(reader.ended).toBe(ringEndReasons.writerDied);
    expect(write(ring, 'the writer was only hung')).toBe(false);
  });

  it('is not marked in memory that holds another ring', () => {
    const ring = createTestRing(4096);
    expect(endRing(ring.arena, { ...ring.region, generation: 6 }, ringEndReasons.writerDied)).toBe(false);
    expect(ring.writer.ended).toBe(0);
  });

  it('is `gone` for both sides when the memory was given to somebody else', () => {
    const ring = createTestRing(4096);
    const reader = openReader(ring);
    const forked = reader.fork();
    write(ring, 'a');
    ring.writer.setSticky(stickySlots.metadata, 18, 0, 0, Buffer.from('meta'));
    ring.arena.discard(0, Math.floor(ring.region.sizeBytes / 4096) * 4096);
    expect(reader.poll(new CollectingSink())).toBe(pollResults.ended);
    expect(reader.ended).toBe(ringEndReasons.gone);
    expect(write(ring, 'b')).toBe(false);
    expect(ring.writer.ended).toBe(ringEndReasons.gone);
    expect(failureText(() => openReader(ring))).toContain('RingCorrupt: ring at 0: mark 0x0 must be');

    const next = RingWriter.create(ring.arena, { ...ring.region, generation: 8 }, { writerSlot: 0, writerPid: 1 });
    next.write(VIDEO, KEY, 0, 0, Buffer.from('another stream'));
    next.setSticky(stickySlots.metadata, 18, 0, 0, Buffer.from('another stream'));
    expect(forked.poll(new CollectingSink())).toBe(pollResults.ended);
    expect(forked.readSticky(stickySlots.metadata)).toBeUndefined();
    expect(forked.arm(5)).toBe(false);
    expect(write(ring, 'b')).toBe(false);
    expect(ring.writer.setSticky(stickySlots.metadata, 18, 0, 0, Buffer.from('x'))).toBe(false);
    ring.writer.clearStickies();
    ring.writer.forgetKeyFrame();
    ring.writer.end(ringEndReasons.finished);
    const reread = new RingReader(ring.arena, { ...ring.region, generation: 8 });
    expect(reread.seekToNewestKeyFrame()).toBe(true);
    expect(readTexts(reread)).toEqual(['another stream']);
    expect(reread.readSticky(stickySlots.metadata)?.payload.toString()).toBe('another stream');
    expect(reread.poll(new CollectingSink())).toBe(pollResults.idle);
    next.takeArmed(() => expect.unreachable());
  });

  it('memory that becomes somebody else’s during a call makes the record void', () => {
    const ring = createTestRing(4096);
    const reader = openReader(ring);
    write(ring, 'a');
    const sink = new CollectingSink();
    const result = reader.poll({
      onRecord: (...record) => {
        sink.onRecord(...record);
        RingWriter.create(ring.arena, { ...ring.region, generation: 8 }, { writerSlot: 0, writerPid: 1 });
      },
      onTorn: () => sink.onTorn(),
    });
    expect([result, sink.tornRecords, sink.records.length, reader.ended]).toEqual([pollResults.ended, 1, 0, ringEndReasons.gone]);
  });
});

describe('wake-up', () => {
  it('each armed slot is called back once', () => {
    const ring = createTestRing(4096);
    const reader = openReader(ring);
    for (const slot of [0, 31, 32, 63, 63]) expect(reader.arm(slot)).toBe(true);
    const woken: number[] = [];
    ring.writer.takeArmed((slot) => woken.push(slot));
    ring.writer.takeArmed((slot) => woken.push(slot));
    expect(woken).toEqual([0, 31, 32, 63]);
    for (const slot of [-1, 64, Number.NaN]) expect(() => reader.arm(slot)).toThrow(RangeError);
  });

  it('a reader that finds something after arming must not sleep', () => {
    const ring = createTestRing(4096);
    const reader = openReader(ring);
    write(ring, 'a');
    expect(reader.arm(1)).toBe(false);
    readTexts(reader);
    expect(reader.arm(1)).toBe(true);
    ring.writer.end(ringEndReasons.finished);
    expect(reader.arm(1)).toBe(false);
  });
});

describe('sticky slots', () => {
  it('keep the newest record of each whatever was overwritten', () => {
    const ring = createTestRing(4096);
    const reader = openReader(ring);
    expect([reader.readSticky(0), reader.stickyVersion(0)]).toEqual([undefined, 0]);
    ring.writer.clearStickies();
    expect(reader.stickyVersion(0)).toBe(0);
    for (let i = 0; i < 5; i++) {
      for (let slot = 0; slot < 8; slot++) {
        expect(ring.writer.setSticky(slot, AUDIO + slot, i, 0xfffffff0 + i, Buffer.from(`${slot}:${i}`.repeat(100 * i)))).toBe(
          true,
        );
      }
      for (let slot = 0; slot < 8; slot++) {
        expect(reader.readSticky(slot)).toEqual({
          type: AUDIO + slot,
          flags: i,
          timestampMs: 0xfffffff0 + i,
          payload: Buffer.from(`${slot}:${i}`.repeat(100 * i)),
          version: i + 1,
        });
      }
    }
    ring.writer.clearSticky(1);
    expect([reader.readSticky(1), reader.stickyVersion(1)]).toEqual([undefined, 6]);
    expect(reader.readSticky(2)).toBeDefined();
    ring.writer.clearStickies();
    expect(reader.readSticky(2)).toBeUndefined();
  });

  it('hold their largest payloads side by side and refuse larger ones', () => {
    const ring = createTestRing(4096);
    const reader = openReader(ring);
    write(ring, 'record', KEY);
    for (let round = 0; round < 2; round++) {
      for (let slot = 0; slot < 8; slot++) {
        expect(ring.writer.setSticky(slot, 1, 0, 0, Buffer.alloc(stickyBytes(slot), slot + 1))).toBe(true);
        expect(ring.writer.setSticky(slot, 1, 0, 0, Buffer.alloc(stickyBytes(slot) + 1))).toBe(false);
      }
    }
    for (let slot = 0; slot < 8; slot++)
      expect(reader.readSticky(slot)?.payload).toEqual(Buffer.alloc(stickyBytes(slot), slot + 1));
    expect(reader.seekToNewestKeyFrame()).toBe(true);
    expect(readTexts(reader)).toEqual(['record']);
    expect(ring.writer.setSticky(0, 0, 0, 0, Buffer.alloc(1))).toBe(false);
    expect(ring.writer.setSticky(0, 1, -1, 0, Buffer.alloc(1))).toBe(false);
    for (const slot of [-1, 8, Number.NaN]) {
      expect(() => ring.writer.setSticky(slot, 1, 0, 0, Buffer.alloc(1))).toThrow(RangeError);
      expect(() => reader.readSticky(slot)).toThrow(RangeError);
    }
  });

  it('show the update before the one in which the writer was killed', () => {
    const ring = createTestRing(4096);
    const reader = openReader(ring);
    ring.writer.setSticky(1, VIDEO, 0, 0, Buffer.from('complete'));
    const header = headerOf(ring);
    // As far as an update gets before it is published: the intent, and garbage in the other half.
    header[words.sticky + 16]! += 1;
    header.fill(-1, words.sticky + 16 + 2, words.sticky + 16 + 5);
    expect(reader.readSticky(1)?.payload.toString()).toBe('complete');
  });

  it('never settle when the numbers are broken, and that is an error', () => {
    const ring = createTestRing(4096);
    const reader = openReader(ring);
    ring.writer.setSticky(1, VIDEO, 0, 0, Buffer.from('complete'));
    const header = headerOf(ring);
    header[words.sticky + 16 + 7] = 0x7fffffff;
    expect(failureText(() => reader.readSticky(1))).toBe('RingCorrupt: sticky slot 1: length 2147483647 must be up to 16384');
    header[words.sticky + 16] = 77;
    expect(failureText(() => reader.readSticky(1))).toBe('RingCorrupt: sticky slot 1: no stable content in 1000 attempts');
  });
});

describe('opening a ring', () => {
  it('is refused when the memory does not hold that ring', () => {
    const ring = createTestRing(4096);
    const header = headerOf(ring);
    expect(failureText(() => new RingReader(ring.arena, ring.region, 8))).toBe('RingCorrupt: ring at 0: generation 7 must be 8');
    expect(failureText(() => new RingReader(ring.arena, { ...ring.region, sizeBytes: 4096 }))).toContain('cannot hold a ring');
    expect(failureText(() => new RingReader(ring.arena, { ...ring.region, offset: 2 ** 40 }))).toContain('SharedMemory');
    for (const [word, value, text] of [
      [words.capacityBytes, 8192, 'capacity 8192 must be a power of two up to 4096'],
      [words.capacityBytes, -4096, 'capacity -4096 must be'],
      [words.capacityBytes, 5000, 'capacity 5000 must be'],
      [words.capacityBytes, 0, 'capacity 0 must be'],
      [words.layoutVersion, 2, 'layout version 2 must be 1'],
      [words.magic, 0x12345678, 'mark 0x12345678 must be 0x53525352'],
    ] as const) {
      const before = header[word]!;
      header[word] = value;
      expect(failureText(() => openReader(ring))).toContain(`RingCorrupt: ring at 0: ${text}`);
      header[word] = before;
    }
    openReader(ring);
  });

  it('takes the largest capacity that fits into the region', () => {
    for (const [sizeBytes, capacity] of [
      [ringBytes(4096), 4096],
      [ringBytes(8192) - 8, 4096],
      [2 * 2 ** 20, 2 ** 20],
      [8 * 2 ** 20, 4 * 2 ** 20],
    ] as const) {
      const arena = new MemoryArena(2 ** 24);
      const writer = RingWriter.create(arena, { index: 0, offset: 0, sizeBytes, generation: 1 }, { writerSlot: 0, writerPid: 1 });
      expect(writer.capacityBytes).toBe(capacity);
    }
    const region = { index: 0, offset: 0, sizeBytes: ringBytes(4096) - 8, generation: 1 };
    const create = () => RingWriter.create(new MemoryArena(2 ** 24), region, { writerSlot: 0, writerPid: 1 });
    expect(failureText(create)).toContain('SharedMemory: region of 368632 bytes must have');
    for (const capacity of [0, 2048, 5000, 2 ** 30, -4096, Number.NaN, 4096.5]) {
      expect(
        failureText(() => ringBytes(capacity)),
        `${capacity}`,
      ).toContain('SharedMemory: ring capacity');
    }
  });
});
