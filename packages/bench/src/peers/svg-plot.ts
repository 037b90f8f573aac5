/** Line plots as SVG: panels side by side, readable on light and dark pages. */
import { roundedText } from './statistics.ts';

export interface Plot {
  readonly title: string;
  /** Date, machine, versions. */
  readonly lines: readonly string[];
  /** Names of the lines, in the order of their colours. */
  readonly series: readonly string[];
  readonly panels: readonly Panel[];
}

export interface Panel {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** For figures that differ by powers of ten. */
  readonly isLogarithmic?: boolean;
  readonly curves: readonly Curve[];
}

export interface Curve {
  readonly series: string;
  readonly points: readonly Point[];
}

interface Point {
  readonly x: number;
  readonly y: number;
  /** Over the rounds. */
  readonly min: number;
  readonly max: number;
  /** Drawn hollow when not: the tester could not keep up. */
  readonly isValid: boolean;
}

const panelWidth = 400;
const panelHeight = 320;
const margin = { left: 58, right: 26, top: 34, bottom: 46 } as const;
const lineHeight = 17;
/** Told apart also by those who see fewer colours; the same in both themes. */
const colors: readonly string[] = ['#2f7ed8', '#1aa179', '#d9534f', '#b07ad6', '#8a8f98', '#d99a1c', '#3bb3c3', '#9c6b3f'];
const wantedTicks = 5;

const style = `
  text { font: 12px system-ui, sans-serif; fill: #24292f; }
  .title { font-size: 17px; font-weight: 600; }
  .panel { font-size: 13px; font-weight: 600; }
  .note { fill: #57606a; }
  .page { fill: #ffffff; }
  .grid { stroke: #d8dee4; stroke-width: 1; }
  .hollow { fill: #ffffff; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .note { fill: #9198a1; }
    .page { fill: #0d1117; }
    .grid { stroke: #30363d; }
    .hollow { fill: #0d1117; }
  }`;

