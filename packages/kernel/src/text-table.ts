/** Lays words and figures out in columns without lines, so that they can be read, copied and piped. Fast enough for 10,000 rows. */

export interface TextCell {
  readonly text: string;
  /** Colours the cell once its place is settled; what it adds must take no room on the screen. */
  readonly paint?: ((text: string) => string) | undefined;
}

/** Blanks between two columns. */
const GAP = 2;

/**
 * @param isRight for each column, whether its cells end below each other: for figures
 * @returns lines that end with a line feed, without blanks at their ends
 */
export function layOutTable(rows: readonly (readonly TextCell[])[], isRight: readonly boolean[]): string {
  const sizes = rows.map((row) => row.map(({ text }) => textWidth(text)));
  const widths = isRight.map(() => 0);
  for (const row of sizes) {
    for (const [column, size] of row.entries()) if (size > (widths[column] ?? 0)) widths[column] = size;
  }
  return rows.map((row, index) => `${lineOf(row, sizes[index] ?? [], widths, isRight)}\n`).join('');
}

function lineOf(
  row: readonly TextCell[],
  sizes: readonly number[],
  widths: readonly number[],
  isRight: readonly boolean[],
): string {
  let line = '';
  // Blanks are written before the next word only: none is left over at the end of a line.
  let blanks = 0;
  for (let column = 0; column < row.length; column += 1) {
    const { text, paint } = row[column]!;
    const room = (widths[column] ?? 0) - (sizes[column] ?? 0);
    if (column > 0) blanks += GAP;
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
  // Made when it is first needed: it takes 8 ms, and every process of the server loads this file.
  graphemes ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  for (const { segment } of graphemes.segment(text)) width += /^\p{M}/u.test(segment) ? 0 : wide.test(segment) ? 2 : 1;
  return width;
}

let graphemes: Intl.Segmenter | undefined;

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
