/** What the connections of one process have measured, as it travels to the process that reports. */
import type { ConnectionCounts } from './connection-counts.ts';
import type { HistogramPart } from './latency-histogram.ts';
import type { RequestFigures } from './request-figures.ts';

/** One group of connections over the measured time. Figures of a connection that was lost on the way are left out of the arrays. */
export interface GroupFigures {
  readonly counts: ConnectionCounts;
  /** All media and protocol together. */
  readonly bytes: number;
  /** Video messages; of HLS, segments. */
  readonly frames: number;
  readonly gapPlayers: number;
  readonly gapFrames: number;
  readonly wrongPlayers: number;
  readonly wrongMessages: number;
  /** Per connection. */
  readonly kbps: Float64Array;
  /** Per connection, the longest time without a message of media. */
  readonly silenceMs: Float64Array;
  /** Per connection that got a picture, whenever that was. */
  readonly firstFrameMs: Float64Array;
  /** From stamp to receipt; of publishers, how late frames were sent; of HLS, from a request to the end of its answer. */
  readonly latency: HistogramPart;
  /** Of viewers of HLS. */
  readonly requests?: RequestFigures;
}

/** The last second of one group. */
export interface GroupSecond {
  readonly counts: ConnectionCounts;
  readonly bytes: number;
  readonly frames: number;
  readonly gapFrames: number;
  readonly kbps: Float64Array;
  readonly silenceMs: number;
  readonly latency: HistogramPart;
  /** Answered requests of viewers of HLS. */
  readonly answered?: number;
}

export type GroupName = 'ordinary' | 'slow' | 'stalled' | 'publishers';

/** What a process itself needed. */
export interface TesterFigures {
  readonly pid: number;
  /** Of one core. */
  readonly cpuPercent: number;
  readonly loopDelayP99Ms: number;
}

export interface LoadSecond {
  readonly groups: Partial<Record<GroupName, GroupSecond>>;
  readonly tester: TesterFigures;
}

export interface LoadResult {
  readonly seconds: number;
  readonly groups: Partial<Record<GroupName, GroupFigures>>;
  readonly tester: TesterFigures;
}
