import { SrsError } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { ChunkReader } from './chunk-reader.ts';
import { chunk, control, pattern, recordingReader, summary } from './chunk-test-support.ts';
import { encodeMessage } from './chunk-writer.ts';

const a = pattern(10);
const long = pattern(300);

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

  it('limits the rest of the input and what comes after it together', () => {
    const { reader } = recordingReader({ maxHeldBytes: 50 }, () => reader.pause());
    reader.receive(Buffer.concat([one, one, one]));
    expect(() => reader.receive(one)).toThrow('66 bytes received before an answer must be at most 50');
  });

  it('does not limit the input in work when bytes are received within a message', () => {
    let isFirst = true;
    const { reader, messages } = recordingReader({ maxHeldBytes: 30 }, () => {
      if (isFirst) reader.receive(one);
      isFirst = false;
    });
    reader.receive(Buffer.concat([one, one, one]));
    expect(messages.length).toBe(4);
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
