import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Config, loadConfig } from '@srs/config';
import type { Lease, RingRef } from '@srs/control';
import { type FrameType, frameFlags, frameTypes, memoryLog } from '@srs/kernel';
import {
  endRing,
  MemoryArena,
  type Region,
  RegionTable,
  RingReader,
  RingWriter,
  ringBytes,
  ringEndReasons,
  stickySlots,
} from '@srs/ring';
import { describe, expect, it } from 'vitest';
import { Directory, type DirectoryPeer, type RingStore } from './directory.ts';
import { LiveStreams } from './live-stream.ts';
import type { Feature, FrameConsumer, OutputEnd, OutputStream } from './output.ts';
import { OwnDirectory } from './own-directory.ts';
import { StreamOutputs } from './stream-outputs.ts';

const SLOT = 0;
const STREAM = '__defaultVhost__/live/s';
const { audio, video, data } = frameTypes;

function configOf(hls: string): Config {
  return loadConfig(`listen 1935; vhost __defaultVhost__ { hls { ${hls} } }`, { fileName: 'test.conf', env: {} }).config;
}

/** Writes down what it is given. */
class Recorder implements FrameConsumer {
  readonly lines: string[] = [];
  readonly written = Promise.withResolvers<void>();
  throwsAt = '';
  isFull = false;

  onFrame(_type: FrameType, _flags: number, timestampMs: number, _wallMs: number, payload: Buffer): void {
    const text = payload.toString('latin1').replace(/\.+$/, '');
    if (text === this.throwsAt) throw new Error(`cannot take ${text}`);
    this.lines.push(`${text}@${timestampMs}`);
  }

  onGap(lostFrames: number): void {
    this.lines.push(`gap ${lostFrames}`);
  }

  onEnd(reason: OutputEnd): Promise<void> {
    this.lines.push(reason);
    return this.written.promise;
  }
}

class TestFeature implements Feature<unknown> {
  readonly name = 'test';
  readonly opened: { readonly stream: OutputStream; readonly recorder: Recorder }[] = [];
  isClosed = false;
  throwsAt = '';
  /** Streams that it wants in another way than the others. */
  readonly special = new Map<string, unknown>();

  select({ hls }: OutputStream['vhost'], streamId: string): unknown {
    const special = this.special.get(streamId);
    return special === undefined ? (hls.enabled ? hls : null) : special;
  }

