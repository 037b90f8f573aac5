import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RingRef } from '@srs/control';
import { type FrameType, frameFlags, frameTypes, ManualClock, timeBoundsMs } from '@srs/kernel';
import { MemoryArena, type Region, RegionTable, RingWriter, ringBytes, ringEndReasons, stickySlots } from '@srs/ring';
import { describe, expect, it } from 'vitest';
import { Batch, type EncodedBytes } from './batch.ts';
import type { DirectoryClient, Subscriber } from './directory-client.ts';
import { FanOut } from './fan-out.ts';
import { FlushBudget } from './flush-budget.ts';
import type { FrameEncoder, FrameLine } from './frame-batch.ts';
import { LiveStreams } from './live-stream.ts';
import type { FanOutPlayer, PlayerState } from './player-state.ts';

/** `type timestamp length payload`, so that a test can read what a player got. */
const line: FrameLine = {
  encodedBytes: (_type, _timestampMs, payload) => 9 + payload.length,
  encode: (target, offset, type, timestampMs, payload) => {
    target[offset] = type;
    target.writeUInt32LE(timestampMs, offset + 1);
    target.writeUInt32LE(payload.length, offset + 5);
    payload.copy(target, offset + 9);
  },
};
const encoder: FrameEncoder = { openLine: () => line };

class TestPlayer implements FanOutPlayer {
  readonly descriptor = -1;
  readonly frames: string[] = [];
  pendingBytes = 0;
  isFinished = false;
  /** A socket that takes nothing more: what is written stays pending. */
  isBlocked = false;
  writes = 0;

  write({ bytes }: EncodedBytes): boolean {
    this.writes += 1;
    for (let at = 0; at < bytes.length; ) {
      const length = bytes.readUInt32LE(at + 5);
      const text = bytes.toString('latin1', at + 9, at + 9 + Math.min(length, 12)).replace(/\.+$/, '');
      this.frames.push(`${text}@${bytes.readUInt32LE(at + 1)}`);
      at += 9 + length;
    }
    if (this.isBlocked) this.pendingBytes += bytes.length;
    return !this.isBlocked;
  }

  onFinished(): void {
    this.isFinished = true;
  }

  unblock(fanOut: FanOut, state: PlayerState): void {
    this.isBlocked = false;
    this.pendingBytes = 0;
    fanOut.onDrain(state);
  }
}

/** Takes a millisecond for every write. */
class DearPlayer extends TestPlayer {
  readonly #clock: ManualClock;

  constructor(clock: ManualClock) {
    super();
    this.#clock = clock;
  }

  override write(encoded: EncodedBytes): boolean {
    this.#clock.advance(1);
    return super.write(encoded);
  }
}

const SLOT = 3;
const { audio, video } = frameTypes;

interface SetUpOptions {
  readonly gopCache?: boolean;
  readonly queueLengthMs?: number;
  readonly capacityBytes?: number;
  readonly minFrameIntervalMs?: number;
}

function setUp(options: SetUpOptions = {}) {
  const arena = new MemoryArena(64 << 20);
  const table = RegionTable.create(arena);
  const released: RingRef[] = [];
  let tell: (state: { streamId: string; ring: RingRef | null; publisher: null }) => void = () => {};
  const directory = {
    subscribe: (_streamId: string, subscriber: Subscriber) => {
      tell = (state) => subscriber.onState(state);
    },
    unsubscribe: () => {},
    holdRing: () => {},
    releaseRing: (ring: RingRef) => released.push(ring),
  } as unknown as DirectoryClient;
  const clock = new ManualClock({ nowMs: 1000 });
  const liveStreams = new LiveStreams({ directory, arenas: [arena], log: undefined as never });
  const stream = liveStreams.follow('v/a/s');
  const faults: Error[] = [];
  const budget = new FlushBudget(clock);
  const fanOut = new FanOut({
    stream,
    encoder,
    batch: new Batch(),
    budget,
    clock,
    slot: SLOT,
    gopCache: options.gopCache ?? true,
    queueLengthMs: options.queueLengthMs ?? 30_000,
    maxFlushIntervalMs: 0,
    minFrameIntervalMs: options.minFrameIntervalMs ?? 0,
    onCorrupt: (error) => faults.push(error),
  });
  const refOf = (region: Region): RingRef => ({ arena: 0, ...region });
  const openRing = (
    firstSequence = 0,
    capacityBytes = options.capacityBytes ?? 1 << 20,
  ): { ring: RingRef; writer: RingWriter } => {
    const region = table.allocate(ringBytes(capacityBytes))!;
    return { ring: refOf(region), writer: RingWriter.create(arena, region, { writerSlot: 1, writerPid: 1, firstSequence }) };
  };
  const publish = (ring: RingRef | null): void => tell({ streamId: 'v/a/s', ring, publisher: null });
  const wake = (): void => {
    clock.advance(10);
    stream.wake();
  };
  return { arena, budget, clock, fanOut, liveStreams, openRing, publish, wake, released, faults };
}

