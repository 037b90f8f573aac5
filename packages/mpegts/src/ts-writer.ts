/** Units of elementary streams in, runs of transport stream packets out: tables, clock and continuity counters. */
import { TICKS_PER_MS } from './clock-90k.ts';
import { pesHeadBytes, pesStreamIds, writePesHead } from './pes.ts';
import { DECODING_DELAY, ProgramClock, type TrackKind } from './program-clock.ts';
import { ProgramTables, pids, TABLE_PACKETS } from './program-tables.ts';
import { fieldFlags, packetsOfUnit, spreadUnit, TS_PACKET_BYTES, writeBreakPacket, writeClockPacket } from './ts-packet.ts';

/** Players that join a long group of pictures find the tables again after this time. */
export const TABLE_INTERVAL = 500 * TICKS_PER_MS;

/** What goes into one PES packet. */
export interface UnitBody {
  readonly sizeBytes: number;
  /** Writes `sizeBytes` bytes. */
  writeTo(target: Buffer, at: number): void;
  /** Lets go of what it was made of. */
  clear(): void;
}

export class TsWriter {
  readonly tables = new ProgramTables();
  readonly #output: (packets: Buffer) => void;
  readonly #clock = new ProgramClock();
  #isFileBegin = true;
  #tablesDts = 0;
  #videoCounter = 0;
  #audioCounter = 0;
  /** A track whose first packet need not follow on another file's says so before it. */
  #isVideoBreak: boolean;
  #isAudioBreak: boolean;
  #isTablesBreak: boolean;

  /** @param isAlone what is written begins somewhere in a row of files that others may have written */
  constructor(output: (packets: Buffer) => void, isAlone = false) {
    this.#output = output;
    this.#isVideoBreak = isAlone;
    this.#isAudioBreak = isAlone;
    this.#isTablesBreak = isAlone;
  }

  /** Tables and a clock reference come before the next unit. */
  beginFile(): void {
    this.#isFileBegin = true;
  }

  /**
   * Writes a unit of a track that the tables know.
   *
   * Hot path: one allocation, the run that is given to the output.
   *
   * @param pts,dts ticks without the decoding delay
   * @param isKeyFrame decoding can begin here, and a player may join
   */
  write(track: TrackKind, pts: number, dts: number, isKeyFrame: boolean, body: UnitBody): void {
    const pid = track === 'video' ? this.tables.videoPid : this.tables.audioPid;
    const isCarrier = pid === this.tables.pcrPid;
    const isBegin = this.#isFileBegin || isKeyFrame || this.tables.isChanged;
    const hasTables = isBegin || Math.abs(dts - this.#tablesDts) >= TABLE_INTERVAL;
    const clock = this.#clock;
    clock.advance(track, dts, isCarrier, isBegin);
    const flags = this.#unitFlags(track, isCarrier, isKeyFrame);
    const unitBytes = pesHeadBytes(pts, dts) + body.sizeBytes;
    const isBreak = this.#takeBreak(track);
    const tableBreaks = this.#isTablesBreak ? TABLE_PACKETS : 0;
    const tablePackets = tableBreaks + (hasTables ? TABLE_PACKETS : 0);
    const packets = tablePackets + (isBreak ? 1 : 0) + clock.packets + packetsOfUnit(unitBytes, flags);
    const run = Buffer.allocUnsafe(packets * TS_PACKET_BYTES);
    let at = 0;
    if (tableBreaks > 0) at = this.#writeTablesBreak(run);
    if (hasTables) {
      this.tables.write(run, at);
      this.#tablesDts = dts;
      at += TABLE_PACKETS * TS_PACKET_BYTES;
    }
    const counter = track === 'video' ? this.#videoCounter : this.#audioCounter;
    if (isBreak) {
      writeBreakPacket(run, at, pid, (counter - 1) & 0x0f);
      at += TS_PACKET_BYTES;
    }
    at = this.#writeClockPackets(run, at);
    const payload = run.length - body.sizeBytes;
    writePesHead(run, run.length - unitBytes, pesStreamIds[track], pts + DECODING_DELAY, dts + DECODING_DELAY, body.sizeBytes);
    body.writeTo(run, payload);
    const next = spreadUnit(run, at, unitBytes, pid, counter, flags, clock.unitPcr);
    if (track === 'video') this.#videoCounter = next;
    else this.#audioCounter = next;
    this.#isFileBegin = false;
    this.#output(run);
  }

  /** Before the first tables, which come before the first unit. */
  #writeTablesBreak(run: Buffer): number {
    this.#isTablesBreak = false;
    writeBreakPacket(run, 0, pids.pat, 0x0f);
    writeBreakPacket(run, TS_PACKET_BYTES, pids.pmt, 0x0f);
    return TABLE_PACKETS * TS_PACKET_BYTES;
  }

  #takeBreak(track: TrackKind): boolean {
    const isBreak = track === 'video' ? this.#isVideoBreak : this.#isAudioBreak;
    if (track === 'video') this.#isVideoBreak = false;
    else this.#isAudioBreak = false;
    return isBreak;
  }

  #unitFlags(track: TrackKind, isCarrier: boolean, isKeyFrame: boolean): number {
    // Without pictures decoding can begin at any sound.
    const isRandomAccess = isKeyFrame || (isCarrier && track === 'audio');
    const clock = this.#clock;
    if (!clock.isInUnit) return isRandomAccess ? fieldFlags.randomAccess : 0;
    const isDiscontinuity = clock.isDiscontinuity && clock.packets === 0;
    return fieldFlags.pcr | (isRandomAccess ? fieldFlags.randomAccess : 0) | (isDiscontinuity ? fieldFlags.discontinuity : 0);
  }

  #writeClockPackets(run: Buffer, start: number): number {
    const clock = this.#clock;
    const pid = this.tables.pcrPid;
    const next = pid === this.tables.videoPid ? this.#videoCounter : this.#audioCounter;
    let at = start;
    for (let index = 0; index < clock.packets; index++) {
      const flags = clock.isDiscontinuity && index === 0 ? fieldFlags.discontinuity : 0;
      writeClockPacket(run, at, pid, (next - 1) & 0x0f, flags, clock.packetPcr(index));
      at += TS_PACKET_BYTES;
    }
    return at;
  }
}
