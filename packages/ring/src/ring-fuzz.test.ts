/** Memory that somebody else has written into: a ring may be corrupt, its reader must not be harmed. */
import { frameFlags, SrsError } from '@srs/kernel';
import { expect, it } from 'vitest';
import { Random } from '../../../test/support/fuzz.ts';
import { MemoryArena, pollResults, type Region, RegionTable, RingReader, RingWriter, ringBytes } from './index.ts';
import { RECORDS_OFFSET, words } from './layout.ts';

const INPUTS = 200_000;
const CAPACITY = 4096;
const SIZE = ringBytes(CAPACITY);
const REGION: Region = { index: 0, offset: 0, sizeBytes: SIZE, generation: 7 };

function randomFrom(seed: number): (below: number) => number {
  console.log(`fuzz seed ${seed} (repeat with FUZZ_SEED=${seed})`);
  const random = new Random(seed);
  return (below) => random.below(below);
}

const INTERESTING = [0, 1, 7, 8, 24, 1000, 1001, 4088, 4096, 8192, 0x7fffffff, -0x80000000, -1, -8, -4096];

it(`a reader of ${INPUTS} broken rings ends every call, stays inside and throws nothing but an SrsError`, {
  timeout: 60_000,
}, () => {
  const random = randomFrom(Number(process.env.FUZZ_SEED ?? Date.now() & 0x7fffffff));
  const arena = new MemoryArena(Math.ceil(SIZE / 4096) * 4096);
  const memory = new Int32Array(arena.region(0, SIZE).buffer, 0, SIZE / 4);
  const headerWords = [
    ...Object.values(words).filter((word) => word < words.sticky),
    ...Array.from({ length: 24 }, (_, i) => words.sticky + i),
  ];

  const templates = Array.from({ length: 8 }, (_, number) => {
    const writer = RingWriter.create(arena, REGION, {
      writerSlot: 0,
      writerPid: 1,
      firstPosition: number % 2 === 0 ? 0 : 2 ** (31 + (number % 4 === 1 ? 1 : 0)) - 4096,
    });
    for (let i = 0; i < 10 + number * 4; i++) {
      writer.write(9, i % 5 === 0 ? frameFlags.keyFrame : 0, i, i, Buffer.alloc((i * 173) % 900, i));
    }
    writer.setSticky(0, 18, 0, 0, Buffer.from('metadata'));
    writer.setSticky(1, 9, 0, 0, Buffer.from('header'));
    if (number === 7) writer.end(1);
    return { header: memory.slice(0, 1024), records: memory.slice(RECORDS_OFFSET / 4) };
  });

  let payloadBytes = 0;
  const sink = {
    onRecord(type: number, _flags: number, _timestampMs: number, _wallMs: number, _sequence: number, payload: Buffer): void {
      if (type < 1 || type > 255 || payload.length > CAPACITY / 4) throw new Error(`type ${type}, ${payload.length} bytes`);
      payloadBytes += payload.length;
      for (let i = 0; i < payload.length; i += 97) payloadBytes += payload[i]! & 1;
    },
    onTorn(): void {},
  };
  const outcomes = new Map<string, number>();
  const count = (outcome: string) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  const breakSomething = () => {
    const isHeader = random(3) > 0;
    const word = isHeader ? headerWords[random(headerWords.length)]! : RECORDS_OFFSET / 4 + random(CAPACITY / 4);
    const kind = random(4);
    if (kind === 0) memory[word] = INTERESTING[random(INTERESTING.length)]!;
    else if (kind === 1) memory[word] = random(2 ** 32);
    else if (kind === 2) memory[word]! ^= 1 << random(32);
    else memory[word]! += random(64) - 32;
  };

  const heapBefore = process.memoryUsage().arrayBuffers;
  const startMs = performance.now();
  let reader: RingReader | undefined;
  for (let input = 0; input < INPUTS; input++) {
    const template = templates[random(templates.length)]!;
    memory.set(template.header);
    memory.set(template.records, RECORDS_OFFSET / 4);
    try {
      const isBrokenFirst = random(2) === 0;
      if (isBrokenFirst) breakSomething();
      reader = new RingReader(arena, REGION);
      if (random(4) > 0) reader.seekToNewestKeyFrame();
      if (random(4) === 0) reader.seekToSequence(random(50));
      if (random(4) === 0) reader.seekBack(random(2) === 0 ? random(100) : random(2 ** 31));
      for (let more = random(3); more >= 0; more--) breakSomething();
      let calls = 0;
      let result: number;
      do {
        result = random(2) === 0 ? reader.poll(sink, 1 + random(5000)) : reader.pollCopies(sink, 1 + random(5000));
        if (result === pollResults.lapped) count('lapped');
        // Each call moves on or says that it cannot: a ring of 4096 bytes has 170 records at most.
        if (++calls > 400) throw new Error('the reader does not come to an end');
      } while (result > 0 || (result === pollResults.lapped && calls < 200));
      count(Object.entries(pollResults).find(([, value]) => value === result)?.[0] ?? 'records');
      if (result === pollResults.corrupt) expect(reader.fault).toContain('ring at 0, generation 7: ');
      reader.seekToLiveEdge();
      reader.seekToNewestKeyFrame();
      reader.seekToSequence(random(50));
      reader.seekBack(random(2 ** 31));
      reader.arm(random(64));
      if (random(8) === 0) for (const slot of [0, 1, 2]) reader.readSticky(slot);
    } catch (thrown) {
      if (!(thrown instanceof SrsError)) throw thrown;
      count(thrown.errorName);
    }
  }
  const grownBytes = process.memoryUsage().arrayBuffers - heapBefore;
  console.log(`${Math.round(performance.now() - startMs)} ms, ${payloadBytes} bytes read`, Object.fromEntries(outcomes));
  for (const outcome of ['idle', 'ended', 'lapped', 'corrupt', 'RingCorrupt'])
    expect(outcomes.get(outcome), outcome).toBeGreaterThan(0);
  expect(grownBytes).toBeLessThan(64 * 2 ** 20);
});

it('a table of regions in broken memory is taken over or refused', () => {
  const random = randomFrom(Number(process.env.FUZZ_SEED ?? Date.now() & 0x7fffffff));
  const options = { maxRegions: 16 };
  const arena = new MemoryArena(2 ** 21, { windowBytes: 2 ** 20 });
  const table = RegionTable.create(arena, options);
  for (let i = 0; i < 8; i++) table.allocate(1000 * 3 ** (i % 4), i);
  const memory = new Int32Array(arena.region(0, 8192).buffer, 0, 2048);
  const template = memory.slice();
  let takenOver = 0;
  for (let input = 0; input < 3000; input++) {
    memory.set(template);
    for (let i = 0; i <= input % 3; i++) {
      memory[random(3) === 0 ? random(4) : 1024 + random(128)] = random(3) === 0 ? random(2 ** 32) : random(40) - 4;
    }
    try {
      const recovered = RegionTable.open(arena, options);
      takenOver++;
      for (const region of recovered.list()) arena.region(region.offset, region.sizeBytes);
      const region = recovered.allocate(5000);
      if (region !== undefined) recovered.free(region);
    } catch (thrown) {
      if (!(thrown instanceof SrsError)) throw thrown;
    }
  }
  expect(takenOver).toBeGreaterThan(100);
});