function write(writer: RingWriter, name: string, timestampMs: number, type: FrameType = video, flags = 0, sizeBytes = 0): void {
  writer.write(type, flags, timestampMs, 0, Buffer.from(name.padEnd(sizeBytes, '.')));
}

const key = (writer: RingWriter, name: string, timestampMs: number): void =>
  write(writer, name, timestampMs, video, frameFlags.keyFrame);

function setHeaders(writer: RingWriter): void {
  writer.setSticky(stickySlots.metadata, frameTypes.data, frameFlags.metadata, 0, Buffer.from('meta'));
  writer.setSticky(stickySlots.videoHeader, video, frameFlags.sequenceHeader, 0, Buffer.from('vh'));
  writer.setSticky(stickySlots.audioHeader, audio, frameFlags.sequenceHeader, 0, Buffer.from('ah'));
}

describe('FanOut', () => {
  it('gives a joiner headers with the time of its first frame, then everything from the newest key frame, then live', () => {
    const { fanOut, openRing, publish, wake } = setUp();
    const { ring, writer } = openRing();
    setHeaders(writer);
    key(writer, 'k1', 0);
    write(writer, 'p1', 40);
    key(writer, 'k2', 80);
    write(writer, 'p2', 120);
    publish(ring);
    const player = new TestPlayer();
    const state = fanOut.add(player);
    expect(player.frames).toEqual(['meta@80', 'vh@80', 'ah@80', 'k2@80', 'p2@120']);
    expect(state.statistics.isInStep).toBe(true);
    write(writer, 'p3', 160);
    wake();
    expect(player.frames.at(-1)).toBe('p3@160');
  });

  it('gives players in step the same batch in one write each', () => {
    const { fanOut, openRing, publish, wake } = setUp();
    const { ring, writer } = openRing();
    key(writer, 'k1', 0);
    publish(ring);
    const players = Array.from({ length: 3 }, () => new TestPlayer());
    for (const player of players) fanOut.add(player);
    const before = players.map((player) => player.writes);
    for (let index = 1; index <= 5; index += 1) write(writer, `p${index}`, index * 40);
    wake();
    for (const [index, player] of players.entries()) {
      expect(player.writes - before[index]!).toBe(1);
      expect(player.frames).toEqual(['k1@0', 'p1@40', 'p2@80', 'p3@120', 'p4@160', 'p5@200']);
    }
  });

  it('tells for each batch how long after its oldest frame had come it was given to the last player', () => {
    const { budget, clock, fanOut, openRing, publish, wake } = setUp();
    const { ring, writer } = openRing();
    key(writer, 'k1', 0);
    publish(ring);
    const agesMs = () => budget.agesMs.figures;
    const writeNow = (name: string, timestampMs: number) =>
      writer.write(video, 0, timestampMs, clock.wallMs(), Buffer.from(name));
    writeNow('nobody plays', 40);
    wake();
    expect(agesMs().sum).toBe(0);
    for (let index = 0; index < 3; index += 1) fanOut.add(new DearPlayer(clock));
    const before = agesMs().counts.reduce((sum, count) => sum + count, 0);
    writeNow('oldest', 80);
    clock.advance(300);
    writeNow('newest', 120);
    // 300 ms and 10 of the wake-up, and 1 for each player.
    wake();
    expect(agesMs().sum).toBe(313);
    expect(agesMs().counts[timeBoundsMs.indexOf(350)]).toBe(1);
    expect(agesMs().counts.reduce((sum, count) => sum + count, 0)).toBe(before + 1);
    expect(budget.intervalsMs.figures.counts.reduce((sum, count) => sum + count, 0)).toBe(before + 1);
  });

  it('holds players that come before the publisher, and keeps them over a republish', () => {
    const { fanOut, openRing, publish, wake, released } = setUp();
    const player = new TestPlayer();
    fanOut.add(player);
    const first = openRing();
    publish(first.ring);
    key(first.writer, 'k1', 0);
    wake();
    first.writer.end(ringEndReasons.finished);
    publish(null);
    expect(released).toEqual([first.ring]);
    const second = openRing();
    setHeaders(second.writer);
    publish(second.ring);
    key(second.writer, 'k2', 1000);
    wake();
    expect(player.frames).toEqual(['k1@0', 'meta@1000', 'vh@1000', 'ah@1000', 'k2@1000']);
  });

  it('gives players that have waited all of a publish, however much of it was there when this process heard of it', () => {
    for (const gopCache of [true, false]) {
      const { fanOut, openRing, publish, wake } = setUp({ gopCache });
      const waiting = [new TestPlayer(), new TestPlayer()];
      fanOut.add(waiting[0]!);
      fanOut.add(waiting[1]!, { durationMs: 1000 });
      publish(null);
      const fill = ({ writer }: ReturnType<typeof openRing>): void => {
        key(writer, 'k1', 0);
        write(writer, 'p1', 40);
        key(writer, 'k2', 80);
        write(writer, 'p2', 120);
      };
      const first = openRing();
      fill(first);
      publish(first.ring);
      const second = openRing();
      fill(second);
      first.writer.end(ringEndReasons.finished);
      publish(null);
      publish(second.ring);
      wake();
      const all = ['k1@0', 'p1@40', 'k2@80', 'p2@120'];
      for (const player of waiting) expect(player.frames).toEqual([...all, ...all]);
      const late = new TestPlayer();
      fanOut.add(late);
      expect(late.frames).toEqual(gopCache ? ['k2@80', 'p2@120'] : []);
    }
  });

  it('gives all players that have waited a publish that was over before this process heard of it', () => {
    const { fanOut, openRing, publish } = setUp();
    const players = Array.from({ length: 4 }, () => new TestPlayer());
    for (const player of players) fanOut.add(player);
    publish(null);
    const { ring, writer } = openRing();
    write(writer, 'a1', 0, audio);
    write(writer, 'a2', 26, audio);
    writer.end(ringEndReasons.finished);
    publish(ring);
    for (const player of players) expect(player.frames).toEqual(['a1@0', 'a2@26']);
  });

  it('does not take the first player of this process, who comes before the word of the directory, for one that has waited', () => {
    for (const gopCache of [true, false]) {
      const { fanOut, openRing, publish, wake } = setUp({ gopCache });
      const players = [new TestPlayer(), new TestPlayer()];
      fanOut.add(players[0]!);
      fanOut.add(players[1]!, { durationMs: 1000 });
      const { ring, writer } = openRing();
      setHeaders(writer);
      key(writer, 'k1', 0);
      write(writer, 'p1', 40);
      key(writer, 'k2', 80);
      publish(ring);
      write(writer, 'p2', 120);
      key(writer, 'k3', 160);
      wake();
      const frames = gopCache ? ['k2@80', 'p2@120', 'k3@160'] : ['k3@160'];
      for (const player of players) expect(player.frames.filter((frame) => /^[kp]/.test(frame))).toEqual(frames);
    }
  });

  it('does not take a header with a time of its own for hours of media', () => {
    const { fanOut, openRing, publish, wake } = setUp({ queueLengthMs: 1000 });
    const players = [new TestPlayer(), new TestPlayer()];
    fanOut.add(players[0]!);
    fanOut.add(players[1]!, { durationMs: 1000 });
    const { ring, writer } = openRing();
    publish(ring);
    write(writer, 'vh', 0, video, frameFlags.sequenceHeader | frameFlags.keyFrame);
    wake();
    const startMs = 16_770_000;
    key(writer, 'k1', startMs);
    write(writer, 'p1', startMs + 40);
    key(writer, 'k2', startMs + 80);
    write(writer, 'meta', 0, frameTypes.data, frameFlags.metadata);
    wake();
    for (const player of players)
      expect(player.frames.map((frame) => frame.split('@')[0])).toEqual(['vh', 'k1', 'p1', 'k2', 'meta']);
    expect(fanOut.statistics.cuts).toBe(0);
  });

  it('gives players that have waited the newest key frame when the first is overwritten', () => {
    const { fanOut, openRing, publish } = setUp({ capacityBytes: 4096 });
    const player = new TestPlayer();
    fanOut.add(player);
    publish(null);
    const { ring, writer } = openRing();
    for (let index = 0; index < 8; index += 1) write(writer, `k${index}`, index * 40, video, frameFlags.keyFrame, 900);
    publish(ring);
    expect(player.frames.map((frame) => frame.slice(0, 2))).toEqual(['k7']);
  });

  it('gives players that have waited each header once', () => {
    const { fanOut, openRing, publish, wake } = setUp();
    const player = new TestPlayer();
    fanOut.add(player);
    const { ring, writer } = openRing();
    publish(ring);
    setHeaders(writer);
    write(writer, 'meta', 0, frameTypes.data, frameFlags.metadata);
    write(writer, 'vh', 0, video, frameFlags.sequenceHeader);
    key(writer, 'k1', 40);
    wake();
    expect(player.frames).toEqual(['meta@0', 'vh@0', 'ah@40', 'k1@40']);
  });

  it('goes on in a bigger ring without a gap, told before or after the old one has ended', () => {
    for (const isToldFirst of [true, false]) {
      const { fanOut, openRing, publish, wake, released } = setUp();
      const first = openRing();
      publish(first.ring);
      key(first.writer, 'k1', 0);
      write(first.writer, 'p1', 40);
      const player = new TestPlayer();
      fanOut.add(player);
      write(first.writer, 'p2', 80);
      const second = openRing(0);
      key(second.writer, 'k1', 0);
      write(second.writer, 'p1', 40);
      write(second.writer, 'p2', 80);
      if (isToldFirst) publish(second.ring);
      first.writer.end(ringEndReasons.moved);
      if (!isToldFirst) {
        wake();
        publish(second.ring);
      }
      write(second.writer, 'p3', 120);
      wake();
      expect(player.frames).toEqual(['k1@0', 'p1@40', 'p2@80', 'p3@120']);
      expect(released).toEqual([first.ring]);
    }
  });

  it('lets a player that takes nothing fall behind alone, and brings it back without a gap', () => {
    const { fanOut, openRing, publish, wake } = setUp();
    const { ring, writer } = openRing();
    key(writer, 'k1', 0);
    publish(ring);
    const [fast, slow] = [new TestPlayer(), new TestPlayer()];
    fanOut.add(fast);
    const slowState = fanOut.add(slow);
    slow.isBlocked = true;
    for (let index = 1; index <= 5; index += 1) {
      write(writer, `p${index}`, index * 40);
      wake();
    }
    expect(fast.frames).toHaveLength(6);
    expect(slow.frames).toEqual(['k1@0', 'p1@40']);
    expect(slowState.statistics).toMatchObject({ isInStep: false, cuts: 0 });
    slow.unblock(fanOut, slowState);
    expect(slow.frames).toEqual(fast.frames);
    expect(slowState.statistics.isInStep).toBe(true);
  });

  it('never lets a player that catches up get ahead of those in step', () => {
    const { fanOut, openRing, publish, wake } = setUp();
    const { ring, writer } = openRing();
    key(writer, 'k1', 0);
    publish(ring);
    const player = new TestPlayer();
    const state = fanOut.add(player);
    player.isBlocked = true;
    write(writer, 'p1', 40);
    wake();
    write(writer, 'p2', 80);
    wake();
    write(writer, 'p3', 120);
    player.unblock(fanOut, state);
    expect(player.frames).toEqual(['k1@0', 'p1@40', 'p2@80']);
    wake();
    expect(player.frames).toEqual(['k1@0', 'p1@40', 'p2@80', 'p3@120']);
  });

  it('keeps every ring that a slow player has still to read, and gives up all of them when it leaves', () => {
    const { fanOut, openRing, publish, wake, released } = setUp();
    const rings = Array.from({ length: 3 }, () => openRing());
    const slow = new TestPlayer();
    const state = fanOut.add(slow);
    slow.isBlocked = true;
    for (const [index, { ring, writer }] of rings.entries()) {
      publish(ring);
      key(writer, `k${index}`, index * 1000);
      write(writer, `p${index}`, index * 1000 + 40);
      wake();
      writer.end(ringEndReasons.finished);
      publish(null);
    }
    expect(released).toEqual([]);
    fanOut.remove(state);
    expect(released).toEqual(rings.map(({ ring }) => ring));
  });

  it('cuts a player that is later than the queue length to the newest key frame, with headers again', () => {
    const { fanOut, openRing, publish, wake } = setUp({ queueLengthMs: 1000 });
    const { ring, writer } = openRing();
    setHeaders(writer);
    key(writer, 'k1', 0);
    publish(ring);
    const slow = new TestPlayer();
    const state = fanOut.add(slow);
    slow.isBlocked = true;
    write(writer, 'p1', 40);
    wake();
    write(writer, 'lost', 80);
    key(writer, 'k2', 2000);
    write(writer, 'p2', 2040);
    wake();
    slow.frames.length = 0;
    slow.unblock(fanOut, state);
    expect(slow.frames).toEqual(['meta@2000', 'vh@2000', 'ah@2000', 'k2@2000', 'p2@2040']);
    expect(state.statistics).toMatchObject({ isInStep: true, cuts: 1, droppedFrames: 1 });
    expect(fanOut.statistics).toMatchObject({ cuts: 1, droppedFrames: 1 });
  });

  it('brings a player that the writer has overtaken back on a key frame, and counts what it missed', () => {
    const { fanOut, openRing, publish, wake } = setUp({ capacityBytes: 16 * 1024 });
    const { ring, writer } = openRing();
    setHeaders(writer);
    key(writer, 'k0', 0);
    publish(ring);
    const slow = new TestPlayer();
    const state = fanOut.add(slow);
    slow.isBlocked = true;
    write(writer, 'p0', 1);
    wake();
    for (let index = 1; index <= 40; index += 1) {
      if (index % 10 === 0) key(writer, `k${index}`, index * 40);
      else write(writer, `p${index}`, index * 40, video, 0, 1000);
      wake();
    }
    slow.frames.length = 0;
    slow.unblock(fanOut, state);
    expect(slow.frames).toEqual(['meta@1600', 'vh@1600', 'ah@1600', 'k40@1600']);
    expect(state.statistics).toMatchObject({ isInStep: true, cuts: 1, droppedFrames: 39 });
    expect(fanOut.statistics).toMatchObject({ cuts: 1, droppedFrames: 39 });
  });

  it('without the GOP cache gives sound at once and pictures from the next key frame', () => {
    const { fanOut, openRing, publish, wake } = setUp({ gopCache: false });
    const { ring, writer } = openRing();
    setHeaders(writer);
    key(writer, 'k1', 0);
    publish(ring);
    const player = new TestPlayer();
    const state = fanOut.add(player);
    write(writer, 'p1', 40);
    write(writer, 'a1', 45, audio);
    wake();
    expect(player.frames).toEqual(['meta@40', 'vh@40', 'ah@40', 'a1@45']);
    expect(state.statistics.isInStep).toBe(false);
    key(writer, 'k2', 80);
    write(writer, 'p2', 120);
    wake();
    expect(player.frames.slice(4)).toEqual(['k2@80', 'p2@120']);
    expect(state.statistics.isInStep).toBe(true);
  });

  it('gives a stream of sound only at once', () => {
    const { fanOut, openRing, publish, wake } = setUp();
    const { ring, writer } = openRing();
    publish(ring);
    const player = new TestPlayer();
    const state = fanOut.add(player);
    write(writer, 'a1', 0, audio);
    wake();
    expect(player.frames).toEqual(['a1@0']);
    expect(state.statistics.isInStep).toBe(true);
  });

  it('sends nothing to a paused player and goes on where it was', () => {
    const { fanOut, openRing, publish, wake } = setUp();
    const { ring, writer } = openRing();
    key(writer, 'k1', 0);
    publish(ring);
    const player = new TestPlayer();
    const state = fanOut.add(player);
    fanOut.setPaused(state, true);
    write(writer, 'p1', 40);
    wake();
    expect(player.frames).toEqual(['k1@0']);
    fanOut.setPaused(state, false);
    expect(player.frames).toEqual(['k1@0', 'p1@40']);
    expect(state.statistics.isInStep).toBe(true);
  });

  it('asks for no wake-up while all players are paused, and misses nothing', () => {
    const { fanOut, openRing, publish, wake } = setUp();
    const first = openRing();
    key(first.writer, 'k1', 0);
    publish(first.ring);
    const players = [new TestPlayer(), new TestPlayer()];
    const states = players.map((player) => fanOut.add(player));
    for (const state of states) fanOut.setPaused(state, true);
    first.writer.takeArmed(() => {});
    const rung: number[] = [];
    for (let index = 1; index <= 3; index += 1) {
      write(first.writer, `p${index}`, index * 40);
      wake();
      first.writer.takeArmed((slot) => rung.push(slot));
    }
    expect(rung).toEqual([]);
    expect(fanOut.playerCount).toBe(2);
    fanOut.setPaused(states[0]!, false);
    expect(players[0]!.frames).toEqual(['k1@0', 'p1@40', 'p2@80', 'p3@120']);
    expect(states[0]!.statistics.isInStep).toBe(true);
    write(first.writer, 'p4', 160);
    first.writer.takeArmed((slot) => rung.push(slot));
    expect(rung).toEqual([SLOT]);
    wake();
    expect(players[0]!.frames.at(-1)).toBe('p4@160');
    // The publisher changes while everybody rests.
    fanOut.setPaused(states[0]!, true);
    first.writer.end(ringEndReasons.finished);
    publish(null);
    const second = openRing();
    publish(second.ring);
    key(second.writer, 'k2', 1000);
    wake();
    for (const state of states) fanOut.setPaused(state, false);
    wake();
    write(second.writer, 'p5', 1040);
    wake();
    for (const player of players) {
      expect(player.frames).toEqual(['k1@0', 'p1@40', 'p2@80', 'p3@120', 'p4@160', 'k2@1000', 'p5@1040']);
    }
  });

  it('gives a joiner everything at once when all others are paused', () => {
    const { fanOut, openRing, publish, wake } = setUp();
    const { ring, writer } = openRing();
    key(writer, 'k1', 0);
    publish(ring);
    fanOut.setPaused(fanOut.add(new TestPlayer()), true);
    key(writer, 'k2', 40);
    write(writer, 'p2', 80);
    wake();
    const joiner = new TestPlayer();
    const state = fanOut.add(joiner);
    expect(joiner.frames).toEqual(['k2@40', 'p2@80']);
    expect(state.statistics.isInStep).toBe(true);
    write(writer, 'p3', 120);
    wake();
    expect(joiner.frames.at(-1)).toBe('p3@120');
  });

  it('ends a player whose stream time is over, and nobody else', () => {
    const { fanOut, openRing, publish, wake } = setUp();
    const { ring, writer } = openRing();
    key(writer, 'k1', 0);
    publish(ring);
    const [timed, other] = [new TestPlayer(), new TestPlayer()];
    fanOut.add(timed, { durationMs: 100 });
    fanOut.add(other);
    for (let index = 1; index <= 5; index += 1) write(writer, `p${index}`, index * 40);
    wake();
    expect(timed.isFinished).toBe(true);
    expect(timed.frames).toEqual(['k1@0', 'p1@40', 'p2@80', 'p3@120']);
    expect(other.frames).toHaveLength(6);
    expect(fanOut.playerCount).toBe(1);
  });

  it('asks the writer for a wake-up only when it has read everything', () => {
    const { fanOut, openRing, publish, wake } = setUp();
    const { ring, writer } = openRing();
    publish(ring);
    fanOut.add(new TestPlayer());
    const rung: number[] = [];
    writer.takeArmed((slot) => rung.push(slot));
    expect(rung).toEqual([SLOT]);
    write(writer, 'a1', 0, audio);
    writer.takeArmed((slot) => rung.push(slot));
    expect(rung).toEqual([SLOT]);
    wake();
    writer.takeArmed((slot) => rung.push(slot));
    expect(rung).toEqual([SLOT, SLOT]);
  });

  it('asks again after a wake-up for a frame that it had read already', () => {
    const { fanOut, openRing, publish, wake } = setUp();
    const { ring, writer } = openRing();
    publish(ring);
    const player = new TestPlayer();
    fanOut.add(player);
    // The writer looks at the bits after the reader has read its frame and asked again.
    write(writer, 'a1', 0, audio);
    wake();
    const rung: number[] = [];
    writer.takeArmed((slot) => rung.push(slot));
    wake();
    write(writer, 'a2', 20, audio);
    writer.takeArmed((slot) => rung.push(slot));
    expect(rung).toEqual([SLOT, SLOT]);
    wake();
    expect(player.frames).toEqual(['a1@0', 'a2@20']);
  });

  it('interrupts a long flush, and whoever comes, goes or pauses in between gets every frame once', async () => {
    const { clock, fanOut, openRing, publish, wake } = setUp();
    const { ring, writer } = openRing();
    key(writer, 'k1', 0);
    publish(ring);
    const states = Array.from({ length: 300 }, () => fanOut.add(new DearPlayer(clock)));
    for (let round = 1; round <= 20; round += 1) {
      const name = `p${round}@${round * 40}`;
      write(writer, `p${round}`, round * 40);
      clock.advance(60_000);
      wake();
      const isServed = ({ player }: PlayerState): boolean => (player as DearPlayer).frames.at(-1) === name;
      const late = states.filter((state) => !isServed(state));
      expect(late.length).toBeGreaterThan(100);
      // One that has its turn still to come and one that has had it, chosen differently each round; another leaves.
      const unserved = late[round]!;
      const served = states.filter(isServed)[round]!;
      for (const state of [unserved, served]) fanOut.setPaused(state, true);
      for (const leaver of [late[round + 1]!, states.filter(isServed)[round + 1]!]) {
        fanOut.remove(leaver);
        states.splice(states.indexOf(leaver), 1, fanOut.add(new DearPlayer(clock)));
      }
      while (fanOut.statistics.flushes < round) await nextTurn();
      for (const state of [unserved, served]) fanOut.setPaused(state, false);
    }
    const all = ['k1@0', ...Array.from({ length: 20 }, (_, index) => `p${index + 1}@${(index + 1) * 40}`)];
    for (const { player } of states) expect((player as TestPlayer).frames).toEqual(all);
  });

  it('when sending is dear lets sound wait for the next picture, and sends that at once', async () => {
    const { clock, fanOut, openRing, publish, wake } = setUp();
    const { ring, writer } = openRing();
    key(writer, 'k1', 0);
    publish(ring);
    const player = new DearPlayer(clock);
    fanOut.add(player);
    for (let index = 0; index < 20; index += 1) fanOut.add(new DearPlayer(clock));
    // Until what a turn costs is known.
    for (let index = 1; index <= 5; index += 1) {
      write(writer, `p${index}`, index * 40);
      wake();
      await nextTurn();
    }
    const { flushes } = fanOut.statistics;
    write(writer, 'a1', 210, audio);
    wake();
    const rung: number[] = [];
    writer.takeArmed((slot) => rung.push(slot));
    expect(rung).toEqual([SLOT]);
    expect(fanOut.statistics.flushes).toBe(flushes);
    write(writer, 'p6', 240);
    wake();
    expect(fanOut.statistics.flushes).toBe(flushes + 1);
    expect(player.frames.slice(-2)).toEqual(['a1@210', 'p6@240']);
    // A picture that does not come is not waited for.
    write(writer, 'a2', 250, audio);
    wake();
    while (fanOut.statistics.flushes === flushes + 1) await nextTurn();
    expect(player.frames.at(-1)).toBe('a2@250');
  });

  it('with a least interval gives one frame at a time', async () => {
    const { clock, fanOut, openRing, publish, wake } = setUp({ minFrameIntervalMs: 10 });
    const { ring, writer } = openRing();
    key(writer, 'k1', 0);
    publish(ring);
    const player = new TestPlayer();
    fanOut.add(player);
    for (let index = 1; index <= 4; index += 1) write(writer, `p${index}`, index * 40);
    const before = player.writes;
    while (player.frames.length < 5) {
      await nextTurn();
      clock.advance(10);
      wake();
    }
    expect(player.writes - before).toBe(4);
  });

  describe('under a new configuration', () => {
    const settings = { gopCache: true, queueLengthMs: 30_000, maxFlushIntervalMs: 0, minFrameIntervalMs: 0 };

    it('players that come start live when there is to be no cache, and those who are there lose nothing', () => {
      const { fanOut, openRing, publish, wake } = setUp();
      const { ring, writer } = openRing();
      key(writer, 'k1', 0);
      publish(ring);
      const before = new TestPlayer();
      fanOut.add(before);
      fanOut.configure({ ...settings, gopCache: false });
      const after = new TestPlayer();
      fanOut.add(after);
      write(writer, 's1', 40, audio);
      wake();
      expect([before.frames, after.frames]).toEqual([['k1@0', 's1@40'], ['s1@40']]);
    });

    it('an interval that is much too long now is cut short', async () => {
      const { clock, fanOut, openRing, publish, wake } = setUp({ minFrameIntervalMs: 3_600_000 });
      const { ring, writer } = openRing();
      key(writer, 'k1', 0);
      publish(ring);
      const player = new TestPlayer();
      fanOut.add(player);
      write(writer, 'p1', 40);
      wake();
      write(writer, 'p2', 80);
      await nextTurn();
      wake();
      expect(player.frames.length).toBeLessThan(3);
      fanOut.configure(settings);
      clock.advance(10);
      wake();
      expect(player.frames).toEqual(['k1@0', 'p1@40', 'p2@80']);
    });

    it('a player that is too late for the new queue is cut', () => {
      const { fanOut, openRing, publish, wake } = setUp();
      const { ring, writer } = openRing();
      key(writer, 'k1', 0);
      publish(ring);
      const player = new TestPlayer();
      const state = fanOut.add(player);
      player.isBlocked = true;
      write(writer, 'p1', 40);
      wake();
      write(writer, 'p2', 80);
      key(writer, 'k2', 5000);
      wake();
      fanOut.configure({ ...settings, queueLengthMs: 1000 });
      player.unblock(fanOut, state);
      expect(player.frames.map((frame) => frame.slice(0, 2))).toEqual(['k1', 'p1', 'k2']);
      expect(state.statistics).toMatchObject({ cuts: 1, droppedFrames: 1 });
    });

    it('the batch under way goes out whole before the encoder changes, also to those whose turn had not come', async () => {
      const { clock, fanOut, openRing, publish, wake } = setUp();
      const { ring, writer } = openRing();
      key(writer, 'k1', 0);
      publish(ring);
      const players = Array.from({ length: 300 }, () => new DearPlayer(clock));
      for (const player of players) fanOut.add(player);
      write(writer, 'p1', 40);
      wake();
      const served = (): number => players.filter(({ frames }) => frames.at(-1) === 'p1@40').length;
      expect(served()).toBeLessThan(200);
      let servedAtChange = 0;
      const upperLine: FrameLine = {
        ...line,
        encode: (target, offset, type, timestampMs, payload) =>
          line.encode(target, offset, type, timestampMs, Buffer.from(payload.toString('latin1').toUpperCase())),
      };
      const upper: FrameEncoder = { openLine: () => upperLine };
      fanOut.changeEncoder(upper, () => {
        servedAtChange = served();
      });
      expect(servedAtChange).toBe(300);
      write(writer, 'p2', 80);
      while (players.some(({ frames }) => frames.length < 3)) {
        clock.advance(60_000);
        wake();
        await nextTurn();
      }
      for (const { frames } of players) expect(frames).toEqual(['k1@0', 'p1@40', 'P2@80']);
    });
  });

  it('gives up every ring when its last player has gone', () => {
    const { fanOut, liveStreams, openRing, publish, released } = setUp();
    const { ring, writer } = openRing();
    key(writer, 'k1', 0);
    publish(ring);
    const state = fanOut.add(new TestPlayer());
    fanOut.remove(state);
    fanOut.close();
    expect(released).toEqual([ring]);
    expect(liveStreams.size).toBe(0);
  });

  it('reports a ring whose memory went to somebody else as an error of that stream, and takes the next one', () => {
    const { arena, fanOut, openRing, publish, wake, faults } = setUp();
    const player = new TestPlayer();
    fanOut.add(player);
    const lost = openRing();
    arena.region(lost.ring.offset, 4096).fill(0);
    publish(lost.ring);
    expect(faults).toHaveLength(1);
    const { ring, writer } = openRing();
    publish(ring);
    key(writer, 'k1', 0);
    wake();
    expect(player.frames).toEqual(['k1@0']);
  });
});
