/** When the program clock reference (PCR) is written, and what it says (ISO/IEC 13818-1, 2.4.2.2 and 2.7.2). */
import { TICKS_PER_MS, TICKS_PER_SECOND } from './clock-90k.ts';

export type TrackKind = 'video' | 'audio';

/** What is decoded later than the clock says by this much, as with SRS: the time that a player may hold back to even out arrivals. */
export const DECODING_DELAY = 800 * TICKS_PER_MS;

/** The standard allows no longer distance between two references. */
export const MAX_PCR_DISTANCE = 100 * TICKS_PER_MS;

/**
 * Over a longer hole in the stream the clock jumps, with a mark, instead of ticking through it. A track that is further behind
 * is not late, but of another time, and not waited for.
 */
const MAX_GAP = 10 * TICKS_PER_SECOND;

/**
 * How far the clock may run ahead of a track that comes late. The rest of the delay is room for timestamps that step back a
 * little, so that the clock never passes what is yet to be decoded.
 */
const MAX_LEAD = 600 * TICKS_PER_MS;

/** The clock waits no more for a track of which nothing has come while the other one went on for so long. */
const SILENT_AFTER = 2 * TICKS_PER_SECOND;

/** What the clock knows of a track. */
interface TrackState {
  lastDts: number | undefined;
  /** Decoding time of the first unit of the other track since the last one of this. */
  waitsSince: number | undefined;
}

/** Times are ticks without the decoding delay. */
export class ProgramClock {
  #pcr: number | undefined;
  readonly #video: TrackState = { lastDts: undefined, waitsSince: undefined };
  readonly #audio: TrackState = { lastDts: undefined, waitsSince: undefined };
  #packets = 0;
  #firstPacketPcr = 0;
  #isInUnit = false;
  #isDiscontinuity = false;
  #unitPcr = 0;

  copyFrom(other: ProgramClock): void {
    this.#pcr = other.#pcr;
    copyTrack(this.#video, other.#video);
    copyTrack(this.#audio, other.#audio);
  }

  /** Both plan the same references from now on. */
  isSame(other: ProgramClock): boolean {
    return this.#pcr === other.#pcr && isSameTrack(this.#video, other.#video) && isSameTrack(this.#audio, other.#audio);
  }

  /** The last reference that was planned; undefined before there is one. */
  get pcr(): number | undefined {
    return this.#pcr;
  }

  /** How many packets with nothing but a reference come before the unit. */
  get packets(): number {
    return this.#packets;
  }

  /** The unit itself carries `unitPcr`. */
  get isInUnit(): boolean {
    return this.#isInUnit;
  }

  get unitPcr(): number {
    return this.#unitPcr;
  }

  /** The first reference that is written is no continuation of the last one. */
  get isDiscontinuity(): boolean {
    return this.#isDiscontinuity;
  }

  /** The reference in the packet `index` before the unit. */
  packetPcr(index: number): number {
    return this.#firstPacketPcr + index * MAX_PCR_DISTANCE;
  }

  /**
   * Plans the references that go before and with the next unit; they count as written.
   *
   * @param isCarrier the unit is on the PID of the clock, and can carry a reference itself
   * @param isDue a reference must be there, however young the last one is
   */
  advance(track: TrackKind, dts: number, isCarrier: boolean, isDue: boolean): void {
    const target = this.#target(track, dts);
    const last = this.#pcr;
    this.#isDiscontinuity = last !== undefined && (dts + DECODING_DELAY < last || target - last > MAX_GAP);
    if (last === undefined || this.#isDiscontinuity) {
      this.#plan(isCarrier ? 0 : 1, target, isCarrier, target);
      return;
    }
    const pcr = Math.max(last, target);
    const steps = (pcr - last) / MAX_PCR_DISTANCE;
    const next = last + MAX_PCR_DISTANCE;
    if (isCarrier) this.#plan(Math.max(0, Math.ceil(steps) - 1), next, isDue || pcr > last, pcr);
    else if (isDue && steps < 1) this.#plan(1, pcr, false, pcr);
    else this.#plan(Math.floor(steps), next, false, pcr);
  }

  #plan(packets: number, firstPacketPcr: number, isInUnit: boolean, unitPcr: number): void {
    this.#packets = packets;
    this.#firstPacketPcr = firstPacketPcr;
    this.#isInUnit = isInUnit;
    this.#unitPcr = unitPcr;
    if (isInUnit) this.#pcr = unitPcr;
    else if (packets > 0) this.#pcr = this.packetPcr(packets - 1);
  }

  /** The clock follows the units, but not far past a track that comes late. */
  #target(track: TrackKind, dts: number): number {
    const own = track === 'video' ? this.#video : this.#audio;
    const other = track === 'video' ? this.#audio : this.#video;
    own.lastDts = dts;
    own.waitsSince = undefined;
    if (other.lastDts === undefined) return dts;
    other.waitsSince ??= dts;
    const isWaitedFor = Math.abs(dts - other.waitsSince) <= SILENT_AFTER && dts - other.lastDts <= MAX_GAP;
    return isWaitedFor ? Math.min(dts, other.lastDts + MAX_LEAD) : dts;
  }
}

function copyTrack(to: TrackState, from: TrackState): void {
  to.lastDts = from.lastDts;
  to.waitsSince = from.waitsSince;
}

function isSameTrack(one: TrackState, other: TrackState): boolean {
  return one.lastDts === other.lastDts && one.waitsSince === other.waitsSince;
}
