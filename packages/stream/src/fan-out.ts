/** One stream to many players of one format: every frame is encoded once, every batch is written once per player. */
import type { Clock, FrameType } from '@srs/kernel';
import type { ViewSink } from '@srs/ring';
import type { Batch, EncodedBytes } from './batch.ts';
import { BatchPass } from './batch-pass.ts';
import type { FlushBudget } from './flush-budget.ts';
import { FrameBatch, type FrameEncoder } from './frame-batch.ts';
import type { LiveStream, StreamConsumer } from './live-stream.ts';
import { type FanOutPlayer, type PlayerOptions, PlayerState } from './player-state.ts';
import { type BehindSettings, PlayersBehind } from './players-behind.ts';
import type { RingSource } from './ring-source.ts';
import { type ReadResult, SourceReader } from './source-reader.ts';
import { StepLine } from './step-line.ts';
import { TurnSchedule, type TurnSettings } from './turn-schedule.ts';

/** What the configuration says of a stream's players; may change while they play. */
export interface FanOutSettings extends BehindSettings, TurnSettings {}

export interface FanOutOptions extends FanOutSettings {
  readonly stream: LiveStream;
  readonly encoder: FrameEncoder;
  /** Memory to encode into, shared by all fan-outs of the process. */
  readonly batch: Batch;
  /** What sending may cost, shared by all fan-outs of the process. */
  readonly budget: FlushBudget;
  readonly clock: Clock;
  /** This process's slot: the bit that asks writers for a wake-up. */
  readonly slot: number;
  /** The ring of the stream turned out to be broken: an error of this stream only. */
  readonly onCorrupt: (error: Error) => void;
}

export interface FanOutStatistics {
  readonly players: number;
  readonly playersInStep: number;
  /** How long frames are collected at the moment, as chosen from what a flush costs. */
  readonly flushIntervalMs: number;
  /** Batches so far, the size of the newest, and what players in step were given of them in how many writes. */
  readonly flushes: number;
  readonly batchBytes: number;
  readonly writes: number;
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
/** A flush to many players is interrupted after this time, so that the process hears of everything else. */
const SLICE_MS = 5;

/**
 * Players in step stand in a dense array and share every batch; the others are behind, see `PlayersBehind`.
 *
 * The ring is also the queue of frames that wait for the next flush: while the interval runs nothing is read, and no writer is
 * asked for a wake-up.
 *
 * A turn reads what is new batch by batch and gives each to all in step, in slices: between two of them players come, go, pause
 * and drain as at any other time.
 */
export class FanOut implements StreamConsumer {
  readonly #options: FanOutOptions;
  #settings: FanOutSettings;
  readonly #inStep: BatchPass;
  readonly #behind: PlayersBehind;
  /** They cost nothing until they go on. */
  readonly #paused = new Set<PlayerState>();
  readonly #batch: FrameBatch;
  readonly #line: StepLine;
  readonly #sink: ViewSink;
  /** Where the players in step are, when they have got the batch at hand. Undefined while there is nothing to read. */
  #main: SourceReader | undefined;
  /** What came of the reading that made the batch which those in step are being given. */
  #result: ReadResult = 'more';
  readonly #schedule: TurnSchedule;
  /** The next slice of the turn, or the look for what has come since the last one. */
  #immediate: NodeJS.Immediate | undefined;
  #turnCostMs = 0;
  /** The batch at hand was too small for all that was there when it was read. */
  #hasMore = false;
  /** Frames of the batch that is being read, and of the newest one that was sent. */
  #frames = 0;
  #batchFrames = 0;
  /** When the first of them came in, modulo 2^32. */
  #oldestWallMs = 0;
  #laps = 0;

  constructor(options: FanOutOptions) {
    this.#options = options;
    this.#settings = options;
    this.#schedule = new TurnSchedule({ ...options, reader: () => this.#main?.reader, onTurn: () => this.#turn() });
    this.#inStep = new BatchPass({ ...options, onBlocked: (state) => this.#behind.fallBehind(state) });
    const line = new StepLine(options.encoder);
    this.#line = line;
    const batch = new FrameBatch(options.batch);
    this.#batch = batch;
    this.#behind = new PlayersBehind({
      settings: options,
      inStep: this.#inStep,
      line,
      batch,
      main: () => this.#main,
      onCorrupt: options.onCorrupt,
      onFinished: (state) => {
        this.remove(state);
        state.player.onFinished();
      },
    });
    this.#sink = {
      onRecord: (type, _flags, timestampMs, wallMs, sequence, payload) => {
        batch.mark();
        // Nobody would get it, and whoever comes next has a line of its own.
        if (this.#inStep.length === 0) return;
        if (this.#frames === 0) this.#oldestWallMs = wallMs;
        batch.append(line.current, type as FrameType, timestampMs, payload, sequence);
        this.#frames += 1;
      },
      onTorn: () => {
        batch.rollBack();
        line.current.interrupt?.();
      },
    };
    options.stream.attach(this);
  }

