import { expect, it } from 'vitest';
import { STATUS_BOARD_BYTES, StatusBoard } from './status-board.ts';

it('what a dead process counted is no more, and its viewers are nobody’s', () => {
  const memory = Buffer.alloc(STATUS_BOARD_BYTES);
  const [dead, living] = [new StatusBoard(memory, 3), new StatusBoard(memory, 4)];
  expect([dead.claimConnection(10), living.claimConnection(10)]).toEqual([true, true]);
  const keys = [dead, living].map(({ viewers }) => {
    const key = viewers.newKey('v/live/one');
    viewers.claim(key, 'v/live/one', 0);
    return key;
  });
  const find = () => keys.map((key) => living.viewers.find(key) >= 0);
  expect(find()).toEqual([true, true]);
  living.clearSlot(3);
  expect(living.connectionCount()).toBe(1);
  expect(find()).toEqual([false, true]);
});

it('its parts lie beside each other', () => {
  const memory = Buffer.alloc(STATUS_BOARD_BYTES);
  const last = new StatusBoard(memory, 63);
  const key = last.viewers.newKey('v/live/one');
  last.viewers.claim(key, 'v/live/one', 0);
  const { addresses } = last;
  const entry = addresses.claim([0x7f000001], 0);
  addresses.add(entry, 'players', 0);
  last.claimConnection(10);
  expect([last.viewers.find(key) >= 0, addresses.count(entry, 'players'), last.connectionsOf(63)]).toEqual([true, 1, 1]);
  expect(STATUS_BOARD_BYTES % 4096).toBe(0);
});
