/** What the skimmer remembers of one chunk stream. */
import { ChunkClock } from '@srs/rtmp';
import { SkimmedMessage } from './skimmed-message.ts';

export class SkimmedStream extends ChunkClock {
  readonly id: number;
  readonly message = new SkimmedMessage();
  hasHeader = false;
  isIncomplete = false;

  constructor(id: number) {
    super();
    this.id = id;
  }

  endMessage(): void {
    this.isIncomplete = false;
    this.message.restart();
  }
}
