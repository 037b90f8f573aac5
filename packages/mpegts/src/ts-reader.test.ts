import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../test/support/failure.ts';
import {
  aacFrame,
  aacHeader,
  audio,
  avcHeader,
  avcUnit,
  hex,
  mux,
  noise,
  readBack,
  video,
  videoFrame,
} from './mpegts-test-support.ts';
import type { TsPes } from './pes-reader.ts';
import { encodePat, encodePmt } from './program-tables.ts';
import { writeClockPacket } from './ts-packet.ts';
import { type TsLimits, TsReader } from './ts-reader.ts';

/** A key frame of 5 packets behind the tables, then 3 pictures of 2, then sound of 2. */
const stream = mux((ts) => {
  ts.onHeader(video, avcHeader());
  ts.onHeader(audio, aacHeader());
  ts.onFrame(video, 0, videoFrame('legacy 7', [avcUnit(5, 800, 1)], { isKey: true }));
  for (const ms of [40, 80, 120]) ts.onFrame(video, ms, videoFrame('legacy 7', [avcUnit(1, 300, ms)]));
  ts.onFrame(audio, 0, aacFrame(noise(250, 3)));
});
const FIRST_VIDEO = 2;
const SECOND_PICTURE = 7;

function read(bytes: Buffer, limits: Partial<TsLimits> = {}): TsPes[] {
  const found: TsPes[] = [];
  const reader = new TsReader({ onPes: (pes) => found.push(pes) }, limits);
  reader.receive(bytes);
  reader.end();
  return found;
}

function changed(change: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(stream);
  change(bytes);
  return bytes;
}

function without(packet: number): Buffer {
  return Buffer.concat([stream.subarray(0, packet * 188), stream.subarray((packet + 1) * 188)]);
}

function withPacket(packet: Buffer, at = SECOND_PICTURE): Buffer {
  return Buffer.concat([stream.subarray(0, at * 188), packet, stream.subarray(at * 188)]);
}

function clockPacket(pid: number, counter: number, flags: number, pcr: number): Buffer {
  const packet = Buffer.alloc(188);
  writeClockPacket(packet, 0, pid, counter, flags, pcr);
  return packet;
}

it('a stream reads the same in pieces of any size', () => {
  const whole = read(stream);
  expect(whole.map((pes) => pes.pid)).toEqual([0x100, 0x100, 0x100, 0x100, 0x101]);
  for (let size = 1; size < stream.length; size = size * 2 + 1) {
    const found: TsPes[] = [];
    const reader = new TsReader({ onPes: (pes) => found.push(pes) });
    for (let at = 0; at < stream.length; at += size) reader.receive(stream.subarray(at, at + size));
    reader.end();
    expect(found).toEqual(whole);
    expect([reader.packets, reader.ignoredPackets]).toEqual([stream.length / 188, 0]);
  }
});

it('a stream split anywhere reads the same', () => {
  const whole = read(stream);
  for (let at = 0; at <= stream.length; at++) {
    const found: TsPes[] = [];
    const reader = new TsReader({ onPes: (pes) => found.push(pes) });
    reader.receive(stream.subarray(0, at));
    reader.receive(stream.subarray(at));
    reader.end();
    expect(found.length).toBe(whole.length);
  }
});

