// @ts-check
/** Keeps one stream playing: opens a player when somebody publishes, and opens it anew when the picture stands still. */
import { canPlayHls, hasMediaSource, unplayable } from './codecs.js';
import { players } from './players.js';

/** @import { Fault, Player, PlayerName, State, Stream } from './types.js' */

const LOOK_MS = 250;
/** After so long without a fault, what went wrong before is forgotten. */
const PROVEN_MS = 10_000;
const MAX_RETRY_MS = 15_000;

export class Session {
  #video;
  #onState;
  /** @type {Stream | undefined} */
  #stream;
  /** @type {PlayerName} */
  #playerName = 'flv';
  /** @type {Player | undefined} */
  #player;
  #isOpening = false;
  /** What was opened earlier must not be heard any more. */
  #opening = 0;
  /** The player before has let go of the `video`. */
  #closed = Promise.resolve();
  /** For which the player was opened. */
  #openedTracks = '';
  /** @type {Fault | undefined} */
  #fault;
  #faults = 0;
  #retryAtMs = 0;
  #isBlocked = false;
  #lastTime = 0;
  #movedMs = 0;
  #openedMs = 0;
  #hasMoved = false;
  /** Since then there has been a picture where the stream has none, or none where it has one. */
  #mismatchedMs = 0;

  /**
   * @param {HTMLVideoElement} video
   * @param {(state: State, delaySeconds: number | undefined) => void} onState is told several times a second
   */
  constructor(video, onState) {
    this.#video = video;
    this.#onState = onState;
    setInterval(() => this.#look(), LOOK_MS);
  }

  /**
   * What the server says now of the stream that was chosen.
   *
   * @param {Stream | undefined} stream undefined for none
   * @param {PlayerName} playerName
   * @param {boolean} isOther it has just been chosen
   */
  update(stream, playerName, isOther) {
    const before = this.#stream;
    this.#stream = stream;
    if (isOther || playerName !== this.#playerName) {
      this.#playerName = playerName;
      this.#begin();
    } else if (stream?.isPublished === true && stream.publishId !== before?.publishId) this.#onPublish(stream);
  }

  #begin() {
    this.#close();
    this.#forgive();
    this.#look();
  }

  /** @param {Stream} stream */
  #onPublish(stream) {
    this.#forgive();
    // The player goes on with the next publish if it has the same tracks.
    this.#movedMs = performance.now();
    if (this.#openedTracks !== tracksOf(stream)) this.#close();
  }

