/** Completes FLV files that were interrupted. Reads whole files and waits for the disk: not for the event loop. */
import { ftruncateSync } from 'node:fs';
import { classifyFrame } from '@srs/codec';
import {
  decodeFlvHeader,
  decodeFlvTagHeader,
  FLV_HEADER_BYTES,
  FLV_TAG_HEADER_BYTES,
  flvTagBytes,
  PREVIOUS_TAG_SIZE_BYTES,
} from '@srs/flv';
import { type FrameType, frameTypes } from '@srs/kernel';
import type { FileWindow } from './file-window.ts';
import { findIndexRoom, flvHeadPatches, indexEntriesIn } from './flv-head.ts';
import { FlvContent } from './flv-recording.ts';
import type { FileSummary } from './recording.ts';
import { repairFile, writePatch } from './repair-file.ts';

const FIRST_TAG_POSITION = FLV_HEADER_BYTES + PREVIOUS_TAG_SIZE_BYTES;

interface ReadTag {
  readonly type: FrameType;
  readonly timestampMs: number;
  readonly payload: Buffer;
  /** With its size behind it, which may be cut off. */
  readonly tagBytes: number;
}

/**
 * Cuts off what follows the last whole tag, and writes what was left out while the recording ran: the tracks, the duration, the size,
 * the key frames. Does no harm to a file that is complete.
 * @returns undefined when there is no picture and no sound in it
 * @throws SrsError FileRead or FileWrite, with the system's error as cause; FlvHeader when it is no FLV at all
 */
export function repairFlv(path: string): FileSummary | undefined {
  return repairFile(path, {
    find: readFile,
    complete,
    summarise,
  });
}

interface Found {
  readonly content: FlvContent;
  readonly lastTagBytes: number;
  readonly indexRoomBytes: number;
}

function readFile(file: FileWindow): Found | undefined {
  const header = file.read(0, FIRST_TAG_POSITION);
  if (header === undefined) return undefined;
  decodeFlvHeader(header);
  const first = readTag(file, FIRST_TAG_POSITION);
  if (first === undefined) return undefined;
  const indexRoomBytes = first.type === frameTypes.data ? findIndexRoom(first.payload) : 0;
  const content = new FlvContent(indexEntriesIn(indexRoomBytes), FIRST_TAG_POSITION);
  let position = FIRST_TAG_POSITION;
  let lastTagBytes = 0;
  for (let tag: ReadTag | undefined = first; tag !== undefined; tag = readTag(file, position)) {
    content.add(tag.type, classifyFrame(tag.type, tag.payload), tag.timestampMs, tag.tagBytes);
    position += tag.tagBytes;
    lastTagBytes = tag.tagBytes - PREVIOUS_TAG_SIZE_BYTES;
  }
  return content.hasMedia ? { content, lastTagBytes, indexRoomBytes } : undefined;
}

/** @returns undefined at the end of what is whole and makes sense */
function readTag(file: FileWindow, position: number): ReadTag | undefined {
  const head = file.read(position, FLV_TAG_HEADER_BYTES);
  if (head === undefined) return undefined;
  const { type, isFiltered, payloadBytes, timestampMs } = decodeFlvTagHeader(head, 0);
  if (isFiltered || !isFrameType(type)) return undefined;
  const tagBytes = flvTagBytes(payloadBytes);
  const isCut = position + tagBytes > file.sizeBytes;
  const bytes = file.read(position, isCut ? tagBytes - PREVIOUS_TAG_SIZE_BYTES : tagBytes);
  if (bytes === undefined) return undefined;
  // A file system that lost power may have left zeros or old bytes at the end.
  if (!isCut && bytes.readUInt32BE(tagBytes - PREVIOUS_TAG_SIZE_BYTES) !== tagBytes - PREVIOUS_TAG_SIZE_BYTES) return undefined;
  const payload = bytes.subarray(FLV_TAG_HEADER_BYTES, FLV_TAG_HEADER_BYTES + payloadBytes);
  return { type, timestampMs, payload, tagBytes };
}

function isFrameType(type: number): type is FrameType {
  return type === frameTypes.audio || type === frameTypes.video || type === frameTypes.data;
}

function complete(fd: number, { content, lastTagBytes, indexRoomBytes }: Found, fileBytes: number): void {
  const facts = content.facts();
  if (fileBytes > facts.sizeBytes) ftruncateSync(fd, facts.sizeBytes);
  const lastSize = Buffer.alloc(PREVIOUS_TAG_SIZE_BYTES);
  lastSize.writeUInt32BE(lastTagBytes);
  const lastPatch = { position: facts.sizeBytes - PREVIOUS_TAG_SIZE_BYTES, bytes: lastSize };
  for (const patch of [lastPatch, ...flvHeadPatches(facts, indexRoomBytes)]) writePatch(fd, patch);
}

function summarise({ content, indexRoomBytes }: Found, fileBytes: number): FileSummary {
  const { hasAudio, hasVideo, index, ...facts } = content.facts();
  const cutBytes = Math.max(0, fileBytes - facts.sizeBytes);
  return { ...facts, cutBytes, flv: { hasAudio, hasVideo, index, indexRoomBytes } };
}