  get playerCount(): number {
    return this.#inStep.length + this.#behind.size + this.#paused.size;
  }

  /** Frames in the newest batch. */
  get batchFrames(): number {
    return this.#batchFrames;
  }

  get statistics(): FanOutStatistics {
    return {
      players: this.playerCount,
      playersInStep: this.#inStep.length,
      flushIntervalMs: Math.round(this.#schedule.intervalMs),
      ...this.#inStep.statistics,
      laps: this.#laps,
      lagBytes: this.#main?.reader.lagBytes ?? 0,
      cuts: this.#behind.cuts,
      droppedFrames: this.#behind.droppedFrames,
    };
  }

  add(player: FanOutPlayer, options: PlayerOptions = {}): PlayerState {
    const state = new PlayerState(player, this.#line.open(), options);
    this.#comeIn(() => this.#join(state, false));
    return state;
  }

  remove(state: PlayerState): void {
    if (state.isRemoved) return;
    state.isRemoved = true;
    if (!this.#behind.delete(state) && !this.#paused.delete(state)) this.#inStep.remove(state);
    state.leaveRing();
  }

  /** Bytes that the player has got past its connection, those of the batch under way included if they have been sent. */
  directBytes(state: PlayerState): number {
    return this.#inStep.directBytes(state);
  }

  /** The player's descriptor is not to be used for now, see `FanOutPlayer`: the rest of what it is to get it gets by `write`. */
  holdBack(state: PlayerState): void {
    if (state.stepIndex < 0) return;
    this.#inStep.serveNow(state);
    this.#behind.fallBehind(state);
  }

  /** The player's socket has room again. */
  onDrain(state: PlayerState): void {
    this.#behind.onDrain(state);
  }

  /** A paused player reads nothing; when it goes on, what is older than the queue length is left out. */
  setPaused(state: PlayerState, isPaused: boolean): void {
    if (state.isRemoved || state.isPaused === isPaused) return;
    state.isPaused = isPaused;
    if (!isPaused) {
      this.#paused.delete(state);
      this.#comeIn(() => this.#read(state));
      return;
    }
    this.holdBack(state);
    this.#behind.delete(state);
    this.#paused.add(state);
  }

  /** From now on, for everybody who plays. */
  configure(settings: FanOutSettings): void {
    this.#settings = settings;
    this.#behind.configure(settings);
    this.#schedule.configure(settings);
  }

  /**
   * All that has been encoded goes out first, however long that takes; then `onChange` is called, in which players may be told; then
   * the other encoder begins.
   */
  changeEncoder(encoder: FrameEncoder, onChange: () => void): void {
    this.#serve(Number.POSITIVE_INFINITY);
    onChange();
    this.#line.changeEncoder(encoder);
    for (const state of this.#players()) state.line = encoder.openLine(state.line);
  }

  close(): void {
    this.#schedule.close();
    clearImmediate(this.#immediate);
    for (const state of this.#players()) this.remove(state);
    this.#closeMain();
    this.#options.stream.detach(this);
  }

  onSource(source: RingSource): void {
    // While an older ring is being read, its end leads to this one.
    if (this.#main === undefined) this.#openMain(source);
    this.#schedule.ask();
  }

  onWake(): void {
    if (this.#schedule.isBusy || this.#isResting) return;
    // A wake-up is meant for the whole process, and most of its streams have nothing new. But it may also have been for a frame
    // that has been read in the meantime, and then it has to be asked for again.
    if (this.#main !== undefined && !this.#main.hasNews && this.#main.reader.arm(this.#options.slot)) return;
    this.#schedule.ask();
  }

  #players(): readonly PlayerState[] {
    return [...this.#inStep.values(), ...this.#behind.values(), ...this.#paused];
  }

  #turn(): void {
    this.#turnCostMs = 0;
    this.#hasMore = true;
    this.#result = 'more';
    this.#goOn();
  }

  /** One slice: reads what is new, sends it, and either sleeps until a writer rings or comes back for more. */
  readonly #goOn = (): void => {
    const { clock, slot } = this.#options;
    const startMs = clock.nowMs();
    const isDone = this.#flushUntil(startMs + SLICE_MS);
    this.#turnCostMs += clock.nowMs() - startMs;
    if (!isDone) {
      this.#immediate = setImmediate(this.#goOn);
      return;
    }
    this.#schedule.end(this.#turnCostMs);
    this.#behind.pumpAll();
    if (this.#main !== undefined && !this.#main.hasMoved && !this.#isResting && !this.#main.reader.arm(slot)) {
      this.#immediate = setImmediate(() => this.onWake());
    }
  };

  /** Batch by batch. @returns false when the time is over, true when there is nothing more to read */
  #flushUntil(endMs: number): boolean {
    for (;;) {
      if (!this.#serve(endMs)) return false;
      if (!this.#settle()) return true;
      this.#readBatch();
    }
  }

  get #maxBatchBytes(): number {
    return this.#settings.minFrameIntervalMs > 0 ? 1 : MAX_BATCH_BYTES;
  }

  /** Hot path: O(1) objects per frame. */
  #readBatch(): void {
    const main = this.#main!;
    // Nobody would get it.
    if (this.#inStep.length === 0) main.reader.seekToLiveEdge();
    this.#result = main.read(this.#sink, this.#maxBatchBytes, this.#options.onCorrupt);
    // What comes while this batch is being sent waits for the next turn. One by one, every frame has a turn of its own.
    this.#hasMore = this.#settings.minFrameIntervalMs === 0 && main.hasNews;
    if (this.#batch.length === 0) return;
    this.#inStep.begin(this.#batch.take());
    this.#batchFrames = this.#frames;
    this.#frames = 0;
  }

  /** @returns false when the time is over before everybody has been served */
  #serve(endMs: number): boolean {
    const { encoded } = this.#inStep;
    if (encoded === undefined) return true;
    if (!this.#inStep.serve(endMs)) return false;
    this.#onFlushed(encoded);
    return true;
  }

  #onFlushed(encoded: EncodedBytes): void {
    const { budget, clock } = this.#options;
    if (this.#inStep.length > 0) {
      budget.intervalsMs.observe(this.#schedule.intervalMs);
      budget.agesMs.observe(Math.max(0, (clock.wallMs() - this.#oldestWallMs) | 0));
    }
    if (this.#inStep.isInKernel) this.#batch.reuse(encoded);
  }

  /** What is to be done after the last reading, now that everybody has got what it read. @returns whether to read on */
  #settle(): boolean {
    const main = this.#main;
    if (main === undefined) return false;
    switch (this.#result) {
      case 'more':
        return this.#hasMore;
      case 'drained':
        return false;
      case 'lapped':
        this.#laps += 1;
        main.reader.seekToLiveEdge();
        this.#line.current.interrupt?.();
        this.#handLines();
        this.#rejoinAll(false);
        return true;
      case 'ended':
        return this.#followOn(main);
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
    if (this.#main === undefined) return;
    this.#handLines();
    this.#main.close();
    this.#main = undefined;
  }

  /** Those in step go on each by itself, from where all of them are. */
  #handLines(): void {
    for (const state of this.#inStep.values()) state.line = this.#line.fork();
  }

  /** Everybody starts afresh: on a publish they have waited for, or because this worker was lapped. */
  #rejoinAll(haveWaited: boolean): void {
    const states = Array.from(this.#inStep.values());
    for (const state of states) this.#inStep.remove(state);
    for (const state of states) if (!state.isRemoved) this.#join(state, haveWaited);
  }

  #join(state: PlayerState, hasWaited: boolean): void {
    if (this.#main !== undefined) this.#behind.enterRing(state, this.#main.source, hasWaited);
    this.#read(state);
  }

  /** Nobody is there who would read anything: all that is new waits in the ring. */
  get #isResting(): boolean {
    return this.#inStep.length === 0 && this.#behind.size === 0;
  }

  /** Who comes when nobody was reading has to see to it that the stream is read. */
  #comeIn(enter: () => void): void {
    const wasResting = this.#isResting;
    enter();
    if (wasResting) this.#schedule.ask();
  }

  /** From here on the player is given what it has not had, by itself until it is in step. */
  #read(state: PlayerState): void {
    // The place of those in step has stood still meanwhile.
    if (this.#isResting) this.#main?.reader.seekToLiveEdge();
    this.#behind.add(state);
  }
}
