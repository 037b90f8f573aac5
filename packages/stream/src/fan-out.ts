/** One stream to many players of one format: every frame is encoded once, every batch is written once per player. */
import type { Clock, FrameType } from '@srs/kernel';
import type { ViewSink } from '@srs/ring';
import type { Batch } from './batch.ts';
import { FrameBatch, type FrameEncoder } from './frame-batch.ts';
import type { LiveStream, StreamConsumer } from './live-stream.ts';
import { type FanOutPlayer, type PlayerOptions, PlayerState } from './player-state.ts';
import type { RingSource } from './ring-source.ts';
import { SourceReader } from './source-reader.ts';

export interface FanOutOptions {
  readonly stream: LiveStream;
  readonly encoder: FrameEncoder;
  /** Memory to encode into, shared by all fan-outs of the process. */
  readonly batch: Batch;
  readonly clock: Clock;
  /** This process's slot: the bit that asks writers for a wake-up. */
  readonly slot: number;
  /** Joiners start at the newest key frame; else at the next one. */
  readonly gopCache: boolean;
  readonly queueLengthMs: number;
  /** The longest time that frames may wait to be sent together. */
  readonly maxFlushIntervalMs: number;
  /** The ring of the stream turned out to be broken: an error of this stream only. */
  readonly onCorrupt: (error: Error) => void;
}

export interface FanOutStatistics {
  readonly players: number;
  readonly playersInStep: number;
  readonly flushIntervalMs: number;
  readonly flushes: number;
  readonly flushedBytes: number;
  /** Times this worker was too slow for the ring and went on at a newer key frame. */
  readonly laps: number;
  readonly lagBytes: number;
  /** Times a player was so late that frames were left out for it, and how many; of players that have left, too. */
  readonly cuts: number;
  readonly droppedFrames: number;
}

/** A batch is flushed when it has grown to this size, whatever the interval says. */
const MAX_BATCH_BYTES = 256 * 1024;
/** As much as a player behind is given at a time. */
const PUMP_BYTES = 128 * 1024;
/** Flushing may take one part in so many of the time before frames are merged for longer. */
const FLUSH_TIME_SHARE = 8;
/** Shorter waits are not worth a timer. */
const MIN_WAIT_MS = 2;

/**
 * Players in step stand in a dense array and share every batch. A player that has just come, is paused, counts its time or does
 * not take its bytes reads the ring by a reader of its own until it has caught up: it costs nobody else anything, and its memory
 * is the ring that is there anyway.
 *
 * The ring is also the queue of frames that wait for the next flush: while the interval runs nothing is read, and no writer is
 * asked for a wake-up.
 */
export class FanOut implements StreamConsumer {
  readonly #options: FanOutOptions;
  readonly #inStep: PlayerState[] = [];
  readonly #behind = new Set<PlayerState>();
  readonly #batch: FrameBatch;
  readonly #sink: ViewSink;
  /** Where the players in step are. Undefined while there is nothing to read. */
  #main: SourceReader | undefined;
  #timer: NodeJS.Timeout | undefined;
  #intervalMs = 0;
  #lastTurnMs = Number.NEGATIVE_INFINITY;
  #flushes = 0;
  #flushedBytes = 0;
  /** Frames of the batch that is being read, and of the newest one that was sent. */
  #frames = 0;
  #batchFrames = 0;
  #laps = 0;
  #cuts = 0;
  #droppedFrames = 0;
  #isClosed = false;

