/** Two servers, one encoder: whatever one of them has missed, they list the same segments. */
import { type FrameType, frameFlags, frameTypes, type Log, type LogLine, ManualClock, memoryLog } from '@srs/kernel';
import type { FrameConsumer } from '@srs/stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hlsVhost, testOutput, testStream } from './hls-test-support.ts';
import { MemoryStore } from './memory-store-test-support.ts';
import { parsePlaylist } from './playlist-text.ts';
import { checkPlaylists, type PlaylistVersion } from './rfc8216-checker-test-support.ts';
import { pass, useManualTimers, withoutTiming } from './story-test-support.ts';
import { StreamFiles } from './stream-files.ts';

useManualTimers();

const FRAGMENT_MS = 2000;
const START_MS = Date.UTC(2026, 10, 28);
const PLAYLIST = '/a.com/live/livestream.m3u8';

const options = `hls_fragment ${FRAGMENT_MS / 1000}; hls_window 6; hls_storage memory; hls_ctx off; hls_origin_backup on;`;
const vhost = hlsVhost(options, 'atc on;');
const config = { ...vhost.hls, path: '/a.com' };

interface Frame {
  readonly type: FrameType;
  readonly isKeyFrame: boolean;
  readonly atMs: number;
}

/** One server: what it has made, and what it is fed. */
class TestServer {
  readonly store: MemoryStore;
  readonly lines: LogLine[] = [];
  /** All segments it has ever had. */
  readonly segments = new Map<string, string>();
  readonly #clock: ManualClock;
  readonly #log: Log = memoryLog(this.lines);
  #files: StreamFiles;
  #output: FrameConsumer | undefined;

  constructor(clock: ManualClock) {
    this.#clock = clock;
    this.store = new MemoryStore(clock);
    this.#files = this.#newFiles();
  }

  get playlist(): string | undefined {
    return this.store.files.get(PLAYLIST)?.toString();
  }

