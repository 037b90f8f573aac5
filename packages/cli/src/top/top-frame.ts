/** Draws what `srs-cli top` shows, as lines: for a screen of a certain height, or all in one for a script. */
import { problemLines } from '../cli-report.ts';
import { serverLine } from '../cli-status.ts';
import { type Colors, type Column, emphasize, tableText } from '../cli-table.ts';
import { printable } from '../cli-text.ts';
import { clientColumns, sortRows, streamColumns, type TopColumn, workerColumns } from './top-lists.ts';
import type { TopSample } from './top-sample.ts';
import { clampOffset, keysLine, type TopView } from './top-view.ts';

export interface Frame {
  readonly lines: readonly string[];
  /** Rows of the list that fit, and that there are: what scrolling has to know. */
  readonly page: number;
  readonly length: number;
}

export interface FrameOptions {
  readonly view: TopView;
  /** Lines of the screen. */
  readonly height: number;
  readonly colors: Colors;
  /** Why the figures are old, if they are. */
  readonly trouble?: string | undefined;
}

/** Of a script's frame: a screen shows no more either. */
const ONCE_ROWS = 20;
const MIN_LIST_ROWS = 3;
const MAX_PROBLEMS = 3;

export function drawFrame(sample: TopSample, { view, height, colors, trouble }: FrameOptions): Frame {
  const top = headLines(sample, colors);
  if (trouble !== undefined) top.push(emphasize(printable(`! ${trouble}`), 'bad', colors));
  const marks = limitedLines(linesOf(problemLines(sample.workers, colors)), MAX_PROBLEMS, 'more workers are left out');
  // Two blank lines, the heading of the list, and the line of the keys.
  const fixed = top.length + marks.length + 4;
  const workers = linesOf(tableText(workerColumns, sample.workers, colors));
  const workerLines = limitedLines(workers, Math.max(2, Math.floor((height - fixed) / 2)), 'more workers');
  const page = Math.max(MIN_LIST_ROWS, height - fixed - workerLines.length);
  const list = listLines(sample, view, page, colors);
  const lines = [...top, '', ...workerLines, ...marks, '', ...list.lines];
  while (lines.length < height - 1) lines.push('');
  return { lines: [...lines.slice(0, Math.max(0, height - 1)), colors.dim(keysLine)], page, length: list.length };
}

/** One frame as a text, with both lists as far as they were asked for. */
export function frameText(sample: TopSample, view: TopView, colors: Colors): string {
  const parts = [
    `${headLines(sample, colors).join('\n')}\n`,
    tableText(workerColumns, sample.workers, colors) + problemLines(sample.workers, colors),
  ];
  for (const list of ['streams', 'clients'] as const) {
    if (list === 'clients' && sample.clients === null) continue;
    const { lines, length } = listLines(sample, { ...view, list, offset: 0 }, ONCE_ROWS, colors);
    const rest = length > ONCE_ROWS ? [`and ${length - ONCE_ROWS} more ${list}`] : [];
    parts.push(`${[...lines, ...rest].join('\n')}\n`);
  }
  return parts.join('\n');
}

function headLines({ look, workers }: TopSample, colors: Colors): string[] {
  const { totals } = look.status;
  const sum = (pick: (worker: TopSample['workers'][number]) => number | undefined): number =>
    workers.reduce((total, worker) => total + (pick(worker) ?? 0), 0);
  const { streams, publishers, players, clients, droppedFrames, playerCuts } = totals;
  return [
    colors.bold(serverLine(look.status)),
    `streams ${streams}, publishers ${publishers}, players ${players}, clients ${clients}, ` +
      `in ${sum(({ inKbps }) => inKbps)} kbps, out ${sum(({ outKbps }) => outKbps)} kbps, ` +
      `dropped ${droppedFrames}, cuts ${playerCuts}`,
  ];
}

function listLines(
  { streams, clients }: TopSample,
  view: TopView,
  page: number,
  colors: Colors,
): { readonly lines: readonly string[]; readonly length: number } {
  if (view.list === 'streams') return rowsOf(streams, streamColumns, view, page, colors);
  if (clients === null) return { lines: ['asking for the clients'], length: 0 };
  return rowsOf(clients, clientColumns, view, page, colors);
}

function rowsOf<Row>(
  rows: readonly Row[],
  columns: readonly TopColumn<Row>[],
  view: TopView,
  page: number,
  colors: Colors,
): { readonly lines: readonly string[]; readonly length: number } {
  const { column, isReversed } = view.sorts[view.list];
  const sortColumn = columns[column];
  const sorted = sortColumn === undefined ? rows : sortRows(rows, sortColumn, isReversed);
  const offset = clampOffset(view.offset, page, rows.length);
  const marked = columns.map(
    (each, index): Column<Row> => (index === column ? { ...each, head: `${each.head} ${isReversed ? '^' : 'v'}` } : each),
  );
  return { lines: linesOf(tableText(marked, sorted.slice(offset, offset + page), colors)), length: rows.length };
}

const linesOf = (text: string): readonly string[] => text.split('\n').slice(0, -1);

function limitedLines(lines: readonly string[], limit: number, what: string): readonly string[] {
  if (lines.length <= limit) return lines;
  const shown = Math.max(1, limit - 1);
  return [...lines.slice(0, shown), `... ${lines.length - shown} ${what}`];
}