  constructor(options: FanOutOptions) {
    this.#options = options;
    const batch = new FrameBatch(options.encoder, options.batch);
    this.#batch = batch;
    this.#sink = {
      onRecord: (type, _flags, timestampMs, _wallMs, _sequence, payload) => {
        batch.mark();
        batch.append(type as FrameType, timestampMs, payload);
        this.#frames += 1;
      },
      onTorn: () => batch.rollBack(),
    };
    options.stream.attach(this);
  }

  get playerCount(): number {
    return this.#inStep.length + this.#behind.size;
  }

  /** Frames in the newest batch. */
  get batchFrames(): number {
    return this.#batchFrames;
  }

  get statistics(): FanOutStatistics {
    return {
      players: this.playerCount,
      playersInStep: this.#inStep.length,
      flushIntervalMs: Math.round(this.#intervalMs),
      flushes: this.#flushes,
      flushedBytes: this.#flushedBytes,
      laps: this.#laps,
      lagBytes: this.#main?.reader.lagBytes ?? 0,
      cuts: this.#cuts,
      droppedFrames: this.#droppedFrames,
    };
  }

  add(player: FanOutPlayer, options: PlayerOptions = {}): PlayerState {
    const state = new PlayerState(player, options);
    this.#join(state, false);
    return state;
  }

  remove(state: PlayerState): void {
    if (state.isRemoved) return;
    state.isRemoved = true;
    if (!this.#behind.delete(state)) this.#leaveStep(state);
    state.leaveRing();
  }

  /** The player's socket has room again. */
  onDrain(state: PlayerState): void {
    if (this.#behind.has(state)) this.#pump(state);
  }

  /** A paused player reads nothing; when it goes on, what is older than the queue length is left out. */
  setPaused(state: PlayerState, isPaused: boolean): void {
    if (state.isRemoved || state.isPaused === isPaused) return;
    state.isPaused = isPaused;
    if (isPaused) this.#fallBehind(state);
    else this.#pump(state);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const state of [...this.#inStep, ...this.#behind]) this.remove(state);
    this.#closeMain();
    this.#options.stream.detach(this);
  }

  onSource(source: RingSource): void {
    // While an older ring is being read, its end leads to this one.
    if (this.#main === undefined) this.#openMain(source);
    this.onWake();
  }

  onWake(): void {
    if (this.#timer !== undefined || this.#isClosed) return;
    const waitMs = this.#lastTurnMs + this.#intervalMs - this.#options.clock.nowMs();
    if (waitMs <= MIN_WAIT_MS) this.#turn();
    else this.#timer = setTimeout(() => this.#onTimer(), waitMs);
  }

  #onTimer(): void {
    this.#timer = undefined;
    this.#turn();
  }

  /** Reads what is new, sends it, and either sleeps until a writer rings or comes back for more. */
  #turn(): void {
    const startMs = this.#options.clock.nowMs();
    this.#lastTurnMs = startMs;
    this.#drainMain();
    // Pumping can end a player or bring it into step: go over those who were behind at the start.
    if (this.#behind.size > 0) for (const state of Array.from(this.#behind)) this.#pump(state);
    this.#adapt(this.#options.clock.nowMs() - startMs);
    if (this.#main !== undefined && !this.#main.hasMoved && !this.#main.reader.arm(this.#options.slot)) {
      setImmediate(() => this.onWake());
    }
  }

  /** Sends at once while that is cheap, and merges for longer as the number of players grows. */
  #adapt(costMs: number): void {
    const wantedMs = Math.min(costMs * FLUSH_TIME_SHARE, this.#options.maxFlushIntervalMs);
    this.#intervalMs = this.#intervalMs * 0.75 + wantedMs * 0.25;
  }

  /** Hot path: O(1) objects per frame, one write per player and batch. */
  #drainMain(): void {
    for (;;) {
      const main = this.#main;
      if (main === undefined) return;
      const result = main.read(this.#sink, MAX_BATCH_BYTES, this.#options.onCorrupt);
      this.#flush();
      switch (result) {
        case 'more':
          break;
        case 'drained':
          return;
        case 'lapped':
          this.#laps += 1;
          main.reader.seekToLiveEdge();
          this.#rejoinAll(false);
          break;
        case 'ended':
          if (!this.#followOn(main)) return;
          break;
      }
    }
  }

  /** From an ended ring to its successor. @returns false when there is none to go on in (yet) */
  #followOn(main: SourceReader): boolean {
    const { next } = main.source;
    if (next === undefined) {
      // The ring that a growing stream moved to is announced a moment after the end of the old one.
      if (!main.hasMoved) this.#closeMain();
      return false;
    }
    if (main.followMove(next, this.#options.onCorrupt)) return true;
    this.#closeMain();
    this.#openMain(next);
    return this.#main !== undefined;
  }

  #openMain(source: RingSource): void {
    this.#main = SourceReader.open(source, this.#options.onCorrupt);
    if (this.#main !== undefined) this.#rejoinAll(source.wasAwaited);
  }

  #closeMain(): void {
    this.#main?.close();
    this.#main = undefined;
  }

  /** Everybody starts afresh: on a publish they have waited for, or because this worker was lapped. */
  #rejoinAll(haveWaited: boolean): void {
    for (const state of this.#inStep.splice(0)) {
      state.stepIndex = -1;
      this.#join(state, haveWaited);
    }
  }

  #flush(): void {
    if (this.#batch.length === 0) return;
    const bytes = this.#batch.take();
    this.#batchFrames = this.#frames;
    this.#frames = 0;
    this.#flushes += 1;
    this.#flushedBytes += bytes.length * this.#inStep.length;
    let isInKernel = true;
    // Backwards: who falls behind is replaced by the last one, which has been served.
    for (let index = this.#inStep.length - 1; index >= 0; index -= 1) {
      const state = this.#inStep[index]!;
      state.player.write(bytes);
      if (state.player.pendingBytes > 0) {
        isInKernel = false;
        this.#fallBehind(state);
      }
    }
    if (isInKernel) this.#batch.reuse(bytes);
  }

  #join(state: PlayerState, hasWaited: boolean): void {
    this.#behind.add(state);
    if (this.#main !== undefined) this.#enterRing(state, this.#main.source, hasWaited);
    this.#pump(state);
  }

  /**
   * @param hasWaited the player was there before the ring: this process may hear of a ring when the publisher, who does not wait,
   *   has sent several seconds already
   */
  #enterRing(state: PlayerState, source: RingSource, hasWaited: boolean): void {
    state.leaveRing();
    const reader = SourceReader.open(source, this.#options.onCorrupt);
    if (reader !== undefined) state.enterRing(reader, { hasWaited, fromKeyFrame: this.#options.gopCache });
  }

  #fallBehind(state: PlayerState): void {
    if (state.stepIndex < 0) return;
    this.#leaveStep(state);
    if (this.#main !== undefined) state.goOnWith(this.#main.fork(), this.#main.reader.newestTimestampMs);
    this.#behind.add(state);
  }

  #leaveStep(state: PlayerState): void {
    const index = state.stepIndex;
    if (index < 0) return;
    state.stepIndex = -1;
    const last = this.#inStep.pop()!;
    if (last === state) return;
    this.#inStep[index] = last;
    last.stepIndex = index;
  }

  #enterStep(state: PlayerState): void {
    this.#behind.delete(state);
    state.leaveRing();
    state.stepIndex = this.#inStep.push(state) - 1;
  }

  /** Gives a player behind as much as its socket takes, and brings it into step when it has caught up. */
  #pump(state: PlayerState): void {
    while (!state.isRemoved && !state.isPaused && state.player.pendingBytes === 0) {
      if (state.reader === undefined && !this.#findRing(state)) return;
      const { reader } = state;
      if (reader === undefined) return;
      if (state.lateMs() > this.#options.queueLengthMs) this.#countCut(state.cut());
      const result = this.#readAlone(state, reader);
      if (state.isFinished) {
        this.remove(state);
        state.player.onFinished();
        return;
      }
      switch (result) {
        case 'more':
          break;
        case 'drained':
          if (state.canEnterStep && state.player.pendingBytes === 0) this.#enterStep(state);
          return;
        case 'lapped':
          this.#countCut(state.onLapped());
          break;
        case 'ended':
          if (!this.#followOnAlone(state, reader)) return;
          break;
      }
    }
  }

  #countCut(droppedFrames: number): void {
    if (droppedFrames === 0) return;
    this.#cuts += 1;
    this.#droppedFrames += droppedFrames;
  }

  /** A player without a ring waits together with those in step, or joins them on the ring that has come. */
  #findRing(state: PlayerState): boolean {
    if (this.#main !== undefined) this.#enterRing(state, this.#main.source, this.#main.source.wasAwaited);
    else if (!state.isSolo) this.#enterStep(state);
    return state.reader !== undefined;
  }

  /** Up to the place of those in step, and not beyond: `drained` means there. */
  #readAlone(state: PlayerState, reader: SourceReader): 'more' | 'drained' | 'lapped' | 'ended' {
    const limitBytes = this.#main === undefined ? undefined : reader.bytesTo(this.#main);
    if (limitBytes !== undefined && limitBytes <= 0) return 'drained';
    const maxBytes = Math.min(PUMP_BYTES, limitBytes ?? PUMP_BYTES);
    const result = reader.read(state.sinkInto(this.#batch), maxBytes, this.#options.onCorrupt);
    if (this.#batch.length > 0) {
      const bytes = this.#batch.take();
      state.player.write(bytes);
      if (state.player.pendingBytes === 0) this.#batch.reuse(bytes);
    }
    return result;
  }

  /** @returns false when the player has to wait for another ring */
  #followOnAlone(state: PlayerState, reader: SourceReader): boolean {
    const { next } = reader.source;
    if (next === undefined) {
      if (reader.hasMoved) return false;
      state.leaveRing();
      return true;
    }
    if (!reader.followMove(next, this.#options.onCorrupt)) this.#enterRing(state, next, next.wasAwaited);
    return state.reader !== undefined;
  }
}
