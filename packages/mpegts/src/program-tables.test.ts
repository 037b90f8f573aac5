import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../test/support/failure.ts';
import { crc32Mpeg } from './crc32.ts';
import { hex } from './mpegts-test-support.ts';
import { encodePat, encodePmt, ProgramTables } from './program-tables.ts';
import { readPat, readPmt } from './ts-sections.ts';

const avc = { pid: 0x100, streamType: 0x1b };
const hevc = { pid: 0x100, streamType: 0x24 };
const aac = { pid: 0x101, streamType: 0x0f };
const mp3 = { pid: 0x101, streamType: 0x03 };

/** Section and content, the same in both directions. The first is what SRS writes. */
const pmts = [
  ['H.264 and AAC', '02b017 0001 c1 0000 e100 f000 1be100f000 0fe101f000 2f44b99b', 0, 0x100, [avc, aac]],
  ['H.265 and MP3', '02b017 0001 c3 0000 e100 f000 24e100f000 03e101f000 89c951f4', 1, 0x100, [hevc, mp3]],
  ['pictures only', '02b012 0001 c1 0000 e100 f000 1be100f000 15bd4d56', 0, 0x100, [avc]],
  ['sound only, last version', '02b012 0001 ff 0000 e101 f000 0fe101f000 42d1b210', 31, 0x101, [aac]],
  ['nothing', '02b00d 0001 c1 0000 e101 f000 642db3b0', 0, 0x101, []],
] as const;

function packet(head: string, section: string): Buffer {
  const bytes = hex(head + section);
  return Buffer.concat([bytes, Buffer.alloc(188 - bytes.length, 0xff)]);
}

describe('a PAT', () => {
  const bytes = packet('47 4000 10 00', '00b00d 0001 c1 0000 0001 f001 2e701905');

  it('is written as SRS does', () => {
    expect(encodePat()).toEqual(bytes);
  });

  it('is read', () => {
    expect(readPat(bytes.subarray(4))).toBe(0x1001);
  });

  it('is read past the network information', () => {
    const section = hex('00b011 0001 c1 0000 0000e010 0002e123 00000000');
    section.writeUInt32BE(crc32Mpeg(section, 0, 16), 16);
    expect(readPat(Buffer.concat([hex('00'), section]))).toBe(0x123);
  });
});

describe('a PMT', () => {
  it.each(pmts)('%s is written', (_, section, version, pcrPid, streams) => {
    expect(encodePmt(version, pcrPid, streams).toString('hex')).toBe(packet('47 5001 10 00', section).toString('hex'));
  });

  it.each(pmts)('%s is read', (_, section, version, pcrPid, streams) => {
    expect(readPmt(packet('47 5001 10 00', section).subarray(4))).toEqual({ version, pcrPid, streams });
  });

  it('is read past descriptors and a pointer', () => {
    const section = hex('02b01e 0001 c5 0000 e100 f004 05020000 1be100f003 0a0101 0fe101f000 00000000');
    section.writeUInt32BE(crc32Mpeg(section, 0, section.length - 4), section.length - 4);
    expect(readPmt(Buffer.concat([hex('02ffff'), section]))).toEqual({ version: 2, pcrPid: 0x100, streams: [avc, aac] });
  });

  it.each([
    ['of another table', '00b00d 0001 c1 0000 0001 f001 2e701905', 'ts pmt has table id 0, must be 2'],
    ['with one bit wrong', '02b012 0001 c1 0000 e100 f000 1be101f000 15bd4d56', 'ts pmt crc 15bd4d56 is wrong'],
    ['longer than its packet', '02b3fd 0001 c1 0000', 'ts pmt length 1021 must fit one packet'],
    ['shorter than its head', '02b008 0001 c1 0000 00000000', 'ts pmt length 8 must fit one packet'],
  ])('%s is refused', (_, section, message) => {
    expect(failureOf(() => readPmt(packet('47 5001 10 00', section).subarray(4))).message).toBe(message);
  });

  it('that ends within a stream is refused', () => {
    const section = hex('02b015 0001 c1 0000 e100 f000 1be100f000 0fe101 00000000');
    section.writeUInt32BE(crc32Mpeg(section, 0, section.length - 4), section.length - 4);
    expect(failureOf(() => readPmt(Buffer.concat([hex('00'), section]))).message).toBe('ts pmt ends within a stream');
  });

  it('cut anywhere is refused', () => {
    const whole = packet('47 5001 10 00', pmts[0][1]).subarray(4, 4 + 1 + 26);
    for (let length = 0; length < whole.length; length++) failureOf(() => readPmt(whole.subarray(0, length)));
  });
});

describe('tables that change', () => {
  function versionsAndCounters(tables: ProgramTables): readonly [version: number, pat: number, pmt: number] {
    const bytes = Buffer.alloc(2 * 188);
    tables.write(bytes, 0);
    return [readPmt(bytes.subarray(192)).version, bytes[3]! & 0x0f, bytes[191]! & 0x0f];
  }

  it('have a new version for each change that was seen, and counters that go on', () => {
    const tables = new ProgramTables();
    expect(tables.isChanged).toBe(false);
    tables.setVideo(0x1b);
    tables.setAudio(0x0f);
    expect(tables.isChanged).toBe(true);
    expect(versionsAndCounters(tables)).toEqual([0, 0, 0]);
    tables.setAudio(0x0f);
    expect(tables.isChanged).toBe(false);
    expect(versionsAndCounters(tables)).toEqual([0, 1, 1]);
    tables.setVideo(0x24);
    tables.setAudio(0x03);
    expect(versionsAndCounters(tables)).toEqual([1, 2, 2]);
    for (let i = 3; i < 40; i++) {
      tables.setAudio(i % 2 === 0 ? 0x03 : 0x04);
      expect(versionsAndCounters(tables)).toEqual([(i - 1) % 32, i % 16, i % 16]);
    }
  });

  it('put a track that changes on another PID, once others have seen it', () => {
    const tables = new ProgramTables();
    const seen = () => {
      const bytes = Buffer.alloc(2 * 188);
      tables.write(bytes, 0);
      return readPmt(bytes.subarray(192));
    };
    tables.setVideo(0x24);
    tables.setVideo(0x1b);
    tables.setAudio(0x0f);
    expect(seen()).toEqual({ version: 0, pcrPid: 0x100, streams: [avc, aac] });
    tables.setVideo(0x24);
    expect([tables.videoPid, tables.audioPid]).toEqual([0x102, 0x101]);
    expect(seen()).toEqual({ version: 1, pcrPid: 0x102, streams: [{ pid: 0x102, streamType: 0x24 }, aac] });
    tables.setAudio(0x03);
    expect(seen().streams.map((stream) => stream.pid)).toEqual([0x102, 0x103]);
    const used = new Set<number>();
    for (let i = 0; i < 2000; i++) {
      tables.setAudio(i % 2 === 0 ? 0x04 : 0x03);
      used.add(tables.audioPid);
      seen();
    }
    expect([Math.min(...used), Math.max(...used), used.size]).toEqual([0x101, 0xfff, 1920]);
  });

  it('put the clock on the pictures where there are any', () => {
    const tables = new ProgramTables();
    tables.setAudio(0x0f);
    expect(tables.pcrPid).toBe(0x101);
    tables.setVideo(0x1b);
    expect(tables.pcrPid).toBe(0x100);
  });
});

it('the CRC of ISO/IEC 13818-1 has the check value of its kind', () => {
  expect(crc32Mpeg(Buffer.from('123456789'), 0, 9)).toBe(0x0376e6e7);
});
