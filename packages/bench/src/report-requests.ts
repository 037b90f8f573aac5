/** What a summary says of the requests of viewers of HLS. */
import { type HistogramPart, LatencyHistogram, type Percentiles } from './latency-histogram.ts';
import type { GroupFigures } from './load-figures.ts';
import { round, roundAll, sumOf } from './report-numbers.ts';
import type { RequestFigures, StallFigures } from './request-figures.ts';

interface AnsweredReport {
  readonly count: number;
  readonly perSecond: number;
  /** From the request to the last byte of its answer. */
  readonly latencyMs: Percentiles | null;
}

export interface RequestsReport {
  /** That were answered as they should be; what follows is part of them. */
  readonly count: number;
  readonly perSecond: number;
  readonly playlists: AnsweredReport;
  readonly segments: AnsweredReport;
  /** That were not, and why. */
  readonly failed: number;
  readonly failures: Readonly<Record<string, number>>;
  readonly stalls: StallFigures;
}

export function requestsReport(groups: readonly GroupFigures[], seconds: number): RequestsReport {
  const parts: readonly RequestFigures[] = groups.flatMap(({ requests }) => requests ?? []);
  const playlists = answeredReport(
    parts.map((part) => part.playlists),
    seconds,
  );
  const segments = answeredReport(
    parts.map((part) => part.segments),
    seconds,
  );
  const count = playlists.count + segments.count;
  return {
    count,
    perSecond: perSecond(count, seconds),
    playlists,
    segments,
    failed: sumOf(parts, ({ failed }) => failed),
    failures: addReasons(parts),
    stalls: {
      players: sumOf(parts, ({ stalls }) => stalls.players),
      missingSegments: sumOf(parts, ({ stalls }) => stalls.missingSegments),
      frozenPlaylists: sumOf(parts, ({ stalls }) => stalls.frozenPlaylists),
    },
  };
}

function answeredReport(parts: readonly HistogramPart[], seconds: number): AnsweredReport {
  const histogram = new LatencyHistogram();
  for (const part of parts) histogram.add(part);
  const { count } = histogram;
  return { count, perSecond: perSecond(count, seconds), latencyMs: roundAll(histogram.percentiles()) };
}

function addReasons(parts: readonly RequestFigures[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { failures } of parts) {
    for (const [reason, count] of Object.entries(failures)) sums[reason] = (sums[reason] ?? 0) + count;
  }
  return sums;
}

function perSecond(count: number, seconds: number): number {
  return round(count / Math.max(seconds, 0.001));
}
