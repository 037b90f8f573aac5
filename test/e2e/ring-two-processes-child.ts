/** Writer and readers of `ring-two-processes.test.ts`, each in a process of its own over inherited memory. */
import { setImmediate as nextTick } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { frameFlags } from '@srs/kernel';
import { listenDoorbell, openSharedArena, ringDoorbell } from '@srs/native';
import { pollResults, type Region, RingReader, RingWriter, stickySlots } from '@srs/ring';

/** How the parent arranges `stdio`. */
const MEMORY_FD = 4;
const FIRST_BELL_FD = 5;

export interface ChildTask {
  readonly action: 'write' | 'write-until-killed' | 'read' | 'measure';
  readonly arenaBytes: number;
  readonly region: Region;
  /** Where each reader tells how far it is, one Int32 each. */
  readonly progress: Region;
  readonly records: number;
  readonly maxPayloadBytes: number;
  readonly keyFrameEvery: number;
  readonly slot: number;
  readonly isCopying: boolean;
  /** The writer waits for readers that are behind by more than this many records; 0 never. */
  readonly waitBeyond: number;
  readonly readerCount: number;
}

export interface ReadReport {
  readonly records: number;
  readonly skipped: number;
  readonly laps: number;
  readonly torn: number;
  readonly wrong: number;
  readonly stickies: number;
  readonly wakeUps: number;
  readonly ended: number;
}

const TICK_RECORDS = 200;

const task = JSON.parse(process.argv[2] ?? '{}') as ChildTask;
const arena = openSharedArena(MEMORY_FD, task.arenaBytes);
const progressBytes = arena.region(task.progress.offset, task.progress.sizeBytes);
const progress = new Int32Array(progressBytes.buffer, progressBytes.byteOffset, 64);

/** Bytes that nobody can guess: each record is a stretch of them, chosen by its number. */
const pool = Buffer.alloc(1 << 20);
for (let i = 0, state = 1; i < pool.length; i++) {
  state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
  pool[i] = state >>> 24;
}

function sizeOf(sequence: number): number {
  return 8 + ((Math.imul(sequence, 0x9e3779b1) >>> 8) % (task.maxPayloadBytes - 8));
}

/** checksum of the rest 4 | sequence 4 | bytes of the pool */
function fill(record: Buffer, sequence: number): Buffer {
  const size = sizeOf(sequence);
  const from = (Math.imul(sequence, 0x85ebca6b) >>> 0) % (pool.length - task.maxPayloadBytes);
  pool.copy(record, 8, from, from + size - 8);
  record.writeInt32LE(sequence, 4);
  const filled = record.subarray(0, size);
  filled.writeUInt32LE(crc32(filled.subarray(4)), 0);
  return filled;
}

function isRight(payload: Buffer, sequence: number): boolean {
  return payload.length === sizeOf(sequence) && payload.readInt32LE(4) === sequence && isChecksumRight(payload);
}

function isChecksumRight(payload: Buffer): boolean {
  return payload.readUInt32LE(0) === crc32(payload.subarray(4));
}

function createWriter(): RingWriter {
  // Positions and numbers wrap around early on.
  return RingWriter.create(arena, task.region, {
    writerSlot: task.slot,
    writerPid: process.pid,
    firstPosition: 2 ** 31 - 100_000,
    firstSequence: 2 ** 31 - 10_000,
  });
}

function writeOne(writer: RingWriter, record: Buffer, count: number): void {
  const flags = count % task.keyFrameEvery === 0 ? frameFlags.keyFrame : 0;
  if (!writer.write(9, flags, count, count, fill(record, writer.nextSequence))) throw new Error(`record ${count} was refused`);
}

async function write(): Promise<void> {
  const writer = createWriter();
  process.send?.('ready');
  await new Promise((resolve) => process.once('message', resolve));
  const record = Buffer.alloc(task.maxPayloadBytes);
  const first = writer.nextSequence;
  const ring = (slot: number) => ringDoorbell(FIRST_BELL_FD + slot);
  for (let count = 0; count < task.records; ) {
    const tickEnd = Math.min(count + TICK_RECORDS, task.records);
    while (count < tickEnd) writeOne(writer, record, count++);
    const sticky = fill(record, count);
    writer.setSticky(count % 2 === 0 ? stickySlots.metadata : stickySlots.videoHeader, 18, 0, count, sticky);
    writer.takeArmed(ring);
    if (task.waitBeyond > 0) while (count - slowest(first) > task.waitBeyond) await nextTick();
    else if (count % (TICK_RECORDS * 50) === 0) await nextTick();
  }
  writer.end(1);
  writer.takeArmed(ring);
  process.disconnect();
}

