/** Recordings as FLV: frames are tags as they are. */
import { encodeFlvTag } from '@srs/flv';
import { type FrameType, frameFlags, frameTypes } from '@srs/kernel';
import { encodeFlvHead, flvHeadPatches, indexEntriesIn, indexRoomFor, laterMetadata } from './flv-head.ts';
import { KeyFrameIndex } from './key-frame-index.ts';
import { MediaSpan, type MediaTimes } from './media-span.ts';
import type { FlvFacts, Recording, RecordingFacts, RecordingFormat, RecordingSink, RecordingStart } from './recording.ts';

/** Flags of frames that are no picture and no sound. */
const NO_MEDIA = frameFlags.sequenceHeader | frameFlags.metadata | frameFlags.videoMetadata;

export const flvFormat: RecordingFormat = {
  ending: '.flv',
  begin(sink, start) {
    const indexRoomBytes = indexRoomFor(start.indexEntries);
    const head = encodeFlvHead(start.kept.metadata, indexRoomBytes);
    sink.write(head);
    const content = new FlvContent(start.indexEntries, head.length);
    const recording = new FlvRecording(sink, content, indexRoomBytes);
    writeKept(recording, start, false);
    return recording;
  },
  canResume: () => true,
  resume(sink, start, file) {
    const flv = file.flv!;
    const content = new FlvContent(indexEntriesIn(flv.indexRoomBytes), file.sizeBytes, { ...file, ...flv });
    const recording = new FlvRecording(sink, content, flv.indexRoomBytes);
    writeKept(recording, start, true);
    return recording;
  },
};

function writeKept(recording: Recording, { kept, timestampMs }: RecordingStart, withMetadata: boolean): void {
  const { metadata, videoHeader, videoMetadata, audioHeader } = kept;
  const write = (type: FrameType, flags: number, payload: Buffer | undefined): void => {
    if (payload !== undefined) recording.onFrame(type, flags, timestampMs, payload);
  };
  if (withMetadata) write(frameTypes.data, frameFlags.metadata, metadata);
  write(frameTypes.video, frameFlags.sequenceHeader, videoHeader);
  write(frameTypes.video, frameFlags.videoMetadata, videoMetadata);
  write(frameTypes.audio, frameFlags.sequenceHeader, audioHeader);
}

class FlvRecording implements Recording {
  readonly #sink: RecordingSink;
  readonly #content: FlvContent;
  readonly #indexRoomBytes: number;

  constructor(sink: RecordingSink, content: FlvContent, indexRoomBytes: number) {
    this.#sink = sink;
    this.#content = content;
    this.#indexRoomBytes = indexRoomBytes;
  }

  /** Decoders of FLV follow when a header changes. */
  takes(): boolean {
    return true;
  }

  onFrame(type: FrameType, flags: number, timestampMs: number, payload: Buffer): void {
    // FFmpeg takes metadata of any other time than 0 for a track of its own, over which its ffprobe stumbles.
    const isMetadata = (flags & frameFlags.metadata) !== 0;
    const tag = isMetadata ? encodeFlvTag(type, 0, laterMetadata(payload)) : encodeFlvTag(type, timestampMs, payload);
    this.#content.add(type, flags, timestampMs, tag.length);
    this.#sink.write(tag);
  }

  finish(nextTimestampMs?: number): RecordingFacts {
    const facts = this.#content.facts(nextTimestampMs);
    for (const { position, bytes } of flvHeadPatches(facts, this.#indexRoomBytes)) this.#sink.patch(position, bytes);
    return facts;
  }
}

type ContentFacts = MediaTimes & RecordingFacts & Omit<FlvFacts, 'indexRoomBytes'>;

/** What a file holds, counted tag by tag, by who writes it and by who repairs it. */
export class FlvContent {
  readonly #index: KeyFrameIndex;
  readonly #span: MediaSpan;
  #sizeBytes: number;
  #hasAudio = false;
  #hasVideo = false;

  /**
   * @param sizeBytes of what stands before the first tag that is added
   * @param before what the file holds already
   */
  constructor(indexEntries: number, sizeBytes: number, before?: ContentFacts) {
    this.#index = new KeyFrameIndex(indexEntries);
    this.#span = new MediaSpan(before);
    this.#sizeBytes = sizeBytes;
    if (before === undefined) return;
    this.#hasAudio = before.hasAudio;
    this.#hasVideo = before.hasVideo;
    for (let at = 0; at < before.index.length; at += 2) this.#index.add(before.index[at]!, before.index[at + 1]!);
  }

  get hasMedia(): boolean {
    return !this.#span.isEmpty;
  }

  /** Hot path: no allocation but for the index. */
  add(type: FrameType, flags: number, timestampMs: number, tagBytes: number): void {
    const position = this.#sizeBytes;
    this.#sizeBytes += tagBytes;
    if (type === frameTypes.data) return;
    if (type === frameTypes.audio) this.#hasAudio = true;
    else if (!this.#hasVideo) {
      this.#hasVideo = true;
      // Until now it was an index of sounds.
      this.#index.clear();
    }
    if ((flags & NO_MEDIA) !== 0) return;
    this.#span.add(timestampMs);
    if ((flags & frameFlags.keyFrame) !== 0 || !this.#hasVideo) this.#index.add(timestampMs, position);
  }

  facts(nextTimestampMs?: number): ContentFacts {
    return {
      ...this.#span.times(nextTimestampMs),
      hasAudio: this.#hasAudio,
      hasVideo: this.#hasVideo,
      sizeBytes: this.#sizeBytes,
      index: this.#index.entries,
    };
  }
}
