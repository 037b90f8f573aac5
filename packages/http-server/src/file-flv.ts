/**
 * FLV from the middle: `file.flv?start=N&end=M`. Players of the Flash era seek so, with N from the list of key frames in the
 * metadata. They get a file of its own right:
 *
 * ```
 * file header | previousTagSize 0 | video sequence header | audio sequence header | bytes N..M of the file
 * ```
 */
import { classifyFrame } from '@srs/codec';
import {
  decodeFlvHeader,
  decodeFlvTagHeader,
  FLV_HEADER_BYTES,
  FLV_TAG_HEADER_BYTES,
  flvTagBytes,
  PREVIOUS_TAG_SIZE_BYTES,
} from '@srs/flv';
import { errorCodes, type FrameType, frameFlags, frameTypes, SrsError } from '@srs/kernel';
import { ApiError } from './api-errors.ts';
import { bodyOf, type FileBody } from './file-body.ts';
import type { HeldFile } from './file-held.ts';

/** Offsets in the file, as the query says them. */
export interface FlvSeek {
  /** Where a tag begins. */
  readonly start: number;
  /** The last byte, as in the header `Range`; undefined for the last of the file. */
  readonly last: number | undefined;
}

/** Sequence headers stand among the first tags. */
const MAX_PROBED_TAGS = 100;
/** Of a sequence header. The largest have parameter sets of a few kilobytes. */
const MAX_SEQUENCE_HEADER_BYTES = 64 * 1024;
/** How much of a payload tells what it is. */
const CLASSIFIED_BYTES = 64;

/**
 * @param query behind the `?`
 * @returns undefined when the whole file is asked for
 * @throws ApiError 400 for numbers that are none
 */
export function parseFlvSeek(query: string): FlvSeek | undefined {
  if (!query.includes('start=') && !query.includes('end=')) return undefined;
  const parameters = new URLSearchParams(query);
  const start = numberOf('start', parameters.get('start')) ?? 0;
  const last = numberOf('end', parameters.get('end'));
  if (start === 0 && last === undefined) return undefined;
  if (last !== undefined && last < start) throw new ApiError(400, `end ${last} must be at least start, ${start}`);
  return { start, last };
}

function numberOf(name: string, text: string | null): number | undefined {
  if (text === null || text === '') return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new ApiError(400, `${name} ${JSON.stringify(text)} must be an offset in bytes`);
  return Number(text);
}

/**
 * @returns the body, and whether a tag begins at `start`; if none does, few players will show anything
 * @throws ApiError 416 when `start` is behind the end, 400 when the file is no FLV
 */
export async function seekFlv(file: HeldFile, seek: FlvSeek): Promise<{ readonly body: FileBody; readonly isTag: boolean }> {
  const { start } = seek;
  if (start >= file.sizeBytes) {
    throw new ApiError(416, `start ${start} must be below the size of the file, ${file.sizeBytes}`, errorCodes.FlvSeek);
  }
  const end = Math.min(file.sizeBytes, (seek.last ?? file.sizeBytes) + 1);
  // From the first byte on it has its headers.
  if (start === 0) return { body: bodyOf(0, end), isTag: true };
  const headerBytes = await headerSize(file);
  const parts = [await bytesAt(file, 0, headerBytes)];
  for (const tag of await sequenceHeaders(file, headerBytes, start)) parts.push(tag);
  return { body: bodyOf(start, end, Buffer.concat(parts)), isTag: start === headerBytes || (await isBehindTag(file, start)) };
}

/** With the PreviousTagSize behind it. */
async function headerSize(file: HeldFile): Promise<number> {
  try {
    return decodeFlvHeader(await bytesAt(file, 0, FLV_HEADER_BYTES)).headerBytes + PREVIOUS_TAG_SIZE_BYTES;
  } catch (error) {
    if (error instanceof SrsError) throw new ApiError(400, error.message, error.code);
    throw error;
  }
}

/** The first of video and the first of audio, whole, in their order; those from `limit` on are sent anyway. */
async function sequenceHeaders(file: HeldFile, begin: number, limit: number): Promise<readonly Buffer[]> {
  const found = new Map<number, Buffer>();
  let position = begin;
  for (let count = 0; count < MAX_PROBED_TAGS && found.size < 2 && position < limit; count += 1) {
    const bytes = await bytesAt(file, position, FLV_TAG_HEADER_BYTES + CLASSIFIED_BYTES);
    if (bytes.length < FLV_TAG_HEADER_BYTES) break;
    const { type, payloadBytes } = decodeFlvTagHeader(bytes, 0);
    const tagBytes = flvTagBytes(payloadBytes);
    const payload = bytes.subarray(FLV_TAG_HEADER_BYTES, FLV_TAG_HEADER_BYTES + payloadBytes);
    if (!found.has(type) && payloadBytes <= MAX_SEQUENCE_HEADER_BYTES && isSequenceHeader(type, payload)) {
      const tag = await bytesAt(file, position, tagBytes);
      if (tag.length === tagBytes) found.set(type, tag);
    }
    position += tagBytes;
  }
  return Array.from(found.values());
}

function isSequenceHeader(type: number, payload: Buffer): boolean {
  if (type !== frameTypes.video && type !== frameTypes.audio) return false;
  return (classifyFrame(type satisfies FrameType, payload) & frameFlags.sequenceHeader) !== 0;
}

/** Whether the four bytes before `position` tell the size of a tag that fits before them. */
async function isBehindTag(file: HeldFile, position: number): Promise<boolean> {
  const sizePosition = position - PREVIOUS_TAG_SIZE_BYTES;
  if (sizePosition < 0) return false;
  const tagSize = (await bytesAt(file, sizePosition, PREVIOUS_TAG_SIZE_BYTES)).readUInt32BE(0);
  if (tagSize < FLV_TAG_HEADER_BYTES || tagSize > sizePosition) return false;
  const head = await bytesAt(file, sizePosition - tagSize, FLV_TAG_HEADER_BYTES);
  return decodeFlvTagHeader(head, 0).payloadBytes + FLV_TAG_HEADER_BYTES === tagSize;
}

/** Fewer at the end of the file. */
async function bytesAt(file: HeldFile, position: number, lengthBytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(lengthBytes);
  return buffer.subarray(0, await file.read(buffer, position));
}