  open(stream: OutputStream): FrameConsumer {
    const recorder = new Recorder();
    recorder.throwsAt = this.throwsAt;
    this.opened.push({ stream, recorder });
    return recorder;
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}

function setUp(hls = 'enabled on;', { isObserved = true } = {}) {
  const arena = new MemoryArena(64 << 20);
  const table = RegionTable.create(arena);
  const refOf = (region: Region): RingRef => ({ arena: 0, ...region });
  const store: RingStore = {
    allocate: () => refOf(table.allocate(ringBytes(1 << 17))!),
    allocateBigger: (_previous, capacityBytes) => refOf(table.allocate(ringBytes(capacityBytes))!),
    free: (ring) => table.free(ring),
    endForDeadWriter: (ring) => {
      endRing(arena, ring, ringEndReasons.writerDied);
      return new RingReader(arena, ring).newestTimestampMs;
    },
    inherited: () => [],
  };
  let config = configOf(hls);
  const log = memoryLog();
  const feature = new TestFeature();
  let outputs: StreamOutputs | undefined;
  const directory = new Directory({
    // A ring is written by who publishes; here, as by the back-source, it is made before anybody hears of it.
    store: {
      ...store,
      allocate: () => {
        const ring = store.allocate()!;
        writers.set(ring.offset, RingWriter.create(arena, ring, { writerSlot: 1, writerPid: 1 }));
        return ring;
      },
    },
    log,
    leasePrefix: 'L',
    expected: [],
    observer: {
      onPublished: (lease, isFresh) => {
        if (isObserved) outputs?.begin(lease, isFresh);
      },
      onUnpublished: (streamId) => outputs?.end(streamId),
      onDemand: () => {},
    },
  });
  const writers = new Map<number, RingWriter>();
  const own = new OwnDirectory(directory, { slot: SLOT, pid: 1 });
  const liveStreams = new LiveStreams({ directory: own, arenas: [arena], log });
  const revoked: string[] = [];
  let isListed = true;
  const publisher: DirectoryPeer = {
    slot: 1,
    pid: 2,
    hasViewers: true,
    tellStream: () => {},
    tellRevoke: (_leaseId, reason, detail) => revoked.push(`${reason} ${detail}`),
  };
  directory.hello(publisher, { leases: [], subscriptions: [], readRings: [] });
  outputs = new StreamOutputs({
    features: () => (isListed ? [feature] : []),
    closeFeatures: () => feature.close(),
    liveStreams,
    config: () => config,
    log,
    slot: SLOT,
    dismiss: (streamId, why) => directory.dismiss(streamId, why),
  });
  const publish = (cid = 7): { readonly lease: Lease; readonly writer: RingWriter } => {
    const answer = directory.publish(publisher, {
      streamId: STREAM,
      cid,
      ip: '10.0.0.1',
      param: '?token=t',
      tcUrl: '',
      busy: 'replace',
      isPulled: false,
      hops: [],
    });
    if (!answer.isGranted) throw new Error(answer.reason);
    return { lease: answer.lease, writer: writers.get(answer.lease.ring.offset)! };
  };
  const end = ({ lease, writer }: ReturnType<typeof publish>): void => {
    writer.end(ringEndReasons.finished);
    directory.unpublish(lease.leaseId, 0);
  };
  return {
    arena,
    table,
    directory,
    liveStreams,
    outputs,
    feature,
    log,
    revoked,
    publisher,
    publish,
    end,
    refOf,
    reload: (text: string) => {
      config = configOf(text);
      outputs?.configure();
    },
    unlist: () => {
      isListed = false;
      outputs?.configure();
    },
    /** What wakes readers of the process: the doorbell. */
    wake: async () => {
      liveStreams.wake();
      for (let turn = 0; turn < 5; turn += 1) await nextTurn();
    },
  };
}

function write(
  writer: RingWriter,
  text: string,
  timestampMs: number,
  { type = video as FrameType, flags = 0, bytes = 0 } = {},
): void {
  const payload = Buffer.alloc(Math.max(bytes, text.length), '.');
  payload.write(text, 'latin1');
  writer.write(type, flags, timestampMs, 0, payload);
}

function writeHeaders(writer: RingWriter): void {
  writer.setSticky(stickySlots.metadata, data, frameFlags.metadata, 0, Buffer.from('meta'));
  write(writer, 'meta', 0, { type: data, flags: frameFlags.metadata });
  writer.setSticky(stickySlots.videoHeader, video, frameFlags.sequenceHeader, 0, Buffer.from('avc'));
  write(writer, 'avc', 0, { flags: frameFlags.sequenceHeader });
  writer.setSticky(stickySlots.audioHeader, audio, frameFlags.sequenceHeader, 0, Buffer.from('aac'));
  write(writer, 'aac', 0, { type: audio, flags: frameFlags.sequenceHeader });
}

const keyFrame = { flags: frameFlags.keyFrame };

describe('an output', () => {
  it('gets everything of a publish that begins, each once, and then its end', async () => {
    const { publish, end, feature, wake } = setUp();
    const published = publish();
    writeHeaders(published.writer);
    write(published.writer, 'K1', 0, keyFrame);
    write(published.writer, 'P1', 40);
    await wake();
    write(published.writer, 'P2', 80);
    end(published);
    await wake();
    expect(feature.opened).toHaveLength(1);
    const [{ stream, recorder }] = feature.opened as [(typeof feature.opened)[0]];
    expect(recorder.lines).toEqual(['meta@0', 'avc@0', 'aac@0', 'K1@0', 'P1@40', 'P2@80', 'unpublished']);
    expect(stream).toMatchObject({ streamId: STREAM, app: 'live', name: 's', param: '?token=t', log: { cid: 7 } });
  });

  it('that a reload switches on begins with the kept headers and the newest key frame', async () => {
    const { publish, feature, wake, reload } = setUp('enabled off;');
    const { writer } = publish();
    writeHeaders(writer);
    for (const [text, at] of [
      ['K1', 0],
      ['K2', 80],
    ] as const) {
      write(writer, text, at, keyFrame);
      write(writer, `after ${text}`, at + 40);
    }
    reload('enabled on;');
    await wake();
    expect(feature.opened[0]?.recorder.lines).toEqual(['meta@80', 'avc@80', 'aac@80', 'K2@80', 'after K2@120']);
  });

  it('starts with pictures at a key frame, also when none has come yet', async () => {
    const { publish, feature, wake, reload } = setUp('enabled off;');
    const { writer } = publish();
    writeHeaders(writer);
    write(writer, 'P1', 40);
    reload('enabled on;');
    await wake();
    write(writer, 'P2', 80);
    write(writer, 'A1', 90, { type: audio });
    write(writer, 'K1', 120, keyFrame);
    await wake();
    expect(feature.opened[0]?.recorder.lines).toEqual(['meta@80', 'avc@80', 'aac@80', 'A1@90', 'K1@120']);
  });

  it('is left alone by a reload that says the same of it, and ends and begins anew by another', async () => {
    const { publish, feature, wake, reload } = setUp();
    const { writer } = publish();
    writeHeaders(writer);
    write(writer, 'K1', 0, keyFrame);
    await wake();
    reload('enabled on; hls_fragment 10;');
    await wake();
    expect(feature.opened).toHaveLength(1);
    reload('enabled on; hls_fragment 5;');
    expect(feature.opened[0]?.recorder.lines.at(-1)).toBe('reconfigured');
    await wake();
    expect(feature.opened).toHaveLength(1);
    feature.opened[0]?.recorder.written.resolve();
    await wake();
    expect(feature.opened[1]?.recorder.lines).toEqual(['meta@0', 'avc@0', 'aac@0', 'K1@0']);
    reload('enabled off;');
    expect(feature.opened[1]?.recorder.lines.at(-1)).toBe('reconfigured');
  });

  it('of one stream begins, ends and stays when its feature wants that of it, whatever the configuration says', async () => {
    const { publish, end, feature, outputs, wake, reload } = setUp('enabled off;');
    expect(outputs.reselect(STREAM)).toBe(false);
    const published = publish();
    writeHeaders(published.writer);
    write(published.writer, 'K1', 0, keyFrame);
    await wake();
    expect([feature.opened.length, outputs.leaseOf(STREAM)]).toEqual([0, published.lease]);
    feature.special.set(STREAM, { wanted: 1 });
    expect(outputs.reselect(STREAM)).toBe(true);
    await wake();
    const lines = feature.opened[0]?.recorder.lines;
    expect(lines).toEqual(['meta@0', 'avc@0', 'aac@0', 'K1@0']);
    feature.special.set(STREAM, { wanted: 1 });
    outputs.reselect(STREAM);
    reload('enabled on;');
    expect(lines).toHaveLength(4);
    feature.special.set(STREAM, null);
    outputs.reselect(STREAM);
    expect(lines?.at(-1)).toBe('reconfigured');
    feature.opened[0]?.recorder.written.resolve();
    feature.special.delete(STREAM);
    outputs.reselect(STREAM);
    await wake();
    expect(feature.opened).toHaveLength(2);
    end(published);
    expect([outputs.reselect(STREAM), outputs.leaseOf(STREAM)]).toEqual([false, undefined]);
  });

  it('ends when its feature is not among those for the stream any more', async () => {
    const { publish, feature, wake, unlist } = setUp();
    const { writer } = publish();
    writeHeaders(writer);
    write(writer, 'K1', 0, keyFrame);
    await wake();
    unlist();
    expect(feature.opened[0]?.recorder.lines.at(-1)).toBe('reconfigured');
  });

  it('of the next publish begins when that of the last one has been written, and misses nothing', async () => {
    const { publish, feature, wake } = setUp();
    const first = publish(7);
    writeHeaders(first.writer);
    write(first.writer, 'K1', 0, keyFrame);
    const second = publish(8);
    writeHeaders(second.writer);
    write(second.writer, 'K2', 1000, keyFrame);
    await wake();
    expect(feature.opened.map(({ recorder }) => recorder.lines)).toEqual([['meta@0', 'avc@0', 'aac@0', 'K1@0', 'unpublished']]);
    feature.opened[0]?.recorder.written.resolve();
    await wake();
    expect(feature.opened[1]?.recorder.lines).toEqual(['meta@0', 'avc@0', 'aac@0', 'K2@1000']);
    expect(feature.opened[1]?.stream.log.cid).toBe(8);
  });

  it('that throws ends until the next publish, with one line in the log; the stream goes on', async () => {
    const { publish, end, feature, wake, log, revoked } = setUp();
    feature.throwsAt = 'P1';
    const published = publish();
    writeHeaders(published.writer);
    for (const text of ['K1', 'P1', 'P2']) write(published.writer, text, 0, keyFrame);
    await wake();
    const recorder = feature.opened[0]?.recorder;
    expect(recorder?.lines).toEqual(['meta@0', 'avc@0', 'aac@0', 'K1@0', 'failed']);
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([
      { level: 'error', cid: 7, text: `test of ${STREAM} ends until the next publish: cannot take P1` },
    ]);
    expect(revoked).toEqual([]);
    recorder?.written.resolve();
    end(published);
    feature.throwsAt = '';
    publish(9);
    await wake();
    expect(feature.opened).toHaveLength(2);
  });

  it('hears of frames that it was too slow for, and goes on with headers at a key frame', async () => {
    const { publish, feature, wake } = setUp();
    const { writer } = publish();
    writeHeaders(writer);
    write(writer, 'K1', 0, keyFrame);
    await wake();
    for (let index = 0; index < 40; index += 1) write(writer, `P${index}`, 40 + index, { bytes: 8000 });
    write(writer, 'K2', 5000, keyFrame);
    write(writer, 'P', 5040);
    await wake();
    expect(feature.opened[0]?.recorder.lines).toEqual([
      'meta@0',
      'avc@0',
      'aac@0',
      'K1@0',
      'gap 40',
      'meta@5000',
      'avc@5000',
      'aac@5000',
      'K2@5000',
      'P@5040',
    ]);
  });

  it('follows a stream that moves to a bigger ring without a gap', async () => {
    const { publish, feature, wake, directory, arena } = setUp();
    const { lease, writer } = publish();
    writeHeaders(writer);
    write(writer, 'K1', 0, keyFrame);
    await wake();
    const ring = directory.grow(lease.leaseId, 1 << 20)!;
    const next = RingWriter.create(arena, ring, { writerSlot: 1, writerPid: 1, firstSequence: writer.nextSequence });
    write(next, 'P1', 40);
    writer.end(ringEndReasons.moved);
    await wake();
    directory.moved(lease.leaseId);
    write(next, 'P2', 80);
    await wake();
    expect(feature.opened[0]?.recorder.lines.slice(3)).toEqual(['K1@0', 'P1@40', 'P2@80']);
  });

  it('may ask for the end of its publisher', async () => {
    const { publish, feature, revoked } = setUp();
    publish();
    feature.opened[0]?.stream.dismissPublisher('hls: cannot be made of this');
    expect(revoked).toEqual(['closed hls: cannot be made of this']);
  });

  it('leaves no ring and no subscription behind', async () => {
    const { publish, end, feature, wake, directory, liveStreams } = setUp();
    const published = publish();
    writeHeaders(published.writer);
    await wake();
    expect(directory.ringCount).toBe(1);
    end(published);
    await wake();
    feature.opened[0]?.recorder.written.resolve();
    await wake();
    expect([directory.ringCount, directory.streamCount, liveStreams.size]).toEqual([0, 0, 0]);
  });
});

it('the end of a server waits until everything has been written', async () => {
  const { publish, feature, outputs, wake } = setUp();
  const { writer } = publish();
  writeHeaders(writer);
  await wake();
  let isClosed = false;
  const closing = outputs.close().then(() => {
    isClosed = true;
  });
  await wake();
  expect(feature.opened[0]?.recorder.lines.at(-1)).toBe('stopping');
  expect([isClosed, feature.isClosed]).toEqual([false, false]);
  feature.opened[0]?.recorder.written.resolve();
  await closing;
  expect(feature.isClosed).toBe(true);
});

it('a back-source that finds a stream running begins its outputs at the newest key frame', async () => {
  const { publish, outputs, feature, wake } = setUp('enabled on;', { isObserved: false });
  const { lease, writer } = publish();
  writeHeaders(writer);
  write(writer, 'K1', 0, keyFrame);
  write(writer, 'K2', 80, keyFrame);
  outputs.begin(lease, false);
  await wake();
  expect(feature.opened[0]?.recorder.lines).toEqual(['meta@80', 'avc@80', 'aac@80', 'K2@80']);
});

describe('a consumer that is full', () => {
  /** Has taken the headers and K1, and is full. */
  async function full() {
    const set = setUp();
    const published = set.publish();
    writeHeaders(published.writer);
    await set.wake();
    const [{ stream, recorder }] = set.feature.opened as [(typeof set.feature.opened)[0]];
    recorder.isFull = true;
    recorder.lines.length = 0;
    write(published.writer, 'K1', 0, keyFrame);
    write(published.writer, 'P1', 40);
    await set.wake();
    expect(recorder.lines).toEqual([]);
    const isReady = (): void => {
      recorder.isFull = false;
    };
    return { ...set, published, stream, recorder, isReady };
  }

  it('is given nothing, and then goes on where it stood', async () => {
    const { published, stream, recorder, isReady, wake } = await full();
    write(published.writer, 'K2', 80, keyFrame);
    isReady();
    stream.resume('next');
    await wake();
    expect(recorder.lines).toEqual(['K1@0', 'P1@40', 'K2@80']);
  });

  it('can go on at the newest key frame instead, with the headers, and is told what it misses', async () => {
    const { published, stream, recorder, isReady, wake } = await full();
    write(published.writer, 'K2', 80, keyFrame);
    write(published.writer, 'P2', 120);
    isReady();
    stream.resume('newest');
    await wake();
    expect(recorder.lines).toEqual(['gap 2', 'meta@80', 'avc@80', 'aac@80', 'K2@80', 'P2@120']);
  });

  it('can be given the newest key frame once more', async () => {
    const { published, stream, recorder, isReady, wake } = await full();
    isReady();
    stream.resume('next');
    await wake();
    stream.resume('newest');
    await wake();
    write(published.writer, 'P2', 80);
    await wake();
    expect(recorder.lines).toEqual(['K1@0', 'P1@40', 'gap 0', 'meta@0', 'avc@0', 'aac@0', 'K1@0', 'P1@40', 'P2@80']);
  });

  it('misses what is overtaken in the ring', async () => {
    const { published, stream, recorder, isReady, wake } = await full();
    for (let index = 0; index < 40; index += 1) {
      write(published.writer, `K${index}`, 80 + index, { ...keyFrame, bytes: 8000 });
    }
    isReady();
    stream.resume('next');
    await wake();
    expect(recorder.lines[0]).toMatch(/^gap \d\d/);
    expect(recorder.lines.slice(1, 4).map((line) => line.split('@')[0])).toEqual(['meta', 'avc', 'aac']);
    expect(recorder.lines.at(-1)).toBe('K39@119');
  });

  it('ends with the publish, and holds nothing up', async () => {
    const { published, recorder, end, publish, feature, wake } = await full();
    end(published);
    await wake();
    expect(recorder.lines).toEqual(['unpublished']);
    recorder.written.resolve();
    const next = publish(8);
    writeHeaders(next.writer);
    await wake();
    expect(feature.opened).toHaveLength(2);
  });

  it('ends when the next publish has begun already', async () => {
    const { recorder, publish, feature, wake } = await full();
    publish(8);
    await wake();
    expect(recorder.lines).toEqual(['unpublished']);
    recorder.written.resolve();
    await wake();
    expect(feature.opened).toHaveLength(2);
  });
});
