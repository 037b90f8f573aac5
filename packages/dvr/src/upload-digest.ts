/** Checksums of files and of their parts. */
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { SrsError } from '@srs/kernel';

/** A run of bytes of a file. */
export interface FilePart {
  readonly start: number;
  readonly sizeBytes: number;
}

export interface PartDigest {
  /** What the store is told, so that it refuses bytes that have changed on their way. */
  readonly md5: Buffer;
  /** Stands in the signature. */
  readonly sha256Hex: string;
}

/** A file that is no larger goes in one request. A part is never in memory as a whole. */
const PART_BYTES = 16 * 1024 * 1024;
/** S3 takes no more parts of one object. */
const MAX_PARTS = 10_000;
const READ_BYTES = 256 * 1024;

/** How a file is cut; one part when it goes in one request. A file of a size is always cut in the same way. */
export function partsOf(sizeBytes: number, leastBytes = PART_BYTES): readonly FilePart[] {
  const partBytes = Math.max(leastBytes, Math.ceil(sizeBytes / MAX_PARTS));
  const parts: FilePart[] = [];
  for (let start = 0; start === 0 || start < sizeBytes; start += partBytes) {
    parts.push({ start, sizeBytes: Math.min(partBytes, sizeBytes - start) });
  }
  return parts;
}

/**
 * The bytes of a part, piece by piece. All pieces lie in the same memory: each is valid until the next is asked for.
 * @throws SrsError FileRead when the file is shorter
 */
export async function* readPart(file: FileHandle, { start, sizeBytes }: FilePart): AsyncGenerator<Buffer> {
  const memory = Buffer.allocUnsafe(Math.min(READ_BYTES, sizeBytes));
  for (let done = 0; done < sizeBytes; ) {
    const { bytesRead } = await file.read(memory, 0, Math.min(memory.length, sizeBytes - done), start + done);
    if (bytesRead === 0) throw new SrsError('FileRead', `the file ends at ${start + done} and not at ${start + sizeBytes}`);
    done += bytesRead;
    yield memory.subarray(0, bytesRead);
  }
}

/** Reads a file part by part and knows in the end which ETags a store may give it. */
export class FileDigest {
  readonly #file: FileHandle;
  readonly #md5s: Buffer[] = [];
  readonly #whole = createHash('md5');

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** To be called for each part, in their order. */
  async add(part: FilePart): Promise<PartDigest> {
    const md5 = createHash('md5');
    const sha256 = createHash('sha256');
    for await (const piece of readPart(this.#file, part)) {
      md5.update(piece);
      sha256.update(piece);
      this.#whole.update(piece);
    }
    const digest = md5.digest();
    this.#md5s.push(digest);
    return { md5: digest, sha256Hex: sha256.digest('hex') };
  }

  /**
   * The MD5; of an object that came in parts, S3 itself gives the MD5 of their MD5s, and their number. To be called when all parts have been added.
   */
  etags(): readonly string[] {
    const whole = this.#whole.digest('hex');
    if (this.#md5s.length === 1) return [whole];
    const ofParts = createHash('md5');
    for (const md5 of this.#md5s) ofParts.update(md5);
    return [`${ofParts.digest('hex')}-${this.#md5s.length}`, whole];
  }
}
