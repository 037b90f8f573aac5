/**
 * The beginning of a recorded FLV file: header and onMetaData, laid out so that what is known only at the end can be patched.
 *
 * ```
 *   0  FLV header, previous tag size 0
 *  13  tag head: 18, size, timestamp 0
 *  24  "onMetaData", object {
 *  38    duration   seconds
 *  57    filesize   bytes
 *  76    keyframes  { filepositions: [bytes...], times: [seconds...] }   } as many bytes as were reserved,
 *        spacer     [0, 0, ... null]                                     } whatever the number of entries
 *        ...        what the publisher said
 *      }
 *      previous tag size
 * ```
 */
import { Amf0Reader, AmfObject, type AmfValue, decodeAmf0, encodeAmf0 } from '@srs/amf';
import { encodeFlvHeader, encodeFlvTag, FLV_TAG_HEADER_BYTES, MAX_FLV_PAYLOAD_BYTES } from '@srs/flv';
import { frameTypes } from '@srs/kernel';
import type { Patch } from './recording.ts';

const METADATA_TAG_POSITION = 13;
const OBJECT_POSITION = 37;
const DURATION_POSITION = 38;
const INDEX_POSITION = 76;
const FLAGS_POSITION = 4;
/** An AMF0 number: marker and double. */
const NUMBER_BYTES = 9;
const ENTRY_BYTES = 2 * NUMBER_BYTES;
/** `keyframes` and `spacer` with nothing in them. */
const EMPTY_INDEX_BYTES = encodeEntries([]).length + encodeSpacer(0).length;
const OUR_NAMES = ['duration', 'filesize', 'keyframes', 'spacer'] as const;

export interface FlvHeadFacts {
  readonly hasAudio: boolean;
  readonly hasVideo: boolean;
  readonly durationMs: number;
  readonly sizeBytes: number;
  /** Timestamps and positions in turn. */
  readonly index: readonly number[];
}

/** What must be reserved for so many entries. */
export function indexRoomFor(entries: number): number {
  return EMPTY_INDEX_BYTES + entries * ENTRY_BYTES;
}

/** How many entries fit into what is reserved. */
export function indexEntriesIn(roomBytes: number): number {
  return Math.max(0, Math.floor((roomBytes - EMPTY_INDEX_BYTES) / ENTRY_BYTES));
}

/** @param metadata payload of the publisher's onMetaData, if there is one */
export function encodeFlvHead(metadata: Buffer | undefined, indexRoomBytes: number): Buffer {
  const payload = encodePayload(metadata, indexRoomBytes);
  return Buffer.concat([encodeFlvHeader({ hasAudio: true, hasVideo: true }), encodeFlvTag(frameTypes.data, 0, payload)]);
}

/**
 * What completes a file that begins with `encodeFlvHead`.
 * @param indexRoomBytes 0 for a file of another program: only its header is completed
 */
export function flvHeadPatches(facts: FlvHeadFacts, indexRoomBytes: number): readonly Patch[] {
  const flags = encodeFlvHeader(facts).subarray(FLAGS_POSITION, FLAGS_POSITION + 1);
  const patches: Patch[] = [{ position: FLAGS_POSITION, bytes: flags }];
  if (indexRoomBytes === 0) return patches;
  const numbers = encodeProperties([
    ['duration', facts.durationMs / 1000],
    ['filesize', facts.sizeBytes],
  ]);
  return [...patches, { position: DURATION_POSITION, bytes: Buffer.concat([numbers, encodeIndex(facts.index, indexRoomBytes)]) }];
}

/**
 * How many bytes are reserved for the index.
 * @param payload of the first tag of the file
 * @returns 0 when it was not made by `encodeFlvHead`
 */
