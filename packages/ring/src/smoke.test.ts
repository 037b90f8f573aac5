import { expect, it } from 'vitest';
import { MemoryArena, RegionTable, RingReader, RingWriter, ringBytes } from './index.ts';

it('smoke', () => {
  const arena = new MemoryArena(16 * 1024 * 1024);
  const table = RegionTable.open(arena);
  const region = table.allocate(ringBytes(65536))!;
  const w = RingWriter.create(arena, region, { writerSlot: 0, writerPid: 1, firstPosition: 0x7fffff00 });
  const r = new RingReader(arena, region);
  let n = 0;
  let torn = 0;
  const sink = {
    onRecord: (_t: number, _f: number, ts: number, _w: number, seq: number, p: Buffer) => {
      expect(p[0] ?? 0).toBe(seq & 255);
      expect(ts).toBe(seq);
      n++;
    },
    onTorn: () => {
      torn++;
    },
  };
  for (let i = 0; i < 10000; i++) {
    expect(w.write(9, i % 50 === 0 ? 1 : 0, i, 1e12 + i, Buffer.alloc(1 + ((i * 37) % 3000), i & 255))).toBe(true);
    if (i % 10 === 9) expect(r.poll(sink)).toBe(10);
  }
  expect(n).toBe(10000);
  expect(torn).toBe(0);
  for (let i = 10000; i < 10200; i++) w.write(9, i % 50 === 0 ? 1 : 0, i, i, Buffer.alloc(1000, i & 255));
  expect(r.poll(sink)).toBe(-1);
  expect(r.sequence).toBe(10150);
  expect(r.poll(sink)).toBe(50);
  w.end(1);
  expect(r.poll(sink)).toBe(-2);
});
