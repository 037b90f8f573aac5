import { type PartialCounters, readCounters } from '@srs/control';
import { afterEach, describe, expect, it } from 'vitest';
import { CounterKeeper } from './counter-keeper.ts';
import { STATUS_BOARD_BYTES, StatusBoard } from './status-board.ts';

describe('CounterKeeper', () => {
  const keepers: CounterKeeper[] = [];
  afterEach(() => {
    for (const keeper of keepers.splice(0)) keeper.close();
  });

  function keeperOf(board: StatusBoard, read: () => PartialCounters): CounterKeeper {
    const keeper = new CounterKeeper(board.ownCounters, read);
    keepers.push(keeper);
    return keeper;
  }

  it('a successor goes on where the dead process of its slot was', () => {
    const memory = Buffer.alloc(STATUS_BOARD_BYTES);
    const board = new StatusBoard(memory, 3);
    let clients = 5;
    keeperOf(board, () => ({ counts: { clients } })).keep();
    clients = 7;
    keepers.pop()?.close();
    expect(board.counters()[3]?.counts.clients).toBe(7);
    // A new process: it opens the same memory, and counts from 0.
    const successor = new StatusBoard(memory, 3);
    clients = 0;
    const keeper = keeperOf(successor, () => ({ counts: { clients } }));
    keeper.keep();
    expect(board.counters()[3]?.counts.clients).toBe(7);
    clients = 2;
    keeper.keep();
    expect(board.counters()[3]?.counts.clients).toBe(9);
    expect(board.counters()[2]?.counts.clients).toBe(0);
  });

  it('a counter does not fall when a part of the process forgets what it had counted', () => {
    const board = new StatusBoard(Buffer.alloc(STATUS_BOARD_BYTES), 0);
    const seen: number[] = [];
    let writes = 0;
    const keeper = keeperOf(board, () => ({ counts: { writes } }));
    for (writes of [10, 25, 4, 4, 9]) {
      keeper.keep();
      seen.push(readCounters(board.ownCounters).counts.writes);
    }
    expect(seen).toEqual([10, 25, 25, 25, 30]);
  });

  it('slots do not write into one another, nor into the connections', () => {
    const memory = Buffer.alloc(STATUS_BOARD_BYTES);
    const boards = Array.from({ length: 64 }, (_, slot) => new StatusBoard(memory, slot));
    for (const [slot, board] of boards.entries()) board.ownCounters.fill((slot + 1) / 3);
    for (const [slot, board] of boards.entries()) {
      expect(new Set(board.ownCounters)).toEqual(new Set([(slot + 1) / 3]));
    }
    expect(boards[0]?.connectionCount()).toBe(0);
    expect(boards[0]?.nextCid()).toBe(200);
  });
});