export function plotSvg(plot: Plot): string {
  const headHeight = 34 + plot.lines.length * lineHeight + 26;
  const width = plot.panels.length * panelWidth;
  const height = headHeight + panelHeight + 26;
  const colorOf = (series: string): string => colors[Math.max(0, plot.series.indexOf(series)) % colors.length]!;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escapeText(plot.title)}</title>`,
    `<style>${style}\n</style>`,
    `<rect class="page" width="${width}" height="${height}"/>`,
    `<text class="title" x="16" y="28">${escapeText(plot.title)}</text>`,
    ...plot.lines.map((line, index) => `<text class="note" x="16" y="${48 + index * lineHeight}">${escapeText(line)}</text>`),
    legend(plot.series, colorOf, headHeight - 8),
    ...plot.panels.map((panel, index) => panelSvg(panel, index * panelWidth, headHeight, colorOf)),
    `<text class="note" x="16" y="${height - 10}">Points are medians, bars go from least to most over the rounds; hollow: the tester was saturated.</text>`,
    '</svg>',
    '',
  ].join('\n');
}

function legend(series: readonly string[], colorOf: (series: string) => string, y: number): string {
  let x = 16;
  return series
    .map((name) => {
      const item = `<circle cx="${x + 5}" cy="${y - 4}" r="5" fill="${colorOf(name)}"/><text x="${x + 15}" y="${y}">${escapeText(name)}</text>`;
      x += 40 + name.length * 7;
      return item;
    })
    .join('\n');
}

function panelSvg(panel: Panel, left: number, top: number, colorOf: (series: string) => string): string {
  const points = panel.curves.flatMap(({ points }) => points).filter(({ y }) => !(panel.isLogarithmic === true) || y > 0);
  const x0 = left + margin.left;
  const x1 = left + panelWidth - margin.right;
  const y0 = top + panelHeight - margin.bottom;
  const y1 = top + margin.top;
  const xAxis = linearAxis(0, Math.max(1, ...points.map(({ x }) => x)), x0, x1);
  const yAxis =
    panel.isLogarithmic === true
      ? logarithmicAxis(
          Math.min(Infinity, ...points.map((point) => low(point))),
          Math.max(0, ...points.map(({ max }) => max)),
          y0,
          y1,
        )
      : linearAxis(0, Math.max(0, ...points.map(({ max }) => max)) || 1, y0, y1);
  return [
    `<g>`,
    `<text class="panel" x="${x0}" y="${top + 20}">${escapeText(panel.title)}</text>`,
    ...yAxis.ticks.map(
      (tick) =>
        `<line class="grid" x1="${x0}" x2="${x1}" y1="${place(yAxis.at(tick))}" y2="${place(yAxis.at(tick))}"/>` +
        `<text class="note" x="${x0 - 6}" y="${place(yAxis.at(tick) + 4)}" text-anchor="end">${tickText(tick)}</text>`,
    ),
    ...xAxis.ticks.map(
      (tick) => `<text class="note" x="${place(xAxis.at(tick))}" y="${y0 + 17}" text-anchor="middle">${tickText(tick)}</text>`,
    ),
    `<text class="note" x="${(x0 + x1) / 2}" y="${y0 + 36}" text-anchor="middle">${escapeText(panel.xLabel)}</text>`,
    `<text class="note" transform="translate(${left + 14} ${(y0 + y1) / 2}) rotate(-90)" text-anchor="middle">${escapeText(panel.yLabel)}</text>`,
    ...panel.curves.map((curve) => curveSvg(curve, xAxis, yAxis, colorOf(curve.series))),
    `</g>`,
  ].join('\n');
}

function curveSvg(curve: Curve, xAxis: Axis, yAxis: Axis, color: string): string {
  const points = curve.points.filter(({ y }) => yAxis.shows(y)).toSorted((a, b) => a.x - b.x);
  const path = points.map(({ x, y }) => `${place(xAxis.at(x))},${place(yAxis.at(y))}`).join(' ');
  const marks = points.map((point) => {
    const x = place(xAxis.at(point.x));
    const bar = `<line x1="${x}" x2="${x}" y1="${place(yAxis.at(low(point)))}" y2="${place(yAxis.at(point.max))}" stroke="${color}" stroke-width="1.5"/>`;
    const fill = point.isValid ? `fill="${color}"` : `class="hollow" stroke="${color}" stroke-width="2"`;
    return `${bar}<circle cx="${x}" cy="${place(yAxis.at(point.y))}" r="4" ${fill}/>`;
  });
  return [`<polyline points="${path}" fill="none" stroke="${color}" stroke-width="2"/>`, ...marks].join('\n');
}

/** A least value of zero has no place on a logarithmic axis. */
function low({ min, y }: Point): number {
  return min > 0 ? min : y;
}

interface Axis {
  readonly ticks: readonly number[];
  at(value: number): number;
  shows(value: number): boolean;
}

function linearAxis(from: number, to: number, start: number, end: number): Axis {
  const rough = (to - from) / wantedTicks;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const last = Math.ceil((to - from) / step - 1e-9);
  const top = from + last * step;
  return {
    ticks: Array.from({ length: last + 1 }, (_, index) => from + index * step),
    at: (value) => start + ((value - from) / (top - from)) * (end - start),
    shows: Number.isFinite,
  };
}

function logarithmicAxis(from: number, to: number, start: number, end: number): Axis {
  const lowest = Number.isFinite(from) && from > 0 ? Math.floor(Math.log10(from)) : 0;
  const highest = Math.max(lowest + 1, to > 0 ? Math.ceil(Math.log10(to)) : lowest + 1);
  return {
    ticks: Array.from({ length: highest - lowest + 1 }, (_, index) => 10 ** (lowest + index)),
    at: (value) => start + ((Math.log10(value) - lowest) / (highest - lowest)) * (end - start),
    shows: (value) => Number.isFinite(value) && value > 0,
  };
}

/** Tenths of a pixel are enough. */
function place(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function tickText(value: number): string {
  return Number.isInteger(value) ? String(value) : roundedText(value);
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
