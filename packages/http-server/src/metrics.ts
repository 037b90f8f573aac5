/** The text of `/metrics`, in the exposition format of Prometheus. */
import { Counter, Gauge, Registry } from 'prom-client';
import type { MetricDefinition } from './metrics-definition.ts';
import { type MetricsFigures, type MetricsInput, workersOf } from './metrics-figures.ts';
import { CountedHistogram } from './metrics-histogram.ts';
import { serverMetrics } from './metrics-of-server.ts';
import { streamMetrics } from './metrics-of-streams.ts';
import { registryMetrics, relayMetrics, workerHistograms, workerMetrics } from './metrics-of-workers.ts';

export const METRICS_CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** All but the histograms, in the order of the text. */
const metricDefinitions: readonly MetricDefinition[] = [
  ...serverMetrics,
  ...workerMetrics,
  ...relayMetrics,
  ...registryMetrics,
  ...streamMetrics,
];

/** Every name with what it means, for the documentation. */
export const metricHelp: ReadonlyMap<string, { readonly type: string; readonly help: string }> = new Map(
  [...metricDefinitions, ...workerHistograms].map(({ name, type, help }) => [name, { type, help }]),
);

/**
 * A registry of its own for each text: the counting is done elsewhere, by all processes of the server, and a series whose worker is
 * gone must not stay behind.
 */
export async function renderMetrics(input: MetricsInput): Promise<string> {
  const figures: MetricsFigures = { ...input, workers: workersOf(input) };
  const registry = new Registry();
  for (const definition of metricDefinitions) {
    const { name, help, type } = definition;
    const values = definition.samples(figures);
    if (values.length === 0) continue;
    const labelNames = Array.from(new Set(values.flatMap(({ labels = {} }) => Object.keys(labels))));
    const configuration = { name, help, labelNames, registers: [registry] };
    if (type === 'gauge') {
      const gauge = new Gauge(configuration);
      for (const { labels = {}, value } of values) gauge.set(labels, value);
    } else {
      const counter = new Counter(configuration);
      for (const { labels = {}, value } of values) counter.inc(labels, value);
    }
  }
  for (const definition of workerHistograms) {
    const { name, help } = definition;
    const counted = definition.rows(figures);
    if (counted.length > 0) new CountedHistogram({ name, help, registry, rows: counted });
  }
  return await registry.metrics();
}
