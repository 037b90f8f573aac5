import { SrsError } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { type ChunkFields, chunk, control, hex, pattern, recordingReader, summary, summaryOf } from './chunk-test-support.ts';
import { encodeMessage } from './chunk-writer.ts';

const a = pattern(10);
const long = pattern(300);

function chunks(...list: readonly ChunkFields[]): Buffer {
  return Buffer.concat(list.map(chunk));
}

/** Several chunk streams, all formats, extended timestamps with and without repetition, control in the middle. */
function mixedSession(): Buffer {
  return Buffer.concat([
    chunks({ fmt: 1, id: 2, type: 4, payload: hex('0003 00000000 00000bb8') }),
    chunks({ fmt: 0, id: 3, time: 0, type: 20, messageStreamId: 0, length: 300, payload: long.subarray(0, 128) }),
    chunks({ fmt: 0, id: 400, time: 100, type: 8, payload: a }),
    chunks({ fmt: 3, id: 3, payload: long.subarray(128, 256) }),
    control(1, 200),
    chunks({ fmt: 3, id: 3, payload: long.subarray(256) }),
    chunks({ fmt: 0, id: 6, time: 0xffffff, extended: 20_000_000, type: 9, length: 300, payload: long.subarray(0, 200) }),
    chunks({ fmt: 1, id: 400, time: 23, length: 5, payload: a.subarray(0, 5) }),
    chunks({ fmt: 3, id: 6, extended: 20_000_000, payload: long.subarray(200) }),
    chunks({ fmt: 2, id: 400, time: 24, payload: a.subarray(5) }),
    chunks({ fmt: 3, id: 400, payload: a.subarray(5) }),
    chunks({ fmt: 0, id: 70, time: 0xffffff, extended: 0x01020304, type: 9, length: 202, payload: long.subarray(0, 200) }),
    // The extended timestamp is not repeated, and the payload begins like it.
    chunks({ fmt: 3, id: 70, payload: hex('0102') }),
    control(1, 4096),
    chunks({ fmt: 0, id: 6, time: 40, type: 9, payload: long }),
  ]);
}

const mixedSummary = [
  '4@0/0/2:10',
  '8@100/1/400:10',
  '20@0/0/3:300',
  '8@123/1/400:5',
  '9@20000000/1/6:300',
  '8@147/1/400:5',
  '8@171/1/400:5',
  '9@16909060/1/70:202',
  '9@40/1/6:300',
];

describe('a session of many chunk streams', () => {
  it('is read as its messages', () => {
    const { reader, messages } = recordingReader();
    reader.receive(mixedSession());
    expect(messages.map(summary)).toEqual(mixedSummary);
    expect(messages[2]?.payload).toEqual(long);
    expect(messages[4]?.payload).toEqual(long);
    expect(messages[7]?.payload).toEqual(Buffer.concat([long.subarray(0, 200), hex('0102')]));
    expect(reader.chunkSize).toBe(4096);
  });

  it('is read the same at every split point', () => {
    const bytes = mixedSession();
    const whole = recordingReader();
    whole.reader.receive(bytes);
    for (let split = 0; split <= bytes.length; split++) {
      const { reader, messages } = recordingReader();
      reader.receive(bytes.subarray(0, split));
      reader.receive(bytes.subarray(split));
      expect(messages).toEqual(whole.messages);
      expect(reader.pendingBytes).toBe(0);
    }
  });

  it('is read the same with one byte at a time', () => {
    const bytes = mixedSession();
    const whole = recordingReader();
    whole.reader.receive(bytes);
    const { reader, messages } = recordingReader();
    for (let at = 0; at < bytes.length; at++) reader.receive(bytes.subarray(at, at + 1));
    expect(messages).toEqual(whole.messages);
    expect(reader.bytesReceived).toBe(bytes.length);
  });

  it('is delivered a message at a time when each one pauses', () => {
    const bytes = mixedSession();
    const whole = recordingReader();
    whole.reader.receive(bytes);
    for (const pieceBytes of [1, 50, bytes.length]) {
      const paused = recordingReader({}, () => paused.reader.pause());
      const counts: number[] = [];
      for (let at = 0; at < bytes.length; at += pieceBytes) paused.reader.receive(bytes.subarray(at, at + pieceBytes));
      counts.push(paused.messages.length);
      while (paused.reader.isPaused) {
        paused.reader.resume();
        counts.push(paused.messages.length);
      }
      expect(counts).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 9]);
      expect(paused.messages).toEqual(whole.messages);
    }
  });
});

