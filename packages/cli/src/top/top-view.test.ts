import { describe, expect, it } from 'vitest';
import { firstView, pressKey, type TopKey, type TopView } from './top-view.ts';

const PAGE = 10;
const LENGTH = 25;

const press = (view: TopView, ...keys: (string | TopKey)[]): TopView =>
  keys.reduce<TopView>((before, key) => {
    const effect = pressKey(before, typeof key === 'string' ? { name: key } : key, PAGE, LENGTH);
    if (typeof effect === 'string') throw new Error(`${effect} is no view`);
    return effect;
  }, view);

describe('the keys of top', () => {
  it.each([
    [{ name: 'q' }, 'quit'],
    [{ name: 'c', ctrl: true }, 'quit'],
    [{ name: 'd', ctrl: true }, 'quit'],
    [{ name: 'z', ctrl: true }, 'suspend'],
  ])('%j: %s', (key, effect) => {
    expect(pressKey(firstView, key, PAGE, LENGTH)).toBe(effect);
  });

  it('choose the list, from its beginning', () => {
    expect(press(firstView, 'down', 'c')).toMatchObject({ list: 'clients', offset: 0 });
    expect(press(firstView, 'c', 's')).toMatchObject({ list: 'streams' });
  });

  it('scroll within the list', () => {
    expect(press(firstView, 'up').offset).toBe(0);
    expect(press(firstView, 'down', 'down').offset).toBe(2);
    expect(press(firstView, 'pagedown').offset).toBe(10);
    expect(press(firstView, 'space', 'pagedown', 'pagedown').offset).toBe(15);
    expect(press(firstView, 'end').offset).toBe(15);
    expect(press(firstView, 'end', 'pageup').offset).toBe(5);
    expect(press(firstView, 'end', 'home').offset).toBe(0);
    expect((pressKey(firstView, { name: 'end' }, PAGE, 3) as TopView).offset).toBe(0);
  });

  it('sort each list by a column of its own', () => {
    const { column } = firstView.sorts.streams;
    const view = press(firstView, 'right', 'c', 'left', 'left', 'r');
    expect(view.sorts.streams).toEqual({ column: column + 1, isReversed: false });
    expect(view.sorts.clients).toEqual({ column: firstView.sorts.clients.column - 2, isReversed: true });
    expect(press(firstView, ...Array<string>(50).fill('left')).sorts.streams.column).toBe(0);
    expect(press(firstView, ...Array<string>(50).fill('right')).sorts.streams.column).toBe(11);
  });

  it('that mean nothing change nothing', () => {
    expect(press(firstView, 'x', {}, { name: 'q2' }, { name: 'x', ctrl: true })).toEqual(firstView);
  });
});
