/** The players of a stream that are not in step: each reads the ring by itself until it has caught up. */
import type { BatchPass } from './batch-pass.ts';
import type { FrameBatch } from './frame-batch.ts';
import type { PlayerState } from './player-state.ts';
import type { RingSource } from './ring-source.ts';
import { type OnCorrupt, type ReadResult, SourceReader } from './source-reader.ts';
import type { StepLine } from './step-line.ts';

export interface BehindSettings {
  /** Joiners start at the newest key frame; else at the next one. */
  readonly gopCache: boolean;
  /**
   * For a format without pictures: joiners start anywhere, so far back instead, as far as that is there and not longer ago than the queue
   * length; 0 for what comes next.
   */
  readonly startBackMs?: number;
  /** Who is later than this goes on at the newest key frame. */
  readonly queueLengthMs: number;
}

export interface PlayersBehindOptions {
  readonly settings: BehindSettings;
  /** Where those go who have caught up. */
  readonly inStep: BatchPass;
  /** Of those in step. */
  readonly line: StepLine;
  /** Empty whenever one of these players is given something. */
  readonly batch: FrameBatch;
  /** Where the players in step are; undefined while there is nothing to read. */
  main(): SourceReader | undefined;
  readonly onCorrupt: OnCorrupt;
  /** The stream time that the player asked for has passed: it is to be removed. */
  onFinished(state: PlayerState): void;
}

/** As much as a player is given at a time. */
const PUMP_BYTES = 128 * 1024;

/**
 * A player that has just come, counts its time or does not take its bytes has a reader of its own: it costs nobody else anything, and
 * its memory is the ring that is there anyway. Where players in step are is as far as it reads; there it joins them.
 */
export class PlayersBehind {
  readonly #options: PlayersBehindOptions;
  #settings: BehindSettings;
  readonly #states = new Set<PlayerState>();
  #cuts = 0;
  #droppedFrames = 0;

  constructor(options: PlayersBehindOptions) {
    this.#options = options;
    this.#settings = options.settings;
  }

  get size(): number {
    return this.#states.size;
  }

  /** Times that a player was so late that frames were left out for it. */
  get cuts(): number {
    return this.#cuts;
  }

  get droppedFrames(): number {
    return this.#droppedFrames;
  }

  values(): IterableIterator<PlayerState> {
    return this.#states.values();
  }

  configure(settings: BehindSettings): void {
    this.#settings = settings;
  }

  /** From here on the player is given what it has not had, by itself until it is in step. */
  add(state: PlayerState): void {
    this.#states.add(state);
    this.#pump(state);
  }

  /** @returns false when it was not here */
  delete(state: PlayerState): boolean {
    return this.#states.delete(state);
  }

  /** The player's socket has room again. */
  onDrain(state: PlayerState): void {
    if (this.#states.has(state)) this.#pump(state);
  }

  /** Gives all of them what has come. */
  pumpAll(): void {
    // Pumping can end a player or bring it into step: go over those who were here at the start.
    if (this.#states.size > 0) for (const state of Array.from(this.#states)) this.#pump(state);
  }

  /** The player leaves step, at the place where all in step are. Does nothing for one that is not there. */
  fallBehind(state: PlayerState): void {
    if (state.stepIndex < 0) return;
    const { inStep, line } = this.#options;
    inStep.remove(state);
    const main = this.#options.main();
    if (main !== undefined) {
      state.line = line.fork();
      state.goOnWith(main.fork(), main.reader.newestTimestampMs);
    }
    this.#states.add(state);
  }

  /**
   * @param hasWaited the player was there before the ring: this process may hear of a ring when the publisher, who does not wait,
   *   has sent several seconds already
   */
  enterRing(state: PlayerState, source: RingSource, hasWaited: boolean): void {
    state.leaveRing();
    const reader = SourceReader.open(source, this.#options.onCorrupt);
    if (reader === undefined) return;
    const { gopCache, startBackMs, queueLengthMs } = this.#settings;
    const backMs = startBackMs === undefined ? undefined : Math.min(startBackMs, queueLengthMs);
    state.enterRing(reader, { hasWaited, backMs, fromKeyFrame: gopCache });
  }

  /** Gives a player as much as its socket takes, and brings it into step when it has caught up. */
  #pump(state: PlayerState): void {
    while (!state.isRemoved && !state.isPaused && state.player.pendingBytes === 0) {
      if (state.reader === undefined && !this.#findRing(state)) return;
      const { reader } = state;
      if (reader === undefined) return;
      if (state.lateMs() > this.#settings.queueLengthMs) this.#countCut(state.cut());
      const result = this.#read(state, reader);
      if (state.isFinished) {
        this.#options.onFinished(state);
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
          if (!this.#followOn(state, reader)) return;
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
    const main = this.#options.main();
    if (main !== undefined) this.enterRing(state, main.source, main.source.wasAwaited);
    else if (!state.isSolo) this.#enterStep(state);
    return state.reader !== undefined;
  }

  /** Hot path: up to the place of those in step, and not beyond: `drained` means there. */
  #read(state: PlayerState, reader: SourceReader): ReadResult {
    const { batch, onCorrupt } = this.#options;
    const main = this.#options.main();
    const limitBytes = main === undefined ? undefined : reader.bytesTo(main);
    if (limitBytes !== undefined && limitBytes <= 0) return 'drained';
    const maxBytes = Math.min(PUMP_BYTES, limitBytes ?? PUMP_BYTES);
    const result = reader.read(state.sinkInto(batch), maxBytes, onCorrupt);
    if (batch.length > 0) this.#give(state);
    return result;
  }

  /** @returns false when the player's socket has not taken all of it */
  #give(state: PlayerState): boolean {
    const { batch } = this.#options;
    const encoded = batch.take();
    const isTaken = state.player.write(encoded, 0);
    if (isTaken) batch.reuse(encoded);
    return isTaken;
  }

  /** @returns false when the player has to wait for another ring */
  #followOn(state: PlayerState, reader: SourceReader): boolean {
    const { next } = reader.source;
    if (next === undefined) {
      if (reader.hasMoved) return false;
      state.leaveRing();
      return true;
    }
    if (!reader.followMove(next, this.#options.onCorrupt)) this.enterRing(state, next, next.wasAwaited);
    return state.reader !== undefined;
  }

  #enterStep(state: PlayerState): void {
    if (this.#options.main() !== undefined && !this.#joinLine(state)) return;
    this.#states.delete(state);
    state.leaveRing();
    this.#options.inStep.add(state);
  }

  /**
   * Brings a player that has got everything up to the place of those in step into their line. Its bytes were made by a line of its own,
   * and where formats count, those of all need not follow on them.
   * @returns false when what lies between has to wait: it is still behind then
   */
  #joinLine(state: PlayerState): boolean {
    const { inStep, line, batch } = this.#options;
    if (inStep.length === 0) {
      line.adopt(state.line);
      return true;
    }
    const bridge = line.bridgeFrom(state.line);
    if (bridge === undefined) return true;
    state.line = line.fork();
    batch.appendBytes(bridge);
    return this.#give(state);
  }
}
