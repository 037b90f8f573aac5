import { describe, expect, it } from 'vitest';
import { type Panel, plotSvg } from './svg-plot.ts';

const point = { min: 8, max: 12, isValid: true };

function plot(panels: readonly Panel[]): string {
  return plotSvg({ title: 'A <title> & more', lines: ['2026-01-02'], series: ['one', 'two'], panels });
}

function panel(changes: Partial<Panel>): Panel {
  return { title: 'CPU', xLabel: 'players', yLabel: '%', curves: [], ...changes };
}

/** Every element that is opened is closed, in order; every number is one. */
function expectWellFormed(svg: string): void {
  const open: string[] = [];
  for (const [, slash, name, , closed] of svg.matchAll(/<(\/?)([a-z]+)((?:\s[^<>]*?)?)(\/?)>/gi)) {
    if (slash === '/') expect(open.pop()).toBe(name);
    else if (closed !== '/') open.push(name!);
  }
  expect(open).toEqual([]);
  expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  expect(svg.replaceAll(/<[^<>]*>/g, '')).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/);
}

describe('a plot is well formed', () => {
  it.each<[string, Panel]>([
    ['without curves', panel({})],
    ['without points', panel({ curves: [{ series: 'one', points: [] }] })],
    ['with one point', panel({ curves: [{ series: 'one', points: [{ x: 300, y: 10, ...point }] }] })],
    ['with zeros only', panel({ curves: [{ series: 'one', points: [{ x: 300, y: 0, min: 0, max: 0, isValid: true }] }] })],
    [
      'with zeros on a logarithmic axis',
      panel({ isLogarithmic: true, curves: [{ series: 'one', points: [{ x: 300, y: 0, min: 0, max: 0, isValid: true }] }] }),
    ],
    ['logarithmic, without points', panel({ isLogarithmic: true })],
    ['with an unknown series', panel({ curves: [{ series: 'three', points: [{ x: 1, y: 1, ...point }] }] })],
  ])('%s', (_name, one) => {
    expectWellFormed(plot([one]));
  });
});

it('higher figures stand higher, more players further right', () => {
  const points = [300, 900, 2700].map((x, index) => ({ x, y: 10 * (index + 1), min: 10, max: 30, isValid: true }));
  const svg = plot([panel({ curves: [{ series: 'one', points: points.toReversed() }] })]);
  const places = /<polyline points="([^"]+)"/
    .exec(svg)![1]!
    .split(' ')
    .map((pair) => pair.split(',').map(Number));
  const xs = places.map(([x]) => x!);
  const ys = places.map(([, y]) => y!);
  expect(xs).toEqual(xs.toSorted((a, b) => a - b));
  expect(ys).toEqual(ys.toSorted((a, b) => b - a));
});

it('a logarithmic axis gives each power of ten the same room', () => {
  const points = [1, 10, 100].map((y, index) => ({ x: index, y, min: y, max: y, isValid: true }));
  const svg = plot([panel({ isLogarithmic: true, curves: [{ series: 'one', points }] })]);
  const ys = /<polyline points="([^"]+)"/
    .exec(svg)![1]!
    .split(' ')
    .map((pair) => Number(pair.split(',')[1]));
  expect(ys[0]! - ys[1]!).toBeCloseTo(ys[1]! - ys[2]!, 0);
});

it('a point of a saturated tester is hollow', () => {
  const svg = (isValid: boolean) =>
    plot([panel({ curves: [{ series: 'one', points: [{ x: 1, y: 1, min: 1, max: 1, isValid }] }] })]);
  expect(svg(false)).toContain('class="hollow" stroke="');
  expect(svg(true)).not.toContain('class="hollow" stroke="');
});

it('both themes, units, legend and title are there', () => {
  const svg = plot([panel({ yLabel: '% of one core' })]);
  for (const text of [
    'prefers-color-scheme: dark',
    '% of one core',
    'players',
    '>one<',
    '>two<',
    'A &lt;title&gt; &amp; more',
    '2026-01-02',
  ]) {
    expect(svg).toContain(text);
  }
});
