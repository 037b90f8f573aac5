/**
 * A live transport stream for players that come, fall behind and catch up at any time: frames in, packets out, frame by frame.
 *
 * All players of a stream in step get the packets of one line; who is behind has a line of its own. Continuity counters, clock and
 * tables follow from where a line has begun: one that begins at a record at which another has been takes over its place (`LiveStarts`),
 * writes the same bytes from there, and so ends at the same place. Where that is not possible, packets with a discontinuity mark lie
 * between (ISO/IEC 13818-1, 2.4.3.4).
 */
import type { AudioTag, VideoTag } from '@srs/codec';
import { type FrameType, frameTypes } from '@srs/kernel';
import { TICKS_PER_MS } from './clock-90k.ts';
import { audioTagOf, videoTagOf } from './flv-to-ts.ts';
import { LivePlace, type LiveStarts } from './live-place.ts';
import { counterOf, type LiveTables, TABLES_COUNTER, writeTables, writeTablesAnew } from './live-tables.ts';
import { pesHeadBytes, pesStreamIds, writePesHead } from './pes.ts';
import { PictureTrack } from './picture-track.ts';
import { DECODING_DELAY, type TrackKind } from './program-clock.ts';
import { streamTypes, TABLE_PACKETS } from './program-tables.ts';
import { SoundFrame } from './sound-frame.ts';
import { fieldFlags, packetsOfUnit, spreadUnit, TS_PACKET_BYTES, writeBreakPacket, writeClockPacket } from './ts-packet.ts';
import { TABLE_INTERVAL, type UnitBody } from './ts-writer.ts';

export interface LiveTsOptions {
  readonly hasAudio: boolean;
  readonly hasVideo: boolean;
  /** Of all lines of the stream. */
  readonly starts: LiveStarts;
  /** A frame or header is left out: it is malformed, or its codec cannot be carried. Told when the next one comes. */
  readonly onDropped: (error: unknown) => void;
}

export class LiveTsLine {
  readonly #options: LiveTsOptions;
  readonly #place = new LivePlace();
  readonly #pictures = new PictureTrack();
  readonly #sound = new SoundFrame();
  /** Somebody has got something of this line. */
  #hasWritten = false;
  #isInterrupted = false;
  #fault: unknown;
  // What `encodedBytes` has planned.
  #body: UnitBody | undefined;
  #track: TrackKind = 'video';
  #pts = 0;
  #dts = 0;
  #flags = 0;
  #unitBytes = 0;
  #hasTables = false;
  #hasOwnTables = false;

  /** @param from goes on from where that is */
  constructor(options: LiveTsOptions, from?: LiveTsLine) {
    this.#options = options;
    if (from === undefined) return;
    this.#place.copyFrom(from.#place);
    this.#pictures.copyFrom(from.#pictures);
    this.#sound.copyFrom(from.#sound);
    this.#hasWritten = from.#hasWritten;
    this.#isInterrupted = from.#isInterrupted;
    this.#place.videoType = this.#videoType;
    this.#place.audioType = options.hasAudio ? this.#place.audioType || this.#sound.streamType : 0;
  }

  /** What comes next does not follow on what was written last. */
  interrupt(): void {
    this.#isInterrupted = this.#hasWritten;
    // It may have been half of one frame and half of another.
    this.#fault = undefined;
  }

  /**
   * Takes a frame, and plans its packets. Hot path: allocates no more than what describes the frame.
   *
   * @param payload held until `encode`
   * @param sequence number of its record
   */
  encodedBytes(type: FrameType, timestampMs: number, payload: Buffer, sequence: number): number {
    this.#body = undefined;
    this.#tellFault();
    if (payload.length === 0) return 0;
    try {
      if (type === frameTypes.video) return this.#takeVideo(videoTagOf(payload), timestampMs, payload, sequence);
      if (type === frameTypes.audio) return this.#takeAudio(audioTagOf(payload), timestampMs, payload, sequence);
    } catch (error) {
      this.#fault = error;
    }
    return 0;
  }

