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

/** The straight line that lies closest to points, by least squares. */
export interface Line {
  readonly slope: number;
  /** Standard error of the slope: two thirds of repeated measurements lie within it. */
  readonly slopeError: number;
}

/** Undefined for fewer than three points, which say nothing about their scatter, or when all have the same first coordinate. */
export function fitLine(points: readonly (readonly [number, number])[]): Line | undefined {
  if (points.length < 3) return undefined;
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / points.length;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / points.length;
  const spreadX = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  if (spreadX === 0) return undefined;
  const slope = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spreadX;
  const squares = points.reduce((sum, [x, y]) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0);
  return { slope, slopeError: Math.sqrt(squares / (points.length - 2) / spreadX) };
}
