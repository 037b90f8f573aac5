/** Encrypted segments: METHOD=AES-128 of RFC 8216, 4.3.2.4 and 5.2. */
import { type Cipheriv, createCipheriv } from 'node:crypto';
import type { SegmentKey } from './playlist.ts';

const KEY_BYTES = 16;
const IV_BYTES = 16;

/** What one run of segments is encrypted with. */
interface CurrentKey {
  readonly key: SegmentKey;
  readonly bytes: Buffer;
  readonly firstSequence: number;
}

/** What one segment is encrypted with. */
export interface SegmentSecret {
  readonly key: SegmentKey;
  /** Encrypts from its beginning the segment, or a part of it, which is a file of its own for players. */
  readonly createCipher: () => Cipheriv;
}

export interface KeyRotationOptions {
  readonly fragmentsPerKey: number;
  /** Unpredictable bytes. */
  readonly randomBytes: (size: number) => Buffer;
  /** Where the key that begins with this segment is to be stored and fetched. */
  readonly nameKey: (sequence: number) => SegmentKey & { readonly path: string };
  /** Stores the key, before any segment that needs it is listed. */
  readonly storeKey: (path: string, bytes: Buffer) => void;
}

/** A new key every so many segments; each publish begins with a new one, for nobody knows those of an earlier process. */
export class KeyRotation {
  readonly #options: KeyRotationOptions;
  #current: CurrentKey | undefined;

  constructor(options: KeyRotationOptions) {
    this.#options = options;
  }

  /** Numbers rise; one comes again when its segment was too short to be listed. */
  forSegment(sequence: number): SegmentSecret {
    if (this.#current === undefined || sequence - this.#current.firstSequence >= this.#options.fragmentsPerKey) {
      this.#current = this.#newKey(sequence);
    }
    const { key, bytes } = this.#current;
    return { key, createCipher: () => segmentCipher(bytes, sequence) };
  }

  #newKey(sequence: number): CurrentKey {
    const { path, uri } = this.#options.nameKey(sequence);
    const bytes = this.#options.randomBytes(KEY_BYTES);
    this.#options.storeKey(path, bytes);
    return { key: { path, uri }, bytes, firstSequence: sequence };
  }
}

/** AES-128-CBC with PKCS7 padding. Without an IV in the playlist it is the segment's number, 128 bits, big-endian. */
export function segmentCipher(key: Buffer, sequence: number): Cipheriv {
  return createCipheriv('aes-128-cbc', key, ivOf(sequence));
}

export function ivOf(sequence: number): Buffer {
  const iv = Buffer.alloc(IV_BYTES);
  iv.writeBigUInt64BE(BigInt(sequence), IV_BYTES - 8);
  return iv;
}
