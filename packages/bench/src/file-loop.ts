/** One connection that asks for files in turn, the next as soon as it has the one before. */
import type { HttpClientPlace } from './http-client-place.ts';
import { type HttpAnswer, HttpConnection } from './http-connection.ts';
import { parseHttpUrl } from './http-target.ts';
import type { RequestKind } from './request-figures.ts';

const OK = 200;
/** After a request that failed: a server that is gone must not be asked without end. */
const PAUSE_MS = 100;

interface LoopFile {
  readonly path: string;
  readonly kind: RequestKind;
}

export class FileLoop {
  readonly #place: HttpClientPlace;
  readonly #http: HttpConnection;
  readonly #files: readonly LoopFile[];
  #at: number;
  #askedMs = 0;
  #isStarted = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;

  /**
   * Begins at once.
   * @param urls all of one server
   * @param first which file comes first: connections are not in step
   * @throws SrsError RequestUri when a text is no address
   */
  constructor(urls: readonly string[], first: number, place: HttpClientPlace) {
    this.#place = place;
    const targets = urls.map(parseHttpUrl);
    this.#files = targets.map(({ path }) => ({ path, kind: /\.m3u8(?:\?|$)/.test(path) ? 'playlist' : 'segment' }));
    this.#at = first % this.#files.length;
    const { figures, player } = place;
    this.#http = new HttpConnection({
      target: targets[0]!,
      onBytes: (length) => figures.onBytes(player, length),
      onAnswer: (answer) => this.#onAnswer(answer),
    });
    figures.onAsked(player, performance.now());
    this.#ask();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#http.close();
  }

  /** Hot path. */
  #ask(): void {
    if (this.#isClosed) return;
    this.#askedMs = performance.now();
    this.#http.get(this.#files[this.#at]!.path, false);
  }

  /** Hot path. */
  #onAnswer(answer: HttpAnswer): void {
    const { figures, requests, player } = this.#place;
    const { kind } = this.#files[this.#at]!;
    this.#at = (this.#at + 1) % this.#files.length;
    if (answer.fault !== undefined || answer.status !== OK) {
      this.#onFault(kind, answer);
      return;
    }
    const nowMs = performance.now();
    if (!this.#isStarted) this.#start(nowMs);
    requests.onAnswered(kind, nowMs - this.#askedMs);
    figures.onMedia(player, nowMs);
    if (kind === 'segment') figures.onPicture(player, nowMs);
    this.#ask();
  }

  #start(nowMs: number): void {
    this.#isStarted = true;
    this.#place.figures.onPlaying(this.#place.player, nowMs);
    this.#place.onSettled();
  }

  #onFault(kind: RequestKind, { fault, status, statusText }: HttpAnswer): void {
    const { figures, requests, player } = this.#place;
    const reason = `${kind}: ${fault ?? `the server answered ${statusText}`}`;
    if (!this.#isStarted) {
      this.close();
      figures.onFailed(player, reason);
      this.#place.onSettled();
      return;
    }
    requests.onFailed(reason);
    if (fault !== undefined && status === OK) figures.onWrong(player);
    this.#timer = setTimeout(() => this.#ask(), PAUSE_MS);
  }
}
