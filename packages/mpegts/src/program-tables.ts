/**
 * PAT and PMT (ISO/IEC 13818-1, 2.4.4): what the program consists of.
 *
 * ```
 * packet:  47 | start, pid | counter | pointer 00 | section | stuffing ff...
 * section: tableId:8 | 1011 length:12 | id:16 | 11 version:5 1 | 00 00 | body | crc:32
 * PAT body: programNumber:16 | 111 pmtPid:13
 * PMT body: 111 pcrPid:13 | 1111 000000000000 | (streamType:8 | 111 pid:13 | 1111 000000000000)*
 * ```
 */
import { crc32Mpeg } from './crc32.ts';
import { TS_HAS_PAYLOAD, TS_HEADER_BYTES, TS_PACKET_BYTES, TS_SYNC_BYTE, TS_UNIT_START } from './ts-packet.ts';

/** The packet identifiers of SRS, which monitoring tools of its users know. Those of tracks are where they begin: see `ProgramTables`. */
export const pids = { pat: 0, video: 0x100, audio: 0x101, pmt: 0x1001 } as const;

/** stream_type of what can be muxed (ISO/IEC 13818-1, table 2-34). */
export const streamTypes = { mpeg1Audio: 0x03, mpeg2Audio: 0x04, aac: 0x0f, avc: 0x1b, hevc: 0x24 } as const;

export const tableIds = { pat: 0, pmt: 2 } as const;
export const SECTION_HEAD_BYTES = 8;
export const CRC_BYTES = 4;
/** What `length` does not count. */
export const UNCOUNTED_SECTION_BYTES = 3;

const TRANSPORT_STREAM_ID = 1;
const PROGRAM_NUMBER = 1;
const VERSIONS = 32;
/** A track's next PID, when its codec changes: even ones are video, odd ones audio. */
const PID_STEP = 2;
const LAST_TRACK_PID = 0xfff;
/** How many packets `ProgramTables.write` fills. */
export const TABLE_PACKETS = 2;

/** What the PMT says of one elementary stream. */
export interface ElementaryStream {
  readonly pid: number;
  readonly streamType: number;
}

/** A packet with the PAT of one program, counter 0. */
export function encodePat(): Buffer {
  const body = Buffer.alloc(4);
  body.writeUInt16BE(PROGRAM_NUMBER, 0);
  body.writeUInt16BE(0xe000 | pids.pmt, 2);
  return tablePacket(pids.pat, tableIds.pat, TRANSPORT_STREAM_ID, 0, body);
}

/** A packet with the PMT, counter 0. */
export function encodePmt(version: number, pcrPid: number, streams: readonly ElementaryStream[]): Buffer {
  const body = Buffer.alloc(4 + 5 * streams.length);
  body.writeUInt16BE(0xe000 | pcrPid, 0);
  body.writeUInt16BE(0xf000, 2);
  for (const [index, { pid, streamType }] of streams.entries()) {
    const at = 4 + 5 * index;
    body[at] = streamType;
    body.writeUInt16BE(0xe000 | pid, at + 1);
    body.writeUInt16BE(0xf000, at + 3);
  }
  return tablePacket(pids.pmt, tableIds.pmt, PROGRAM_NUMBER, version, body);
}

function tablePacket(pid: number, tableId: number, id: number, version: number, body: Buffer): Buffer {
  const packet = Buffer.alloc(TS_PACKET_BYTES, 0xff);
  packet[0] = TS_SYNC_BYTE;
  packet.writeUInt16BE((TS_UNIT_START << 8) | pid, 1);
  packet[3] = TS_HAS_PAYLOAD;
  packet[4] = 0;
  const start = TS_HEADER_BYTES + 1;
  const end = start + SECTION_HEAD_BYTES + body.length;
  packet[start] = tableId;
  packet.writeUInt16BE(0xb000 | (end + CRC_BYTES - start - UNCOUNTED_SECTION_BYTES), start + 1);
  packet.writeUInt16BE(id, start + 3);
  packet[start + 5] = 0xc1 | (version << 1);
  packet[start + 6] = 0;
  packet[start + 7] = 0;
  body.copy(packet, start + SECTION_HEAD_BYTES);
  packet.writeUInt32BE(crc32Mpeg(packet, start, end), end);
  return packet;
}

/** A track as the tables have it. */
interface TrackEntry {
  readonly firstPid: number;
  pid: number;
  /** 0 when the track is not there. */
  streamType: number;
  /** Readers may know the type. */
  isWritten: boolean;
}

/**
 * The tables of one program; tracks come and change, each change is a new version of the PMT.
 *
 * A track that changes its codec gets another PID: many demuxers, that of FFmpeg among them, do not look again what is on a PID
 * that they know.
 */
export class ProgramTables {
  readonly #pat = encodePat();
  readonly #video: TrackEntry = { firstPid: pids.video, pid: pids.video, streamType: 0, isWritten: false };
  readonly #audio: TrackEntry = { firstPid: pids.audio, pid: pids.audio, streamType: 0, isWritten: false };
  #pmt: Buffer = encodePmt(0, pids.audio, []);
  #version = 0;
  #counter = 0;
  #isWritten = true;
  #isEverWritten = false;

  /** @param streamType of the video track */
  setVideo(streamType: number): void {
    this.#set(this.#video, streamType);
  }

  /** @param streamType of the audio track */
  setAudio(streamType: number): void {
    this.#set(this.#audio, streamType);
  }

  get videoPid(): number {
    return this.#video.pid;
  }

  get audioPid(): number {
    return this.#audio.pid;
  }

  /** The pictures set the pace where there are any. */
  get pcrPid(): number {
    return this.#video.streamType === 0 ? this.#audio.pid : this.#video.pid;
  }

  /** Readers do not know yet what the tracks are now. */
  get isChanged(): boolean {
    return !this.#isWritten;
  }

  /** Writes PAT and PMT, `TABLE_PACKETS` packets. */
  write(target: Buffer, at: number): void {
    this.#pat[3] = TS_HAS_PAYLOAD | this.#counter;
    this.#pmt[3] = TS_HAS_PAYLOAD | this.#counter;
    this.#counter = (this.#counter + 1) & 0x0f;
    this.#pat.copy(target, at);
    this.#pmt.copy(target, at + TS_PACKET_BYTES);
    this.#isWritten = true;
    this.#isEverWritten = true;
    this.#video.isWritten = this.#video.streamType !== 0;
    this.#audio.isWritten = this.#audio.streamType !== 0;
  }

  #set(track: TrackEntry, streamType: number): void {
    if (streamType === track.streamType) return;
    if (track.isWritten) track.pid = track.pid + PID_STEP > LAST_TRACK_PID ? track.firstPid : track.pid + PID_STEP;
    track.isWritten = false;
    track.streamType = streamType;
    // Several changes that nobody has seen are one.
    if (this.#isWritten && this.#isEverWritten) this.#version = (this.#version + 1) % VERSIONS;
    this.#isWritten = false;
    this.#pmt = encodePmt(
      this.#version,
      this.pcrPid,
      [this.#video, this.#audio].filter((one) => one.streamType !== 0),
    );
  }
}
