/** One viewer of HLS at work: does what it decides, and counts what it gets. */

import { type HlsRequest, HlsViewer } from './hls-viewer.ts';
import type { HttpClientPlace } from './http-client-place.ts';
import { type HttpAnswer, HttpConnection } from './http-connection.ts';
import { parseHttpUrl } from './http-target.ts';

const OK = 200;
const NOT_FOUND = 404;
const TS_PACKET_BYTES = 188;

export class HlsConnection {
  readonly #place: HttpClientPlace;
  readonly #viewer: HlsViewer;
  readonly #http: HttpConnection;
  #request: HlsRequest | undefined;
  #askedMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #state: 'starting' | 'viewing' | 'over' = 'starting';
  /** What was wrong while it started. */
  #wrong: string | undefined;

  /** Begins at once. @throws SrsError RequestUri when the text is no address */
  constructor(url: string, place: HttpClientPlace) {
    this.#place = place;
    const { figures, requests, player } = place;
    this.#viewer = new HlsViewer(url, {
      onStarted: () => this.#onStarted(),
      onGap: (segments) => figures.onGap(player, segments),
      onWrong: (what) => {
        this.#wrong = what;
        if (this.#state === 'viewing') figures.onWrong(player);
      },
      onFrozen: () => requests.onFrozen(player),
    });
    this.#http = new HttpConnection({
      target: parseHttpUrl(url),
      onBytes: (length) => figures.onBytes(player, length),
      onAnswer: (answer) => this.#onAnswer(answer),
    });
    figures.onAsked(player, performance.now());
    this.#next();
  }

  close(): void {
    this.#state = 'over';
    clearTimeout(this.#timer);
    this.#http.close();
  }

  #next(): void {
    if (this.#state === 'over') return;
    const nowMs = performance.now();
    const next = this.#viewer.next(nowMs);
    if (typeof next === 'number') {
      this.#timer = setTimeout(() => this.#next(), next - nowMs);
      return;
    }
    this.#request = next;
    this.#askedMs = nowMs;
    this.#http.get(next.path, next.kind === 'playlist');
  }

  #onAnswer(answer: HttpAnswer): void {
    const request = this.#request!;
    const nowMs = performance.now();
    const fault = answer.fault ?? (answer.status === OK ? undefined : `the server answered ${answer.statusText}`);
    if (fault === undefined) this.#place.requests.onAnswered(request.kind, nowMs - this.#askedMs);
    else this.#place.requests.onFailed(`${request.kind}: ${fault}`);
    if (request.kind === 'segment') this.#onSegment(request, answer, fault, nowMs);
    else this.#onPlaylist(answer.body, fault, nowMs);
    this.#next();
  }

  #onPlaylist(body: string | undefined, fault: string | undefined, nowMs: number): void {
    if (fault === undefined) this.#viewer.onPlaylist(body ?? '', this.#askedMs, nowMs);
    else this.#viewer.onNoPlaylist(this.#askedMs, nowMs);
    if (this.#state !== 'starting') return;
    const reason = fault ?? this.#wrong;
    if (reason !== undefined) this.#fail(reason);
  }

  #onSegment({ isPlainTs }: HlsRequest, answer: HttpAnswer, fault: string | undefined, nowMs: number): void {
    const { figures, requests, player } = this.#place;
    if (fault === undefined) {
      figures.onMedia(player, nowMs);
      figures.onPicture(player, nowMs);
      if (answer.bodyBytes === 0 || (isPlainTs && answer.bodyBytes % TS_PACKET_BYTES !== 0)) figures.onWrong(player);
    } else if (answer.status === NOT_FOUND) {
      requests.onMissing(player);
    } else if (answer.status === OK) {
      // It is shorter than announced.
      figures.onWrong(player);
    }
  }

  #onStarted(): void {
    if (this.#state !== 'starting') return;
    this.#state = 'viewing';
    this.#place.figures.onPlaying(this.#place.player, performance.now());
    this.#place.onSettled();
  }

  #fail(reason: string): void {
    this.close();
    this.#place.figures.onFailed(this.#place.player, reason);
    this.#place.onSettled();
  }
}
