import { AmfObject, decodeAmf0, encodeAmf0 } from '@srs/amf';
import { frameFlags, frameTypes, ManualClock, memoryLog, SrsError } from '@srs/kernel';
import { MemoryArena, type Region, RegionTable, RingReader, RingWriter, ringBytes, ringEndReasons, stickySlots } from '@srs/ring';
import { describe, expect, it } from 'vitest';
import { StreamWriter, type StreamWriterOptions } from './stream-writer.ts';

const { audio, video, data } = frameTypes;

/** An AVC configuration record with one SPS (High, 640x360) and one PPS. */
const sps = Buffer.from('67640016acd940a02ff97016a02020280000030008000001e078c18cb0', 'hex');
const pps = Buffer.from('68ebecb22c', 'hex');
const avcHeader = Buffer.concat([
  Buffer.from([0x17, 0, 0, 0, 0, 1, 0x64, 0, 0x16, 0xff, 0xe1, 0, sps.length]),
  sps,
  Buffer.from([1, 0, pps.length]),
  pps,
]);
const aacHeader = Buffer.from('af001210', 'hex');
const keyFrame = (size = 10): Buffer => Buffer.concat([Buffer.from([0x17, 1, 0, 0, 0]), Buffer.alloc(size, 1)]);
const interFrame = (size = 10): Buffer => Buffer.concat([Buffer.from([0x27, 1, 0, 0, 0]), Buffer.alloc(size, 2)]);
const sound = (size = 10): Buffer => Buffer.concat([Buffer.from([0xaf, 1]), Buffer.alloc(size, 3)]);

function setUp(options: Partial<StreamWriterOptions> & { readonly capacityBytes?: number } = {}) {
  const arena = new MemoryArena(256 << 20);
  const table = RegionTable.create(arena);
  const open = (capacityBytes: number) => ({
    arena: 0,
    ...(table.allocate(ringBytes(2 ** Math.ceil(Math.log2(capacityBytes)))) as Region),
  });
  const ring = open(options.capacityBytes ?? 64 * 1024);
  // The back-source makes the ring; the writer takes it over.
  RingWriter.create(arena, ring, { writerSlot: -1, writerPid: -1 });
  const clock = new ManualClock();
  const log = memoryLog();
  const rung: number[] = [];
  const outgrown: number[] = [];
  const writer = new StreamWriter({
    arenas: [arena],
    ring,
    writer: { slot: 1, pid: 42 },
    clock,
    log,
    timeJitter: 'full',
    atc: false,
    atcAuto: true,
    parseHeaders: true,
    startTimestampMs: 0,
    serverProperties: [['server', 'SRS']],
    ringDoorbell: (slot) => rung.push(slot),
    onOutgrown: (capacityBytes) => outgrown.push(capacityBytes),
    ...options,
  });
  const read = (from: Region = ring, firstSequence = 0) => {
    const reader = new RingReader(arena, from);
    reader.seekToSequence(firstSequence);
    const records: { type: number; flags: number; timestampMs: number; sequence: number; size: number }[] = [];
    reader.pollCopies({
      onRecord: (type, flags, timestampMs, _wallMs, sequence, payload) =>
        records.push({ type, flags, timestampMs, sequence, size: payload.length }),
    });
    return records;
  };
  return { arena, writer, clock, log, rung, outgrown, ring, open, read, reader: () => new RingReader(arena, ring) };
}

