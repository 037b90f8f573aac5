/** Lays words and figures out in columns without lines, so that they can be read, copied and piped. Fast enough for 10,000 rows. */

export interface TextCell {
  readonly text: string;
  /** Colours the cell once its place is settled; what it adds must take no room on the screen. */
  readonly paint?: ((text: string) => string) | undefined;
}

/** Between two columns. */
const GAP = '  ';

/**
 * @param isRight for each column, whether its cells end below each other: for figures
 * @returns lines that end with a line feed, without blanks at their ends
 */
export function layOutTable(rows: readonly (readonly TextCell[])[], isRight: readonly boolean[]): string {
  const widths = isRight.map((_, column) =>
    rows.reduce((widest, row) => Math.max(widest, textWidth(row[column]?.text ?? '')), 0),
  );
  return rows.map((row) => `${lineOf(row, widths, isRight)}\n`).join('');
}

function lineOf(row: readonly TextCell[], widths: readonly number[], isRight: readonly boolean[]): string {
  let line = '';
  // Blanks are written before the next word only: none is left over at the end of a line.
  let blanks = 0;
  for (const [column, { text, paint }] of row.entries()) {
    const room = Math.max(0, (widths[column] ?? 0) - textWidth(text));
    if (column > 0) blanks += GAP.length;
    if (isRight[column] === true) blanks += room;
    if (text !== '') {
      line += ' '.repeat(blanks) + (paint === undefined ? text : paint(text));
      blanks = 0;
    }
    if (isRight[column] !== true) blanks += room;
  }
  return line;
}

/** How many columns of a terminal a text without control characters takes. */
export function textWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += /^\p{M}/u.test(segment) ? 0 : wide.test(segment) ? 2 : 1;
  return width;
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Scripts and symbols that terminals draw twice as wide (Unicode Standard Annex 11, wide and fullwidth). */
const wide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}\p{Emoji_Presentation}]/u;

/** Colours are for a terminal. https://no-color.org: any value of NO_COLOR but the empty one turns them off. */
export function isColorful(
  output: { readonly isTTY?: boolean | undefined },
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  return output.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
}
