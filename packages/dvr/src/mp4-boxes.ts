/** Finds boxes of the ISO base media file format (ISO/IEC 14496-12, 4.2) in what @srs/mp4 has written. */

export const BOX_HEAD_BYTES = 8;
/** Version and flags of a full box. */
const FULL_BOX_BYTES = 4;
const MOVIE_HEADER_DURATION_OFFSET = FULL_BOX_BYTES + 12;

/** A box inside some bytes. */
export interface Box {
  readonly type: string;
  /** Of its content, behind the head. */
  readonly start: number;
  readonly end: number;
}

/** The boxes that stand one behind the other from `start` to `end`. Ends early where something is no box. */
export function boxesIn(bytes: Buffer, start: number, end: number): readonly Box[] {
  const boxes: Box[] = [];
  for (let offset = start; offset + BOX_HEAD_BYTES <= end; ) {
    const size = bytes.readUInt32BE(offset);
    if (size < BOX_HEAD_BYTES || offset + size > end) break;
    boxes.push({ type: typeAt(bytes, offset), start: offset + BOX_HEAD_BYTES, end: offset + size });
    offset += size;
  }
  return boxes;
}

/** The first box under each name of the path: `findBox(bytes, whole, 'mdia', 'mdhd')`. */
export function findBox(bytes: Buffer, inside: Pick<Box, 'start' | 'end'>, ...types: readonly string[]): Box | undefined {
  let found: Pick<Box, 'start' | 'end'> | undefined = inside;
  for (const type of types) found = found && boxesIn(bytes, found.start, found.end).find((box) => box.type === type);
  return found as Box | undefined;
}

export function typeAt(bytes: Buffer, offset: number): string {
  return bytes.toString('latin1', offset + 4, offset + BOX_HEAD_BYTES);
}

/** Where the duration of the whole file stands, in ms, 32 bits. */
export function movieDurationPosition(head: Buffer): number | undefined {
  const header = findBox(head, { start: 0, end: head.length }, 'moov', 'mvhd');
  return header && header.start + MOVIE_HEADER_DURATION_OFFSET;
}
