import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LiveTsLine } from './live-line.ts';
import { type LiveRecord, LiveStage, recordsOf, writeRecords } from './live-line-test-support.ts';
import { LiveStarts } from './live-place.ts';
import {
  aacFrame,
  aacHeader,
  audio,
  avcDelimiter,
  avcHeader,
  avcPps,
  avcSps,
  avcUnit,
  DELAY,
  hevcHeader,
  hevcUnit,
  hex,
  mp3Payload,
  mpeg1Frame,
  noise,
  readBack,
  video,
  videoFrame,
} from './mpegts-test-support.ts';

const keysOf = (records: readonly LiveRecord[]): number[] => records.flatMap(({ isKey }, index) => (isKey ? [index] : []));
const countOf = (records: readonly LiveRecord[], type: number): number =>
  records.filter((record) => record.type === type && !record.isHeader).length;

describe('a player of a live transport stream', () => {
  it('that is in step from the start gets tables first, then every picture and sound with its time', () => {
    const records = recordsOf();
    const stage = new LiveStage(records);
    const { programs, pictures, sounds, clocks } = readBack(stage.write(0));
    expect(programs).toEqual([
      {
        version: 5,
        pcrPid: 0x100,
        streams: [
          { pid: 0x100, streamType: 0x1b },
          { pid: 0x101, streamType: 0x0f },
        ],
      },
    ]);
    expect(pictures.map(({ dts }) => dts)).toEqual(Array.from({ length: 100 }, (_, index) => index * 3600 + DELAY));
    expect(pictures[1]?.pts).toBe(7200 + DELAY);
    expect(pictures.map(({ isRandomAccess }) => isRandomAccess)).toEqual(
      Array.from({ length: 100 }, (_, index) => index % 25 === 0),
    );
    expect(pictures[25]?.nalUnits.slice(0, 3)).toEqual([avcDelimiter, avcSps, avcPps]);
    expect(pictures[26]?.nalUnits.length).toBe(2);
    expect(sounds.map(({ data }) => data.length)).toEqual(
      records.filter(({ type, isHeader }) => type === audio && !isHeader).map(({ payload }) => payload.length - 2),
    );
    expect(sounds[1]!.pts - sounds[0]!.pts).toBe(Math.round((1024 * 90_000) / 44_100));
    expect(clocks.every(({ isDiscontinuity }) => !isDiscontinuity)).toBe(true);
  });

  it('has the tables again at every key frame, and twice a second', () => {
    const bytes = new LiveStage(recordsOf({ pictures: 101, gop: 50 })).write(0);
    const tables: number[] = [];
    let times = 0;
    for (let at = 0; at < bytes.length; at += 188) {
      const pid = bytes.readUInt16BE(at + 1) & 0x1fff;
      if (pid === 0) tables.push(times);
      if (pid === 0x100 && (bytes[at + 1]! & 0x40) !== 0) times += 1;
    }
    // By pictures before them: key frames are 0, 50, 100, and half a second is twelve and a half pictures.
    expect(tables).toEqual(expect.arrayContaining([0, 50, 100]));
    expect(Math.max(...tables.slice(1).map((pictures, index) => pictures - tables[index]!))).toBeLessThanOrEqual(13);
  });

  it.each([
    ['pictures and sound', {}],
    ['pictures alone', { hasAudio: false }],
    ['pictures and sound about the wrap of timestamps', { startMs: 0x7fffffff - 1500 }],
  ])('that joins at a key frame gets the very packets of those in step: %s', (_, options) => {
    const records = recordsOf(options);
    const stage = new LiveStage(records);
    const [, second] = keysOf(records) as [number, number];
    const before = stage.write(0, second);
    const after = stage.write(second);
    const joiner = stage.open();
    stage.leadIn(joiner, second);
    expect(stage.writeAlone(joiner, second).equals(after)).toBe(true);
    expect(stage.join(joiner)).toHaveLength(0);
    readBack(Buffer.concat([before, after]));
    readBack(after);
  });

  it('that has come to a stream which nobody is in step with, and those after it, share its packets', () => {
    const records = recordsOf();
    const stage = new LiveStage(records);
    const [key] = keysOf(records).slice(-1) as [number];
    const first = stage.open();
    stage.leadIn(first, key);
    const bytes = stage.writeAlone(first, key);
    stage.main = stage.open(first);
    const second = stage.open();
    stage.leadIn(second, key);
    expect(stage.writeAlone(second, key).equals(bytes)).toBe(true);
    expect(stage.join(second)).toHaveLength(0);
  });

  it('of sound alone that joins at any sound gets tables, and then the packets of those in step', () => {
    const records = recordsOf({ hasVideo: false });
    const stage = new LiveStage(records);
    const at = records.length - 20;
    stage.write(0, at);
    const after = stage.write(at);
    const joiner = stage.open();
    stage.leadIn(joiner, at);
    const bytes = stage.writeAlone(joiner, at);
    expect(bytes.subarray(2 * 188).equals(after)).toBe(true);
    expect(stage.join(joiner)).toHaveLength(0);
    expect(readBack(bytes).sounds).toHaveLength(20);
  });

  it('that joins where nobody has been, once it is in step, is told that counters go on elsewhere', () => {
    const records = recordsOf();
    const stage = new LiveStage(records);
    stage.write(0, 200);
    const joiner = stage.open();
    stage.leadIn(joiner, 100);
    // Not at a key frame: sound, and pictures that follow on what it has not got.
    const alone = stage.writeAlone(joiner, 100, 200);
    const bridge = stage.join(joiner);
    expect(bridge.length).toBeGreaterThan(0);
    const { sounds } = readBack(Buffer.concat([alone, bridge, stage.write(200)]));
    expect(sounds).toHaveLength(countOf(records.slice(100), audio));
  });

  it('that falls behind and catches up misses nothing, and nothing lies between', () => {
    const records = recordsOf();
    const stage = new LiveStage(records);
    const before = stage.write(0, 90);
    const behind = stage.open(stage.main);
    const meanwhile = stage.write(90, 211);
    const alone = [stage.writeAlone(behind, 90, 150), stage.writeAlone(behind, 150, 211)];
    expect(Buffer.concat(alone).equals(meanwhile)).toBe(true);
    expect(stage.join(behind)).toHaveLength(0);
    readBack(Buffer.concat([before, ...alone, stage.write(211)]));
  });

  it('that is cut is told of the gap, goes on at a key frame, and shares the packets from there', () => {
    const records = recordsOf();
    const stage = new LiveStage(records);
    const [, second, third] = keysOf(records) as [number, number, number];
    const before = stage.write(0, second + 10);
    const behind = stage.open(stage.main);
    const meanwhile = stage.write(second + 10, third);
    const after = stage.write(third);
    behind.interrupt();
    stage.leadIn(behind, third);
    const alone = stage.writeAlone(behind, third);
    expect(alone.subarray(alone.length - after.length).equals(after)).toBe(true);
    expect(stage.join(behind)).toHaveLength(0);
    const { pictures, clocks } = readBack(Buffer.concat([before, alone]));
    expect(pictures).toHaveLength(Math.ceil((second + 10 - 2) / 3) + countOf(records.slice(third), video));
    expect(clocks.filter(({ isDiscontinuity }) => isDiscontinuity)).toHaveLength(1);
    expect(() => readBack(Buffer.concat([before, after]))).toThrow(/continuity counter|begins within|moves the clock/);
    expect(meanwhile.length).toBeGreaterThan(0);
  });

  it('whose last frame was overwritten while it was read goes on behind a mark', () => {
    const records = recordsOf();
    const stage = new LiveStage(records);
    const behind = stage.open();
    const before = stage.writeAlone(behind, 0, 60);
    // Written, and taken back.
    stage.writeAlone(behind, 60, 61);
    behind.interrupt();
    const [, , third] = keysOf(records) as [number, number, number];
    const after = stage.writeAlone(behind, third);
    readBack(Buffer.concat([before, after]));
  });

  it('gets what is published anew with the clock marked, and no packets about it', () => {
    const first = recordsOf({ pictures: 30, startMs: 500_000 });
    const stage = new LiveStage([...first, ...recordsOf({ pictures: 30 })]);
    const { pictures, clocks } = readBack(stage.write(0));
    expect(pictures).toHaveLength(60);
    expect(clocks.filter(({ isDiscontinuity }) => isDiscontinuity)).toHaveLength(1);
  });
});

