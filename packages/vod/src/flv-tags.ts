/** Goes through the tags of an FLV file without reading what is in them. */
import {
  decodeFlvHeader,
  decodeFlvTagHeader,
  FLV_HEADER_BYTES,
  FLV_TAG_HEADER_BYTES,
  flvTagBytes,
  PREVIOUS_TAG_SIZE_BYTES,
} from '@srs/flv';
import { type FrameType, frameTypes, SrsError } from '@srs/kernel';
import type { FileWindow } from './file-window.ts';

export interface PlacedTag {
  /** Undefined for types that nobody knows, and for encrypted tags. */
  readonly type: FrameType | undefined;
  readonly timestampMs: number;
  readonly payloadPosition: number;
  readonly payloadBytes: number;
  /** Where the next tag begins. */
  readonly end: number;
}

/** How much of a payload tells what it is. */
const CLASSIFIED_BYTES = 64;
const ENHANCED_AUDIO_FORMAT = 9;
const MODIFIED_PACKET = 7;
const VIDEO_TRACKS_PACKET = 6;
const AUDIO_TRACKS_PACKET = 5;

/**
 * @returns where the first tag begins
 * @throws SrsError FlvHeader
 */
export function findFirstTag(window: FileWindow): number {
  const bytes = window.read(0, Math.min(FLV_HEADER_BYTES, window.sizeBytes))!;
  return decodeFlvHeader(bytes).headerBytes + PREVIOUS_TAG_SIZE_BYTES;
}

/** @returns undefined when the file ends within the tag, or none begins here: what follows cannot be found then */
export function findTag(window: FileWindow, position: number): PlacedTag | undefined {
  const offset = window.locate(position, FLV_TAG_HEADER_BYTES);
  if (offset < 0) return undefined;
  const { type, isFiltered, payloadBytes, timestampMs } = decodeFlvTagHeader(window.bytes, offset);
  const payloadPosition = position + FLV_TAG_HEADER_BYTES;
  if (payloadPosition + payloadBytes > window.sizeBytes) return undefined;
  const isKnown = type === frameTypes.audio || type === frameTypes.video || type === frameTypes.data;
  // Several writers leave the size behind a tag 0, so it is asked only about tags that nobody knows.
  if (!isKnown && !isMeasured(window, payloadPosition + payloadBytes, FLV_TAG_HEADER_BYTES + payloadBytes)) return undefined;
  return {
    type: isKnown && !isFiltered ? type : undefined,
    timestampMs,
    payloadPosition,
    payloadBytes,
    end: position + flvTagBytes(payloadBytes),
  };
}

/** As much of its payload as tells what it is; valid until the next call. */
export function classifiablePart(window: FileWindow, tag: PlacedTag): Buffer {
  const { type, payloadPosition, payloadBytes } = tag;
  const head = window.read(payloadPosition, Math.min(payloadBytes, CLASSIFIED_BYTES))!;
  // Packets of several tracks are understood as a whole only.
  return isComposed(type, head[0] ?? 0) ? readPayload(window, tag) : head;
}

/** All of its payload; valid until the next call. */
export function readPayload(window: FileWindow, { payloadPosition, payloadBytes }: PlacedTag): Buffer {
  return window.read(payloadPosition, payloadBytes)!;
}

/** @throws SrsError FlvTag when there is no such tag, though there was one */
export function tagAt(window: FileWindow, position: number): PlacedTag {
  const tag = findTag(window, position);
  if (tag === undefined) throw new SrsError('FlvTag', `flv has no tag at ${position}`);
  return tag;
}

function isMeasured(window: FileWindow, position: number, tagBytes: number): boolean {
  return window.read(position, PREVIOUS_TAG_SIZE_BYTES)?.readUInt32BE(0) === tagBytes;
}

/** The head is an enhanced one, and begins with modifiers, or several tracks follow it. */
function isComposed(type: FrameType | undefined, head: number): boolean {
  const isVideo = type === frameTypes.video;
  const isEnhanced = isVideo ? (head & 0x80) !== 0 : head >>> 4 === ENHANCED_AUDIO_FORMAT;
  const packetType = head & 0x0f;
  return isEnhanced && (packetType === MODIFIED_PACKET || packetType === (isVideo ? VIDEO_TRACKS_PACKET : AUDIO_TRACKS_PACKET));
}
