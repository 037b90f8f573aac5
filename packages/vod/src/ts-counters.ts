/**
 * Lets the segments of a recording follow each other in any order without a jump of their continuity counters (ISO/IEC 13818-1,
 * 2.4.3.3): each track begins with 0 and ends with 15 in each of them. Demuxers take a jump for a loss, and the picture before it,
 * if it is a large one, for damaged.
 *
 * The number of packets is made a multiple of 16: one of them is cut into several, of which the later hold a byte each.
 *
 * ```
 * 47 | error start priority pid:13 | scrambling:2 hasField hasPayload counter:4 | [field bytes:8 | flags:8 | ...] | payload
 * ```
 */

const PACKET_BYTES = 188;
const HEAD_BYTES = 4;
const COUNTERS = 16;
/** Of each of the two tracks. */
const MAX_ADDED_PACKETS = 2 * (COUNTERS - 1);
const START_FLAG = 0x40;
const HAS_FIELD = 0x20;
const HAS_PAYLOAD = 0x10;
const STUFFING = 0xff;

/** What `alignCounters` may need behind the packets. */
export const ALIGNMENT_ROOM_BYTES = MAX_ADDED_PACKETS * PACKET_BYTES;

interface Track {
  readonly pid: number;
  /** Packets with a payload. */
  packets: number;
  /** The last packet that can be cut. */
  cuttable: number | undefined;
}

/**
 * @param buffer is changed; has room behind the packets
 * @param sizeBytes of whole packets, of two tracks at most
 * @returns how many bytes of packets there are then
 */
export function alignCounters(buffer: Buffer, sizeBytes: number): number {
  const tracks = findTracks(buffer, sizeBytes);
  let size = sizeBytes;
  // From the end on, so that places before stay what they are.
  const cuttable = tracks.filter(isCuttable).sort((left, right) => right.cuttable - left.cuttable);
  for (const { packets, cuttable: at } of cuttable) {
    const added = (COUNTERS - (packets % COUNTERS)) % COUNTERS;
    if (added > 0) size = cutPacket(buffer, size, at, added);
  }
  for (const { pid } of tracks) countFrom0(buffer, size, pid);
  return size;
}

function isCuttable(track: Track): track is Track & { readonly cuttable: number } {
  return track.cuttable !== undefined;
}

function findTracks(buffer: Buffer, sizeBytes: number): readonly Track[] {
  const tracks = new Map<number, Track>();
  for (let at = 0; at < sizeBytes; at += PACKET_BYTES) {
    const flags = buffer[at + 3]!;
    if ((flags & HAS_PAYLOAD) === 0) continue;
    const payload = payloadOffset(buffer, at);
    const pid = pidOf(buffer, at);
    let track = tracks.get(pid);
    if (track === undefined && beginsUnit(buffer, at, payload)) {
      track = { pid, packets: 0, cuttable: undefined };
      tracks.set(pid, track);
    }
    // Tables have packets of their own, which are whole sections.
    if (track === undefined) continue;
    track.packets += 1;
    if (at + PACKET_BYTES - payload >= COUNTERS) track.cuttable = at;
  }
  return Array.from(tracks.values());
}

/** A PES packet begins here. */
function beginsUnit(buffer: Buffer, at: number, payload: number): boolean {
  return (buffer[at + 1]! & START_FLAG) !== 0 && buffer.readUIntBE(payload, 3) === 1;
}

/** The packet keeps what it has but for its last bytes, which go into packets behind it. */
function cutPacket(buffer: Buffer, sizeBytes: number, at: number, added: number): number {
  const next = at + PACKET_BYTES;
  buffer.copyWithin(next + added * PACKET_BYTES, next, sizeBytes);
  const payload = payloadOffset(buffer, at);
  for (let index = 0; index < added; index++) {
    const packet = next + index * PACKET_BYTES;
    buffer.copy(buffer, packet, at, at + HEAD_BYTES);
    buffer[packet + 1]! &= ~START_FLAG;
    buffer[packet + 3]! |= HAS_FIELD;
    buffer[packet + 4] = PACKET_BYTES - HEAD_BYTES - 2;
    buffer[packet + 5] = 0;
    buffer.fill(STUFFING, packet + 6, packet + PACKET_BYTES - 1);
    buffer[packet + PACKET_BYTES - 1] = buffer[next - added + index]!;
  }
  buffer.copyWithin(payload + added, payload, next - added);
  growField(buffer, at, payload, added);
  return sizeBytes + added * PACKET_BYTES;
}

/** Stuffs the adaptation field, which begins the packet if there is none yet. */
function growField(buffer: Buffer, at: number, payload: number, added: number): void {
  const length = at + HEAD_BYTES;
  if ((buffer[at + 3]! & HAS_FIELD) !== 0) {
    // A field without any byte has no flags either.
    const hadFlags = buffer[length]! > 0;
    buffer[length]! += added;
    buffer.fill(STUFFING, payload, payload + added);
    if (!hadFlags) buffer[payload] = 0;
    return;
  }
  buffer[at + 3]! |= HAS_FIELD;
  buffer[length] = added - 1;
  buffer.fill(STUFFING, length + 1, length + added);
  if (added > 1) buffer[length + 1] = 0;
}

function countFrom0(buffer: Buffer, sizeBytes: number, pid: number): void {
  let next = 0;
  for (let at = 0; at < sizeBytes; at += PACKET_BYTES) {
    if (pidOf(buffer, at) !== pid) continue;
    const flags = buffer[at + 3]!;
    // A packet without a payload repeats the number of the one before.
    const counter = (flags & HAS_PAYLOAD) === 0 ? next - 1 : next++;
    buffer[at + 3] = (flags & 0xf0) | (counter & 0x0f);
  }
}

function pidOf(buffer: Buffer, at: number): number {
  return buffer.readUInt16BE(at + 1) & 0x1fff;
}

function payloadOffset(buffer: Buffer, at: number): number {
  return at + HEAD_BYTES + ((buffer[at + 3]! & HAS_FIELD) === 0 ? 0 : 1 + buffer[at + HEAD_BYTES]!);
}
