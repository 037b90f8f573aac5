/** Several rounds of one figure. */

/** The middle one, and how far the others lie. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly count: number;
}

/** Undefined for no values; of an even number the mean of the two in the middle. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle]!;
  const median = sorted.length % 2 === 1 ? upper : (sorted[middle - 1]! + upper) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)!, count: sorted.length };
}

/** Undefined when one is missing or there is nothing to divide by. */
export function ratioOf(value: number | undefined, base: number | undefined): number | undefined {
  return value === undefined || base === undefined || base <= 0 ? undefined : value / base;
}

/** Three digits that mean something, without exponent: 0.0123, 1.23, 12.3, 123, 1234. */
export function roundedText(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 4));
}

export function spreadText(spread: Spread | undefined): string {
  if (spread === undefined) return '-';
  const { median, min, max, count } = spread;
  return count === 1 || min === max ? roundedText(median) : `${roundedText(median)} (${roundedText(min)}-${roundedText(max)})`;
}
