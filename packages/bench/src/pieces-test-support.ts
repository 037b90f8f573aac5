/** Bytes for sans-I/O readers, whole and in pieces. */

/** Bytes from hex with blanks; `*N` repeats the byte before it until there are N. */
export function hex(text: string): Buffer {
  const plain = text.replaceAll(/([0-9a-f]{2})\*(\d+)/g, (_, byte: string, count: string) => byte.repeat(Number(count)));
  return Buffer.from(plain.replaceAll(/\s/g, ''), 'hex');
}

/** The pieces of `bytes` between the cuts. */
export function* piecesOf(bytes: Buffer, cuts: readonly number[]): Generator<Buffer> {
  let at = 0;
  for (const cut of [...cuts, bytes.length]) {
    yield bytes.subarray(at, cut);
    at = cut;
  }
}

/**
 * Gives pieces of bytes to a reader, each in the middle of a buffer that is overwritten afterwards: whoever keeps a view of it, or
 * reads beside it, is found out.
 */
export function feed(receive: (bytes: Buffer, start: number, end: number) => void, bytes: Buffer, cuts: readonly number[]): void {
  const margin = 3;
  for (const piece of piecesOf(bytes, cuts)) {
    const buffer = Buffer.alloc(piece.length + 2 * margin, 0xee);
    piece.copy(buffer, margin);
    receive(buffer, margin, margin + piece.length);
    buffer.fill(0xee);
  }
}

/** Whole, cut in two at every place, and byte by byte. */
export function everyCut(bytes: Buffer): (readonly number[])[] {
  const places = Array.from({ length: bytes.length + 1 }, (_, at) => at);
  return [[], ...places.map((at) => [at]), places];
}
