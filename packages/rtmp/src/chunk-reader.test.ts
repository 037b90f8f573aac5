import { SrsError } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { ChunkReader } from './chunk-reader.ts';
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

describe('time', () => {
  const rows: readonly (readonly [name: string, bytes: Buffer, times: readonly number[]])[] = [
    [
      'fmt 1 and 2 add their delta, fmt 3 repeats it',
      chunks(
        { fmt: 0, id: 4, time: 1000, payload: a },
        { fmt: 1, id: 4, time: 40, payload: a },
        { fmt: 2, id: 4, time: 20, payload: a },
        { fmt: 3, id: 4, payload: a },
      ),
      [1000, 1040, 1060, 1080],
    ],
    [
      'fmt 3 after fmt 0 repeats a small timestamp as a step',
      chunks({ fmt: 0, id: 4, time: 40, payload: a }, { fmt: 3, id: 4, payload: a }, { fmt: 3, id: 4, payload: a }),
      [40, 80, 120],
    ],
    [
      'fmt 3 after fmt 0 does not double a clock that is far on',
      chunks({ fmt: 0, id: 4, time: 10_001, payload: a }, { fmt: 3, id: 4, payload: a }, { fmt: 2, id: 4, time: 5, payload: a }),
      [10_001, 10_001, 10_006],
    ],
    [
      'stays at zero for fmt 3 after a fmt 0 of zero',
      chunks({ fmt: 0, id: 4, payload: a }, { fmt: 3, id: 4, payload: a }),
      [0, 0],
    ],
    [
      'each chunk stream has its own clock',
      chunks(
        { fmt: 0, id: 4, time: 100, payload: a },
        { fmt: 0, id: 5, time: 7, payload: a },
        { fmt: 2, id: 4, time: 1, payload: a },
        { fmt: 2, id: 5, time: 2, payload: a },
      ),
      [100, 7, 101, 9],
    ],
    [
      'wraps at 31 bits',
      chunks(
        { fmt: 0, id: 4, time: 0xffffff, extended: 0x7ffffffe, payload: a },
        { fmt: 2, id: 4, time: 5, payload: a },
        { fmt: 0, id: 4, time: 0xffffff, extended: 0x80000007, payload: a },
        { fmt: 0, id: 4, time: 0xffffff, extended: 0xffffffff, payload: a },
      ),
      [0x7ffffffe, 3, 7, 0x7fffffff],
    ],
    [
      'passes 0xFFFFFF by deltas',
      chunks(
        { fmt: 0, id: 4, time: 0xfffffe, payload: a },
        { fmt: 2, id: 4, time: 1, payload: a },
        { fmt: 3, id: 4, payload: a },
      ),
      [0xfffffe, 0xffffff, 0x1000000],
    ],
    [
      'an extended value far from the clock is a step (FFmpeg, librtmp, GStreamer)',
      chunks({ fmt: 0, id: 4, time: 5000, payload: a }, { fmt: 1, id: 4, time: 0xffffff, extended: 16_790_000, payload: a }),
      [5000, 16_795_000],
    ],
    [
      'an extended value near the clock is the time (SRS)',
      chunks(
        { fmt: 0, id: 4, time: 0xffffff, extended: 20_000_000, payload: a },
        { fmt: 1, id: 4, time: 0xffffff, extended: 20_000_040, payload: a },
        { fmt: 2, id: 4, time: 0xffffff, extended: 20_000_020, payload: a },
      ),
      [20_000_000, 20_000_040, 20_000_020],
    ],
    [
      'a new fmt 3 message with the same extended timestamp repeats the time',
      chunks(
        { fmt: 0, id: 4, time: 0xffffff, extended: 20_000_000, payload: a },
        { fmt: 3, id: 4, extended: 20_000_000, payload: a },
        { fmt: 3, id: 4, extended: 20_000_033, payload: a },
      ),
      [20_000_000, 20_000_000, 20_000_033],
    ],
    [
      'a new fmt 3 message may leave the extended timestamp out',
      chunks({ fmt: 0, id: 4, time: 0xffffff, extended: 20_000_000, payload: a }, { fmt: 3, id: 4, payload: hex('af01*9') }),
      [20_000_000, 20_000_000],
    ],
    [
      'a header repeated inside a message does not count twice',
      chunks(
        { fmt: 0, id: 4, time: 1000, payload: a },
        { fmt: 1, id: 4, time: 40, length: 200, payload: long.subarray(0, 128) },
        { fmt: 1, id: 4, time: 40, length: 200, payload: long.subarray(128, 200) },
        { fmt: 3, id: 4, length: 200, payload: long.subarray(0, 128) },
        { fmt: 2, id: 4, time: 40, payload: long.subarray(128, 200) },
      ),
      [1000, 1040, 1080],
    ],
    // Headers as rtmp2sink (1.22) wrote them for the times in the last column: 300 bytes of audio each, chunk size 128.
    [
      'of GStreamer: fmt 3 after fmt 0 means the timestamp again, and steps back are steps of nearly 2^32',
      recorded('0500138800012c0801000000', 'c5', '85000000', '85fffffffffffff6', '85000000', '85000028'),
      [5000, 10_000, 10_000, 9990, 9990, 10_030],
    ],
    [
      'of GStreamer: extended steps, repeated by fmt 3 with the field',
      recorded(
        '05ffffff00012c080100000001312d00',
        '85000000',
        'c5',
        '85000014',
        '85fffffffffffff6',
        '85000000',
        '85fffffffeced2f6',
        '85000000',
        '85ffffff01036640',
        'c501036640',
        'c501036640',
      ),
      [20_000_000, 20_000_000, 20_000_000, 20_000_020, 20_000_010, 20_000_010, 0, 0, 17_000_000, 34_000_000, 51_000_000],
    ],
    // Headers as FFmpeg (5.1) wrote them with an output offset of 4 h 39 min 50 s.
    [
      'of FFmpeg: the first frame is an extended step from zero',
      Buffer.concat([
        hex('060000000000330901000000 17*51'),
        hex('46ffffff00012c09010031f0 27*128 c6010031f0 27*128 c6010031f0 27*44'),
        hex('460000280000140927*20'),
      ]),
      [0, 16_790_000, 16_790_040],
    ],
  ];
  for (const [name, bytes, times] of rows) {
    it(name, () => {
      const { reader, messages } = recordingReader();
      reader.receive(bytes);
      expect(messages.map((message) => message.timestampMs)).toEqual(times);
    });
  }

  /** Messages of 300 bytes on chunk stream 5 with these headers; the extended timestamp, if any, is repeated in each chunk. */
  function recorded(...headers: readonly string[]): Buffer {
    return Buffer.concat(
      headers.map((header) => {
        const isExtended = header.includes('ffffff') || header.length === 10;
        const next = `c5${isExtended ? header.slice(-8) : ''}`;
        return hex(`${header} af*128 ${next} af*128 ${next} af*44`);
      }),
    );
  }
});

