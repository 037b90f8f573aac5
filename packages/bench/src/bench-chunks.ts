/**
 * How fast the chunk reader takes a publisher's bytes apart, without sockets: one process, one core.
 *
 *     node packages/bench/src/bench-chunks.ts [--against DIRECTORY] [--filter TEXT] [--rounds N]
 *
 * With another checkout, which needs its own `node_modules`, both readers run by turns over the same bytes, and each row ends with the
 * ratio. What is delivered is copied once into a block of memory, as the server copies it into a ring.
 */
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { layOutTable } from '@srs/kernel';
import * as current from '@srs/rtmp';

type RtmpPackage = Pick<typeof current, 'ChunkReader'>;
type Reader = InstanceType<typeof current.ChunkReader>;

/** Frames of one second, as an encoder of 25 pictures a second sends them. */
interface Mix {
  readonly name: string;
  readonly keyFrameBytes: number;
  readonly pictureBytes: number;
  readonly audioBytes: number;
}

interface Case {
  readonly mix: Mix;
  readonly chunkSize: number;
  /** What one read of the socket gives: so many bytes, or each message by itself. */
  readonly readBytes: number | 'message';
  readonly publishers: number;
}

const PICTURES_PER_SECOND = 25;
const SOUNDS_PER_SECOND = 43;
const RING_BYTES = 2 * 1024 * 1024;
/** Bytes of one publisher: two seconds of the mix, but not less than this. */
const MIN_STREAM_BYTES = 128 * 1024;
/** Bytes of one measurement of one case: long against the clock, short against a change of the machine's speed. */
const ROUND_BYTES = 48 * 1024 * 1024;
const MAX_ROUND_MESSAGES = 60_000;
const SEGMENT_BYTES = 1448;
const READ_BYTES = 65_536;

const live: Mix = { name: '500 kbps', keyFrameBytes: 12_000, pictureBytes: 1800, audioBytes: 180 };
const high: Mix = { name: '6 Mbps', keyFrameBytes: 120_000, pictureBytes: 25_000, audioBytes: 370 };
const sound: Mix = { name: 'audio only', keyFrameBytes: 0, pictureBytes: 0, audioBytes: 180 };

const cases: readonly Case[] = [
  ...[live, high, sound].flatMap((mix) =>
    [128, 4096, 60_000].map((chunkSize) => ({ mix, chunkSize, readBytes: READ_BYTES, publishers: 1 })),
  ),
  ...[live, high].flatMap((mix) =>
    [128, 4096, 60_000].map((chunkSize) => ({ mix, chunkSize, readBytes: SEGMENT_BYTES, publishers: 1 })),
  ),
  ...[128, 4096].flatMap((chunkSize) =>
    [1, 10, 100, 1000].map((publishers) => ({ mix: live, chunkSize, readBytes: 'message' as const, publishers })),
  ),
];

/** A round over all publishers' bytes, and what it delivers. */
interface Workload {
  readonly reads: readonly Buffer[];
  readonly bytes: number;
  readonly messages: number;
}

function buildWorkload({ mix, chunkSize, readBytes }: Case): Workload {
  const messages: Buffer[] = [];
  let bytes = 0;
  for (let second = 0; second < 2 || bytes < MIN_STREAM_BYTES; second++) {
    for (const [type, timeMs, length] of framesOfSecond(mix)) {
      const chunkStreamId = type === 9 ? 6 : 4;
      const message = current.encodeMessage(
        chunkStreamId,
        type,
        second * 1000 + timeMs,
        1,
        Buffer.alloc(length, 0x5a),
        chunkSize,
      );
      messages.push(message);
      bytes += message.length;
    }
  }
  return {
    reads: readBytes === 'message' ? messages : split(Buffer.concat(messages), readBytes),
    bytes,
    messages: messages.length,
  };
}

function framesOfSecond(mix: Mix): (readonly [type: number, timeMs: number, length: number])[] {
  const frames: (readonly [number, number, number])[] = [];
  for (let i = 0; i < SOUNDS_PER_SECOND; i++) frames.push([8, Math.floor((i * 1000) / SOUNDS_PER_SECOND), mix.audioBytes]);
  if (mix.pictureBytes > 0) {
    for (let i = 0; i < PICTURES_PER_SECOND; i++) {
      frames.push([9, (i * 1000) / PICTURES_PER_SECOND, i === 0 ? mix.keyFrameBytes : mix.pictureBytes]);
    }
  }
  return frames.sort((one, other) => one[1] - other[1]);
}

