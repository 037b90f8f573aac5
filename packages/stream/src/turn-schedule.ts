/** When a fan-out takes its turns: at once while sending is cheap, else after an interval, and then as a picture comes. */
import type { Clock } from '@srs/kernel';
import type { RingReader } from '@srs/ring';
import type { FlushBudget } from './flush-budget.ts';

/** Shorter waits are not worth a timer. */
const MIN_WAIT_MS = 2;
/** Sound waits for a picture to be sent with when frames would be collected for longer than this anyway. */
const DEAR_INTERVAL_MS = 10;
/** And for so long at most: the next picture of 20 a second. */
const PICTURE_WAIT_MS = 50;
/** How much the newest turn counts among those before it. */
const NEWEST_WEIGHT = 0.25;

export interface TurnSettings {
  /** The longest time that frames may wait to be sent together. */
  readonly maxFlushIntervalMs: number;
  /** For players that cannot take several frames at once: every turn sends one, at least this far apart; 0 for turns as they are needed. */
  readonly minFrameIntervalMs: number;
}

export interface TurnScheduleOptions extends TurnSettings {
  readonly clock: Clock;
  readonly budget: FlushBudget;
  /** This process's slot, for the wake-up that a picture brings. */
  readonly slot: number;
  /** Where the players in step are; undefined while there is nothing to read. */
  reader(): RingReader | undefined;
  /** A turn begins; `end` tells when it is over. */
  onTurn(): void;
}

/**
 * A turn that ends somewhere between two pictures sends the last one late by half a frame on average. So when the interval is over the
 * turn begins as the next picture comes: it goes out fresh, and the sound before it goes along.
 */
export class TurnSchedule {
  readonly #options: TurnScheduleOptions;
  #settings: TurnSettings;
  #timer: NodeJS.Timeout | undefined;
  #pictureTimer: NodeJS.Timeout | undefined;
  /** How long frames should be collected for what a turn costs, whatever the configuration says. */
  #dearMs = 0;
  /** And how long they have to be. */
  #leastMs = 0;
  #lastTurnMs = Number.NEGATIVE_INFINITY;
  #isTurning = false;
  #isClosed = false;

  constructor(options: TurnScheduleOptions) {
    this.#options = options;
    this.#settings = options;
  }

  /** A turn is under way, or the interval after the last one runs: nothing is to be done for a wake-up. */
  get isBusy(): boolean {
    return this.#isTurning || this.#timer !== undefined;
  }

  /** The least time between the beginnings of two turns. */
  get intervalMs(): number {
    const { maxFlushIntervalMs, minFrameIntervalMs } = this.#settings;
    if (minFrameIntervalMs > 0) return minFrameIntervalMs;
    const longestMs = this.#awaitsPictures ? Math.max(0, maxFlushIntervalMs - PICTURE_WAIT_MS) : maxFlushIntervalMs;
    return Math.max(this.#leastMs, Math.min(this.#dearMs, longestMs));
  }

  /** There is something to send: a turn begins now, or when it is due. */
  ask(): void {
    if (this.isBusy || this.#isClosed) return;
    const nowMs = this.#options.clock.nowMs();
    const waitMs = this.#lastTurnMs + this.intervalMs - nowMs;
    if (waitMs > MIN_WAIT_MS) this.#timer = setTimeout(this.#onTimer, waitMs);
    else if (!this.#waitForPicture(nowMs)) this.#begin(nowMs);
  }

  /** The turn is over. @param costMs time it has taken of the process */
  end(costMs: number): void {
    this.#isTurning = false;
    const { budget } = this.#options;
    this.#dearMs += (budget.intervalMs(costMs) - this.#dearMs) * NEWEST_WEIGHT;
    this.#leastMs += (budget.leastIntervalMs(costMs) - this.#leastMs) * NEWEST_WEIGHT;
  }

  /** The interval that runs is cut short when it would be too long now. */
  configure(settings: TurnSettings): void {
    this.#settings = settings;
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#onTimer();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#pictureTimer);
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    this.ask();
  };

  /** None has come: the sound does not wait any longer. */
  readonly #onPictureTimer = (): void => {
    this.#begin(this.#options.clock.nowMs());
  };

  #begin(nowMs: number): void {
    clearTimeout(this.#pictureTimer);
    this.#pictureTimer = undefined;
    this.#isTurning = true;
    this.#lastTurnMs = nowMs;
    this.#options.onTurn();
  }

  get #awaitsPictures(): boolean {
    const { minFrameIntervalMs } = this.#settings;
    return this.#dearMs > DEAR_INTERVAL_MS && minFrameIntervalMs === 0 && this.#options.reader()?.hasHadPicture === true;
  }

  /** @returns false when the turn shall begin now */
  #waitForPicture(nowMs: number): boolean {
    const { slot } = this.#options;
    const { maxFlushIntervalMs } = this.#settings;
    const reader = this.#options.reader();
    if (reader === undefined || !this.#awaitsPictures || reader.hasPictureAhead) return false;
    if (this.#pictureTimer === undefined) {
      const leftMs = this.#lastTurnMs + Math.max(maxFlushIntervalMs, PICTURE_WAIT_MS) - nowMs;
      if (leftMs < MIN_WAIT_MS) return false;
      this.#pictureTimer = setTimeout(this.#onPictureTimer, Math.min(leftMs, PICTURE_WAIT_MS));
    }
    reader.arm(slot);
    // It may have come before the writer could see that it is waited for.
    return !reader.hasPictureAhead;
  }
}
