/** Numbers of many parts as reports show them. */
import { type HistogramPart, LatencyHistogram, type Percentiles } from './latency-histogram.ts';

export function latencyReport(parts: readonly { readonly latency: HistogramPart }[]): Percentiles | null {
  const histogram = new LatencyHistogram();
  for (const { latency } of parts) histogram.add(latency);
  return roundAll(histogram.percentiles());
}

export function roundAll(values: Percentiles | undefined): Percentiles | null {
  if (values === undefined) return null;
  return { p50: round(values.p50, 2), p95: round(values.p95, 2), p99: round(values.p99, 2), max: round(values.max, 2) };
}

export function sumOf<Part>(parts: readonly Part[], value: (part: Part) => number): number {
  return parts.reduce((sum, part) => sum + value(part), 0);
}

/** Figures are read by people too: more digits than were measured say nothing. */
export function round(value: number, digits = 1): number {
  return Number(value.toFixed(digits));
}
