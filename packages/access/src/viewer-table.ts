/** Viewers of HLS by their keys, in memory that all processes of a server share: the next request of one may come to any of them. */
import { createHash, createHmac, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';

/*
 * The memory, in words of 32 bits:
 *
 *   0..63          the slot of each process: 1 while it has viewers here
 *   64..71         a secret, by which keys are known that were given out here
 *   72..1023       free
 *   1024 + (slot * entries + entry) * 8
 *
 *   an entry:  +0..+3 key                     +5 ms since 1970 of the last request, modulo 2^32
 *              +4     state                   +6 bytes sent, modulo 2^32
 *                                             +7 what the key is for
 *
 *   a key:     80 random bits | 48 bits of an HMAC of them and of what it is for
 *
 * The entries of a slot are made and given up by its own process only; the others find them, and note requests. A key that two
 * processes take at once has two entries: the first is found from then on, nobody asks for the other, and it expires.
 */
const MAX_SLOTS = 64;
/** A page, so that the parts lie on pages. */
const HEADER_WORDS = 1024;
const ENTRY_WORDS = 8;
const KEY_WORDS = 4;
const STATE = 4;
const SEEN = 5;
const SENT = 6;
const LABEL = 7;
const SECRET = 64;
const SECRET_WORDS = 8;
const RANDOM_BYTES = 10;
const WORD_BYTES = 4;
const KEY_BYTES = KEY_WORDS * WORD_BYTES;

/** Viewers of one process, of which three quarters find a place, but for one of ten thousand. */
const DEFAULT_ENTRIES = 2 ** 16;
const MAX_PROBES = 32;

const states = { new: 0, live: 1, kicked: 2, ended: 3 } as const;

/** `ended` ones are known until their place is needed. */
export type ViewerState = Exclude<keyof typeof states, 'new'>;
const stateNames: readonly (ViewerState | undefined)[] = [undefined, 'live', 'kicked', 'ended'];

/** @param entries of each slot, a power of two */
export function viewerTableBytes(entries: number = DEFAULT_ENTRIES): number {
  return (HEADER_WORDS + MAX_SLOTS * entries * ENTRY_WORDS) * WORD_BYTES;
}

/** Has what a key in a URL must have. */
const KEY_TEXT = /^[\w-]{22}$/;

export class ViewerTable {
  readonly #words: Int32Array;
  readonly #slot: number;
  readonly #entries: number;
  readonly #key = new Int32Array(KEY_WORDS);

  /**
   * @param memory shared by all processes, zero at first, `viewerTableBytes` long
   * @param slot whose entries this process makes
   */
  constructor(memory: Buffer, slot: number) {
    this.#words = new Int32Array(memory.buffer, memory.byteOffset, memory.byteLength / WORD_BYTES);
    this.#slot = slot;
    this.#entries = (this.#words.length - HEADER_WORDS) / ENTRY_WORDS / MAX_SLOTS;
    if (slot < 0 || slot >= MAX_SLOTS) throw new RangeError(`slot ${slot} must be 0..${MAX_SLOTS - 1}`);
    if (!Number.isInteger(Math.log2(this.#entries))) {
      throw new RangeError(`memory of ${memory.byteLength} bytes must be a table of viewers`);
    }
    // Whoever comes first gives it, word for word.
    for (let word = 0; word < SECRET_WORDS; word += 1) {
      Atomics.compareExchange(this.#words, SECRET + word, 0, randomInt(1, 2 ** 32) | 0);
    }
  }

  /** A key for a new viewer. @param label what it watches */
  newKey(label: string): string {
    const random = randomBytes(RANDOM_BYTES);
    return Buffer.concat([random, this.#macOf(random, label)]).toString('base64url');
  }

  /** Whether the key was given out here for that, however long ago: since the first process of the server began. */
  isIssued(key: string, label: string): boolean {
    const bytes = Buffer.from(key, 'base64url');
    return timingSafeEqual(this.#macOf(bytes.subarray(0, RANDOM_BYTES), label), bytes.subarray(RANDOM_BYTES));
  }

  /** Whether that is what the viewer of an entry watches. */
  isFor(entry: number, label: string): boolean {
    return Atomics.load(this.#words, entry + LABEL) === labelWord(label);
  }

  /** @returns the entry of that key, whosever it is; -1 when there is none */
  find(key: string): number {
    if (!this.#readKey(key)) return -1;
    for (let slot = 0; slot < MAX_SLOTS; slot += 1) {
      // A part that nobody has written to is not looked at: reading would make it memory.
      if (Atomics.load(this.#words, slot) === 0) continue;
      const entry = this.#findIn(slot);
      if (entry >= 0) return entry;
    }
    return -1;
  }

  /** A place for a new viewer of this process, or one of this process's that has ended. @returns -1 when there is none */
  claim(key: string, label: string, wallMs: number): number {
    if (!this.#readKey(key)) return -1;
    let free = -1;
    for (let probe = 0; probe < MAX_PROBES; probe += 1) {
      const entry = this.#probe(this.#slot, probe);
      const state = Atomics.load(this.#words, entry + STATE);
      const isUsable = state === states.new || state === states.ended;
      if (isUsable && (free < 0 || this.#isKey(entry))) free = entry;
      if (state === states.new) break;
    }
    if (free < 0) return -1;
    Atomics.store(this.#words, this.#slot, 1);
    for (let word = 0; word < KEY_WORDS; word += 1) Atomics.store(this.#words, free + word, this.#key[word]!);
    Atomics.store(this.#words, free + LABEL, labelWord(label));
    Atomics.store(this.#words, free + SENT, 0);
    Atomics.store(this.#words, free + SEEN, wallMs | 0);
    Atomics.store(this.#words, free + STATE, states.live);
    return free;
  }

  stateOf(entry: number): ViewerState | undefined {
    return stateNames[Atomics.load(this.#words, entry + STATE)];
  }

  /** Of an entry of this process. */
  setState(entry: number, state: ViewerState): void {
    Atomics.store(this.#words, entry + STATE, states[state]);
  }

  /** Somebody has asked for something with that key. */
  touch(entry: number, wallMs: number): void {
    Atomics.store(this.#words, entry + SEEN, wallMs | 0);
  }

  countSent(entry: number, bytes: number): void {
    Atomics.add(this.#words, entry + SENT, bytes | 0);
  }

  silentMs(entry: number, wallMs: number): number {
    return Math.max(0, ((wallMs | 0) - Atomics.load(this.#words, entry + SEEN)) | 0);
  }

  /** Modulo 2^32. */
  sentBytes(entry: number): number {
    return Atomics.load(this.#words, entry + SENT) >>> 0;
  }

  /** The process of a slot is dead, and its viewers are nobody's. */
  clearSlot(slot: number): void {
    if (Atomics.exchange(this.#words, slot, 0) === 0) return;
    const start = this.#startOf(slot);
    this.#words.fill(0, start, start + this.#entries * ENTRY_WORDS);
  }

  #macOf(random: Buffer, label: string): Buffer {
    const secret = Buffer.alloc(SECRET_WORDS * WORD_BYTES);
    for (let word = 0; word < SECRET_WORDS; word += 1)
      secret.writeInt32LE(Atomics.load(this.#words, SECRET + word), word * WORD_BYTES);
    return createHmac('sha256', secret)
      .update(random)
      .update(label)
      .digest()
      .subarray(0, KEY_BYTES - RANDOM_BYTES);
  }

  #readKey(key: string): boolean {
    if (!KEY_TEXT.test(key)) return false;
    const bytes = Buffer.from(key, 'base64url');
    if (bytes.length !== KEY_BYTES) return false;
    for (let word = 0; word < KEY_WORDS; word += 1) this.#key[word] = bytes.readInt32LE(word * WORD_BYTES);
    return true;
  }

  #findIn(slot: number): number {
    for (let probe = 0; probe < MAX_PROBES; probe += 1) {
      const entry = this.#probe(slot, probe);
      const state = Atomics.load(this.#words, entry + STATE);
      // An entry is never new again, so whoever comes to a new one has seen all.
      if (state === states.new) return -1;
      if (this.#isKey(entry)) return entry;
    }
    return -1;
  }

  /** Where the key may stand, in the order to look: it is random itself, unless somebody has made it up, who then finds no place. */
  #probe(slot: number, probe: number): number {
    const at = (this.#key[0]! + Math.imul(probe, this.#key[1]! | 1)) & (this.#entries - 1);
    return this.#startOf(slot) + at * ENTRY_WORDS;
  }

  #startOf(slot: number): number {
    return HEADER_WORDS + slot * this.#entries * ENTRY_WORDS;
  }

  #isKey(entry: number): boolean {
    for (let word = 0; word < KEY_WORDS; word += 1) {
      if (Atomics.load(this.#words, entry + word) !== this.#key[word]) return false;
    }
    return true;
  }
}

const MAX_LABELS = 10_000;
const labelWords = new Map<string, number>();

function labelWord(label: string): number {
  let word = labelWords.get(label);
  if (word === undefined) {
    word = createHash('sha256').update(label).digest().readInt32LE(0);
    if (labelWords.size >= MAX_LABELS) labelWords.clear();
    labelWords.set(label, word);
  }
  return word;
}
