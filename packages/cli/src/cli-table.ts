/** Tables as the reports print them: a heading, rows, and a dash for what there is not. */
import { layOutTable, type TextCell } from '@srs/kernel';
import type picocolors from 'picocolors';
import { printable } from './cli-text.ts';

export type Colors = ReturnType<typeof picocolors.createColors>;

/** How much a cell wants to be seen. */
export type Emphasis = 'good' | 'warning' | 'bad' | 'plain';

export interface Cell {
  readonly text: string;
  readonly emphasis: Emphasis;
}

export interface Column<Row> {
  readonly head: string;
  /** For figures, so that their digits stand below each other. */
  readonly isRight?: boolean;
  /** Undefined is a dash: there is no such figure. */
  readonly value: (row: Row) => string | number | Cell | undefined;
}

export function emphasize(text: string, emphasis: Emphasis, colors: Colors): string {
  switch (emphasis) {
    case 'good':
      return colors.green(text);
    case 'warning':
      return colors.yellow(text);
    case 'bad':
      return colors.red(text);
    case 'plain':
      return text;
  }
}

/** A heading is out of sight after so many lines. */
const BLOCK_ROWS = 100;

/** Lines that end with a line feed; the heading alone when there are no rows. A long table has its heading again and again. */
export function tableText<Row>(columns: readonly Column<Row>[], rows: readonly Row[], colors: Colors): string {
  const heading = columns.map(({ head }): TextCell => ({ text: head, paint: colors.bold }));
  const lines: (readonly TextCell[])[] = [heading];
  for (const [index, row] of rows.entries()) {
    if (index > 0 && index % BLOCK_ROWS === 0) lines.push([], heading);
    lines.push(columns.map(({ value }) => textCell(value(row), colors)));
  }
  return layOutTable(
    lines,
    columns.map(({ isRight }) => isRight === true),
  );
}

function textCell(cell: string | number | Cell | undefined, colors: Colors): TextCell {
  if (cell === undefined) return { text: '-' };
  if (typeof cell === 'number') return { text: String(cell) };
  if (typeof cell === 'string') return { text: printable(cell) };
  const { text, emphasis } = cell;
  return { text: printable(text), paint: emphasis === 'plain' ? undefined : (plain) => emphasize(plain, emphasis, colors) };
}
