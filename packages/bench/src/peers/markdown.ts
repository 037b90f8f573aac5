/** Tables for the documents that benchmarks write. */

/** What begins like a figure, or stands where one should be. */
const figurePattern = /^(?:[\d-]|failed|$)/;

/** A table; rows have as many cells as there are heads. Columns of figures are aligned to the right. */
export function markdownTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escapeCell).join(' | ')} |`;
  const isFigures = (column: number): boolean => column > 0 && rows.every((row) => figurePattern.test(row[column] ?? ''));
  const rule = heads.map((_, column) => (isFigures(column) ? '--:' : '---'));
  return [line(heads), `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n');
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s*\n\s*/g, ' ');
}
