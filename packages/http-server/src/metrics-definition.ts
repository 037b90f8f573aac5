/** What a metric is. */
import type { DistributionFigures } from '@srs/kernel';
import type { MetricsFigures } from './metrics-figures.ts';

interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface MetricDefinition {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  samples(figures: MetricsFigures): readonly Sample[];
}

export interface HistogramDefinition {
  readonly name: string;
  readonly help: string;
  readonly type: 'histogram';
  rows(figures: MetricsFigures): readonly { readonly labels: Record<string, string>; readonly figures: DistributionFigures }[];
}

/** One value for the whole server. */
export const whole = (read: (figures: MetricsFigures) => number) => (figures: MetricsFigures) => [{ value: read(figures) }];
