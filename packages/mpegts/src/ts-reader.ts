/** Reads a transport stream of one program from pieces of any size, and holds it to the rules that players rely on. */
import { SrsError } from '@srs/kernel';
import { ticksBetween } from './clock-90k.ts';
import { PesGatherer, type TsPes } from './pes-reader.ts';
import { MAX_PCR_DISTANCE } from './program-clock.ts';
import { pids } from './program-tables.ts';
import { TS_PACKET_BYTES } from './ts-packet.ts';
import { readTsPacket, type TsPacket } from './ts-packet-reader.ts';
import { readPat, readPmt, type TsProgram } from './ts-sections.ts';

export interface TsHandler {
  /** A PMT of a new version. */
  onProgram?(program: TsProgram): void;
  /** A clock reference, ticks of 90 kHz, 33 bits. */
  onClock?(pcr: number, isDiscontinuity: boolean): void;
  /** A PES packet of a stream that the PMT lists; `accessUnitsOf` takes it apart. */
  onPes(pes: TsPes): void;
}

export interface TsLimits {
  /** A larger PES packet is refused. */
  readonly maxPesBytes: number;
}

const DEFAULT_MAX_PES_BYTES = 16 * 1024 * 1024;
const NULL_PID = 0x1fff;

/**
 * Give it bytes with `receive`, then call `end`. After an error, or when a handler has thrown, it must not be used again.
 *
 * Refused are, besides what is malformed: gaps of the continuity counters and packets sent twice, tables with a wrong CRC or changed
 * without a new version, clock references that go back or are more than 100 ms apart without a mark, and PES packets whose
 * decoding time has passed. Tables must fit one packet. Packets of other programs and tables are counted and left out.
 */
export class TsReader {
  readonly #handler: TsHandler;
  readonly #maxPesBytes: number;
  /** The begin of a packet that is not complete. */
  #rest: Buffer = Buffer.alloc(0);
  #packets = 0;
  #ignoredPackets = 0;
  #pmtPid: number | undefined;
  #pmt: Buffer | undefined;
  #program: TsProgram | undefined;
  readonly #streamTypes = new Map<number, number>();
  readonly #counters = new Map<number, number>();
  readonly #open = new Map<number, PesGatherer>();
  #pcr: number | undefined;

  constructor(handler: TsHandler, limits: Partial<TsLimits> = {}) {
    this.#handler = handler;
    this.#maxPesBytes = limits.maxPesBytes ?? DEFAULT_MAX_PES_BYTES;
  }

  /** How many have been read. */
  get packets(): number {
    return this.#packets;
  }

  /** How many of them belong to no stream of the program. */
  get ignoredPackets(): number {
    return this.#ignoredPackets;
  }

  /**
   * @param bytes the next piece of the stream; not kept
   * @throws SrsError HlsDecode
   */
  receive(bytes: Buffer): void {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    let at = 0;
    for (; at + TS_PACKET_BYTES <= all.length; at += TS_PACKET_BYTES) this.#read(all, at);
    this.#rest = Buffer.from(all.subarray(at));
  }

  /**
   * Says that no more bytes come, and gives the last PES packets.
   *
   * @throws SrsError HlsDecode when the stream ends within a packet
   */
  end(): void {
    if (this.#rest.length > 0) throw this.#wrong(`has ${this.#rest.length} bytes, must have ${TS_PACKET_BYTES}`);
    for (const pid of this.#open.keys()) this.#finish(pid);
  }

  #read(bytes: Buffer, at: number): void {
    const packet = readTsPacket(bytes, at);
    if (packet.pid !== NULL_PID) this.#checkCounter(packet);
    if (packet.pcr !== undefined) this.#onClock(packet, packet.pcr);
    if (packet.pid === pids.pat) this.#onPat(packet);
    else if (packet.pid === this.#pmtPid) this.#onPmt(packet);
    else if (this.#streamTypes.has(packet.pid)) this.#onMedia(packet);
    else this.#ignoredPackets += 1;
    this.#packets += 1;
  }

  /** Packets without payload repeat the last counter (ISO/IEC 13818-1, 2.4.3.3). */
  #checkCounter(packet: TsPacket): void {
    const last = this.#counters.get(packet.pid);
    this.#counters.set(packet.pid, packet.counter);
    if (last === undefined || packet.isDiscontinuity) return;
    const expected = packet.payload === undefined ? last : (last + 1) & 0x0f;
    if (packet.counter !== expected) {
      throw this.#wrong(`of pid ${packet.pid} has continuity counter ${packet.counter}, must have ${expected}`);
    }
  }

  #onClock(packet: TsPacket, pcr: number): void {
    if (this.#program !== undefined && packet.pid !== this.#program.pcrPid) {
      throw this.#wrong(`of pid ${packet.pid} has a clock reference, pid ${this.#program.pcrPid} must have it`);
    }
    if (this.#pcr !== undefined && !packet.isDiscontinuity) {
      const step = ticksBetween(this.#pcr, pcr);
      if (step < 0 || step > MAX_PCR_DISTANCE) {
        throw this.#wrong(`moves the clock by ${step} ticks, must be 0..${MAX_PCR_DISTANCE}`);
      }
    }
    this.#pcr = pcr;
    this.#handler.onClock?.(pcr, packet.isDiscontinuity);
  }

  #onPat(packet: TsPacket): void {
    // A mark of the PID alone.
    if (packet.payload === undefined) return;
    if (!packet.isUnitStart) throw this.#wrong('with the pat must begin a section');
    this.#pmtPid = readPat(packet.payload);
  }

  #onPmt(packet: TsPacket): void {
    const { payload, isUnitStart } = packet;
    if (payload === undefined) return;
    if (!isUnitStart) throw this.#wrong('with the pmt must begin a section');
    if (this.#pmt?.equals(payload) === true) return;
    const program = readPmt(payload);
    if (program.version === this.#program?.version) {
      throw this.#wrong(`changes the pmt, its version ${program.version} must change too`);
    }
    this.#pmt = Buffer.from(payload);
    this.#program = program;
    this.#streamTypes.clear();
    for (const { pid, streamType } of program.streams) this.#streamTypes.set(pid, streamType);
    for (const pid of this.#open.keys()) if (!this.#streamTypes.has(pid)) this.#finish(pid);
    this.#handler.onProgram?.(program);
  }

  #onMedia(packet: TsPacket): void {
    const { pid, payload } = packet;
    if (payload === undefined) return;
    if (packet.isUnitStart) {
      this.#finish(pid);
      this.#open.set(pid, this.#begin(packet));
    }
    const pes = this.#open.get(pid);
    if (pes === undefined) throw this.#wrong(`of pid ${pid} begins within a pes packet`);
    pes.add(payload);
  }

  #begin({ pid, isRandomAccess }: TsPacket): PesGatherer {
    const facts = { pid, streamType: this.#streamTypes.get(pid)!, isRandomAccess, clock: this.#pcr };
    return new PesGatherer(facts, this.#maxPesBytes);
  }

  #finish(pid: number): void {
    const pes = this.#open.get(pid)?.finish();
    if (pes === undefined) return;
    this.#open.delete(pid);
    if (pes.clock !== undefined && ticksBetween(pes.clock, pes.dts) < 0) {
      throw new SrsError('HlsDecode', `ts pes packet of pid ${pid} has dts ${pes.dts}, the clock is at ${pes.clock} already`);
    }
    this.#handler.onPes(pes);
  }

  #wrong(what: string): SrsError {
    return new SrsError('HlsDecode', `ts packet ${this.#packets} ${what}`);
  }
}
