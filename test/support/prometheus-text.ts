/** A reader of the text format of Prometheus that forgives nothing. */

export interface ParsedMetric {
  readonly type: string;
  readonly help: string;
  readonly samples: ReadonlyMap<string, number>;
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\\\\n]|\\\\["\\\\n])*)"';
const VALUE = '(?:[+-]?(?:\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?|Inf)|Nan)';

const samplePattern = new RegExp(`^(${NAME})(?:\\{((?:${LABEL},?)*)\\})? (${VALUE})$`);

/**
 * The text format 0.0.4: each metric has its HELP and TYPE before its samples, all of them together, and no series comes twice.
 * @throws Error naming the line that is wrong
 */
export function parseMetrics(text: string): ReadonlyMap<string, ParsedMetric> {
  const metrics = new Map<string, { type: string; help: string; samples: Map<string, number> }>();
  let current = '';
  if (!text.endsWith('\n')) throw new Error('the last line must end with a line feed');
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, kind, name = '', rest = ''] = new RegExp(`^# (HELP|TYPE) (${NAME}) (.*)$`).exec(line) ?? [];
    if (kind === 'HELP') {
      if (metrics.has(name)) throw new Error(`${name} comes twice`);
      metrics.set(name, { help: rest, type: '', samples: new Map() });
      current = name;
    } else if (kind === 'TYPE') {
      if (name !== current) throw new Error(`type of ${name} within ${current}`);
      metrics.get(name)!.type = rest;
    } else {
      addSample(line, current, metrics.get(current)?.samples);
    }
  }
  return metrics;
}

function addSample(line: string, metric: string, samples: Map<string, number> | undefined): void {
  const match = samplePattern.exec(line);
  if (match === null || samples === undefined) throw new Error(`not a sample: ${line}`);
  const [, name = '', labelText = ''] = match;
  if (name.replace(/_(bucket|sum|count)$/, '') !== metric && name !== metric) throw new Error(`${name} within ${metric}`);
  const labels = Array.from(labelText.matchAll(new RegExp(LABEL, 'g')), ([, label, value]) => `${label}=${value}`);
  const key = `${name}{${labels.toSorted().join(',')}}`;
  if (samples.has(key)) throw new Error(`${key} comes twice`);
  const value = match.at(-1)!;
  samples.set(key, value.endsWith('Inf') ? Number(`${value}inity`) : Number(value));
}

/** @throws Error when there is no such series */
export function sampleOf(metrics: ReadonlyMap<string, ParsedMetric>, name: string, labels: Record<string, string> = {}): number {
  const key = `${name}{${Object.entries(labels)
    .map(([label, value]) => `${label}=${value}`)
    .toSorted()
    .join(',')}}`;
  const value = metrics.get(name.replace(/_(bucket|sum|count)$/, ''))?.samples.get(key) ?? metrics.get(name)?.samples.get(key);
  if (value === undefined) throw new Error(`no series ${key}`);
  return value;
}
