/** Which kinds of media a stream has, as far as its ring tells: some formats must say it before the first frame. */
import { AmfObject, decodeAmf0 } from '@srs/amf';
import { type AudioCodec, describeAudio, describeVideo, type VideoCodec } from '@srs/codec';
import { frameFlags, frameTypes, timestampDelta } from '@srs/kernel';
import { type RingReader, stickySlots } from '@srs/ring';

export interface FoundTracks {
  readonly hasAudio: boolean;
  readonly hasVideo: boolean;
  /** Undefined without the track, and when its head cannot be read. */
  readonly audioCodec: AudioCodec | undefined;
  readonly videoCodec: VideoCodec | undefined;
  /** The other kind will hardly come any more. */
  readonly isCertain: boolean;
}

/** A kind of media that has not begun after so much of the other is taken to be missing. */
const PATIENCE_MS = 1_000;
/** More than a second of any sane stream. */
const LOOK_BYTES = 4 * 1024 * 1024;
/** The codec stands within them. */
const HEAD_BYTES = 64;
/** Headers say what is to come, and have no time of their own. */
const NO_MEDIA_MASK = frameFlags.sequenceHeader | frameFlags.metadata | frameFlags.videoMetadata;

/** @param reader is not moved */
export function findTracks(reader: RingReader): FoundTracks {
  // Copies are made of headers that are there only.
  const videoHeader = reader.stickyVersion(stickySlots.videoHeader) > 0 ? reader.readSticky(stickySlots.videoHeader) : undefined;
  const audioHeader = reader.stickyVersion(stickySlots.audioHeader) > 0 ? reader.readSticky(stickySlots.audioHeader) : undefined;
  const isWhole = videoHeader !== undefined && audioHeader !== undefined;
  const seen = isWhole ? nothingSeen : look(reader);
  const video = videoHeader?.payload ?? seen.video;
  const audio = audioHeader?.payload ?? seen.audio;
  const found = {
    hasAudio: audio !== undefined,
    hasVideo: video !== undefined,
    audioCodec: audio === undefined ? undefined : describeAudio(audio)?.codec,
    videoCodec: video === undefined ? undefined : describeVideo(video)?.codec,
  };
  const isCertain = (found.hasAudio && found.hasVideo) || seen.spanMs >= PATIENCE_MS || isAnnounced(reader, found);
  return { ...found, isCertain };
}

interface Seen {
  /** The begin of the first frame or header of each kind. */
  readonly video: Buffer | undefined;
  readonly audio: Buffer | undefined;
  readonly spanMs: number;
}

const nothingSeen: Seen = { video: undefined, audio: undefined, spanMs: 0 };

/** What has come since the beginning, or since the newest key frame. */
function look(reader: RingReader): Seen {
  const there = reader.fork();
  if (!there.seekToFirst() && !there.seekToNewestKeyFrame()) return { ...nothingSeen, spanMs: PATIENCE_MS };
  let video: Buffer | undefined;
  let audio: Buffer | undefined;
  let firstMs: number | undefined;
  let lastMs = 0;
  there.pollCopies(
    {
      onRecord: (type, flags, timestampMs, _wallMs, _sequence, payload) => {
        if (type === frameTypes.audio) audio ??= Buffer.from(payload.subarray(0, HEAD_BYTES));
        if (type === frameTypes.video) video ??= Buffer.from(payload.subarray(0, HEAD_BYTES));
        if (type === frameTypes.data || (flags & NO_MEDIA_MASK) !== 0) return;
        firstMs ??= timestampMs;
        lastMs = timestampMs;
      },
    },
    LOOK_BYTES,
  );
  return { video, audio, spanMs: firstMs === undefined ? 0 : timestampDelta(firstMs, lastMs) };
}

/** The metadata names a codec for exactly what has been found. */
function isAnnounced(reader: RingReader, found: { readonly hasAudio: boolean; readonly hasVideo: boolean }): boolean {
  const metadata = reader.readSticky(stickySlots.metadata);
  if (metadata === undefined) return false;
  const [, properties] = decodeAmf0(metadata.payload);
  if (!(properties instanceof AmfObject)) return false;
  const hasVideo = properties.has('videocodecid');
  const hasAudio = properties.has('audiocodecid');
  return (hasVideo || hasAudio) && hasVideo === found.hasVideo && hasAudio === found.hasAudio;
}
