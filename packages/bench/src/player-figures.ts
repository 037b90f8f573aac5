/** The figures of a group of players, in arrays by player: nothing is made for a message. */
import { ConnectionCounter } from './connection-counts.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import type { GroupFigures, GroupSecond } from './load-figures.ts';
import type { Stamp } from './stamp.ts';
import { wallMicros } from './wall-clock.ts';

const NONE = -1;

const phases = { waiting: 0, playing: 1, over: 2 } as const;

export class PlayerFigures {
  readonly counter: ConnectionCounter;
  readonly #phase: Uint8Array;
  readonly #bytes: Float64Array;
  readonly #startBytes: Float64Array;
  readonly #secondBytes: Float64Array;
  /** The number that the next picture must have. */
  readonly #nextSequence: Float64Array;
  readonly #stream: Float64Array;
  readonly #gapFrames: Uint32Array;
  readonly #wrong: Uint32Array;
  readonly #lastMs: Float64Array;
  readonly #silenceMs: Float64Array;
  readonly #playMs: Float64Array;
  readonly #firstFrameMs: Float64Array;
  readonly #latency = new LatencyHistogram();
  readonly #secondLatency = new LatencyHistogram();
  #frames = 0;
  #secondFrames = 0;
  #secondGapFrames = 0;
  #secondSilenceMs = 0;
  #startMs = 0;
  #secondStartMs = 0;
  #isMeasuring = false;

  constructor(players: number) {
    this.counter = new ConnectionCounter(players);
    this.#phase = new Uint8Array(players);
    this.#bytes = new Float64Array(players);
    this.#startBytes = new Float64Array(players);
    this.#secondBytes = new Float64Array(players);
    this.#nextSequence = new Float64Array(players).fill(NONE);
    this.#stream = new Float64Array(players).fill(NONE);
    this.#gapFrames = new Uint32Array(players);
    this.#wrong = new Uint32Array(players);
    this.#lastMs = new Float64Array(players);
    this.#silenceMs = new Float64Array(players);
    this.#playMs = new Float64Array(players).fill(NONE);
    this.#firstFrameMs = new Float64Array(players).fill(NONE);
  }

  /** The play command has been sent. */
  onAsked(player: number, nowMs: number): void {
    this.#playMs[player] = nowMs;
  }

  onPlaying(player: number, nowMs: number): void {
    this.#phase[player] = phases.playing;
    this.#lastMs[player] = nowMs;
    this.counter.onConnected();
  }

  onFailed(player: number, reason: string): void {
    this.#phase[player] = phases.over;
    this.counter.onFailed(reason);
  }

  onLost(player: number, reason: string): void {
    this.#phase[player] = phases.over;
    this.counter.onLost(reason);
  }

  /** Hot path. */
  onBytes(player: number, length: number): void {
    this.#bytes[player]! += length;
  }

