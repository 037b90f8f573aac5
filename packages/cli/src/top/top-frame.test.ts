import { stripVTControlCharacters } from 'node:util';
import picocolors from 'picocolors';
import { describe, expect, it } from 'vitest';
import { factsIn, type Situation } from '../explain/explain-test-support.ts';
import { clientOf } from '../rows-test-support.ts';
import { drawFrame, type Frame, frameText } from './top-frame.ts';
import { clientColumns } from './top-lists.ts';
import { sampleOf, type TopSample } from './top-sample.ts';
import { firstView, keysLine, type TopView } from './top-view.ts';

const colors = picocolors.createColors(false);

function sample(clients: number, situation: Situation = {}): TopSample {
  const { status, streams } = factsIn(situation);
  const rows = Array.from({ length: clients }, (_, index) => ({ ...clientOf(200 + index, { pendingBytes: index }), worker: 1 }));
  return sampleOf({ atMs: 0, status, streams, clients: clients === 0 ? null : rows }, undefined);
}

const clientsView: TopView = { ...firstView, list: 'clients' };

const draw = (from: TopSample, view: TopView, height: number, trouble?: string): Frame =>
  drawFrame(from, { view, height, colors, trouble });

/** Ids of the clients that are shown. */
const idsIn = ({ lines }: Frame): number[] =>
  lines.flatMap((line) =>
    Array.from(/^\s*(\d{3}) {2}play/.exec(line) ?? [])
      .slice(1)
      .map(Number),
  );

describe('a frame of top', () => {
  it('fills the screen and not more', () => {
    for (const height of [12, 24, 60]) expect(draw(sample(500), clientsView, height).lines).toHaveLength(height);
    expect(draw(sample(500), clientsView, 24).lines.at(-1)).toBe(keysLine);
  });

  it('shows workers and streams', () => {
    const { lines, length } = draw(sample(0), firstView, 24);
    expect(lines[1]).toBe('streams 2, publishers 2, players 16, clients 20, in 30 kbps, out 300 kbps, dropped 3, cuts 3');
    expect(lines.filter((line) => / +(back-source|stream) +ready/.test(line))).toHaveLength(3);
    expect(lines.some((line) => /^live\/one +10\.0\.0\.1 +200/.test(line))).toBe(true);
    expect(length).toBe(1);
  });

  it('sorts by the column that is marked, and scrolls', () => {
    const pending = clientColumns.findIndex(({ head }) => head === 'Pending');
    const by = (isReversed: boolean): TopView['sorts'] => ({ ...clientsView.sorts, clients: { column: pending, isReversed } });
    const first = draw(sample(500), { ...clientsView, sorts: by(false) }, 30);
    expect(first.lines.some((line) => line.includes('Pending v'))).toBe(true);
    expect(idsIn(first)[0]).toBe(699);
    const reversed = { ...clientsView, offset: 7, sorts: by(true) };
    const second = draw(sample(500), reversed, 30);
    expect(second.lines.some((line) => line.includes('Pending ^'))).toBe(true);
    expect(idsIn(second)[0]).toBe(207);
    expect(idsIn(second)).toHaveLength(second.page);
  });

  it('keeps to the last page when rows have gone', () => {
    const frame = draw(sample(20), { ...clientsView, offset: 400 }, 30);
    expect(idsIn(frame)).toHaveLength(Math.min(20, frame.page));
  });

  it('marks a worker that is silent, and old figures', () => {
    const { lines } = draw(sample(0, { isSilent: true }), firstView, 30, 'the master is away');
    expect(lines).toContain('! the master is away');
    expect(lines).toContain('! stream worker in slot 2 (pid 1002) is left out: no answer within 500 ms');
    expect(lines.some((line) => / 2 {2}stream +silent +1002 +- +-/.test(line))).toBe(true);
  });

  it('says that the clients are on their way', () => {
    expect(draw(sample(0), clientsView, 24).lines).toContain('asking for the clients');
  });

  it('has colours that take no room', () => {
    const colored = drawFrame(sample(3), { view: clientsView, height: 24, colors: picocolors.createColors(true) });
    expect(colored.lines.map((line) => stripVTControlCharacters(line).trimEnd())).toEqual(
      draw(sample(3), clientsView, 24).lines.map((line) => line.trimEnd()),
    );
  });

  it('is one text for a script, with both lists, and tells how much it leaves out', () => {
    const text = frameText(sample(30), firstView, colors);
    expect(text).toMatch(/^srs 2\.0\.0, mode multi/);
    expect(text).toContain('live/one');
    expect(text).toMatch(/and 10 more clients\n$/);
  });
});