function slowest(first: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let reader = 0; reader < task.readerCount; reader++) least = Math.min(least, (Atomics.load(progress, reader) - first) | 0);
  return least;
}

/** Never leaves the loop: what ends it is a signal, most likely within the copy of a large record. */
function writeUntilKilled(): void {
  const writer = createWriter();
  const record = Buffer.alloc(task.maxPayloadBytes);
  process.send?.('ready');
  for (let count = 0; ; count++) writeOne(writer, record, count);
}

function read(): void {
  const reader = new RingReader(arena, task.region);
  let records = 0;
  let wrong = 0;
  let torn = 0;
  let stickies = 0;
  let wakeUps = 0;
  let isLastWrong = false;
  const stickyVersions = [0, 0];
  const sink = {
    onRecord(type: number, _flags: number, _timestampMs: number, _wallMs: number, sequence: number, payload: Buffer): void {
      isLastWrong = type !== 9 || !isRight(payload, sequence);
      if (isLastWrong) wrong++;
      records++;
    },
    onTorn(): void {
      torn++;
      records--;
      if (isLastWrong) wrong--;
    },
  };
  const readStickies = () => {
    for (const slot of [stickySlots.metadata, stickySlots.videoHeader]) {
      const version = reader.stickyVersion(slot);
      if (version === stickyVersions[slot]) continue;
      const sticky = reader.readSticky(slot);
      stickies++;
      // Versions only grow, and what is read is at least as new as what was announced.
      if (sticky === undefined || !isChecksumRight(sticky.payload) || sticky.version < version) wrong++;
      stickyVersions[slot] = version;
    }
  };
  const drain = () => {
    for (;;) {
      const result = task.isCopying ? reader.pollCopies(sink, 65_536) : reader.poll(sink, 65_536);
      Atomics.store(progress, task.slot, reader.sequence);
      if (result > 0 || result === pollResults.lapped) {
        readStickies();
        continue;
      }
      if (result === pollResults.idle) {
        if (reader.arm(task.slot)) return;
        continue;
      }
      stop();
      const report: ReadReport = {
        records,
        skipped: reader.skippedRecords,
        laps: reader.laps,
        torn,
        wrong: wrong + (result === pollResults.corrupt ? 1_000_000 : 0),
        stickies,
        wakeUps,
        ended: reader.ended,
      };
      process.send?.(report, () => process.disconnect());
      return;
    }
  };
  const stop = listenDoorbell(FIRST_BELL_FD + task.slot, () => {
    wakeUps++;
    drain();
  });
  Atomics.store(progress, task.slot, reader.sequence);
  process.send?.('ready');
  drain();
}

function measure(): void {
  const lines: string[] = [];
  for (const size of [1000, 20_000]) {
    const writer = createWriter();
    const views = new RingReader(arena, task.region);
    const copies = views.fork();
    const payload = pool.subarray(0, size);
    let bytes = 0;
    const sink = {
      onRecord: (...[, , , , , view]: [number, number, number, number, number, Buffer]) => {
        bytes += view.length;
      },
      onTorn: () => {},
    };
    const rounds = 2_000_000_000 / size / 100;
    const spent = { write: 0, view: 0, copy: 0 };
    for (let round = 0; round < rounds; round++) {
      if (round === Math.round(rounds / 4)) spent.write = spent.view = spent.copy = 0;
      const start = performance.now();
      for (let i = 0; i < 100; i++) writer.write(9, 0, i, i, payload);
      const written = performance.now();
      views.poll(sink);
      const viewed = performance.now();
      copies.pollCopies(sink);
      spent.write += written - start;
      spent.view += viewed - written;
      spent.copy += performance.now() - viewed;
    }
    if (bytes !== Math.ceil(rounds) * 200 * size) throw new Error(`${bytes} bytes were read`);
    const each = (ms: number) => `${Math.round((ms * 1e6) / (rounds * 0.75 * 100))} ns`;
    lines.push(`${size} bytes: write ${each(spent.write)}, read a view ${each(spent.view)}, read a copy ${each(spent.copy)}`);
  }
  process.send?.(lines, () => process.disconnect());
}

if (task.action === 'write') await write();
else if (task.action === 'write-until-killed') writeUntilKilled();
else if (task.action === 'read') read();
else measure();
