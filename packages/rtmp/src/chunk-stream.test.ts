import { describe, expect, it } from 'vitest';
import { type ChunkFields, chunk, hex, pattern, recordingReader, summary, summaryOf } from './chunk-test-support.ts';

const a = pattern(10);
const long = pattern(300);

function chunks(...list: readonly ChunkFields[]): Buffer {
  return Buffer.concat(list.map(chunk));
}

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
      'a new fmt 3 message after an extended step repeats the step, with the field or without',
      chunks(
        { fmt: 0, id: 4, payload: a },
        { fmt: 1, id: 4, time: 0xffffff, extended: 17_000_000, payload: a },
        { fmt: 3, id: 4, extended: 17_000_000, payload: a },
        { fmt: 3, id: 4, payload: hex('af01*9') },
      ),
      [0, 17_000_000, 34_000_000, 51_000_000],
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
