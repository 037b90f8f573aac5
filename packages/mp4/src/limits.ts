/** What the fragmented MP4 of this package counts in, and what it refuses. */

export const VIDEO_TIMESCALE = 90_000;
export const VIDEO_TICKS_PER_MS = VIDEO_TIMESCALE / 1000;

/** Decoder configuration of one track. */
export const MAX_CONFIGURATION_BYTES = 65_536;
/** Media that was collected and not yet taken, all tracks together: 60 s of 30 Mbps. */
export const MAX_COLLECTED_BYTES = 256 * 1024 * 1024;
/** Samples of one fragment and track: more than 60 s of 1000 frames a second, and 4 MiB of table. */
export const MAX_FRAGMENT_SAMPLES = 262_144;
/** Decoding times that go back by less are a publisher's jitter and are straightened; beyond, a fragment begins anew. */
export const MAX_STEP_BACK_MS = 1000;
/** A picture that stands longer is a gap. */
export const MAX_SAMPLE_DURATION_MS = 3_600_000;
/** Sound is timed by counting its samples for as long as that agrees with the publisher's clock so far. */
export const AUDIO_RESYNC_MS = 100;

/** A moov is read as a whole: a table entry of each sample and chunk. */
export const MAX_MOOV_BYTES = 256 * 1024 * 1024;
/** A moof is read as a whole too; this is a million samples. */
export const MAX_MOOF_BYTES = 16 * 1024 * 1024;
/** All tracks together: a day of 50 pictures and 47 sounds a second. In memory 200 MiB. */
export const MAX_FILE_SAMPLES = 8_388_608;
/** Boxes on the top level of a file: a day in fragments of 200 ms. Each costs a read. */
export const MAX_TOP_LEVEL_BOXES = 1_048_576;
export const MAX_FILE_TRACKS = 64;
