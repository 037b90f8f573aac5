/** Tables without lines, so that they can be read, copied and piped. */
import Table from 'cli-table3';
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

const noLines = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

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

/** Tables are laid out as a whole, in more than linear time; and a heading is out of sight after so many lines anyway. */
const BLOCK_ROWS = 100;

/** Lines that end with a line feed; the heading alone when there are no rows. A long table is several, each with the heading. */
export function tableText<Row>(columns: readonly Column<Row>[], rows: readonly Row[], colors: Colors): string {
  const blocks = [blockText(columns, rows.slice(0, BLOCK_ROWS), colors)];
  for (let start = BLOCK_ROWS; start < rows.length; start += BLOCK_ROWS) {
    blocks.push(blockText(columns, rows.slice(start, start + BLOCK_ROWS), colors));
  }
  return blocks.join('\n');
}

function blockText<Row>(columns: readonly Column<Row>[], rows: readonly Row[], colors: Colors): string {
  const table = new Table({
    head: columns.map(({ head }) => colors.bold(head)),
    chars: noLines,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
    colAligns: columns.map(({ isRight }) => (isRight === true ? 'right' : 'left')),
  });
  for (const row of rows) {
    table.push(
      columns.map(({ value }) => {
        const cell = value(row);
        if (cell === undefined) return '-';
        if (typeof cell === 'number') return String(cell);
        if (typeof cell === 'string') return printable(cell);
        return emphasize(printable(cell.text), cell.emphasis, colors);
      }),
    );
  }
  return `${table.toString().replace(/ +$/gm, '')}\n`;
}
