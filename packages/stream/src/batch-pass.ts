/** The hot path: one batch for all players in step. */
import type { Clock } from '@srs/kernel';
import { sendFrom } from '@srs/native';
import type { EncodedBytes } from './batch.ts';
import type { FlushBudget } from './flush-budget.ts';
import type { PlayerState } from './player-state.ts';
import { StepArray } from './step-array.ts';

/** Players that are served between two looks at the clock. */
const PLAYERS_PER_LOOK = 64;

export interface BatchPassOptions {
  readonly clock: Clock;
  /** What sending may cost, shared by all streams of the process. */
  readonly budget: FlushBudget;
  /** The player's socket has not taken all of a batch: it has to leave step. */
  onBlocked(state: PlayerState): void;
}

/**
 * The players in step, and what they are being given. A pass sends on descriptors without a look at the players: thousands of them
 * do not fit into the caches of a processor. So what each was given follows from one count for all.
 */
export class BatchPass {
  readonly #options: BatchPassOptions;
  readonly #players = new StepArray();
  #encoded: EncodedBytes | undefined;
  #isInKernel = true;
  /** What a player has been given that was in step from the beginning. */
  #givenBytes = 0;
  #flushes = 0;
  #writes = 0;
  #flushedBytes = 0;
  #batchBytes = 0;

  constructor(options: BatchPassOptions) {
    this.#options = options;
  }

  /** Players in step. */
  get length(): number {
    return this.#players.length;
  }

  values(): IterableIterator<PlayerState> {
    return this.#players.values();
  }

  /** The batch that is being given; undefined between two passes. */
  get encoded(): EncodedBytes | undefined {
    return this.#encoded;
  }

  /** Every byte of the newest batch has been taken so far: nobody holds it. */
  get isInKernel(): boolean {
    return this.#isInKernel;
  }

  /** Passes so far, the size of the newest batch, and what was given in how many writes. */
  get statistics() {
    return {
      flushes: this.#flushes,
      batchBytes: this.#batchBytes,
      writes: this.#writes,
      flushedBytes: this.#flushedBytes,
    };
  }

  /** From the next batch on. */
  add(state: PlayerState): void {
    this.#players.add(state);
    state.startDirect(this.#givenBytes);
  }

  /** Does nothing for a player that is not in step. */
  remove(state: PlayerState): void {
    if (state.stepIndex < 0) return;
    state.endDirect(this.#givenTo(state));
    this.#players.remove(state);
  }

  /** Bytes that the player has got past its connection, also when it has left. */
  directBytes(state: PlayerState): number {
    return state.directBytes(this.#givenTo(state));
  }

  /** Gives the player its part of the pass under way now, and by its connection. */
  serveNow(state: PlayerState): void {
    if (this.#isUnserved(state)) this.#give(state, this.#encoded!, 0);
  }

  begin(encoded: EncodedBytes): void {
    this.#encoded = encoded;
    this.#isInKernel = true;
    this.#batchBytes = encoded.bytes.length;
    this.#givenBytes += encoded.bytes.length;
    this.#players.beginPass();
  }

  /** Hot path: one system call per player and batch. @returns false when the time is over before everybody has been served */
  serve(endMs: number): boolean {
    const encoded = this.#encoded;
    if (encoded === undefined) return true;
    const { clock, budget } = this.#options;
    const { address } = encoded;
    const lengthBytes = encoded.bytes.length;
    const players = this.#players;
    const startMs = clock.nowMs();
    let writes = 0;
    let isOver = false;
    while (!isOver && players.next()) {
      const { descriptor } = players;
      const sentBytes = descriptor < 0 ? 0 : sendFrom(descriptor, address, lengthBytes);
      if (sentBytes !== lengthBytes) this.#giveRest(players.current, encoded, sentBytes);
      writes += 1;
      isOver = writes % PLAYERS_PER_LOOK === 0 && clock.nowMs() >= endMs;
    }
    this.#writes += writes;
    this.#flushedBytes += writes * lengthBytes;
    budget.note(clock.nowMs() - startMs, writes, writes * lengthBytes);
    if (isOver) return false;
    this.#encoded = undefined;
    this.#flushes += 1;
    return true;
  }

  /** What the kernel has not taken goes by way of the connection. @param sentBytes or an error, which the connection meets again */
  #giveRest(state: PlayerState, encoded: EncodedBytes, sentBytes: number): void {
    const offset = Math.max(0, sentBytes);
    state.discountDirect(encoded.bytes.length - offset);
    if (!this.#give(state, encoded, offset)) this.#options.onBlocked(state);
  }

  /** @returns false when the player's socket has not taken all of it */
  #give(state: PlayerState, encoded: EncodedBytes, offset: number): boolean {
    if (state.player.write(encoded, offset)) return true;
    this.#isInKernel = false;
    return false;
  }

  #givenTo(state: PlayerState): number {
    return this.#isUnserved(state) ? this.#givenBytes - this.#encoded!.bytes.length : this.#givenBytes;
  }

  #isUnserved(state: PlayerState): boolean {
    return this.#encoded !== undefined && this.#players.isUnserved(state);
  }
}
