/** One figure that the project wants to reach, measured. */
import { markdownTable } from './markdown.ts';
import { roundedText } from './statistics.ts';

export interface Figure {
  readonly what: string;
  readonly goal: string;
  /** What was measured, with its unit; ratios name what they are of. */
  readonly figure: string;
  readonly isMet: boolean;
  /** What the reader must know to judge it. */
  readonly note?: string;
}

export interface Limit {
  readonly what: string;
  readonly unit: string;
  /** Undefined when it could not be measured. */
  readonly value: number | undefined;
  readonly atMost?: number;
  readonly atLeast?: number;
  /** Follows the figure, such as the two sides of a ratio. */
  readonly detail?: string;
  readonly note?: string;
}

/** A figure that is not there has not reached its goal. */
export function judge(limit: Limit): Figure {
  const { value, atMost, atLeast, unit } = limit;
  const withUnit = (text: string): string => (unit === '' ? text : `${text} ${unit}`);
  const goals = [
    ...(atMost === undefined ? [] : [`<= ${withUnit(String(atMost))}`]),
    ...(atLeast === undefined ? [] : [`>= ${withUnit(String(atLeast))}`]),
  ];
  const figure = value === undefined ? 'not measured' : withUnit(roundedText(value));
  return {
    what: limit.what,
    goal: goals.join(' and '),
    figure: limit.detail === undefined || value === undefined ? figure : `${figure} (${limit.detail})`,
    isMet: value !== undefined && value <= (atMost ?? Infinity) && value >= (atLeast ?? -Infinity),
    ...(limit.note === undefined ? {} : { note: limit.note }),
  };
}

export function figureTable(figures: readonly Figure[]): string {
  return markdownTable(
    ['What', 'Goal', 'Figure', 'Result'],
    figures.map((figure) => [figure.what, figure.goal, figure.figure, resultText(figure)]),
  );
}

export function resultText({ isMet, note }: Figure): string {
  return `${isMet ? 'met' : '**missed**'}${note === undefined ? '' : `; ${note}`}`;
}
