/** What others are told of a segment that has been listed. */
import type { OutputStream } from '@srs/stream';

export interface SegmentEvent {
  readonly stream: OutputStream;
  readonly durationMs: number;
  /** Its media sequence number. */
  readonly sequence: number;
  /** Where it is stored. */
  readonly file: string;
  /** The same below `hls_path`. */
  readonly url: string;
  /** Where the playlist is stored. */
  readonly m3u8: string;
  /** The same below `hls_path`. */
  readonly m3u8Url: string;
}
