/** Rings between real processes over a real mapping: nothing is lost, nothing is wrong, nobody sleeps for ever. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { closeFd, createDoorbell, createSharedMemory, openSharedArena } from '@srs/native';
import { endRing, pollResults, type RecordSink, RegionTable, RingReader, ringBytes, ringEndReasons } from '@srs/ring';
import { afterAll, describe, expect, it } from 'vitest';
import { words } from '../../packages/ring/src/layout.ts';
import type { ChildTask, ReadReport } from './ring-two-processes-child.ts';

const ARENA_BYTES = 2 ** 27;
const READERS = 2;
const LOSSLESS_RECORDS = 4_000_000;
const RACING_RECORDS = 6_000_000;

const memoryFd = createSharedMemory('ring-test', ARENA_BYTES);
const arena = openSharedArena(memoryFd, ARENA_BYTES);
const table = RegionTable.create(arena);
const progress = table.allocate(4096)!;
const bells = Array.from({ length: READERS }, createDoorbell);
const children = new Set<ChildProcess>();

afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  for (const { readFd, writeFd } of bells) for (const fd of [readFd, writeFd]) closeFd(fd);
  closeFd(memoryFd);
});

function start(task: Omit<ChildTask, 'arenaBytes' | 'progress' | 'readerCount'>): ChildProcess {
  const full: ChildTask = { ...task, arenaBytes: ARENA_BYTES, progress, readerCount: READERS };
  const isReader = task.action === 'read';
  const child = fork(fileURLToPath(new URL('./ring-two-processes-child.ts', import.meta.url)), [JSON.stringify(full)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc', memoryFd, ...bells.map((bell) => (isReader ? bell.readFd : bell.writeFd))],
    execArgv: [],
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/** The next message of the child, or an error when it ends without one. */
async function messageOf(child: ChildProcess): Promise<unknown> {
  const ended = new AbortController();
  const message = once(child, 'message', { signal: ended.signal });
  const onExit = (code: number | null, signal: string | null) => ended.abort(new Error(`the child ended: ${code} ${signal}`));
  child.once('exit', onExit);
  try {
    return ((await message) as [unknown])[0];
  } finally {
    child.off('exit', onExit);
  }
}

async function race(records: number, capacityBytes: number, waitBeyond: number): Promise<ReadReport[]> {
  const region = table.allocate(ringBytes(capacityBytes))!;
  const common = { region, records, maxPayloadBytes: 200, keyFrameEvery: 250, waitBeyond, isCopying: false };
  const writer = start({ ...common, action: 'write', slot: READERS });
  await messageOf(writer);
  const readers = Array.from({ length: READERS }, (_, slot) => start({ ...common, action: 'read', slot, isCopying: slot === 1 }));
  await Promise.all(readers.map(messageOf));
  const reports = Promise.all(readers.map(messageOf)) as Promise<ReadReport[]>;
  writer.send('go');
  const result = await reports;
  table.free(region);
  return result;
}

describe('one writer and two readers in three processes', () => {
  it('readers that keep up, because the writer waits for them, get every record once and in order', async () => {
    const startMs = performance.now();
    const reports = await race(LOSSLESS_RECORDS, 2 ** 20, 4000);
    console.log(`${Math.round(performance.now() - startMs)} ms`, reports);
    for (const report of reports) {
      expect(report).toMatchObject({ records: LOSSLESS_RECORDS, skipped: 0, laps: 0, torn: 0, wrong: 0 });
      expect(report.ended).toBe(ringEndReasons.finished);
      expect(report.stickies).toBeGreaterThan(1000);
    }
  });

  it('readers that are overtaken again and again get right records only and know how many they missed', async () => {
    const startMs = performance.now();
    const reports = await race(RACING_RECORDS, 2 ** 16, 0);
    console.log(`${Math.round(performance.now() - startMs)} ms`, reports);
    for (const report of reports) {
      expect(report.wrong).toBe(0);
      expect(report.records + report.skipped).toBe(RACING_RECORDS);
      expect(report.laps).toBeGreaterThan(0);
      expect(report.ended).toBe(ringEndReasons.finished);
    }
  });
});

it('the cost of a record, for information', async () => {
  const region = table.allocate(ringBytes(2 ** 24))!;
  const common = { region, records: 0, maxPayloadBytes: 200, keyFrameEvery: 250, waitBeyond: 0, isCopying: false, slot: 0 };
  const lines = (await messageOf(start({ ...common, action: 'measure' }))) as string[];
  for (const line of lines) console.log(line);
  expect(lines.length).toBe(2);
  table.free(region);
});

describe('a writer killed while it writes', () => {
  it('leaves complete records up to the tail, and the ring can be ended and its memory used again', async () => {
    const capacityBytes = 2 ** 23;
    let killedWithinRecord = 0;
    let round = 0;
    for (; round < 8 || (killedWithinRecord < 3 && round < 60); round++) {
      const region = table.allocate(ringBytes(capacityBytes))!;
      const writer = start({
        action: 'write-until-killed',
        region,
        records: 0,
        maxPayloadBytes: 1_000_000,
        keyFrameEvery: 5,
        slot: READERS,
        isCopying: false,
        waitBeyond: 0,
      });
      await messageOf(writer);
      const reader = new RingReader(arena, region);
      const { newestSequence } = reader;
      // It has gone some way; where it is stopped is left to chance.
      while (((reader.newestSequence - newestSequence) | 0) < 20 + round) await new Promise((resolve) => setImmediate(resolve));
      const dead = once(writer, 'exit');
      process.kill(writer.pid!, 'SIGKILL');
      await dead;

      const bytes = arena.region(region.offset, 4096);
      const header = new Int32Array(bytes.buffer, bytes.byteOffset, 1024);
      if (header[words.tailIntent] !== header[words.tail]) killedWithinRecord++;
      expect(endRing(arena, region, ringEndReasons.writerDied)).toBe(true);

      const sequences: number[] = [];
      const sink = {
        onRecord(...[, , , , sequence, payload]: Parameters<RecordSink['onRecord']>): void {
          expect([payload.readInt32LE(4), payload.readUInt32LE(0)]).toEqual([sequence, crc32(payload.subarray(4))]);
          sequences.push(sequence);
        },
      };
      expect(reader.seekToNewestKeyFrame()).toBe(true);
      const first = reader.sequence;
      expect(reader.pollCopies(sink)).toBeGreaterThan(0);
      expect(sequences).toEqual(sequences.map((_, i) => (first + i) | 0));
      expect(reader.pollCopies(sink)).toBe(pollResults.ended);
      expect(reader.ended).toBe(ringEndReasons.writerDied);
      expect(new RingReader(arena, region).pollCopies(sink)).toBe(pollResults.ended);
      expect(table.free(region)).toBe(true);
    }
    console.log(`${killedWithinRecord} of ${round} were killed within a record`);
    expect(killedWithinRecord).toBeGreaterThan(0);
  });
});