  /** Writes what was planned. Hot path: no allocation. */
  encode(target: Buffer, offset: number): void {
    const body = this.#body;
    if (body === undefined) return;
    const place = this.#place;
    const { tables, counters, program } = place;
    let at = offset;
    if (this.#isInterrupted) at = writeBreak(target, at, place, firstReference(place));
    else if (this.#hasOwnTables) at = writeTables(target, at, tables, counters[TABLES_COUNTER]! - 1);
    if (this.#hasTables) {
      at = writeTables(target, at, tables, counters[TABLES_COUNTER]!);
      count(counters, TABLES_COUNTER);
    }
    at = this.#writeClockPackets(target, at, tables);
    const pid = pidOf(tables, this.#track);
    const end = at + packetsOfUnit(this.#unitBytes, this.#flags) * TS_PACKET_BYTES;
    const head = end - this.#unitBytes;
    const pts = this.#pts + DECODING_DELAY;
    const dts = this.#dts + DECODING_DELAY;
    body.writeTo(target, writePesHead(target, head, pesStreamIds[this.#track], pts, dts, body.sizeBytes));
    const counter = counterOf(pid);
    counters[counter] = spreadUnit(target, at, this.#unitBytes, pid, counters[counter]!, this.#flags, program.unitPcr);
    body.clear();
    this.#body = undefined;
    this.#hasWritten = true;
    this.#isInterrupted = false;
  }

  /** @returns what a player of this line needs before what `line` writes next; undefined for nothing */
  bridgeTo(line: object): Buffer | undefined {
    if (!(line instanceof LiveTsLine)) return undefined;
    const place = line.#place;
    if (!this.#isInterrupted && this.#hasWritten && this.#place.isSame(place)) return undefined;
    if (!line.#hasWritten) return undefined;
    const { tables } = place;
    if (!this.#hasWritten) {
      const bytes = Buffer.allocUnsafe(TABLE_PACKETS * TS_PACKET_BYTES);
      writeTables(bytes, 0, tables, place.counters[TABLES_COUNTER]! - 1);
      return bytes;
    }
    const bytes = Buffer.allocUnsafe(breakPackets(tables) * TS_PACKET_BYTES);
    writeBreak(bytes, 0, place, place.program.pcr ?? 0);
    return bytes;
  }

  get #videoType(): number {
    const { codec } = this.#pictures;
    return codec === null || !this.#options.hasVideo ? 0 : streamTypes[codec];
  }

  #tellFault(): void {
    const fault = this.#fault;
    if (fault === undefined) return;
    this.#fault = undefined;
    this.#options.onDropped(fault);
  }

  #takeVideo(tag: VideoTag, timestampMs: number, payload: Buffer, sequence: number): number {
    const place = this.#place;
    if (tag.packet !== 'frames') {
      if (tag.packet === 'sequence-header') this.#pictures.onHeader(tag, payload);
      place.videoType = this.#videoType;
      return 0;
    }
    if (!this.#options.hasVideo) return 0;
    const unit = this.#pictures.load(tag, payload);
    if (unit === undefined) return 0;
    if (unit.isKeyFrame) this.#start(sequence);
    const dts = place.clock.ticksAt(timestampMs, tag.timestampOffsetNanos);
    return this.#plan('video', dts + tag.compositionTimeMs * TICKS_PER_MS, dts, unit.isKeyFrame, unit);
  }

  #takeAudio(tag: AudioTag, timestampMs: number, payload: Buffer, sequence: number): number {
    const place = this.#place;
    const sound = this.#sound;
    if (tag.packet !== 'frames') {
      if (tag.packet === 'sequence-header') sound.onHeader(tag, payload);
      if (this.#options.hasAudio) place.audioType = sound.streamType;
      return 0;
    }
    if (!this.#options.hasAudio || !sound.load(tag, payload)) return 0;
    if (place.videoType === 0) this.#start(sequence);
    place.audioType = sound.streamType;
    const ticks = place.clock.ticksAt(timestampMs, tag.timestampOffsetNanos);
    const expected = place.samples.expected(ticks, sound.sampleRate);
    if (expected === undefined) place.samples.restart(ticks, sound.sampleRate);
    place.samples.count(sound.samples);
    const pts = expected ?? ticks;
    return this.#plan('audio', pts, pts, false, sound);
  }

  /** A player may join at this record. Who does, or goes on here after a gap, takes over the place of those who have been here. */
  #start(sequence: number): void {
    const { starts } = this.#options;
    const known = this.#hasWritten && !this.#isInterrupted ? undefined : starts.find(sequence);
    if (known === undefined) starts.note(sequence, this.#place);
    else this.#place.copyFrom(known);
  }

  #plan(track: TrackKind, pts: number, dts: number, isKeyFrame: boolean, body: UnitBody): number {
    const place = this.#place;
    const { tables, program } = place;
    const isCarrier = pidOf(tables, track) === tables.pcrPid;
    const isChange = place.tablesVersion !== tables.version;
    this.#hasTables = isKeyFrame || isChange || Math.abs(dts - place.tablesDts) >= TABLE_INTERVAL;
    this.#hasOwnTables = !this.#hasWritten && !this.#hasTables;
    if (this.#hasTables) {
      place.tablesVersion = tables.version;
      place.tablesDts = dts;
    }
    program.advance(track, dts, isCarrier, isKeyFrame || isChange);
    this.#track = track;
    this.#pts = pts;
    this.#dts = dts;
    this.#body = body;
    this.#flags = this.#unitFlags(isKeyFrame || (isCarrier && track === 'audio'));
    this.#unitBytes = pesHeadBytes(pts, dts) + body.sizeBytes;
    let packets = (this.#hasTables ? TABLE_PACKETS : 0) + program.packets + packetsOfUnit(this.#unitBytes, this.#flags);
    if (this.#isInterrupted) packets += breakPackets(tables);
    else if (this.#hasOwnTables) packets += TABLE_PACKETS;
    return packets * TS_PACKET_BYTES;
  }

  #unitFlags(isRandomAccess: boolean): number {
    const { program } = this.#place;
    const flags = isRandomAccess ? fieldFlags.randomAccess : 0;
    if (!program.isInUnit) return flags;
    const isDiscontinuity = program.isDiscontinuity && program.packets === 0;
    return flags | fieldFlags.pcr | (isDiscontinuity ? fieldFlags.discontinuity : 0);
  }

  #writeClockPackets(target: Buffer, start: number, { pcrPid }: LiveTables): number {
    const { program, counters } = this.#place;
    const last = (counters[counterOf(pcrPid)]! - 1) & 0x0f;
    let at = start;
    for (let index = 0; index < program.packets; index++) {
      const flags = program.isDiscontinuity && index === 0 ? fieldFlags.discontinuity : 0;
      writeClockPacket(target, at, pcrPid, last, flags, program.packetPcr(index));
      at += TS_PACKET_BYTES;
    }
    return at;
  }
}

const pidOf = ({ videoPid, audioPid }: LiveTables, track: TrackKind): number => (track === 'video' ? videoPid : audioPid);

function count(counters: Uint8Array, index: number): void {
  counters[index] = (counters[index]! + 1) & 0x0f;
}

/** The clock reference that is written next, as planned. */
function firstReference({ program }: LivePlace): number {
  if (program.packets > 0) return program.packetPcr(0);
  return program.isInUnit ? program.unitPcr : (program.pcr ?? 0);
}

/** Of `writeBreak`. */
function breakPackets({ videoPid, audioPid }: LiveTables): number {
  return 2 * TABLE_PACKETS + (videoPid === 0 ? 0 : 1) + (audioPid === 0 ? 0 : 1);
}

/**
 * Says of every PID that what comes next need not follow on what came last, what the tracks are, and that the clock is at `pcr`. Changes
 * no counter: all packets have numbers before those that come next.
 *
 * @returns the offset behind it
 */
function writeBreak(target: Buffer, start: number, { tables, counters }: LivePlace, pcr: number): number {
  const next = counters[TABLES_COUNTER]!;
  let at = writeTablesAnew(target, start, tables, next - 1);
  for (const pid of [tables.videoPid, tables.audioPid]) {
    if (pid === 0) continue;
    const last = (counters[counterOf(pid)]! - 1) & 0x0f;
    if (pid === tables.pcrPid) writeClockPacket(target, at, pid, last, fieldFlags.discontinuity, pcr);
    else writeBreakPacket(target, at, pid, last);
    at += TS_PACKET_BYTES;
  }
  return at;
}
