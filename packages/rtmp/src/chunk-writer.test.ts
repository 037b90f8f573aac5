import { SrsError } from '@srs/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hex, pattern, recordingReader, uint32 } from './chunk-test-support.ts';
import { chunkedBytes, encodeMessage, writeChunks } from './chunk-writer.ts';
import { messageTypes } from './message-types.ts';

interface Row {
  readonly name: string;
  readonly bytes: string;
  readonly chunkStreamId: number;
  readonly type: number;
  readonly timestampMs: number;
  readonly messageStreamId: number;
  readonly payload: string;
  readonly chunkSize: number;
}

const base = { chunkStreamId: 3, type: 9, timestampMs: 0, messageStreamId: 1, chunkSize: 128 };

const table: readonly Row[] = [
  { ...base, name: 'one small chunk', payload: 'aabb', bytes: '03 000000 000002 09 01000000 aabb' },
  {
    ...base,
    name: 'message stream ids in little-endian order',
    messageStreamId: 0x04030201,
    payload: 'aa',
    bytes: '03 000000 000001 09 01020304 aa',
  },
  { ...base, name: 'a full chunk', payload: 'aa*128', bytes: '03 000000 000080 09 01000000 aa*128' },
  { ...base, name: 'one byte more', payload: 'aa*128 bb', bytes: '03 000000 000081 09 01000000 aa*128 c3 bb' },
  { ...base, name: 'chunks of one byte', chunkSize: 1, payload: 'aabbcc', bytes: '03 000000 000003 09 01000000 aa c3 bb c3 cc' },
  { ...base, name: 'the last plain timestamp', timestampMs: 0xfffffe, payload: 'aa', bytes: '03 fffffe 000001 09 01000000 aa' },
  {
    ...base,
    name: 'the first extended timestamp',
    timestampMs: 0xffffff,
    payload: 'aa',
    bytes: '03 ffffff 000001 09 01000000 00ffffff aa',
  },
  {
    ...base,
    name: 'the extended timestamp in every chunk',
    timestampMs: 0x7fffffff,
    chunkSize: 2,
    payload: 'aabbccddee',
    bytes: '03 ffffff 000005 09 01000000 7fffffff aabb c3 7fffffff ccdd c3 7fffffff ee',
  },
  { ...base, name: 'id 2', chunkStreamId: 2, payload: 'aa', bytes: '02 000000 000001 09 01000000 aa' },
  { ...base, name: 'id 63', chunkStreamId: 63, payload: 'aa', bytes: '3f 000000 000001 09 01000000 aa' },
  {
    ...base,
    name: 'id 64 in two bytes',
    chunkStreamId: 64,
    chunkSize: 1,
    payload: 'aabb',
    bytes: '0000 000000 000002 09 01000000 aa c000 bb',
  },
  { ...base, name: 'id 319 in two bytes', chunkStreamId: 319, payload: 'aa', bytes: '00ff 000000 000001 09 01000000 aa' },
  {
    ...base,
    name: 'id 320 in three bytes, little end first',
    chunkStreamId: 320,
    chunkSize: 1,
    payload: 'aabb',
    bytes: '010001 000000 000002 09 01000000 aa c10001 bb',
  },
  { ...base, name: 'id 65599', chunkStreamId: 65_599, payload: 'aa', bytes: '01ffff 000000 000001 09 01000000 aa' },
];