describe('a message of many small chunks', () => {
  const text = pattern(700);
  const names = ['one byte', 'two bytes', 'three bytes'];
  for (const [index, id] of [5, 70, 400].entries()) {
    for (const timestampMs of [40, 0x1000000]) {
      it(`is read the same at every split point: an id of ${names[index]}, at ${timestampMs} ms`, () => {
        const bytes = Buffer.concat([
          control(1, 60),
          encodeMessage(id, 9, timestampMs, 1, text, 60),
          encodeMessage(id, 9, timestampMs, 1, text.subarray(0, 120), 60),
        ]);
        for (let split = 0; split <= bytes.length; split++) {
          const { reader, messages } = recordingReader();
          reader.receive(bytes.subarray(0, split));
          reader.receive(bytes.subarray(split));
          expect(messages.map(({ payload }) => payload)).toEqual([text, text.subarray(0, 120)]);
        }
      });
    }
  }

  it('stops for a chunk of another chunk stream, whose bytes are not its own', () => {
    const bytes = encodeMessage(5, 9, 0, 1, text, 100);
    const afterThreeChunks = 12 + 100 + 2 * 101;
    const between = Buffer.concat([chunk({ fmt: 0, id: 4, payload: a }), hex('c4'), a]);
    const { reader, messages } = recordingReader();
    reader.receive(control(1, 100));
    reader.receive(Buffer.concat([bytes.subarray(0, afterThreeChunks), between, bytes.subarray(afterThreeChunks)]));
    expect(messages.map(({ payload }) => payload)).toEqual([a, a, text]);
  });
});

describe('chunk stream ids', () => {
  it('of all three sizes are read, each as its own chunk stream', () => {
    const { reader, messages } = recordingReader({ maxChunkStreams: 65_598 });
    for (let id = 2; id <= 65_599; id++) reader.receive(chunk({ fmt: 0, id, time: id, payload: Buffer.of(id & 0xff) }));
    for (let id = 2; id <= 65_599; id++) reader.receive(chunk({ fmt: 2, id, time: 1, payload: Buffer.of(id & 0xff) }));
    expect(messages.length).toBe(2 * 65_598);
    let wrong = 0;
    messages.forEach(({ chunkStreamId, timestampMs, payload }, index) => {
      const id = 2 + (index % 65_598);
      const time = index < 65_598 ? id : id + 1;
      if (chunkStreamId !== id || timestampMs !== time || payload[0] !== (id & 0xff)) wrong++;
    });
    expect(wrong).toBe(0);
  });

  it('may be written in a longer form than they need', () => {
    expect(summaryOf(hex('010000 000005 000001 08 01000000 aa 8000 000007 bb'))).toEqual(['8@5/1/64:1', '8@12/1/64:1']);
  });

  it('in use are limited', () => {
    const bytes = chunks({ fmt: 0, id: 3, payload: a }, { fmt: 0, id: 4, payload: a }, { fmt: 0, id: 5, payload: a });
    expect(summaryOf(bytes, { maxChunkStreams: 2 })).toEqual([
      '8@0/1/3:10',
      '8@0/1/4:10',
      'chunk stream 5: 3 chunk streams must be at most 2',
    ]);
  });
});

describe('a broken order of chunks', () => {
  const start: ChunkFields = { fmt: 0, id: 4, length: 200, payload: long.subarray(0, 128) };
  const rows: readonly (readonly [name: string, bytes: Buffer, error: SrsError])[] = [
    [
      'a first chunk with fmt 1',
      chunks({ fmt: 1, id: 3, payload: a }),
      new SrsError('RtmpChunkStart', 'chunk stream 3: fmt 1 of its first chunk must be 0'),
    ],
    [
      'a first chunk with fmt 2',
      chunks({ fmt: 2, id: 2, payload: a }),
      new SrsError('RtmpChunkStart', 'chunk stream 2: fmt 2 of its first chunk must be 0'),
    ],
    [
      'a first chunk with fmt 3',
      chunks({ fmt: 3, id: 70, payload: a }),
      new SrsError('RtmpChunkStart', 'chunk stream 70: fmt 3 of its first chunk must be 0'),
    ],
    [
      'fmt 0 inside a message',
      chunks(start, { fmt: 0, id: 4, payload: a }),
      new SrsError('RtmpChunkStart', 'chunk stream 4: fmt 0 inside a message, after 128 of 200 bytes'),
    ],
    [
      'another length inside a message',
      chunks(start, { fmt: 1, id: 4, length: 201, payload: a }),
      new SrsError('RtmpPacketSize', 'chunk stream 4: message length 201 inside a message must stay 200'),
    ],
    [
      'a message longer than allowed',
      chunks({ fmt: 0, id: 4, length: 10 * 1024 * 1024 + 1 }),
      new SrsError('RtmpPacketSize', 'chunk stream 4: message length 10485761 must be at most 10485760'),
    ],
    ['a chunk size of zero', control(1, 0), new SrsError('RtmpChunkSize', 'chunk size 0 must be 1..2147483647')],
    [
      'a chunk size with its top bit set',
      control(1, 0x80000000),
      new SrsError('RtmpChunkSize', 'chunk size 2147483648 must be 1..2147483647'),
    ],
    [
      'a chunk size of all ones',
      control(1, 0xffffffff),
      new SrsError('RtmpChunkSize', 'chunk size 4294967295 must be 1..2147483647'),
    ],
    [
      'a Set Chunk Size too short',
      chunks({ fmt: 0, id: 2, type: 1, payload: hex('000010') }),
      new SrsError('RtmpMessageDecode', 'Set Chunk Size of 3 bytes must have 4'),
    ],
    [
      'an Abort too short',
      chunks({ fmt: 0, id: 2, type: 2, payload: hex('000010') }),
      new SrsError('RtmpMessageDecode', 'Abort of 3 bytes must have 4'),
    ],
  ];
  for (const [name, bytes, error] of rows) {
    it(`is refused: ${name}`, () => {
      const { reader, messages } = recordingReader();
      expect(() => reader.receive(bytes)).toThrow(error);
      expect(() => recordingReader().reader.receive(bytes)).toThrow(expect.objectContaining({ errorName: error.errorName }));
      expect(messages).toEqual([]);
    });
  }

  it('delivers nothing after the error', () => {
    const { reader, messages } = recordingReader();
    expect(() => reader.receive(chunks({ fmt: 3, id: 3 }))).toThrow(SrsError);
    reader.receive(chunks({ fmt: 0, id: 3, payload: a }));
    reader.resume();
    expect(messages).toEqual([]);
  });
});

