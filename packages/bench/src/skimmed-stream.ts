/** What the skimmer remembers of one chunk stream. */
import { ChunkClock } from '@srs/rtmp';

export class SkimmedStream extends ChunkClock {
  readonly id: number;
  type = 0;
  messageBytes = 0;
  receivedBytes = 0;
  hasHeader = false;
  isIncomplete = false;
  /** The beginning of a message that came in several pieces; made when it is first needed. */
  head: Buffer | undefined;

  constructor(id: number) {
    super();
    this.id = id;
  }

  endMessage(): void {
    this.isIncomplete = false;
    this.receivedBytes = 0;
  }
}