export function findIndexRoom(payload: Buffer): number {
  const ours = encodePayload(undefined, EMPTY_INDEX_BYTES);
  const inPayload = (position: number): number => position - METADATA_TAG_POSITION - FLV_TAG_HEADER_BYTES;
  const isAt = (position: number, length: number): boolean => {
    const offset = inPayload(position);
    return payload.subarray(offset, offset + length).equals(ours.subarray(offset, offset + length));
  };
  const keyBytes = (name: string): number => 2 + name.length;
  const filesizePosition = DURATION_POSITION + keyBytes('duration') + NUMBER_BYTES;
  if (!isAt(METADATA_TAG_POSITION + FLV_TAG_HEADER_BYTES, OBJECT_POSITION + 1 - METADATA_TAG_POSITION - FLV_TAG_HEADER_BYTES))
    return 0;
  if (!isAt(DURATION_POSITION, keyBytes('duration') + 1) || !isAt(filesizePosition, keyBytes('filesize') + 1)) return 0;
  if (!isAt(INDEX_POSITION, keyBytes('keyframes'))) return 0;
  try {
    let offset = inPayload(INDEX_POSITION) + keyBytes('keyframes');
    offset += valueBytes(payload.subarray(offset));
    const spacer = encodeKey('spacer');
    if (!payload.subarray(offset, offset + spacer.length).equals(spacer)) return 0;
    offset += spacer.length;
    offset += valueBytes(payload.subarray(offset));
    return offset - inPayload(INDEX_POSITION);
  } catch {
    return 0;
  }
}

/** The publisher's onMetaData for a later place of the file, without what only the first one can tell of the whole file. */
export function laterMetadata(metadata: Buffer): Buffer {
  return encodeAmf0('onMetaData', AmfObject.object(publishedProperties(metadata)));
}

function encodePayload(metadata: Buffer | undefined, indexRoomBytes: number): Buffer {
  const head = [
    encodeAmf0('onMetaData'),
    Buffer.from([encodeAmf0(AmfObject.object())[0]!]),
    encodeProperties([
      ['duration', 0],
      ['filesize', 0],
    ]),
    encodeIndex([], indexRoomBytes),
  ];
  const end = encodeAmf0(AmfObject.object()).subarray(1);
  const theirs = encodeProperties(publishedProperties(metadata));
  const payload = Buffer.concat([...head, theirs, end]);
  return payload.length <= MAX_FLV_PAYLOAD_BYTES ? payload : Buffer.concat([...head, end]);
}

function publishedProperties(metadata: Buffer | undefined): readonly (readonly [string, AmfValue])[] {
  if (metadata === undefined) return [];
  const [, value] = decodeAmf0(metadata);
  if (!(value instanceof AmfObject)) return [];
  return [...value.entries()].filter(([name]) => !OUR_NAMES.some((our) => our === name));
}

/** @returns exactly `roomBytes` bytes */
function encodeIndex(index: readonly number[], roomBytes: number): Buffer {
  const fitting = index.slice(0, 2 * indexEntriesIn(roomBytes));
  return Buffer.concat([
    encodeEntries(fitting),
    encodeSpacer(roomBytes - EMPTY_INDEX_BYTES - (fitting.length / 2) * ENTRY_BYTES),
  ]);
}

function encodeEntries(index: readonly number[]): Buffer {
  const filepositions = index.filter((_, at) => at % 2 === 1);
  const times = index.filter((_, at) => at % 2 === 0).map((timestampMs) => timestampMs / 1000);
  return encodeProperties([['keyframes', AmfObject.object({ filepositions, times })]]);
}

/**
 * An array of as many zeros as fit, and of nulls, which are a byte each. It is large in the file of most recordings, and made by hand: a zero is nine
 * bytes of zero, its marker as well.
 */
function encodeSpacer(fillBytes: number): Buffer {
  const head = encodeAmf0([]);
  const nulls = fillBytes % NUMBER_BYTES;
  head.writeUInt32BE(Math.floor(fillBytes / NUMBER_BYTES) + nulls, 1);
  return Buffer.concat([encodeKey('spacer'), head, Buffer.alloc(fillBytes - nulls), Buffer.alloc(nulls, encodeAmf0(null))]);
}

/** Properties as they stand inside an object. */
function encodeProperties(properties: readonly (readonly [string, AmfValue])[]): Buffer {
  return Buffer.concat(properties.flatMap(([name, value]) => [encodeKey(name), encodeAmf0(value)]));
}

function encodeKey(name: string): Buffer {
  return encodeAmf0(name).subarray(1);
}

function valueBytes(bytes: Buffer): number {
  const reader = new Amf0Reader(bytes);
  reader.readValue();
  return reader.offset;
}
