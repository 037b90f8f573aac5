import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AddressWords, parseAddress } from './address.ts';
import { AddressTable, addressTableBytes } from './address-table.ts';

const second = 1_800_000_000;
const address = (text: string): AddressWords => parseAddress(text)!;

/** The tables of several processes over one memory. */
function tables(slots: number, entries = 1024): { readonly memory: Buffer; readonly table: readonly AddressTable[] } {
  const memory = Buffer.alloc(addressTableBytes(slots, entries));
  const table = Array.from({ length: slots }, (_, slot) => new AddressTable(memory, { slots, slot, seed: 12345 + slot }));
  return { memory, table };
}

describe('the table of addresses', () => {
  it('counts an address over all processes', () => {
    const { table } = tables(3);
    const entries = table.map((each) => each.claim(address('10.0.0.1'), second));
    expect(table[0]!.add(entries[0]!, 'connections', 3)).toBe(true);
    expect(table[1]!.add(entries[1]!, 'connections', 3)).toBe(true);
    expect(table[1]!.add(entries[1]!, 'connections', 3)).toBe(true);
    for (const [slot, each] of table.entries()) {
      expect(each.count(entries[slot]!, 'connections')).toBe(3);
      expect(each.add(entries[slot]!, 'connections', 3)).toBe(false);
      expect(each.count(entries[slot]!, 'connections')).toBe(3);
    }
    table[0]!.subtract(entries[0]!, 'connections');
    expect(table[2]!.add(entries[2]!, 'connections', 3)).toBe(true);
  });

  it('counts connections, publishers and players apart, and every address apart', () => {
    const { table } = tables(2);
    const one = table[0]!.claim(address('10.0.0.1'), second);
    const other = table[0]!.claim(address('10.0.0.2'), second);
    table[0]!.add(one, 'publishers', 0);
    expect(table[0]!.count(one, 'publishers')).toBe(1);
    expect(table[0]!.count(one, 'players')).toBe(0);
    expect(table[0]!.count(one, 'connections')).toBe(0);
    expect(table[0]!.count(other, 'publishers')).toBe(0);
  });

  it.each([
    ['one IPv6 network of 64 bits', '2001:db8:1:2::1', '2001:db8:1:2:ffff::9', true],
    ['two IPv6 networks', '2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['IPv4 and the same mapped into IPv6', '10.0.0.1', '::ffff:10.0.0.1', true],
    ['::1 and 0.0.0.0', '::1', '0.0.0.0', false],
    ['0.0.0.0 and 0.0.0.1', '0.0.0.0', '0.0.0.1', false],
  ])('%s', (_name, left, right, isSame) => {
    const { table } = tables(1);
    const entries = [left, right].map((text) => {
      const entry = table[0]!.claim(address(text), second);
      table[0]!.add(entry, 'connections', 0);
      return entry;
    });
    expect(entries[0] === entries[1]).toBe(isSame);
    expect(table[0]!.count(entries[0]!, 'connections')).toBe(isSame ? 2 : 1);
  });

  it('forgets what a dead process counted', () => {
    const { table } = tables(2);
    const [one, other] = table.map((each) => each.claim(address('10.0.0.1'), second));
    for (let count = 0; count < 5; count += 1) table[1]!.add(other!, 'connections', 0);
    table[0]!.add(one!, 'connections', 0);
    expect(table[0]!.count(one!, 'connections')).toBe(6);
    table[0]!.clearSlot(1);
    expect(table[0]!.count(one!, 'connections')).toBe(1);
    const again = table[1]!.claim(address('10.0.0.1'), second);
    table[1]!.add(again, 'connections', 0);
    expect(table[0]!.count(one!, 'connections')).toBe(2);
  });

  it('gives the place of an address without connections to another one, and never that of one with some', () => {
    const { table } = tables(1);
    const kept = table[0]!.claim(address('10.0.0.1'), second);
    table[0]!.add(kept, 'connections', 0);
    const words = (index: number): AddressWords => [0x20000000 + index];
    // Many times what the table holds come and go.
    for (let index = 0; index < 20_000; index += 1) {
      const now = second + Math.floor(index / 100);
      const entry = table[0]!.claim(words(index), now);
      expect(entry).toBeGreaterThan(0);
      expect(entry).not.toBe(kept);
      expect(table[0]!.addOpened(entry, now * 1000, 1)).toBe(true);
      table[0]!.add(entry, 'connections', 1);
      table[0]!.subtract(entry, 'connections');
    }
    expect(table[0]!.claim(address('10.0.0.1'), second + 1000)).toBe(kept);
    expect(table[0]!.count(kept, 'connections')).toBe(1);
  });

  it('holds as many addresses as it has entries, or nearly, and says so when it can hold no more', () => {
    const { table } = tables(1, 1024);
    const claim = (index: number): number => {
      const entry = table[0]!.claim([0x20000000 + index], second);
      if (entry >= 0) table[0]!.add(entry, 'connections', 0);
      return entry;
    };
    const entries = Array.from({ length: 700 }, (_, index) => claim(index));
    expect(Math.min(...entries)).toBeGreaterThan(0);
    expect(new Set(entries).size).toBe(700);
    const more = Array.from({ length: 2000 }, (_, index) => claim(1000 + index));
    const found = more.filter((entry) => entry >= 0);
    expect(found.length).toBeGreaterThan(300);
    expect(found.length).toBeLessThanOrEqual(324);
    expect(more).toContain(-1);
    expect(Array.from({ length: 700 }, (_, index) => table[0]!.claim([0x20000000 + index], second))).toEqual(entries);
  });

  it('memory that nobody counts in is not touched', () => {
    const { memory, table } = tables(4);
    const entry = table[2]!.claim(address('10.0.0.1'), second);
    table[2]!.add(entry, 'connections', 5);
    const partBytes = (memory.byteLength - 4096) / 4;
    for (const slot of [0, 1, 3]) {
      const part = memory.subarray(4096 + slot * partBytes, 4096 + (slot + 1) * partBytes);
      expect(part.every((byte) => byte === 0)).toBe(true);
    }
  });

  it('refuses memory of another size, and slots that it does not have', () => {
    expect(addressTableBytes(64)).toBe(4096 + 64 * 65_536 * 32);
    expect(() => new AddressTable(Buffer.alloc(4096 + 1000 * 32), { slots: 1, slot: 0, seed: 1 })).toThrow(RangeError);
    expect(() => new AddressTable(Buffer.alloc(addressTableBytes(2, 16)), { slots: 2, slot: 2, seed: 1 })).toThrow(RangeError);
  });

  it('counts as a plain map does, whoever comes and goes and dies', () => {
    const slots = 3;
    const action = fc.record({
      kind: fc.constantFrom('add', 'add', 'add', 'subtract', 'die'),
      slot: fc.integer({ min: 0, max: slots - 1 }),
      address: fc.integer({ min: 0, max: 40 }),
      counter: fc.constantFrom('connections', 'publishers', 'players'),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 300 }), (actions) => {
        const { table } = tables(slots);
        const model = Array.from({ length: slots }, () => new Map<string, number>());
        const limit = 4;
        let now = second;
        for (const { kind, slot, address: index, counter } of actions) {
          now += 1;
          const own = model[slot]!;
          const name = `${index} ${counter}`;
          const total = (text: string) => model.reduce((sum, map) => sum + (map.get(text) ?? 0), 0);
          if (kind === 'die') {
            table[(slot + 1) % slots]!.clearSlot(slot);
            own.clear();
            continue;
          }
          // Whoever publishes or plays has a connection.
          if (kind === 'add' && counter !== 'connections' && (own.get(`${index} connections`) ?? 0) === 0) continue;
          const entry = table[slot]!.claim([0x0a000000 + index], now);
          if (kind === 'add') {
            const isAllowed = total(name) < limit;
            expect(table[slot]!.add(entry, counter, limit)).toBe(isAllowed);
            if (isAllowed) own.set(name, (own.get(name) ?? 0) + 1);
          } else if ((own.get(name) ?? 0) > 0) {
            for (const each of counter === 'connections' ? (['publishers', 'players', 'connections'] as const) : [counter]) {
              const isLast = counter === 'connections' && own.get(name) === 1;
              const count = each === counter ? 1 : isLast ? (own.get(`${index} ${each}`) ?? 0) : 0;
              for (let times = 0; times < count; times += 1) table[slot]!.subtract(entry, each);
              own.set(`${index} ${each}`, (own.get(`${index} ${each}`) ?? 0) - count);
            }
          }
          for (const each of ['connections', 'publishers', 'players'] as const) {
            expect(table[slot]!.count(entry, each)).toBe(total(`${index} ${each}`));
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('connections opened in a second', () => {
  const open = (table: AddressTable, unixMs: number, limit: number): boolean => {
    const entry = table.claim([0x0a000001], Math.floor(unixMs / 1000));
    return table.addOpened(entry, unixMs, limit);
  };
  const startMs = second * 1000;

  it('are limited over all processes', () => {
    const { table } = tables(2);
    const answers = Array.from({ length: 10 }, (_, index) => open(table[index % 2]!, startMs + index, 4));
    expect(answers.filter(Boolean)).toHaveLength(4);
    expect(answers.slice(0, 4)).toEqual([true, true, true, true]);
  });

  it('of the second before count by how much of it is still within 1000 ms', () => {
    const { table } = tables(1);
    for (let count = 0; count < 10; count += 1) expect(open(table[0]!, startMs + 900, 10)).toBe(true);
    // 10 of the last second, all of which may lie within the last 1000 ms.
    expect(open(table[0]!, startMs + 1000, 10)).toBe(false);
    // Half of them, 5, so 5 more.
    const answers = Array.from({ length: 8 }, () => open(table[0]!, startMs + 1500, 10));
    expect(answers.filter(Boolean)).toHaveLength(5);
    expect(open(table[0]!, startMs + 3000, 10)).toBe(true);
  });

  it('those refused do not count: who tries again gets in as soon as there is room', () => {
    const { table } = tables(1);
    expect(open(table[0]!, startMs, 1)).toBe(true);
    for (let ms = 1; ms < 2000; ms += 1) expect(open(table[0]!, startMs + ms, 1)).toBe(false);
    expect(open(table[0]!, startMs + 2000, 1)).toBe(true);
  });

  it('are never more than twice the limit within any 1000 ms', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 150 }), { maxLength: 200 }),
        fc.integer({ min: 1, max: 8 }),
        (steps, limit) => {
          const { table } = tables(2);
          let unixMs = startMs;
          const opened: number[] = [];
          for (const [index, step] of steps.entries()) {
            unixMs += step;
            if (open(table[index % 2]!, unixMs, limit)) opened.push(unixMs);
            expect(opened.filter((at) => at > unixMs - 1000).length).toBeLessThanOrEqual(2 * limit);
          }
        },
      ),
    );
  });

  it('a clock that another process reads a moment later, or that is set back, refuses nobody for long', () => {
    const { table } = tables(2);
    expect(open(table[1]!, startMs + 1000, 1)).toBe(true);
    expect(open(table[0]!, startMs + 999, 1)).toBe(true);
    expect(open(table[0]!, startMs - 3_600_000, 1)).toBe(true);
    expect(open(table[0]!, startMs - 3_600_000 + 2000, 1)).toBe(true);
  });
});