describe('tracks of a live transport stream', () => {
  const line = (options: Partial<ConstructorParameters<typeof LiveTsLine>[0]> = {}, from?: LiveTsLine): LiveTsLine =>
    new LiveTsLine({ hasAudio: true, hasVideo: true, starts: new LiveStarts(), onDropped: () => {}, ...options }, from);
  const record = (type: 8 | 9, timestampMs: number, payload: Buffer): LiveRecord => ({
    type,
    timestampMs,
    payload,
    isHeader: false,
    isKey: false,
  });
  const avcKey = videoFrame('legacy 7', [avcUnit(5, 500)], { isKey: true });
  const hevcKey = videoFrame('hvc1', [hevcUnit(19, 500)], { isKey: true });

  it('a codec that changes, and changes back, has a PID and tables of its own', () => {
    const bytes = writeRecords(
      line(),
      [
        record(video, 0, avcHeader()),
        record(audio, 0, aacHeader()),
        record(video, 0, avcKey),
        record(audio, 10, aacFrame(noise(100, 1))),
        record(video, 40, hevcHeader()),
        record(video, 40, hevcKey),
        record(audio, 50, mp3Payload(mpeg1Frame())),
        record(video, 80, avcHeader()),
        record(video, 80, avcKey),
        record(audio, 90, aacFrame(noise(100, 1))),
      ],
      0,
    );
    const { programs, pictures, sounds } = readBack(bytes);
    expect(programs.map(({ streams }) => streams.map(({ pid }) => pid))).toEqual([
      [0x100, 0x101],
      [0x102, 0x101],
      [0x102, 0x103],
      [0x100, 0x103],
      [0x100, 0x101],
    ]);
    expect(pictures.map(({ codec }) => codec)).toEqual(['avc', 'hevc', 'avc']);
    expect(sounds.map(({ codec }) => codec)).toEqual(['aac', 'mp3', 'aac']);
  });

  it('what is not let through is in no table, and comes when it is let through again', () => {
    const records = recordsOf();
    const pictures = line({ hasAudio: false });
    const both = (from: LiveTsLine) => line({}, from);
    const before = writeRecords(pictures, records, 0, 150);
    expect(readBack(before).programs.map(({ streams }) => streams.length)).toEqual([1]);
    const { programs, sounds } = readBack(Buffer.concat([before, writeRecords(both(pictures), records, 150)]));
    expect(programs.map(({ streams }) => streams.length)).toEqual([1, 2]);
    expect(sounds).toHaveLength(countOf(records.slice(150), audio));
    const sound = readBack(writeRecords(line({ hasVideo: false }), records, 0));
    expect(sound.programs).toMatchObject([{ pcrPid: 0x101, streams: [{ pid: 0x101 }] }]);
    expect(sound.pictures).toHaveLength(0);
  });

  it('a frame that cannot be carried is left out and told of, unless it was overwritten while it was read', () => {
    const dropped: unknown[] = [];
    const told = line({ onDropped: (error) => dropped.push(error) });
    const opus = hex('91 4f707573 00');
    const good = [record(audio, 0, aacHeader()), record(audio, 20, aacFrame(noise(50, 1)))];
    const bytes = writeRecords(told, [...good, record(audio, 30, opus), record(video, 40, hex('17')), ...good], 0);
    expect(dropped).toMatchObject([{ errorName: 'HlsDecode' }, { errorName: 'HlsDecode' }]);
    expect(readBack(bytes).sounds).toHaveLength(2);
    writeRecords(told, [record(video, 50, avcKey)], 0);
    told.interrupt();
    writeRecords(told, good, 0);
    expect(dropped).toHaveLength(2);
  });
});

