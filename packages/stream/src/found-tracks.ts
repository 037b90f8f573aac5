/** Which kinds of media a stream has, as far as its ring tells: some formats must say it before the first frame. */
import { AmfObject, decodeAmf0 } from '@srs/amf';
import { frameFlags, frameTypes, timestampDelta } from '@srs/kernel';
import { type RingReader, stickySlots } from '@srs/ring';

export interface FoundTracks {
  readonly hasAudio: boolean;
  readonly hasVideo: boolean;
  /** The other kind will hardly come any more. */
  readonly isCertain: boolean;
}

/** A kind of media that has not begun after so much of the other is taken to be missing. */
const PATIENCE_MS = 1_000;
/** More than a second of any sane stream. */
const LOOK_BYTES = 4 * 1024 * 1024;
/** Headers say what is to come, and have no time of their own. */
const NO_MEDIA_MASK = frameFlags.sequenceHeader | frameFlags.metadata | frameFlags.videoMetadata;

/** @param reader is not moved */
export function findTracks(reader: RingReader): FoundTracks {
  let hasVideo = reader.stickyVersion(stickySlots.videoHeader) > 0;
  let hasAudio = reader.stickyVersion(stickySlots.audioHeader) > 0;
  if (hasAudio && hasVideo) return { hasAudio, hasVideo, isCertain: true };
  const seen = look(reader);
  hasVideo ||= seen.hasVideo;
  hasAudio ||= seen.hasAudio;
  const isCertain = (hasAudio && hasVideo) || seen.spanMs >= PATIENCE_MS || isAnnounced(reader, { hasAudio, hasVideo });
  return { hasAudio, hasVideo, isCertain };
}

/** What has come since the beginning, or since the newest key frame. */
function look(reader: RingReader): { readonly hasAudio: boolean; readonly hasVideo: boolean; readonly spanMs: number } {
  const there = reader.fork();
  if (!there.seekToFirst() && !there.seekToNewestKeyFrame()) return { hasAudio: false, hasVideo: false, spanMs: PATIENCE_MS };
  let hasAudio = false;
  let hasVideo = false;
  let firstMs: number | undefined;
  let lastMs = 0;
  there.pollCopies(
    {
      onRecord: (type, flags, timestampMs) => {
        if (type === frameTypes.audio) hasAudio = true;
        if (type === frameTypes.video) hasVideo = true;
        if (type === frameTypes.data || (flags & NO_MEDIA_MASK) !== 0) return;
        firstMs ??= timestampMs;
        lastMs = timestampMs;
      },
    },
    LOOK_BYTES,
  );
  return { hasAudio, hasVideo, spanMs: firstMs === undefined ? 0 : timestampDelta(firstMs, lastMs) };
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