  async connect(kinds?: readonly FrameType[], headers = 'one'): Promise<void> {
    const stream = { ...testStream(vhost), log: this.#log };
    const clock = this.#clock;
    this.#output = testOutput({ store: this.store, files: this.#files, clock, config, stream });
    this.header(headers, kinds);
    await pass(clock, 0);
  }

  header(text: string, kinds: readonly FrameType[] = [frameTypes.video, frameTypes.audio]): void {
    for (const type of kinds) {
      const payload = Buffer.from(`${type === frameTypes.video ? '\x17' : '\xaf'}\0${text}`, 'latin1');
      this.#output?.onFrame(type, frameFlags.sequenceHeader, 0, 0, payload);
    }
  }

  give({ type, isKeyFrame, atMs }: Frame): void {
    const payload = type === frameTypes.audio ? [0xaf, 1, 9] : [isKeyFrame ? 0x17 : 0x27, 1, 0, 0, 0, 9];
    const flags = isKeyFrame ? frameFlags.keyFrame : 0;
    this.#output?.onFrame(type, flags, atMs % 2 ** 31, 0, Buffer.from(payload));
  }

  gap(): void {
    this.#output?.onGap(7);
  }

  async disconnect(): Promise<void> {
    const output = this.#output;
    this.#output = undefined;
    await output?.onEnd('unpublished');
  }

  /** Everything that is in memory is gone. */
  async restart(): Promise<void> {
    await this.disconnect();
    await this.#files.close();
    this.store.files.clear();
    this.#files = this.#newFiles();
  }

  async settle(): Promise<void> {
    await pass(this.#clock, 0);
    for (const [path, bytes] of this.store.files) if (path.endsWith('.ts')) this.segments.set(path, bytes.toString());
  }

  #newFiles(): StreamFiles {
    return new StreamFiles({
      store: this.store,
      clock: this.#clock,
      log: this.#log,
      firstNumber: () => 0,
      forgetsNumbers: true,
    });
  }
}

/** Sounds between pictures. @param gopMs of each group, repeated */
function framesOf(beginMs: number, lengthMs: number, gopMs: readonly number[], frameMs = 40): readonly Frame[] {
  const frames: Frame[] = [];
  let gop = 0;
  let keyMs = beginMs;
  for (let atMs = beginMs; atMs < beginMs + lengthMs; atMs += frameMs) {
    const isKeyFrame = atMs >= keyMs;
    if (isKeyFrame) keyMs += gopMs[gop++ % gopMs.length]!;
    frames.push({ type: frameTypes.video, isKeyFrame, atMs }, { type: frameTypes.audio, isKeyFrame: false, atMs: atMs + 7 });
  }
  return frames;
}

async function feed(clock: ManualClock, frames: readonly Frame[], ...servers: readonly TestServer[]): Promise<void> {
  for (const frame of frames) {
    const passedMs = frame.atMs - clock.wallMs();
    if (passedMs > 0) await pass(clock, passedMs);
    for (const server of servers) server.give(frame);
    if (frame.isKeyFrame || frame.type === frameTypes.audio) for (const server of servers) await server.settle();
  }
}

function clockAt(wallMs: number): ManualClock {
  return new ManualClock({ wallMs });
}

/** Each segment that both have had is the same. @returns how many these are */
function expectSame(one: TestServer, other: TestServer): number {
  let same = 0;
  for (const [path, text] of one.segments) {
    if (!other.segments.has(path)) continue;
    expect(other.segments.get(path), path).toBe(text);
    same += 1;
  }
  return same;
}

function listedBy(server: TestServer): ReturnType<typeof parsePlaylist> {
  return parsePlaylist(server.playlist!);
}

describe('segments of two servers', () => {
  it('are the same, although one has begun later, and the number is that of the slot of time', async () => {
    const clock = clockAt(START_MS);
    const [one, other] = [new TestServer(clock), new TestServer(clock)];
    const frames = framesOf(START_MS + 300, 40_000, [1000]);
    await one.connect();
    await feed(clock, frames.slice(0, 317), one);
    await other.connect();
    await feed(clock, frames.slice(317), one, other);
    expect(expectSame(one, other)).toBeGreaterThan(10);
    expect(other.playlist).toBe(one.playlist);
    const { segments, mediaSequence } = listedBy(one);
    expect(segments.every(({ durationMs, isDiscontinuity }) => durationMs === FRAGMENT_MS && !isDiscontinuity)).toBe(true);
    expect(mediaSequence + segments.length).toBe((START_MS + 40_000) / FRAGMENT_MS);
  });

  it('begin with a key frame wherever in its slot it comes', async () => {
    const clock = clockAt(START_MS);
    const server = new TestServer(clock);
    await server.connect();
    await feed(clock, framesOf(START_MS + 1960, 20_000, [2000]), server);
    expect(server.segments.size).toBeGreaterThan(7);
    for (const text of server.segments.values()) expect(text).toMatch(/^begin\nheader one\nheader one\nK/);
  });

  it('are as regular as key frames that come a little early or late', async () => {
    const clock = clockAt(START_MS);
    const server = new TestServer(clock);
    await server.connect();
    await feed(clock, framesOf(START_MS - 1, 40_000, [2000, 2020, 1980], 20), server);
    const durations = new Set(listedBy(server).segments.map(({ durationMs }) => durationMs));
    expect(durations).toEqual(new Set([1980, 2000, 2020]));
  });

  it('begin at the middle of a slot that has no key frame, so that no number is left out', async () => {
    const clock = clockAt(START_MS);
    const server = new TestServer(clock);
    await server.connect();
    await feed(clock, framesOf(START_MS, 30_000, [7000]), server);
    const durations = listedBy(server).segments.map(({ durationMs }) => durationMs);
    expect(durations.every((ms) => ms >= FRAGMENT_MS / 2 && ms < 2 * FRAGMENT_MS)).toBe(true);
    const numbers = [...server.segments.keys()].map((path) => Number(/(\d+)\.ts$/.exec(path)![1]));
    expect(numbers).toEqual(numbers.map((_, index) => numbers[0]! + index));
  });

  it('go on through the wrap of timestamps', async () => {
    const wrapMs = Math.ceil(START_MS / 2 ** 31) * 2 ** 31;
    const clock = clockAt(wrapMs - 15_000);
    const [one, other] = [new TestServer(clock), new TestServer(clock)];
    const frames = framesOf(wrapMs - 15_000, 30_000, [1000]);
    await one.connect();
    await feed(
      clock,
      frames.filter(({ atMs }) => atMs < wrapMs + 2000),
      one,
    );
    await other.connect();
    await feed(
      clock,
      frames.filter(({ atMs }) => atMs >= wrapMs + 2000),
      one,
      other,
    );
    expect(expectSame(one, other)).toBeGreaterThan(3);
    expect(checkPlaylists(one.store.versions)).toEqual([]);
  });

  it('hold sound alone too', async () => {
    const clock = clockAt(START_MS);
    const [one, other] = [new TestServer(clock), new TestServer(clock)];
    const sounds = framesOf(START_MS, 50_000, [1000]).filter(({ type }) => type === frameTypes.audio);
    await one.connect([frameTypes.audio]);
    await feed(clock, sounds.slice(0, 240), one);
    await other.connect([frameTypes.audio]);
    await feed(clock, sounds.slice(240), one, other);
    expect(expectSame(one, other)).toBeGreaterThan(7);
    expect(other.playlist).toBe(one.playlist);
  });

  it('end with the pictures, when only sound goes on', async () => {
    const clock = clockAt(START_MS);
    const server = new TestServer(clock);
    await server.connect();
    await feed(clock, framesOf(START_MS, 20_000, [1000]), server);
    const sounds = framesOf(START_MS + 20_000, 20_000, [1000]).filter(({ type }) => type === frameTypes.audio);
    await feed(clock, sounds, server);
    expect(server.store.pathsOf('.tmp')).toEqual([]);
    expect(server.playlist).toBeUndefined();
  });

  it('are the same behind another configuration of the codec', async () => {
    const clock = clockAt(START_MS);
    const [one, other] = [new TestServer(clock), new TestServer(clock)];
    await one.connect();
    await feed(clock, framesOf(START_MS, 15_000, [1000]), one);
    one.header('two');
    await other.connect(undefined, 'two');
    await feed(clock, framesOf(START_MS + 15_000, 30_000, [1000]), one, other);
    expect(expectSame(one, other)).toBeGreaterThan(10);
    expect(other.playlist).toBe(one.playlist);
  });
});

describe('a server that has missed something', () => {
  it('has no playlist until what it has is long enough, and then the one of the other', async () => {
    const clock = clockAt(START_MS);
    const [one, other] = [new TestServer(clock), new TestServer(clock)];
    await one.connect();
    await other.connect();
    await feed(clock, framesOf(START_MS, 20_000, [1000]), one, other);
    expect(other.playlist).toBe(one.playlist);
    await other.disconnect();
    await feed(clock, framesOf(START_MS + 20_000, 5000, [1000]), one);
    expect([one.playlist === undefined, other.playlist === undefined]).toEqual([false, true]);
    await other.connect();
    await feed(clock, framesOf(START_MS + 25_000, 4000, [1000]), one, other);
    expect([one.playlist === undefined, other.playlist === undefined]).toEqual([false, true]);
    await feed(clock, framesOf(START_MS + 29_000, 30_000, [1000]), one, other);
    expect(other.playlist).toBe(one.playlist);
    expectSame(one, other);
  });

  it('tells of an encoder whose time has begun anew, and lists what it sends when the old numbers are forgotten', async () => {
    const clock = clockAt(START_MS);
    const server = new TestServer(clock);
    await server.connect();
    await feed(clock, framesOf(START_MS, 20_000, [1000]), server);
    await server.disconnect();
    await server.connect();
    const again = framesOf(START_MS, 6000, [1000]);
    for (const frame of again) server.give(frame);
    const reached = (START_MS + 20_000) / FRAGMENT_MS;
    expect(server.lines.filter(({ level }) => level === 'error').map(({ text }) => text)).toEqual([
      `hls: ${PLAYLIST} has come to segment ${reached}, and the time of the encoder has gone back to ${START_MS / FRAGMENT_MS + 1}: nothing is listed for 18 s, or until nobody has published for hls_dispose; with hls_origin_backup encoders must count from 1970`,
    ]);
    await server.disconnect();
    await pass(clock, 120_000);
    await server.connect();
    for (const frame of framesOf(START_MS, 20_000, [1000])) {
      server.give(frame);
      await server.settle();
    }
    expect(server.playlist).toBeDefined();
  });
});

type Event = 'none' | 'gap' | 'restart' | 'away';

it('whatever happens, segments with one number are the same, and playlists keep their rules', async () => {
  const piece = fc.record({
    ms: fc.integer({ min: 500, max: 9000 }),
    gops: fc.array(fc.integer({ min: 40, max: 6000 }), { minLength: 1, maxLength: 4 }),
    frameMs: fc.constantFrom(40, 67, 200),
    events: fc.tuple(eventOf(), eventOf()),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { minLength: 2, maxLength: 6 }),
      fc.integer({ min: 0, max: 5000 }),
      async (pieces, phaseMs) => {
        const clock = clockAt(START_MS + phaseMs);
        const servers = [new TestServer(clock), new TestServer(clock)] as const;
        const isAway = [false, false];
        for (const server of servers) await server.connect();
        for (const { ms, gops, frameMs, events } of pieces) {
          for (const [index, event] of events.entries()) {
            const server = servers[index]!;
            if (event === 'gap') server.gap();
            if (event === 'restart') await server.restart();
            if (event === 'away') await server.disconnect();
            if (event !== 'away' && (event === 'restart' || isAway[index])) await server.connect();
            isAway[index] = event === 'away';
          }
          await feed(clock, framesOf(clock.wallMs(), ms, gops, frameMs), ...servers);
        }
        expectSame(...servers);
        for (const server of servers) {
          for (const list of listsOf(server)) expect(withoutTiming(checkPlaylists(list))).toEqual([]);
          expect(server.store.missing).toEqual([]);
          for (const { text } of server.store.versions) expect(parsePlaylist(text).segments.length).toBeGreaterThan(2);
        }
      },
    ),
    { numRuns: 20 },
  );
});

/** The versions between two holes in what the server has seen, behind each of which the list begins anew. */
function listsOf({ store }: TestServer): readonly PlaylistVersion[][] {
  const lists: PlaylistVersion[][] = [];
  let nextSequence = 0;
  for (const version of store.versions) {
    const { mediaSequence, segments } = parsePlaylist(version.text);
    if (mediaSequence > nextSequence) lists.push([]);
    lists.at(-1)!.push(version);
    expect(mediaSequence + segments.length).toBeGreaterThan(nextSequence);
    nextSequence = mediaSequence + segments.length;
  }
  return lists;
}

function eventOf(): fc.Arbitrary<Event> {
  return fc.constantFrom<Event>('none', 'none', 'gap', 'restart', 'away');
}