describe('an extended timestamp', () => {
  const first = chunk({
    fmt: 0,
    id: 4,
    time: 0xffffff,
    extended: 0x01234567,
    type: 9,
    length: 130,
    payload: long.subarray(0, 128),
  });

  it('is left out of continuation chunks by some peers, whatever the payload begins with', () => {
    for (const end of ['aabb', '01aa', '0123', '0000']) {
      const { reader, messages } = recordingReader();
      reader.receive(Buffer.concat([first, hex(`c4 ${end}`), chunk({ fmt: 0, id: 5, payload: a })]));
      expect(messages.map((message) => message.payload.subarray(-2).toString('hex'))).toEqual([
        end,
        a.subarray(-2).toString('hex'),
      ]);
    }
  });

  it('that is left out keeps no message waiting for more bytes', () => {
    const { reader, messages } = recordingReader();
    reader.receive(Buffer.concat([first, hex('c4 01aa')]));
    expect(messages.length).toBe(1);
  });

  it('in a continuation chunk may be the time of the message or the step that was sent', () => {
    const step = { fmt: 1, id: 4, time: 0xffffff, extended: 0x01000010, length: 130, payload: long.subarray(0, 128) } as const;
    for (const repeated of [0x01000010, 0x01000010 + 5000]) {
      const bytes = Buffer.concat([
        chunk({ fmt: 0, id: 4, time: 5000, payload: a }),
        chunk(step),
        chunk({ fmt: 3, id: 4, extended: repeated, payload: long.subarray(128, 130) }),
      ]);
      const { reader, messages } = recordingReader();
      reader.receive(bytes);
      expect(messages[1]?.payload).toEqual(long.subarray(0, 130));
    }
  });

  it('with the 32nd bit set is recognised in continuation chunks', () => {
    const { reader, messages } = recordingReader();
    const start = chunk({ fmt: 0, id: 4, time: 0xffffff, extended: 0x80000005, length: 130, payload: long.subarray(0, 128) });
    reader.receive(Buffer.concat([start, chunk({ fmt: 3, id: 4, extended: 0x80000005, payload: long.subarray(128, 130) })]));
    expect(messages.map(summary)).toEqual(['8@5/1/4:130']);
    expect(messages[0]?.payload).toEqual(long.subarray(0, 130));
  });

  it('is forgotten with the next header that has none', () => {
    const bytes = Buffer.concat([
      chunk({ fmt: 0, id: 4, time: 0xffffff, extended: 0x01234567, payload: a }),
      chunk({ fmt: 2, id: 4, time: 40, payload: a }),
      chunk({ fmt: 3, id: 4, payload: hex('0123456701234567aaaa') }),
    ]);
    expect(summaryOf(bytes)).toEqual(['8@19088743/1/4:10', '8@19088783/1/4:10', '8@19088823/1/4:10']);
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

describe('payload', () => {
  it('of a message whole in one chunk and one input is a view of the input', () => {
    // In memory of its own, so that sharing it means something.
    const bytes = Buffer.alloc(22, chunk({ fmt: 0, id: 4, payload: a }));
    let isView = false;
    const reader = new ChunkReader({ onMessage: (...[, , , , payload]) => (isView = payload.buffer === bytes.buffer) });
    reader.receive(bytes);
    expect(isView).toBe(true);
    isView = true;
    reader.receive(bytes.subarray(0, 15));
    reader.receive(bytes.subarray(15));
    expect(isView).toBe(false);
  });

  it('reuses one buffer for messages of several chunks', () => {
    const buffers = new Set<ArrayBufferLike>();
    const reader = new ChunkReader({ onMessage: (...[, , , , payload]) => buffers.add(payload.buffer) });
    for (let i = 0; i < 50; i++) reader.receive(encodeMessage(4 + (i % 2), 9, i, 1, pattern(5000 + i), 128));
    // The first one grew once.
    expect(buffers.size).toBe(1);
  });
});

describe('memory', () => {
  it('grows with what arrives and not with what is declared', () => {
    const { reader } = recordingReader();
    const declared = 10 * 1024 * 1024;
    for (let id = 3; id < 1003; id++) reader.receive(chunk({ fmt: 0, id, length: declared, payload: long.subarray(0, 128) }));
    expect(reader.pendingBytes).toBeLessThanOrEqual(1000 * 4096);
    reader.receive(control(1, 100_000));
    reader.receive(chunk({ fmt: 3, id: 3, payload: pattern(100_000) }));
    expect(reader.pendingBytes).toBeLessThanOrEqual(1000 * 4096 + 200_000);
  });

  it('of all incomplete messages together is limited', () => {
    const { reader } = recordingReader({ maxPendingBytes: 150_000 });
    reader.receive(control(1, 40_000));
    const send = (id: number) => reader.receive(chunk({ fmt: 0, id, length: 65_000, payload: pattern(40_000) }));
    send(3);
    send(4);
    expect(reader.pendingBytes).toBeLessThanOrEqual(150_000);
    expect(() => send(5)).toThrow(
      new SrsError('RtmpMemory', 'incomplete messages of 171072 bytes in all must have at most 150000'),
    );
  });

  it('of finished messages counts no more', () => {
    const { reader, messages } = recordingReader({ maxPendingBytes: 100_000 });
    for (let i = 0; i < 100; i++) reader.receive(encodeMessage(3 + i, 9, 0, 1, pattern(50_000), 128));
    expect(messages.length).toBe(100);
    expect(reader.pendingBytes).toBe(0);
  });

  it('lets one message of the largest size through', () => {
    const size = 10 * 1024 * 1024;
    const { reader, messages } = recordingReader();
    const payload = Buffer.alloc(size, 0x5a);
    reader.receive(control(1, 60_000));
    const bytes = encodeMessage(6, 9, 0, 1, payload, 60_000);
    for (let at = 0; at < bytes.length; at += 65_536) reader.receive(bytes.subarray(at, at + 65_536));
    expect(messages[0]?.payload.equals(payload)).toBe(true);
  });
});

describe('a paused reader', () => {
  const one = chunk({ fmt: 0, id: 4, payload: a });

  it('counts what it holds as received, and limits it', () => {
    const { reader, messages } = recordingReader({ maxHeldBytes: 50 });
    reader.pause();
    reader.receive(one);
    reader.receive(one);
    expect([reader.bytesReceived, reader.isPaused, messages.length]).toEqual([2 * one.length, true, 0]);
    expect(() => reader.receive(one)).toThrow(
      new SrsError('RtmpMemory', '66 bytes received before an answer must be at most 50'),
    );
  });

  it('limits the rest of the input in which it was paused, too', () => {
    const { reader } = recordingReader({ maxHeldBytes: 30 }, () => reader.pause());
    expect(() => reader.receive(Buffer.concat([one, one, one]))).toThrow('44 bytes received before an answer must be at most 30');
  });

  it('keeps its own copy of what it holds', () => {
    const { reader, messages } = recordingReader({}, () => reader.pause());
    const bytes = Buffer.concat([one, one]);
    reader.receive(bytes);
    const more = Buffer.from(one);
    reader.receive(more);
    bytes.fill(0xff);
    more.fill(0xff);
    reader.resume();
    reader.resume();
    expect(messages.map(({ payload }) => payload)).toEqual([a, a, a]);
  });

  it('goes on at once when it is resumed within the message that paused it', () => {
    const { reader, messages } = recordingReader({}, () => {
      reader.pause();
      reader.resume();
    });
    reader.receive(Buffer.concat([one, one, one]));
    expect([messages.length, reader.isPaused]).toEqual([3, false]);
  });

  it('takes bytes received within a message after the rest of the input', () => {
    let isFirst = true;
    const { reader, messages } = recordingReader({}, () => {
      if (isFirst) reader.receive(chunk({ fmt: 0, id: 9, payload: a }));
      isFirst = false;
    });
    reader.receive(Buffer.concat([one, one]));
    expect(messages.map(summary)).toEqual(['8@0/1/4:10', '8@0/1/4:10', '8@0/1/9:10']);
  });

  it('works through many held requests in linear time', () => {
    const { reader, messages } = recordingReader({}, () => reader.pause());
    const count = 50_000;
    reader.receive(Buffer.concat(Array.from({ length: count }, () => one)));
    const startMs = performance.now();
    while (reader.isPaused) reader.resume();
    expect(messages.length).toBe(count);
    // Copying the rest at every pause would be 27 GB of it.
    expect(performance.now() - startMs).toBeLessThan(2000);
  });
});