describe('what is borne', () => {
  it("librtmp's ping: a first chunk with fmt 1 on chunk stream 2, with one warning", () => {
    const { reader, messages, warnings } = recordingReader();
    reader.receive(hex('42 000000 000006 04 000600000001 82 000005 000600000002'));
    expect(messages.map(summary)).toEqual(['4@0/0/2:6', '4@5/0/2:6']);
    expect(warnings).toEqual(["chunk stream 2 starts with fmt 1, as librtmp's ping does"]);
  });

  it('a new message with fmt 3, as FMLE sends (0xC4)', () => {
    expect(summaryOf(chunks({ fmt: 0, id: 4, payload: a }, { fmt: 3, id: 4, payload: a }))).toEqual(['8@0/1/4:10', '8@0/1/4:10']);
  });

  it('empty messages are ignored with one warning and still move the clock', () => {
    const { reader, messages, warnings } = recordingReader();
    reader.receive(
      chunks(
        { fmt: 0, id: 4, time: 100 },
        { fmt: 1, id: 4, time: 20 },
        { fmt: 1, id: 4, time: 3, payload: a },
        { fmt: 1, id: 4, time: 4 },
      ),
    );
    expect(messages.map(summary)).toEqual(['8@123/1/4:10']);
    expect(warnings).toEqual(['chunk stream 4: empty message of type 8 ignored']);
  });

  it('chunk sizes that are legal but odd, with one warning', () => {
    for (const size of [1, 127, 65_537, 0x7fffffff]) {
      const { reader, messages, warnings } = recordingReader();
      reader.receive(Buffer.concat([control(1, size), encodeMessage(2, 1, 0, 0, hex('00000001'), size)]));
      expect(reader.chunkSize).toBe(1);
      reader.receive(encodeMessage(3, 8, 0, 1, long, 1));
      expect(messages.map(({ payload }) => payload)).toEqual([long]);
      expect(warnings).toEqual([`chunk size ${size} should be 128..65536`]);
    }
    for (const size of [128, 65_536]) {
      const { reader, warnings } = recordingReader();
      reader.receive(control(1, size));
      expect([reader.chunkSize, warnings]).toEqual([size, []]);
    }
  });

  it('a chunk size that changes inside a message', () => {
    const { reader, messages } = recordingReader();
    const bytes = chunks({ fmt: 0, id: 4, length: 300, payload: long.subarray(0, 128) });
    reader.receive(
      Buffer.concat([bytes, control(1, 150), hex('c4'), long.subarray(128, 278), control(1, 128), hex('c4'), long.subarray(278)]),
    );
    expect(messages.map(({ payload }) => payload)).toEqual([long]);
  });

  it('Set Chunk Size on any chunk stream', () => {
    const { reader } = recordingReader();
    reader.receive(chunks({ fmt: 0, id: 300, type: 1, payload: hex('00001000') }));
    expect(reader.chunkSize).toBe(4096);
  });
});

describe('Abort', () => {
  it('drops an incomplete message and frees its memory', () => {
    const { reader, messages } = recordingReader();
    reader.receive(chunks({ fmt: 0, id: 4, time: 50, length: 200, payload: long.subarray(0, 128) }));
    expect(reader.pendingBytes).toBeGreaterThan(0);
    reader.receive(control(2, 4));
    expect(reader.pendingBytes).toBe(0);
    reader.receive(chunks({ fmt: 0, id: 4, time: 60, payload: a }));
    expect(messages.map(summary)).toEqual(['8@60/1/4:10']);
  });

  it('for an unknown or idle chunk stream is ignored', () => {
    const bytes = Buffer.concat([
      control(2, 4),
      control(2, 0xffffffff),
      control(2, 2),
      chunk({ fmt: 0, id: 4, payload: a }),
      control(2, 4),
    ]);
    expect(summaryOf(bytes)).toEqual(['8@0/1/4:10']);
  });
});
