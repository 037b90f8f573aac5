/** When an upload that failed is tried again. */
import type { UploadSettings } from './upload-settings.ts';

export interface UploadPausesOptions {
  readonly firstMs: number;
  readonly maxMs: number;
  /** 0..1, as Math.random. */
  readonly random: () => number;
}

interface Pause {
  readonly failures: number;
  readonly untilMs: number;
}

/**
 * Stores and files have pauses of their own. A store that is away is asked with growing pauses, however many files wait for it; a file that the store
 * does not take is tried with growing pauses, and does not hold up the others. Settings that a reload has changed begin anew.
 */
export class UploadPauses {
  readonly #options: UploadPausesOptions;
  readonly #stores = new Map<string, Pause>();
  readonly #files = new Map<string, Pause & { readonly store: string }>();

  constructor(options: UploadPausesOptions) {
    this.#options = options;
  }

  /** When the file may be tried; in the past for one that never failed. */
  dueMs(path: string, settings: UploadSettings): number {
    const store = storeOf(settings);
    const storeMs = this.#stores.get(store)?.untilMs ?? Number.NEGATIVE_INFINITY;
    const file = this.#files.get(path);
    return Math.max(storeMs, file?.store === store ? file.untilMs : Number.NEGATIVE_INFINITY);
  }

  /** How often it has failed so far. */
  failures(path: string): number {
    return this.#files.get(path)?.failures ?? 0;
  }

  isFailing(settings: UploadSettings): boolean {
    return this.#stores.has(storeOf(settings));
  }

  storeFailed(settings: UploadSettings, nowMs: number): void {
    const store = storeOf(settings);
    this.#stores.set(store, this.#after(this.#stores.get(store), nowMs));
  }

  storeWorks(settings: UploadSettings): void {
    this.#stores.delete(storeOf(settings));
  }

  /** @returns how long until it may be tried again */
  fileFailed(path: string, settings: UploadSettings, nowMs: number): number {
    const store = storeOf(settings);
    const before = this.#files.get(path);
    this.#files.set(path, { ...this.#after(before?.store === store ? before : undefined, nowMs), store });
    return Math.round(this.dueMs(path, settings) - nowMs);
  }

  /** The file is done with, or is another one now. */
  forget(path: string): void {
    this.#files.delete(path);
  }

  /** Doubles from failure to failure; up to a quarter is taken off at random, so that many servers do not come back together. */
  #after(before: Pause | undefined, nowMs: number): Pause {
    const { firstMs, maxMs, random } = this.#options;
    const failures = (before?.failures ?? 0) + 1;
    const pauseMs = Math.min(firstMs * 2 ** (failures - 1), maxMs);
    return { failures, untilMs: nowMs + pauseMs * (1 - random() / 4) };
  }
}

/** All that is said of the store counts: a password that is put right should be tried at once. */
function storeOf(settings: UploadSettings): string {
  return JSON.stringify(settings);
}
