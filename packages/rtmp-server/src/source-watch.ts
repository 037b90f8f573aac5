/** Whose media a player gets, for the log: SRS names the source's trackable id when a play begins and whenever it changes. */
import type { Log } from '@srs/kernel';
import type { LiveStream } from '@srs/stream';

const NOBODY = -1;

export class SourceWatch {
  readonly #log: Log;
  #cid = NOBODY;

  constructor(log: Log) {
    this.#log = log;
  }

  /** @param facts what else the line tells of the play */
  begin({ publisher }: LiveStream, facts: string): void {
    this.#cid = publisher?.cid ?? NOBODY;
    this.#log.trace(`${facts}, source_id=${this.#cid}[${this.#cid}]`);
  }

  /** The stream may have another publisher. */
  look(stream: LiveStream | undefined): void {
    const cid = stream?.publisher?.cid ?? NOBODY;
    if (cid === this.#cid || cid === NOBODY) return;
    this.#cid = cid;
    this.#log.trace(`update source_id=${cid}[${cid}]`);
  }
}
