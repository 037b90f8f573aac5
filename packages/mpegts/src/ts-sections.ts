/** PAT and PMT, read: the other direction of program-tables.ts. */
import { SrsError } from '@srs/kernel';
import { crc32Mpeg } from './crc32.ts';
import { CRC_BYTES, type ElementaryStream, SECTION_HEAD_BYTES, tableIds, UNCOUNTED_SECTION_BYTES } from './program-tables.ts';

/** What a PMT says. */
export interface TsProgram {
  /** 0..31; another version has another content. */
  readonly version: number;
  /** The PID whose packets carry the clock. */
  readonly pcrPid: number;
  readonly streams: readonly ElementaryStream[];
}

const PAT_ENTRY_BYTES = 4;
const PMT_HEAD_BYTES = 4;
const PMT_ENTRY_BYTES = 5;
const PID_MASK = 0x1fff;
const LENGTH_MASK = 0x0fff;

/** A section whose frame is right: where its body begins and ends. */
interface Section {
  readonly version: number;
  readonly begin: number;
  readonly end: number;
}

/** What a PAT says of one program. */
export interface TsProgramEntry {
  readonly number: number;
  readonly pmtPid: number;
}

/**
 * The PID of the PMT, of the first program that a PAT lists.
 *
 * @param payload of one packet: a section that is longer is refused
 * @throws SrsError HlsDecode
 */
export function readPat(payload: Buffer): number {
  const [first] = readPrograms(payload);
  if (first === undefined) throw new SrsError('HlsDecode', 'ts pat lists no program');
  return first.pmtPid;
}

/**
 * All programs that a section of a PAT lists.
 *
 * @param payload a pointer byte, and the whole section where it points to
 * @throws SrsError HlsDecode
 */
export function readPrograms(payload: Buffer): readonly TsProgramEntry[] {
  const section = readSection(payload, 'pat', tableIds.pat);
  const programs: TsProgramEntry[] = [];
  for (let at = section.begin; at + PAT_ENTRY_BYTES <= section.end; at += PAT_ENTRY_BYTES) {
    const number = payload.readUInt16BE(at);
    // Program 0 is the network information.
    if (number !== 0) programs.push({ number, pmtPid: payload.readUInt16BE(at + 2) & PID_MASK });
  }
  return programs;
}

/**
 * @param payload of one packet: a section that is longer is refused
 * @throws SrsError HlsDecode
 */
export function readPmt(payload: Buffer): TsProgram {
  const { version, begin, end } = readSection(payload, 'pmt', tableIds.pmt);
  if (begin + PMT_HEAD_BYTES > end) throw new SrsError('HlsDecode', 'ts pmt ends within its head');
  const pcrPid = payload.readUInt16BE(begin) & PID_MASK;
  const streams: ElementaryStream[] = [];
  let at = begin + PMT_HEAD_BYTES + (payload.readUInt16BE(begin + 2) & LENGTH_MASK);
  while (at + PMT_ENTRY_BYTES <= end) {
    streams.push({ streamType: payload[at]!, pid: payload.readUInt16BE(at + 1) & PID_MASK });
    at += PMT_ENTRY_BYTES + (payload.readUInt16BE(at + 3) & LENGTH_MASK);
  }
  if (at !== end) throw new SrsError('HlsDecode', 'ts pmt ends within a stream');
  return { version, pcrPid, streams };
}

function readSection(payload: Buffer, name: string, tableId: number): Section {
  const start = 1 + (payload[0] ?? 0);
  if (start + SECTION_HEAD_BYTES > payload.length) throw new SrsError('HlsDecode', `ts ${name} ends within its head`);
  if (payload[start] !== tableId) {
    throw new SrsError('HlsDecode', `ts ${name} has table id ${payload[start]}, must be ${tableId}`);
  }
  const length = payload.readUInt16BE(start + 1) & LENGTH_MASK;
  const crcEnd = start + UNCOUNTED_SECTION_BYTES + length;
  const end = crcEnd - CRC_BYTES;
  if (crcEnd > payload.length || end < start + SECTION_HEAD_BYTES) {
    throw new SrsError('HlsDecode', `ts ${name} length ${length} must fit one packet`);
  }
  if (crc32Mpeg(payload, start, crcEnd) !== 0) {
    throw new SrsError('HlsDecode', `ts ${name} crc ${payload.toString('hex', end, crcEnd)} is wrong`);
  }
  return { version: (payload[start + 5]! >>> 1) & 0x1f, begin: start + SECTION_HEAD_BYTES, end };
}
