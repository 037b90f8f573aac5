/** A histogram of prom-client whose observations have been counted elsewhere. */

import type { DistributionFigures } from '@srs/kernel';
import { timeBoundsMs } from '@srs/kernel';
import { Histogram, type MetricType, type Registry } from 'prom-client';

const MS_PER_SECOND = 1000;

type Labels = Readonly<Record<string, string>>;

interface Row {
  readonly labels: Labels;
  readonly figures: DistributionFigures;
}

/** Times, from the milliseconds in which they are counted to the seconds of Prometheus. */
export class CountedHistogram extends Histogram {
  readonly #name: string;
  readonly #help: string;
  readonly #rows: readonly Row[];

  constructor(o: { readonly name: string; readonly help: string; readonly registry: Registry; readonly rows: readonly Row[] }) {
    super({ name: o.name, help: o.help, registers: [o.registry], buckets: timeBoundsMs.map((bound) => bound / MS_PER_SECOND) });
    this.#name = o.name;
    this.#help = o.help;
    this.#rows = o.rows;
  }

  override async get(): ReturnType<Histogram['get']> {
    return await this.getForPromString();
  }

  /** What the registry asks for; its base has one that goes over what was observed here, which is nothing. */
  async getForPromString(): ReturnType<Histogram['get']> {
    return {
      name: this.#name,
      help: this.#help,
      // The types of the library have numbers here, and the library itself has words.
      type: 'histogram' as unknown as MetricType,
      values: this.#rows.flatMap((row) => this.#valuesOf(row)),
      aggregator: 'sum',
      collect: () => {},
    };
  }

  #valuesOf({ labels, figures }: Row): { metricName: string; labels: Record<string, string>; value: number }[] {
    let count = 0;
    const buckets = [...timeBoundsMs, Number.POSITIVE_INFINITY].map((bound, range) => {
      count += figures.counts[range] ?? 0;
      const le = bound === Number.POSITIVE_INFINITY ? '+Inf' : String(bound / MS_PER_SECOND);
      return { metricName: `${this.#name}_bucket`, labels: { le, ...labels }, value: count };
    });
    return [
      ...buckets,
      { metricName: `${this.#name}_sum`, labels: { ...labels }, value: figures.sum / MS_PER_SECOND },
      { metricName: `${this.#name}_count`, labels: { ...labels }, value: count },
    ];
  }
}
