/** What an encoder has said before, or just after, it publishes. */
import type { Command } from './command-message.ts';

/**
 * How a publisher announces itself: `fmle` with releaseStream and FCPublish first (FMLE, FFmpeg, OBS, librtmp, GStreamer),
 * `haivision` with FCPublish after createStream, `flash` with publish alone.
 */
export type PublishDialect = 'fmle' | 'haivision' | 'flash';

/** Remembers createStream, releaseStream and FCPublish of one publish, in whatever order they come and whichever are left out. */
export class PublishAnnouncement {
  #hasCreatedStream = false;
  #hasReleasedStream = false;
  #fcPublishTransactionId: number | undefined;
  #dialect: PublishDialect = 'flash';

  get dialect(): PublishDialect {
    return this.#dialect;
  }

  /** The transaction id of FCPublish; undefined as long as there was none. */
  get fcPublishTransactionId(): number | undefined {
    return this.#fcPublishTransactionId;
  }

  /** Whether this command has been seen already. */
  has(name: 'releaseStream' | 'FCPublish'): boolean {
    return name === 'FCPublish' ? this.#fcPublishTransactionId !== undefined : this.#hasReleasedStream;
  }

  /** Takes one of the three commands; others mean nothing here. */
  note(command: Command): void {
    switch (command.name) {
      case 'createStream':
        this.#hasCreatedStream = true;
        break;
      case 'releaseStream':
        this.#hasReleasedStream = true;
        this.#dialect = 'fmle';
        break;
      case 'FCPublish':
        this.#fcPublishTransactionId = command.transactionId;
        this.#dialect = this.#hasCreatedStream && !this.#hasReleasedStream ? 'haivision' : 'fmle';
        break;
      default:
        break;
    }
  }
}
