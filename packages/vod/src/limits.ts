/** How recordings are cut into segments, and what that may cost. */

/** A segment ends at the first key frame after this time. */
export const SEGMENT_MS = 6000;
/** Groups of pictures that should last as long as a segment may be a picture shorter, by rounding. */
export const SEGMENT_TOLERANCE_MS = 100;
/** At a key frame a segment of so many bytes ends, however short it is. */
export const FULL_SEGMENT_BYTES = 16 * 1024 * 1024;
/** Without any key frame it ends all the same: by its length, or by its bytes. */
export const MAX_SEGMENT_MS = 30_000;
export const MAX_SEGMENT_BYTES = 32 * 1024 * 1024;
/** As a transport stream it has hardly more, unless the headers of its pictures, which go with each key frame, are most of it. */
export const MAX_TS_BYTES = 96 * 1024 * 1024;
/** Nine days in segments of six seconds; the playlist has 7 MB then. */
export const MAX_SEGMENTS = 131_072;
/** Timestamps of 31 bits. */
export const MAX_DURATION_MS = 0x7fffffff;

/** Up to here an FLV file is read as a whole before the first answer, and not by what its metadata say of key frames. */
export const SCANNED_AT_ONCE_BYTES = 256 * 1024 * 1024;
/** Key frames that the metadata list are no further apart: long recordings list some of them only. */
export const MAX_INDEX_GAP_MS = 64_000;
/** What comes behind the last of them is looked through. */
export const MAX_INDEX_TAIL_BYTES = 256 * 1024 * 1024;

/** A larger picture is not read. */
export const MAX_FRAME_BYTES = 0xffffff;
/** Timestamps that differ more from those before have jumped, and the time goes on without a gap. */
export const MAX_STEP_MS = 10_000;
/** Sound may stand so far behind the pictures that it belongs to. */
export const MAX_STEP_BACK_MS = 5000;
/** The last picture is shown as long as the one before, unless that was a gap. */
export const MAX_LAST_FRAME_MS = 1000;
/** What is believed then. */
export const LAST_FRAME_MS = 40;
