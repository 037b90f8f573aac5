/** What one process of a load test does, whatever it loads the server with. */

import type { ConnectionCounts } from './connection-counts.ts';
import type { LoadResult, LoadSecond } from './load-figures.ts';

/** Connections of one kind. Made with a share of the plan; nothing happens before `start`. */
export interface LoadDriver {
  /** Opens all connections at the plan's pace; settles when each is through or has failed. */
  start(): Promise<void>;
  counts(): ConnectionCounts;
  /** From here on counts. */
  begin(nowMs: number): void;
  second(nowMs: number): LoadSecond['groups'];
  finish(nowMs: number): LoadResult['groups'];
  close(): Promise<void>;
}