describe('chunks', () => {
  for (const row of table) {
    it(`write and read ${row.name}`, () => {
      const payload = hex(row.payload);
      const bytes = encodeMessage(row.chunkStreamId, row.type, row.timestampMs, row.messageStreamId, payload, row.chunkSize);
      expect(bytes.toString('hex')).toBe(hex(row.bytes).toString('hex'));
      expect(chunkedBytes(payload.length, row.timestampMs, row.chunkSize, row.chunkStreamId)).toBe(bytes.length);
      const { reader, messages } = recordingReader();
      reader.receive(encodeMessage(2, messageTypes.setChunkSize, 0, 0, uint32(row.chunkSize), 128));
      reader.receive(bytes);
      const { chunkStreamId, type, timestampMs, messageStreamId } = row;
      expect(messages).toEqual([{ chunkStreamId, type, timestampMs, messageStreamId, payload }]);
    });
  }

  it('of an empty message are a header alone', () => {
    expect(encodeMessage(3, 8, 5, 1, Buffer.alloc(0), 128)).toEqual(hex('03 000005 000000 08 01000000'));
    expect(chunkedBytes(0, 5, 128)).toBe(12);
  });

  it('carry timestamps masked to 31 bits', () => {
    expect(encodeMessage(3, 8, 0x80000010, 1, hex('aa'), 128)).toEqual(hex('03 000010 000001 08 01000000 aa'));
    expect(encodeMessage(3, 8, 0xffffffff, 1, hex('aa'), 128)).toEqual(hex('03 ffffff 000001 08 01000000 7fffffff aa'));
  });

  it('are written at an offset and leave the rest of the target alone', () => {
    const target = Buffer.alloc(40, 0xee);
    const end = writeChunks(target, 10, 3, 8, 0, 1, new Uint8Array([1, 2, 3]), 2);
    expect(end).toBe(10 + chunkedBytes(3, 0, 2));
    expect(target).toEqual(hex('ee*10 03 000000 000003 08 01000000 0102 c3 03 ee*14'));
  });

  it('refuse what does not fit their fields, before anything is written', () => {
    const target = Buffer.alloc(20);
    const write = (id: number, payload: number, chunkSize: number) => () =>
      writeChunks(target, 0, id, 8, 0, 1, Buffer.alloc(payload, 1), chunkSize);
    expect(write(1, 1, 128)).toThrow(new SrsError('RtmpMessageEncode', 'chunk stream id 1 must be 2..65599'));
    expect(write(65_600, 1, 128)).toThrow(new SrsError('RtmpMessageEncode', 'chunk stream id 65600 must be 2..65599'));
    expect(write(3, 1, 0)).toThrow(new SrsError('RtmpMessageEncode', 'chunk size 0 must be 1..2147483647'));
    expect(write(3, 1, 2 ** 31)).toThrow(new SrsError('RtmpMessageEncode', 'chunk size 2147483648 must be 1..2147483647'));
    expect(write(3, 0x1000000, 128)).toThrow(new SrsError('RtmpMessageEncode', 'message length 16777216 must be 0..16777215'));
    expect(write(3, 9, 128)).toThrow(new SrsError('RtmpMessageEncode', 'room for chunks 20 must be at least 21'));
    expect(target).toEqual(Buffer.alloc(20));
    expect(write(3, 8, 128)()).toBe(20);
  });
});

describe('what is written', () => {
  it('is read back, for any sizes, times and ids, in any pieces', () => {
    const message = fc.record({
      chunkStreamId: fc.oneof(
        fc.integer({ min: 2, max: 63 }),
        fc.constantFrom(64, 319, 320, 65_599),
        fc.integer({ min: 64, max: 65_599 }),
      ),
      type: fc.integer({ min: 3, max: 255 }),
      timestampMs: fc.oneof(fc.nat(100_000), fc.nat(0x7fffffff), fc.constantFrom(0xfffffe, 0xffffff, 0x1000000, 0x7fffffff)),
      messageStreamId: fc.nat(0xffffffff),
      payload: fc.integer({ min: 1, max: 700 }).map((length) => pattern(length, length)),
    });
    const property = fc.property(
      fc.array(message, { minLength: 1, maxLength: 12 }),
      fc.oneof(fc.integer({ min: 1, max: 200 }), fc.constantFrom(128, 4096, 60_000, 0x7fffffff)),
      fc.array(fc.integer({ min: 1, max: 300 })),
      (messages, chunkSize, cuts) => {
        const parts = messages.map((m) =>
          encodeMessage(m.chunkStreamId, m.type, m.timestampMs, m.messageStreamId, m.payload, chunkSize),
        );
        const bytes = Buffer.concat([encodeMessage(2, 1, 0, 0, uint32(chunkSize), 128), ...parts]);
        const recorded = recordingReader();
        let at = 0;
        for (const cut of cuts) {
          recorded.reader.receive(bytes.subarray(at, at + cut));
          at += cut;
        }
        recorded.reader.receive(bytes.subarray(at));
        expect(recorded.messages).toEqual(messages);
        expect(recorded.reader.bytesReceived).toBe(bytes.length);
        expect(recorded.reader.pendingBytes).toBe(0);
      },
    );
    fc.assert(property, { numRuns: 400 });
  });
});
