/** Brings the NAL units of an access unit into the form that MP4 wants: each behind its length, none empty. */
import { SrsError } from '@srs/kernel';

const START_CODE = Buffer.from([0, 0, 1]);
const nothing = Buffer.alloc(0);

interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * Publishers send lengths, as FLV wants; some send start codes ("Annex B", H.264 B.1) all the same.
 *
 * @param accessUnit what follows the head of the video tag
 * @param lengthBytes 1, 2 or 4, as the decoder configuration says
 * @returns `accessUnit` itself when nothing is to be done; empty when it has no NAL unit
 * @throws SrsError HlsDecode when a length leads beyond the end
 */
export function lengthPrefixed(accessUnit: Buffer, lengthBytes: number): Buffer {
  const isAnnexB = beginsWithStartCode(accessUnit);
  // Four bytes may be a start code or a length of 1 or 256..511, so the whole decides; of shorter ones, none begins with zeros.
  if (isAnnexB && (lengthBytes < 4 || walk(accessUnit, lengthBytes).badOffset >= 0)) {
    return withLengths(accessUnit, rangesOfAnnexB(accessUnit), lengthBytes);
  }
  const { badOffset, hasEmpty } = walk(accessUnit, lengthBytes);
  if (badOffset >= 0) throw lengthError(accessUnit, badOffset, lengthBytes);
  return hasEmpty ? withLengths(accessUnit, rangesOfLengths(accessUnit, lengthBytes), lengthBytes) : accessUnit;
}

function beginsWithStartCode(bytes: Buffer): boolean {
  let zeros = 0;
  while (bytes[zeros] === 0) zeros += 1;
  return zeros >= 2 && bytes[zeros] === 1;
}

/** Hot path: no allocation but the answer. */
function walk(bytes: Buffer, lengthBytes: number): { readonly badOffset: number; readonly hasEmpty: boolean } {
  let hasEmpty = false;
  let offset = 0;
  while (offset < bytes.length) {
    const start = offset + lengthBytes;
    if (start > bytes.length) return { badOffset: offset, hasEmpty };
    const size = bytes.readUIntBE(offset, lengthBytes);
    if (start + size > bytes.length) return { badOffset: offset, hasEmpty };
    if (size === 0) hasEmpty = true;
    offset = start + size;
  }
  return { badOffset: -1, hasEmpty };
}

function lengthError(bytes: Buffer, offset: number, lengthBytes: number): SrsError {
  const left = bytes.length - offset;
  if (left < lengthBytes) return new SrsError('HlsDecode', `nal unit length needs ${lengthBytes} bytes, ${left} are left`);
  const size = bytes.readUIntBE(offset, lengthBytes);
  return new SrsError('HlsDecode', `nal unit of ${size} bytes at ${offset} must be at most ${left - lengthBytes}`);
}

function rangesOfLengths(bytes: Buffer, lengthBytes: number): Range[] {
  const ranges: Range[] = [];
  let end = 0;
  for (let offset = 0; offset < bytes.length; offset = end) {
    const start = offset + lengthBytes;
    end = start + bytes.readUIntBE(offset, lengthBytes);
    if (end > start) ranges.push({ start, end });
  }
  return ranges;
}

function rangesOfAnnexB(bytes: Buffer): Range[] {
  const ranges: Range[] = [];
  let code = bytes.indexOf(START_CODE);
  while (code >= 0) {
    const start = code + START_CODE.length;
    code = bytes.indexOf(START_CODE, start);
    let end = code < 0 ? bytes.length : code;
    // Zeros in front of a start code belong to it: a NAL unit never ends with one (H.264 7.4.1).
    while (end > start && bytes[end - 1] === 0) end -= 1;
    if (end > start) ranges.push({ start, end });
  }
  return ranges;
}

function withLengths(bytes: Buffer, ranges: readonly Range[], lengthBytes: number): Buffer {
  if (ranges.length === 0) return nothing;
  const maxSize = 2 ** (8 * lengthBytes) - 1;
  let total = 0;
  for (const { start, end } of ranges) {
    if (end - start > maxSize) {
      throw new SrsError(
        'HlsDecode',
        `nal unit of ${end - start} bytes must be at most ${maxSize}, as lengths have ${lengthBytes} bytes`,
      );
    }
    total += lengthBytes + end - start;
  }
  const prefixed = Buffer.allocUnsafe(total);
  let offset = 0;
  for (const { start, end } of ranges) {
    offset = prefixed.writeUIntBE(end - start, offset, lengthBytes);
    offset += bytes.copy(prefixed, offset, start, end);
  }
  return prefixed;
}