  #forgive() {
    this.#fault = undefined;
    this.#faults = 0;
    this.#retryAtMs = 0;
  }

  #look() {
    const stream = this.#stream;
    if (stream === undefined) {
      this.#close();
      return;
    }
    const obstacle = this.#obstacleOf(stream);
    if (obstacle !== undefined) {
      // Who waits stays connected: the stream goes on there.
      if (obstacle.kind !== 'waiting') this.#close();
      this.#onState(obstacle, undefined);
      return;
    }
    const nowMs = performance.now();
    if (this.#player === undefined && !this.#isOpening && nowMs >= this.#retryAtMs) this.#open(stream);
    this.#watchMovement(nowMs);
    this.#watchPicture(stream, nowMs);
    this.#onState(this.#currentState(), this.#hasMoved ? this.#player?.delay() : undefined);
  }

  /**
   * Why the stream cannot be played at all.
   *
   * @param {Stream} stream
   * @returns {State | undefined}
   */
  #obstacleOf(stream) {
    const { label, address } = players[this.#playerName];
    const canPlay = this.#playerName === 'hls' ? canPlayHls : hasMediaSource;
    if (!canPlay) return problem(`This browser cannot play ${label}.${canPlayHls ? ' Choose HLS.' : ''}`);
    if (address(stream.urls) === null) return problem(`The server does not offer this stream as ${label}.`);
    if (!stream.isPublished)
      return { kind: 'waiting', text: 'Nobody publishes this stream at the moment; it starts by itself when somebody does.' };
    const codec = unplayable(stream);
    return codec === undefined
      ? undefined
      : problem(`${codec}, which this browser cannot play. Open one of its addresses in VLC or ffplay.`);
  }

  /** @returns {State} */
  #currentState() {
    if (this.#fault !== undefined) return problem(this.#fault.text);
    if (this.#isBlocked && this.#video.paused)
      return { kind: 'paused', text: 'The browser wants to be asked before it plays: press play.' };
    if (this.#hasMoved && this.#video.paused) return { kind: 'paused', text: 'Paused' };
    return this.#hasMoved ? { kind: 'playing', text: 'Live' } : { kind: 'connecting', text: 'Connecting …' };
  }

  /** @param {Stream} stream */
  #open(stream) {
    const kind = players[this.#playerName];
    const address = kind.address(stream.urls);
    if (address === null) return;
    this.#opening += 1;
    const opening = this.#opening;
    this.#isOpening = true;
    this.#openedTracks = tracksOf(stream);
    this.#openedMs = performance.now();
    this.#movedMs = this.#openedMs;
    this.#lastTime = 0;
    this.#hasMoved = false;
    this.#mismatchedMs = this.#openedMs;
    this.#closed = this.#closed.then(() => this.#attach(kind, address, opening));
  }

  /**
   * @param {import('./players.js').PlayerKind} kind
   * @param {string} address
   * @param {number} opening
   */
  async #attach(kind, address, opening) {
    if (opening !== this.#opening) return;
    /** @param {Fault} fault */
    const onFault = (fault) => {
      if (opening === this.#opening) this.#onFault(fault);
    };
    try {
      const player = await kind.open(this.#video, address, onFault);
      if (opening !== this.#opening) {
        await player.close();
        return;
      }
      this.#isOpening = false;
      this.#player = player;
      this.#play();
    } catch (error) {
      console.error(error);
      onFault({ text: `The player for ${kind.label} does not load; trying again.`, retryMs: 1000 });
    }
  }

  #play() {
    this.#isBlocked = false;
    this.#video.play().catch((/** @type {unknown} */ error) => {
      this.#isBlocked = error instanceof DOMException && error.name === 'NotAllowedError';
    });
  }

  #close() {
    this.#opening += 1;
    this.#isOpening = false;
    this.#hasMoved = false;
    const player = this.#player;
    this.#player = undefined;
    if (player !== undefined) this.#closed = player.close();
  }

  /** @param {Fault} fault */
  #onFault(fault) {
    this.#close();
    this.#fault = fault;
    const { retryMs } = fault;
    this.#retryAtMs =
      retryMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + Math.min(retryMs * 2 ** this.#faults, MAX_RETRY_MS);
    this.#faults += 1;
  }

  /**
   * Players have the tracks that they began with: one that began with what was left of the publish before never shows those of this one.
   *
   * @param {Stream} stream
   * @param {number} nowMs
   */
  #watchPicture(stream, nowMs) {
    const isRight = this.#video.videoWidth > 0 === (stream.video !== null);
    if (this.#player === undefined || !this.#hasMoved || isRight) this.#mismatchedMs = nowMs;
    else if (nowMs - this.#mismatchedMs > players[this.#playerName].stallMs)
      this.#onFault({ text: 'The stream has other tracks now; connecting anew.', retryMs: 500 });
  }

  /** @param {number} nowMs */
  #watchMovement(nowMs) {
    if (this.#player === undefined) return;
    const { currentTime, paused, ended } = this.#video;
    const isMoving = currentTime !== this.#lastTime && !paused;
    this.#lastTime = currentTime;
    if (isMoving) {
      this.#movedMs = nowMs;
      this.#hasMoved = true;
      this.#fault = undefined;
      if (nowMs - this.#openedMs > PROVEN_MS) this.#faults = 0;
      return;
    }
    // Browsers let nobody see a picture that is not looked at; some then stop it.
    if ((paused && !ended) || document.hidden) {
      this.#movedMs = nowMs;
      return;
    }
    const { stallMs } = players[this.#playerName];
    if (ended || nowMs - this.#movedMs > stallMs)
      this.#onFault({ text: 'The stream stands still; connecting anew.', retryMs: 500 });
  }
}

/** @param {string} text @returns {State} */
function problem(text) {
  return { kind: 'problem', text };
}

/** @param {Stream} stream */
function tracksOf({ video, audio }) {
  return `${video?.codec ?? ''} ${audio?.codec ?? ''}`;
}