describe('refused is', () => {
  it.each([
    ['a cut packet', stream.subarray(0, 300), 'ts packet 1 has 112 bytes, must have 188'],
    ['a lost packet', without(SECOND_PICTURE), 'ts packet 7 of pid 256 has continuity counter 6, must have 5'],
    [
      'a packet that came twice',
      withPacket(stream.subarray(6 * 188, 7 * 188)),
      'ts packet 7 of pid 256 has continuity counter 4, must have 5',
    ],
    [
      'a packet without payload that counts',
      withPacket(clockPacket(0x100, 5, 0, 1000)),
      'ts packet 7 of pid 256 has continuity counter 5, must have 4',
    ],
    ['a PAT with a wrong bit', changed((bytes) => bytes.writeUInt8(9, 10)), 'ts pat crc 2e701905 is wrong'],
    ['a PAT that goes on', changed((bytes) => bytes.writeUInt8(0, 1)), 'ts packet 0 with the pat must begin a section'],
    ['a PMT that goes on', changed((bytes) => bytes.writeUInt8(0x10, 189)), 'ts packet 1 with the pmt must begin a section'],
    [
      'a unit without its begin',
      changed((bytes) => bytes.writeUInt8(0x01, FIRST_VIDEO * 188 + 1)),
      'ts packet 2 of pid 256 begins within a pes packet',
    ],
    [
      'a unit that is longer than it says',
      changed((bytes) => bytes.writeUInt16BE(400, bytes.indexOf(hex('000001c0')) + 4)),
      /^ts pes packet of pid 257 length 400 must be the \d+ that came$/,
    ],
    [
      'a clock that goes back',
      withPacket(Buffer.concat([clockPacket(0x100, 4, 0, 9000), clockPacket(0x100, 4, 0, 8999)])),
      'ts packet 8 moves the clock by -1 ticks, must be 0..9000',
    ],
    [
      'a clock that rests for too long',
      withPacket(clockPacket(0x100, 4, 0, 9001)),
      'ts packet 7 moves the clock by 9001 ticks, must be 0..9000',
    ],
    [
      'a clock on another PID',
      withPacket(clockPacket(0x101, 15, 0, 9000)),
      'ts packet 7 of pid 257 has a clock reference, pid 256 must have it',
    ],
    [
      'a unit whose time has passed',
      changed((bytes) => bytes.fill(hex('2100010001'), bytes.indexOf(hex('000001c0')) + 9, bytes.indexOf(hex('000001c0')) + 14)),
      'ts pes packet of pid 257 has dts 0, the clock is at 10800 already',
    ],
  ])('%s', (_, bytes, message) => {
    const error = failureOf(() => read(bytes));
    if (typeof message === 'string') expect(error.message).toBe(message);
    else expect(error.message).toMatch(message);
    expect(error.code).toBe(3001);
  });

  it('a PMT that changes without a new version', () => {
    const pmt = encodePmt(0, 0x100, [{ pid: 0x100, streamType: 0x24 }]);
    pmt[3]! |= 1;
    expect(failureOf(() => read(withPacket(pmt))).message).toBe('ts packet 7 changes the pmt, its version 0 must change too');
  });

  it('a PES packet above the limit', () => {
    expect(read(stream, { maxPesBytes: 900 })).toHaveLength(5);
    expect(failureOf(() => read(stream, { maxPesBytes: 800 })).message).toBe(
      'ts pes packet of pid 256 must be at most 800 bytes',
    );
  });
});

describe('accepted is', () => {
  it('a jump of clock and counters that is marked', () => {
    const marked = clockPacket(0x100, 4, 0x80, 0);
    expect(readBack(withPacket(marked)).clocks[1]).toEqual({ pcr: 0, isDiscontinuity: true });
    // The first field of the second picture carries the mark.
    const lost = Buffer.concat([stream.subarray(0, 6 * 188), stream.subarray(7 * 188)]);
    lost[6 * 188 + 5]! |= 0x80;
    failureOf(() => read(without(6)));
    expect(failureOf(() => read(lost)).message).toMatch(/length/);
  });

  it('what does not belong to the program, and is counted', () => {
    const service = Buffer.alloc(188, 0xff);
    hex('47 0011 10').copy(service);
    const empty = Buffer.alloc(188, 0xff);
    hex('47 1fff 17').copy(empty);
    const reader = new TsReader({ onPes: () => {} });
    reader.receive(withPacket(Buffer.concat([service, empty, empty])));
    reader.end();
    expect(reader.ignoredPackets).toBe(3);
  });

  it('a stream that leaves the program in the middle of a unit, which ends there', () => {
    const tables = Buffer.concat([encodePat(), encodePmt(1, 0x101, [{ pid: 0x101, streamType: 0x0f }])]);
    tables[3]! |= 1;
    tables[191]! |= 1;
    const found: TsPes[] = [];
    const programs: number[] = [];
    const reader = new TsReader({ onPes: (pes) => found.push(pes), onProgram: ({ version }) => programs.push(version) });
    reader.receive(stream.subarray(0, SECOND_PICTURE * 188));
    expect(found).toHaveLength(0);
    reader.receive(tables);
    expect(found).toHaveLength(1);
    expect(programs).toEqual([0, 1]);
  });
});
