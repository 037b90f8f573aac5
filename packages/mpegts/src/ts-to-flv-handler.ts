/** Who gets what a transport stream is turned into. */
import type { FrameType } from '@srs/kernel';

export interface FlvFrameHandler {
  /**
   * A frame as the body of an FLV tag, sequence headers included.
   *
   * @param timestampMs 31 bits, decoding time; the first frame has about 1,000
   * @param payload valid during the call only
   */
  onFrame(type: FrameType, timestampMs: number, payload: Buffer): void;
  /** Something is wrong that does not end the stream. */
  onWarning(text: string): void;
}