it('a frame that is overwritten between its planning and its writing does no harm', () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 400 });
  const records = recordsOf({ pictures: 3 });
  const overwritten = fc.record({ first: bytes, second: bytes, at: fc.nat(records.length - 1), isWhole: fc.boolean() });
  const run = (frames: readonly { first: Uint8Array; second: Uint8Array; at: number; isWhole: boolean }[]): void => {
    const stage = new LiveStage(records);
    const parts = [stage.write(0)];
    for (const { first, second, at, isWhole } of frames) {
      const { type, timestampMs, payload: good } = records[at]!;
      const payload = isWhole ? Buffer.from(first) : Buffer.from(good);
      const size = stage.main.encodedBytes(type, timestampMs, payload, 1000 + at);
      payload.set(second.subarray(0, payload.length));
      // What is behind it is free, but not without an end.
      stage.main.encode(Buffer.alloc(size + 100), 0);
      stage.main.interrupt();
      stage.leadIn(stage.main, 0);
      parts.push(stage.write(2));
    }
    readBack(Buffer.concat(parts));
  };
  fc.assert(fc.property(fc.array(overwritten, { maxLength: 4 }), run), { numRuns: 300, interruptAfterTimeLimit: 600 });
});

/** Where players come, fall behind, are cut and catch up, each gets a stream that the strict reader takes. */
it('whatever happens to players, each gets a stream without a fault', { timeout: 20_000 }, () => {
  const step = fc.record({
    act: fc.constantFrom('feed', 'feed', 'join', 'joinLive', 'fall', 'pump', 'pump', 'cut', 'tear', 'republish'),
    amount: fc.integer({ min: 1, max: 40 }),
    who: fc.nat(5),
  });
  const run = (steps: readonly { act: string; amount: number; who: number }[], hasVideo: boolean): void => {
    const records: LiveRecord[] = recordsOf({ pictures: 10, gop: 12, hasVideo });
    const stage = new LiveStage(records);
    let position = 0;
    const players: { line: LiveTsLine; at: number; isInStep: boolean; hasGap: boolean; parts: Buffer[] }[] = [];
    const inStep = () => players.filter((player) => player.isInStep);
    const newestKey = (): number => {
      const keys = keysOf(records.slice(0, position));
      return keys.at(-1) ?? position;
    };
    const catchUp = (player: (typeof players)[number], amount: number): void => {
      if (player.isInStep) return;
      const to = Math.min(position, player.at + amount);
      if (to > player.at) {
        if (player.hasGap) stage.leadIn(player.line, player.at);
        player.hasGap = false;
        player.parts.push(stage.writeAlone(player.line, player.at, to));
        player.at = to;
      }
      if (player.at < position || player.hasGap) return;
      if (inStep().length === 0) stage.main = stage.open(player.line);
      else player.parts.push(stage.join(player.line));
      player.isInStep = true;
    };
    for (const { act, amount, who } of steps) {
      const player = players[who];
      if (act === 'feed') {
        const to = Math.min(records.length, position + amount);
        if (inStep().length > 0) {
          const bytes = stage.write(position, to);
          for (const { parts } of inStep()) parts.push(bytes);
        }
        position = to;
      } else if (act === 'republish') records.push(...recordsOf({ pictures: amount, gop: 12, hasVideo, startMs: amount * 1000 }));
      else if (act.startsWith('join')) {
        if (players.length > 5) continue;
        const at = act === 'join' ? newestKey() : position;
        players.push({ line: stage.open(), at, isInStep: false, hasGap: true, parts: [] });
        catchUp(players.at(-1)!, 1000);
      } else if (player === undefined) continue;
      else if (act === 'fall' && player.isInStep) {
        Object.assign(player, { isInStep: false, at: position, line: stage.open(stage.main) });
      } else if (act === 'pump') catchUp(player, amount);
      else if ((act === 'cut' || act === 'tear') && !player.isInStep) {
        if (act === 'tear' && player.at < position) stage.writeAlone(player.line, player.at, player.at + 1);
        player.line.interrupt();
        Object.assign(player, { at: newestKey(), hasGap: true });
      }
    }
    for (const player of players) {
      catchUp(player, 1000);
      readBack(Buffer.concat(player.parts));
    }
  };
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), fc.boolean(), run), { numRuns: 150, interruptAfterTimeLimit: 1000 });
});