  /** Hot path. A whole message of media has come. */
  onMedia(player: number, nowMs: number): void {
    const silenceMs = nowMs - this.#lastMs[player]!;
    this.#lastMs[player] = nowMs;
    if (!this.#isMeasuring) return;
    if (silenceMs > this.#silenceMs[player]!) this.#silenceMs[player] = silenceMs;
    if (silenceMs > this.#secondSilenceMs) this.#secondSilenceMs = silenceMs;
  }

  /** Hot path. That message was a picture. */
  onPicture(player: number, nowMs: number): void {
    if (this.#firstFrameMs[player] === NONE) this.#firstFrameMs[player] = nowMs - this.#playMs[player]!;
    this.#secondFrames += 1;
    if (this.#isMeasuring) this.#frames += 1;
  }

  /**
   * Hot path. That picture had this stamp.
   * @param isTimed its latency counts
   * @returns false when it does not come right after the one before
   */
  onStamp(player: number, stamp: Stamp, isTimed: boolean): boolean {
    const due = this.#nextSequence[player]!;
    this.#nextSequence[player] = stamp.sequence + 1;
    if (this.#isMeasuring && isTimed) {
      const latencyMs = (wallMicros() - stamp.timeUs) / 1000;
      this.#latency.record(latencyMs);
      this.#secondLatency.record(latencyMs);
    }
    if (stamp.sequence === due && stamp.stream === this.#stream[player]) return true;
    return this.#onStep(player, stamp, due);
  }

  /** @param frames how many have been left out, as far as is known */
  onGap(player: number, frames: number): void {
    if (!this.#isMeasuring) return;
    this.#gapFrames[player]! += frames;
    this.#secondGapFrames += frames;
  }

  /** A message that was not published so, or not in this place. */
  onWrong(player: number): void {
    this.#wrong[player]! += 1;
  }

  /** From here on counts. */
  begin(nowMs: number): void {
    this.#startBytes.set(this.#bytes);
    this.#lastMs.fill(nowMs);
    this.#startMs = nowMs;
    this.#isMeasuring = true;
    this.#startSecond(nowMs);
  }

  second(nowMs: number): GroupSecond {
    const seconds = Math.max(nowMs - this.#secondStartMs, 1) / 1000;
    let silenceMs = this.#secondSilenceMs;
    if (this.#isMeasuring) this.#eachPlaying((player) => (silenceMs = Math.max(silenceMs, nowMs - this.#lastMs[player]!)));
    const part: GroupSecond = {
      counts: this.counter.counts(),
      bytes: sumOf(this.#bytes) - sumOf(this.#secondBytes),
      frames: this.#secondFrames,
      gapFrames: this.#secondGapFrames,
      kbps: this.#rates(this.#secondBytes, seconds),
      silenceMs,
      latency: this.#secondLatency.part(),
    };
    this.#startSecond(nowMs);
    return part;
  }

  /** The end of what counts. */
  finish(nowMs: number): GroupFigures {
    const silenceMs: number[] = [];
    this.#eachPlaying((player) => silenceMs.push(Math.max(this.#silenceMs[player]!, nowMs - this.#lastMs[player]!)));
    this.#isMeasuring = false;
    return {
      counts: this.counter.counts(),
      bytes: sumOf(this.#bytes) - sumOf(this.#startBytes),
      frames: this.#frames,
      gapPlayers: this.#gapFrames.filter((frames) => frames > 0).length,
      gapFrames: sumOf(this.#gapFrames),
      wrongPlayers: this.#wrong.filter((messages) => messages > 0).length,
      wrongMessages: sumOf(this.#wrong),
      kbps: this.#rates(this.#startBytes, Math.max(nowMs - this.#startMs, 1) / 1000),
      silenceMs: Float64Array.from(silenceMs),
      firstFrameMs: this.#firstFrameMs.filter((ms) => ms !== NONE),
      latency: this.#latency.part(),
    };
  }

  #onStep(player: number, stamp: Stamp, due: number): boolean {
    const stream = this.#stream[player]!;
    this.#stream[player] = stamp.stream;
    if (due === NONE) return true;
    // Another stream's picture, or one that came before: the server has mixed something up.
    const isMixedUp = stamp.stream !== stream || stamp.sequence < due;
    if (!isMixedUp) this.onGap(player, stamp.sequence - due);
    // Whoever leaves something out goes on with a key frame; anything else decodes to rubbish.
    if (isMixedUp || !stamp.isKeyFrame) this.onWrong(player);
    return false;
  }

  #startSecond(nowMs: number): void {
    this.#secondBytes.set(this.#bytes);
    this.#secondStartMs = nowMs;
    this.#secondFrames = 0;
    this.#secondGapFrames = 0;
    this.#secondSilenceMs = 0;
    this.#secondLatency.clear();
  }

  #rates(since: Float64Array, seconds: number): Float64Array {
    const kbps: number[] = [];
    this.#eachPlaying((player) => kbps.push(((this.#bytes[player]! - since[player]!) * 8) / 1000 / seconds));
    return Float64Array.from(kbps);
  }

  #eachPlaying(visit: (player: number) => void): void {
    this.#phase.forEach((phase, player) => {
      if (phase === phases.playing) visit(player);
    });
  }
}

function sumOf(values: Float64Array | Uint32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