function split(bytes: Buffer, size: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return pieces;
}

/** Readers of one implementation that have read the announcement of the chunk size. */
class Contender {
  readonly #readers: readonly Reader[];
  readonly #ring = Buffer.alloc(RING_BYTES);
  #ringAt = 0;
  #messages = 0;
  /** Of all turns: what else the machine does only makes one longer. */
  bestNanos = Number.POSITIVE_INFINITY;

  constructor({ ChunkReader }: RtmpPackage, { chunkSize, publishers }: Case) {
    this.#readers = Array.from({ length: publishers }, () => {
      const reader = new ChunkReader({ onMessage: (...[, , , , payload]) => this.#take(payload) });
      const announcement = Buffer.alloc(4);
      announcement.writeUInt32BE(chunkSize);
      reader.receive(current.encodeMessage(2, 1, 0, 0, announcement, 128));
      return reader;
    });
  }

  /** Every publisher's next read in turn, as a busy event loop gives them. */
  run(workload: Workload, rounds: number): void {
    this.#messages = 0;
    const started = process.hrtime.bigint();
    for (let round = 0; round < rounds; round++) {
      for (const read of workload.reads) {
        for (const reader of this.#readers) reader.receive(read);
      }
    }
    const nanos = Number(process.hrtime.bigint() - started);
    const expected = workload.messages * rounds * this.#readers.length;
    if (this.#messages !== expected) throw new Error(`${this.#messages} messages came out, must be ${expected}`);
    this.bestNanos = Math.min(this.bestNanos, nanos);
  }

  #take(payload: Buffer): void {
    if (this.#ringAt + payload.length > RING_BYTES) this.#ringAt = 0;
    this.#ring.set(payload, this.#ringAt);
    this.#ringAt += payload.length;
    this.#messages++;
  }
}

function measure(one: Case, implementations: readonly RtmpPackage[], turns: number): string[] {
  const workload = buildWorkload(one);
  const contenders = implementations.map((implementation) => new Contender(implementation, one));
  const perRound = one.publishers * Math.max(workload.bytes / ROUND_BYTES, workload.messages / MAX_ROUND_MESSAGES);
  const rounds = Math.max(1, Math.round(1 / perRound));
  for (let turn = 0; turn < turns; turn++) {
    // Who comes first in one turn comes last in the next.
    for (const contender of turn % 2 === 0 ? contenders : contenders.toReversed()) contender.run(workload, rounds);
  }
  const [now, before] = contenders;
  const messages = workload.messages * rounds * one.publishers;
  const megabytes = (workload.bytes * rounds * one.publishers) / 1e6;
  return [
    one.mix.name,
    String(one.chunkSize),
    String(one.readBytes),
    String(one.publishers),
    (megabytes / (now!.bestNanos / 1e9)).toFixed(0),
    (now!.bestNanos / messages).toFixed(0),
    before === undefined ? '' : (before.bestNanos / messages).toFixed(0),
    before === undefined ? '' : (before.bestNanos / now!.bestNanos).toFixed(2),
  ];
}

const { values } = parseArgs({
  options: { against: { type: 'string' }, filter: { type: 'string', default: '' }, rounds: { type: 'string', default: '7' } },
});
const implementations: RtmpPackage[] = [current];
if (values.against !== undefined) {
  const other = pathToFileURL(join(resolve(values.against), 'packages/rtmp/src/index.ts'));
  implementations.push((await import(other.href)) as RtmpPackage);
}
const heads = ['mix', 'chunk', 'read', 'publishers', 'MB/s', 'ns/message', 'other ns/message', 'times as fast'];
const rows = cases
  .filter((one) => `${one.mix.name} ${one.chunkSize} ${one.readBytes} ${one.publishers}`.includes(values.filter))
  .map((one) => measure(one, implementations, Number(values.rounds)));
const cells = [heads, ...rows].map((row) => row.map((text) => ({ text })));
process.stdout.write(
  layOutTable(
    cells,
    heads.map((_, column) => column > 0),
  ),
);