describe('StreamWriter', () => {
  it('writes frames with corrected time, and keeps headers for those who come later', () => {
    const { writer, read, reader } = setUp();
    writer.write(video, 10_000, avcHeader);
    writer.write(audio, 10_000, aacHeader);
    writer.write(video, 10_000, keyFrame());
    writer.write(video, 10_040, interFrame());
    expect(read().map(({ timestampMs }) => timestampMs)).toEqual([40, 40, 40, 80]);
    expect(reader().readSticky(stickySlots.videoHeader)?.payload).toEqual(avcHeader);
    expect(reader().readSticky(stickySlots.audioHeader)?.payload).toEqual(aacHeader);
    expect(writer.statistics).toMatchObject({ videoFrames: 2, audioFrames: 0, droppedFrames: 0 });
    expect(writer.lastTimestampMs).toBe(80);
  });

  describe('under a new configuration', () => {
    const settings = { timeJitter: 'full', atc: false, atcAuto: true, parseHeaders: true } as const;

    it.each([
      ['time_jitter off', { ...settings, timeJitter: 'off' } as const],
      ['atc on', { ...settings, atc: true } as const],
    ])("%s gives the encoder's own time from the next frame on", (_fact, next) => {
      const { writer, read } = setUp();
      writer.write(video, 10_000, keyFrame());
      writer.configure(next);
      writer.write(video, 10_040, interFrame());
      expect(read().map(({ timestampMs }) => timestampMs)).toEqual([40, 10_040]);
    });

    it.each(['full', 'zero'] as const)('time_jitter %s goes on from the time that players have', (timeJitter) => {
      const { writer, read } = setUp({ timeJitter: 'off' });
      writer.write(video, 10_000, keyFrame());
      writer.configure({ ...settings, timeJitter });
      writer.write(video, 10_040, interFrame());
      writer.write(video, 10_080, interFrame());
      const [, next = 0, last = 0] = read().map(({ timestampMs }) => timestampMs);
      expect(next).toBeGreaterThan(10_000);
      expect(next).toBeLessThan(10_200);
      expect(last - next).toBe(40);
    });

    it('who joins after a step of time starts behind it', () => {
      const { writer, reader } = setUp();
      writer.write(video, 10_000, keyFrame());
      writer.configure({ ...settings, atc: true });
      writer.write(video, 10_040, interFrame());
      expect(reader().seekToNewestKeyFrame()).toBe(false);
      writer.write(video, 10_080, keyFrame());
      expect(reader().seekToNewestKeyFrame()).toBe(true);
    });

    it('what does not concern time leaves it alone, and so does atc that the metadata has switched on', () => {
      const { writer, read } = setUp();
      writer.write(data, 0, encodeAmf0('onMetaData', AmfObject.object({ bravo_atc: 'true' })));
      writer.write(video, 10_000, keyFrame());
      writer.configure({ ...settings, parseHeaders: false });
      writer.configure({ ...settings, timeJitter: 'zero' });
      writer.write(video, 10_040, interFrame());
      expect(
        read()
          .filter(({ type }) => type === video)
          .map(({ timestampMs }) => timestampMs),
      ).toEqual([10_000, 10_040]);
    });
  });

  it('asks the clocks once for the frames between two flushes', () => {
    const { writer, clock, reader } = setUp();
    const startMs = clock.nowMs();
    const startWallMs = clock.wallMs();
    clock.advance(5);
    expect(writer.lastArrivalMs).toBe(startMs);
    writer.write(video, 0, keyFrame());
    clock.advance(5);
    writer.write(video, 40, interFrame());
    expect(writer.lastArrivalMs).toBe(startMs + 5);
    writer.flush();
    clock.advance(5);
    writer.write(video, 80, interFrame());
    expect(writer.lastArrivalMs).toBe(startMs + 15);
    const from = reader();
    from.seekToSequence(0);
    const arrivals: number[] = [];
    from.pollCopies({ onRecord: (...[, , , wallMs]) => arrivals.push(wallMs) });
    expect(arrivals).toEqual([5, 5, 15].map((ms) => (startWallMs + ms) | 0));
  });

  it('unwraps metadata, adds the server and keeps it for joiners', () => {
    const { writer, reader, log } = setUp();
    writer.write(data, 0, encodeAmf0('@setDataFrame', 'onMetaData', AmfObject.ecmaArray({ width: 640, height: 360 })));
    const kept = decodeAmf0(reader().readSticky(stickySlots.metadata)!.payload);
    expect(kept[0]).toBe('onMetaData');
    expect((kept[1] as AmfObject).get('server')).toBe('SRS');
    expect(log.lines.map(({ text }) => text)).toContain('got metadata, width=640, height=360');
  });

  it('relays other data events as they are', () => {
    const { writer, read } = setUp();
    writer.write(data, 0, encodeAmf0('onTextData', 'x'));
    writer.write(data, 0, Buffer.from([0, 1, 2, 3]));
    expect(read().map(({ type, flags, size }) => [type, flags, size])).toEqual([
      [data, 0, encodeAmf0('onTextData', 'x').length],
      [data, 0, 4],
    ]);
  });

  it('leaves timestamps alone with atc, and when the metadata asks for it', () => {
    const fixed = setUp({ atc: true });
    fixed.writer.write(video, 123_456, keyFrame());
    expect(fixed.read()[0]?.timestampMs).toBe(123_456);
    const asked = setUp();
    asked.writer.write(data, 123_400, encodeAmf0('onMetaData', AmfObject.object({ bravo_atc: 'true' })));
    asked.writer.write(video, 123_456, keyFrame());
    expect(asked.read().map(({ timestampMs }) => timestampMs)).toEqual([123_400, 123_456]);
    const refused = setUp({ atcAuto: false });
    refused.writer.write(data, 0, encodeAmf0('onMetaData', AmfObject.object({ bravo_atc: 'true' })));
    refused.writer.write(video, 123_456, keyFrame());
    expect(refused.read()[1]?.timestampMs).toBe(40);
  });

  it('lets joiners start live after more than 115 sounds without a picture', () => {
    const { writer, reader } = setUp();
    writer.write(video, 0, keyFrame());
    for (let index = 0; index < 115; index += 1) writer.write(audio, index, sound());
    expect(reader().seekToNewestKeyFrame()).toBe(true);
    writer.write(audio, 116, sound());
    expect(reader().seekToNewestKeyFrame()).toBe(false);
  });

  it('wakes each sleeper once', () => {
    const { writer, rung, reader } = setUp();
    reader().arm(5);
    writer.write(video, 0, keyFrame());
    writer.flush();
    writer.write(video, 40, interFrame());
    writer.flush();
    expect(rung).toEqual([5]);
  });

  it('asks once for a bigger ring when the key-frame interval fills half of it, and goes on there without a gap', () => {
    const { arena, writer, outgrown, open, read, reader } = setUp();
    writer.write(video, 0, avcHeader);
    writer.write(video, 0, keyFrame(1000));
    for (let index = 1; index <= 45; index += 1) writer.write(video, index * 40, interFrame(1000));
    expect(outgrown).toEqual([256 * 1024]);
    const bigger = open(outgrown[0]!);
    const old = reader();
    writer.moveTo(bigger);
    writer.write(video, 46 * 40, interFrame(1000));
    const records = read(bigger, 1);
    expect(records).toHaveLength(47);
    expect(records[0]).toMatchObject({ flags: frameFlags.keyFrame, sequence: 1 });
    expect(records.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 47 }, (_, index) => index + 1));
    expect(new RingReader(arena, bigger).readSticky(stickySlots.videoHeader)?.payload).toEqual(avcHeader);
    old.pollCopies({ onRecord: () => {} });
    old.pollCopies({ onRecord: () => {} });
    expect(old.ended).toBe(ringEndReasons.moved);
  });

  it('holds frames back while a frame too large for the ring waits for a bigger one', () => {
    const { writer, outgrown, open, read } = setUp();
    writer.write(video, 0, keyFrame(40_000));
    writer.write(video, 40, interFrame());
    expect(read()).toHaveLength(0);
    expect(outgrown).toHaveLength(1);
    const bigger = open(outgrown[0]!);
    writer.moveTo(bigger);
    expect(read(bigger).map(({ size }) => size)).toEqual([40_005, 15]);
    expect(writer.statistics.droppedFrames).toBe(0);
  });

  it('keeps the newest key frame for the bigger ring, however much comes before that is there', () => {
    const { writer, open, outgrown, read } = setUp({ capacityBytes: 64 * 1024 });
    writer.write(video, 0, keyFrame(10_000));
    for (let index = 1; index <= 24; index += 1) writer.write(video, index * 40, interFrame(10_000));
    const bigger = open(outgrown[0]!);
    writer.moveTo(bigger);
    expect(read(bigger).map(({ sequence }) => sequence)).toEqual(Array.from({ length: 25 }, (_, index) => index));
    expect(writer.statistics.droppedFrames).toBe(0);
  });

  it('lets players of a running stream go on when the answer does not come', () => {
    const { writer, clock, reader } = setUp({ capacityBytes: 64 * 1024 });
    writer.write(video, 0, keyFrame(10_000));
    for (let index = 1; index <= 7; index += 1) writer.write(video, index * 40, interFrame(10_000));
    expect(reader().newestSequence).toBe(5);
    clock.advance(300);
    writer.write(video, 400, interFrame(10_000));
    expect(reader().newestSequence).toBe(8);
    expect(writer.statistics.droppedFrames).toBe(0);
  });

  it('drops what does not fit when there is no bigger ring, and goes on with what does', () => {
    const { writer, outgrown, read, log } = setUp();
    writer.write(video, 0, keyFrame(40_000));
    writer.write(video, 40, interFrame());
    writer.stay();
    writer.write(video, 80, keyFrame(40_000));
    writer.write(video, 120, interFrame(7));
    expect(read().map(({ size }) => size)).toEqual([15, 12]);
    expect(writer.statistics.droppedFrames).toBe(2);
    expect(outgrown).toHaveLength(1);
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  it('tells of headers once, however often an encoder repeats them', () => {
    const { writer, log, read } = setUp();
    const metadata = (width: number): Buffer => encodeAmf0('onMetaData', AmfObject.object({ width }));
    for (const width of [320, 320, 640, 640]) {
      writer.write(data, 0, metadata(width));
      writer.write(video, 0, avcHeader);
      writer.write(audio, 0, aacHeader);
    }
    expect(read()).toHaveLength(12);
    expect(log.lines.map(({ text }) => text.split(',')[0])).toEqual([
      'got metadata',
      '50B video sh',
      '4B audio sh',
      'got metadata',
    ]);
  });

  it('warns once of headers that are too large to be kept, and relays them', () => {
    const { writer, log, read } = setUp({ capacityBytes: 256 * 1024 });
    const large = Buffer.concat([avcHeader, Buffer.alloc(17 * 1024)]);
    writer.write(video, 0, large);
    writer.write(video, 40, large);
    expect(read().map(({ size }) => size)).toEqual([large.length, large.length]);
    const warnings = log.lines.filter(({ level }) => level === 'warn').map(({ text }) => text);
    expect(warnings).toEqual([
      `metadata or sequence header of ${large.length} bytes is too large to be kept for players that come later`,
    ]);
    expect(writer.statistics.droppedFrames).toBe(0);
  });

  it('puts what it held back into the old ring, as far as it fits, when the publish ends first', () => {
    const { writer, read } = setUp();
    writer.write(video, 0, keyFrame(40_000));
    writer.write(video, 40, interFrame());
    writer.end();
    expect(read().map(({ size }) => size)).toEqual([15]);
    expect(writer.statistics.droppedFrames).toBe(1);
  });

  it('relays a decoder configuration unread when it is told not to look', () => {
    const { writer, read } = setUp({ parseHeaders: false });
    writer.write(video, 0, Buffer.from([0x17, 0, 0, 0, 0, 1]));
    expect(read()).toHaveLength(1);
  });

  it('throws for a decoder configuration that cannot be read', () => {
    const { writer } = setUp();
    expect(() => writer.write(video, 0, Buffer.from([0x17, 0, 0, 0, 0, 1]))).toThrow(SrsError);
  });

  it('writes nothing after its end', () => {
    const { writer, read } = setUp();
    writer.write(video, 0, keyFrame());
    writer.end();
    writer.write(video, 40, interFrame());
    expect(read()).toHaveLength(1);
  });
});
