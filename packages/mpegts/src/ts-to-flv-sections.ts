/** Gathers the sections of a table, which may fill several packets or share one (ISO/IEC 13818-1, 2.4.4). */
import { SECTION_HEAD_BYTES, UNCOUNTED_SECTION_BYTES } from './program-tables.ts';
import { ContinuityCheck, type LoosePacket } from './ts-to-flv-packets.ts';

/** PAT and PMT may not be longer, their first bytes counted. */
const MAX_SECTION_BYTES = 1024;
const LENGTH_MASK = 0x0fff;
/** Fills the rest of a packet. */
const STUFFING = 0xff;
const CURRENT_BIT = 0x01;

export class SectionGatherer {
  readonly #onSection: (section: Buffer) => void;
  readonly #continuity = new ContinuityCheck();
  readonly #bytes = Buffer.alloc(MAX_SECTION_BYTES);
  #length = 0;
  #isOpen = false;

  /** @param onSection gets a section that is complete and in force, with the pointer byte of 0 that one in a packet of its own has */
  constructor(onSection: (section: Buffer) => void) {
    this.#onSection = onSection;
  }

  add(packet: LoosePacket): void {
    const { payload, isUnitStart } = packet;
    if (payload === undefined) return;
    const continuity = this.#continuity.check(packet);
    if (continuity === 'repeated') return;
    if (continuity === 'lost') this.#isOpen = false;
    if (!isUnitStart) {
      this.#take(payload, 0, payload.length);
      return;
    }
    const begin = 1 + payload[0]!;
    this.#take(payload, 1, Math.min(begin, payload.length));
    this.#length = 0;
    this.#isOpen = true;
    this.#take(payload, begin, payload.length);
  }

  #take(payload: Buffer, from: number, to: number): void {
    let at = from;
    while (this.#isOpen && at < to) {
      if (this.#length === 0 && payload[at] === STUFFING) {
        this.#isOpen = false;
        return;
      }
      const wanted = this.#wanted;
      if (wanted > MAX_SECTION_BYTES) {
        this.#isOpen = false;
        return;
      }
      const count = Math.min(wanted - this.#length, to - at);
      payload.copy(this.#bytes, this.#length, at, at + count);
      this.#length += count;
      at += count;
      if (this.#length === this.#wanted) this.#finish();
    }
  }

  /** Until the length is here, so much that it will be. */
  get #wanted(): number {
    if (this.#length < UNCOUNTED_SECTION_BYTES) return UNCOUNTED_SECTION_BYTES;
    return UNCOUNTED_SECTION_BYTES + (this.#bytes.readUInt16BE(1) & LENGTH_MASK);
  }

  /** Another section may follow. */
  #finish(): void {
    const section = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    if (section.length < SECTION_HEAD_BYTES || (section[5]! & CURRENT_BIT) === 0) return;
    this.#onSection(Buffer.concat([Buffer.of(0), section]));
  }
}
