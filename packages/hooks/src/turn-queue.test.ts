import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { TurnQueue } from './turn-queue.ts';

/** Enters for each letter, and tells in which order they begin. */
function enterAll(queue: TurnQueue, letters: string) {
  const begun: string[] = [];
  const turns = Array.from(letters, (letter, index) => {
    const turn = queue.enter(letter);
    void turn.begun.then(() => begun.push(`${letter}${index}`));
    return turn;
  });
  return { begun, turns };
}

describe('TurnQueue', () => {
  it('gives so many places, and the next one when one is free', async () => {
    const queue = new TurnQueue(2);
    const { begun, turns } = enterAll(queue, 'abc');
    await setImmediate();
    expect(begun).toEqual(['a0', 'b1']);
    turns[1]!.end();
    await setImmediate();
    expect(begun).toEqual(['a0', 'b1', 'c2']);
  });

  it('gives one party no more than half of the places, however many wishes it has', async () => {
    const queue = new TurnQueue(4);
    const { begun, turns } = enterAll(queue, 'aaaaab');
    await setImmediate();
    expect(begun).toEqual(['a0', 'a1', 'b5']);
    turns[0]!.end();
    await setImmediate();
    expect(begun).toEqual(['a0', 'a1', 'b5', 'a2']);
  });

  it('lets parties take turns, each in its own order', async () => {
    const queue = new TurnQueue(1);
    const { begun, turns } = enterAll(queue, 'aaabbc');
    for (let round = 0; round < 6; round += 1) {
      await setImmediate();
      turns[Number(begun.at(-1)!.slice(1))]!.end();
    }
    expect(begun).toEqual(['a0', 'a1', 'b3', 'c5', 'a2', 'b4']);
  });

  it('forgets who does not wait any more, and counts an end once', async () => {
    const queue = new TurnQueue(1);
    const { begun, turns } = enterAll(queue, 'abcd');
    turns[1]!.end();
    turns[0]!.end();
    turns[0]!.end();
    await setImmediate();
    expect(begun).toEqual(['a0', 'c2']);
    for (const turn of turns) turn.end();
    expect(queue.isIdle).toBe(true);
  });
});
