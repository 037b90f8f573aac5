import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { ViewerTable, viewerTableBytes } from './viewer-table.ts';

const newKey = (): string => randomBytes(16).toString('base64url');

function setUp(entries = 64) {
  const memory = Buffer.alloc(viewerTableBytes(entries));
  return { memory, own: new ViewerTable(memory, 3), other: new ViewerTable(memory, 40) };
}

it('a viewer of one process is found, touched and counted by another', () => {
  const { own, other } = setUp();
  const key = newKey();
  expect(other.find(key)).toBe(-1);
  const entry = own.claim(key, 'a', 1_700_000_000_000);
  expect(other.find(key)).toBe(entry);
  expect(other.stateOf(entry)).toBe('live');
  expect(own.silentMs(entry, 1_700_000_009_000)).toBe(9_000);
  other.touch(entry, 1_700_000_008_000);
  expect(own.silentMs(entry, 1_700_000_009_000)).toBe(1_000);
  other.countSent(entry, 3_000_000_000);
  other.countSent(entry, 2_000_000_000);
  expect(own.sentBytes(entry)).toBe(5_000_000_000 % 2 ** 32);
  own.setState(entry, 'kicked');
  expect(other.stateOf(entry)).toBe('kicked');
});

it('one that has ended is known until its place is needed, and may begin again', () => {
  const { own } = setUp(1);
  const key = newKey();
  const entry = own.claim(key, 'a', 0);
  expect(own.claim(newKey(), 'a', 0)).toBe(-1);
  own.setState(entry, 'ended');
  expect(own.find(key)).toBe(entry);
  expect(own.claim(key, 'a', 0)).toBe(entry);
  own.setState(entry, 'ended');
  const next = newKey();
  expect(own.claim(next, 'a', 0)).toBe(entry);
  expect([own.find(key), own.find(next)]).toEqual([-1, entry]);
});

it('three quarters of its places can be taken', () => {
  const { own, other } = setUp(1024);
  const keys = Array.from({ length: 768 }, newKey);
  const entries = keys.map((key) => own.claim(key, 'a', 0));
  expect(entries).not.toContain(-1);
  expect(new Set(entries).size).toBe(768);
  expect(keys.map((key) => other.find(key))).toEqual(entries);
});

it('viewers of a process that is dead are nobody’s', () => {
  const { own, other } = setUp();
  const [key, kept] = [newKey(), newKey()];
  own.claim(key, 'a', 0);
  const entry = other.claim(kept, 'a', 0);
  other.clearSlot(3);
  expect([own.find(key), own.find(kept)]).toEqual([-1, entry]);
});

it.each(['', 'x', 'x'.repeat(22).concat('='), `${'x'.repeat(21)}.`, 'x'.repeat(23)])('%j is no key', (key) => {
  const { own } = setUp();
  expect([own.find(key), own.claim(key, 'a', 0)]).toEqual([-1, -1]);
});

it('a key is for one thing, and known by all processes, also after its viewer is forgotten', () => {
  const { own, other, memory } = setUp();
  const key = own.newKey('v/live/one');
  const entry = own.claim(key, 'v/live/one', 0);
  expect([other.isFor(entry, 'v/live/one'), other.isFor(entry, 'v/live/two')]).toEqual([true, false]);
  other.clearSlot(3);
  expect(other.find(key)).toBe(-1);
  expect([other.isIssued(key, 'v/live/one'), other.isIssued(key, 'v/live/two')]).toEqual([true, false]);
  expect(new ViewerTable(memory, 5).isIssued(key, 'v/live/one')).toBe(true);
  expect(other.isIssued(newKey(), 'v/live/one')).toBe(false);
  expect(setUp().own.isIssued(key, 'v/live/one')).toBe(false);
});
