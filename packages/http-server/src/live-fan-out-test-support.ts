/** A published stream and players of one format, as an http worker has them. */
import { loadConfig, type VhostConfig } from '@srs/config';
import type { RingRef } from '@srs/control';
import { frameFlags, frameTypes, ManualClock } from '@srs/kernel';
import { accessUnitsOf, type TsAccessUnit, TsReader } from '@srs/mpegts';
import { MemoryArena, RegionTable, RingWriter, ringBytes, ringEndReasons, stickySlots } from '@srs/ring';
import {
  Batch,
  type DirectoryClient,
  type EncodedBytes,
  FanOut,
  type FanOutPlayer,
  type FanOutSettings,
  FlushBudget,
  LiveStreams,
  type PlayerState,
} from '@srs/stream';
import { payloadOf, type TestTag } from '../../../test/support/flv-files.ts';
import type { LiveFormat } from './live-format.ts';

export class ByteViewer implements FanOutPlayer {
  readonly descriptor = -1;
  readonly parts: Buffer[] = [];
  pendingBytes = 0;
  /** Takes nothing more: what is written stays pending. */
  isBlocked = false;
  state: PlayerState | undefined;

  write({ bytes }: EncodedBytes): boolean {
    this.parts.push(Buffer.from(bytes));
    if (this.isBlocked) this.pendingBytes += bytes.length;
    return !this.isBlocked;
  }

  onFinished(): void {}

  get bytes(): Buffer {
    return Buffer.concat(this.parts);
  }

  /** What the strict reader finds. @throws SrsError for a stream with a fault */
  get units(): readonly TsAccessUnit[] {
    const units: TsAccessUnit[] = [];
    const reader = new TsReader({ onPes: (pes) => units.push(...accessUnitsOf(pes)) });
    reader.receive(this.bytes);
    reader.end();
    return units;
  }

  /** Numbers of the pictures, as `LiveRing` gives them their sizes. */
  get pictures(): readonly number[] {
    return this.units.flatMap((unit) => ('nalUnits' in unit ? [unit.nalUnits.at(-1)!.length - FIRST_BYTES] : []));
  }

  get sounds(): readonly number[] {
    return this.units.flatMap((unit) => ('nalUnits' in unit ? [] : [unit.data.length - FIRST_BYTES]));
  }
}

/** The size of picture and sound 0: sizes tell numbers. */
const FIRST_BYTES = 20;
const HEAD_BYTES = { picture: 9, sound: 2 } as const;
const GOP = 10;

/** One publish: a picture and a sound each 40 ms, every tenth picture a key frame. */
export class LiveRing {
  readonly ring: RingRef;
  readonly writer: RingWriter;
  readonly #hasVideo: boolean;
  #count = 0;

  constructor(arena: MemoryArena, table: RegionTable, { capacityBytes = 1 << 20, hasVideo = true } = {}) {
    const region = table.allocate(ringBytes(capacityBytes))!;
    this.ring = { arena: 0, ...region };
    this.writer = RingWriter.create(arena, region, { writerSlot: 1, writerPid: 1 });
    this.#hasVideo = hasVideo;
    if (hasVideo) this.#header(stickySlots.videoHeader, frameTypes.video, 'video-header');
    this.#header(stickySlots.audioHeader, frameTypes.audio, 'audio-header');
  }

  /** Pictures so far, and sounds. */
  get count(): number {
    return this.#count;
  }

  feed(count: number): void {
    const { sequenceHeader: _, keyFrame } = frameFlags;
    for (const end = this.#count + count; this.#count < end; this.#count++) {
      const timestampMs = this.#count * 40;
      const kind = this.#count % GOP === 0 ? 'key' : 'inter';
      const bytes = FIRST_BYTES + this.#count;
      if (this.#hasVideo) {
        const payload = payloadOf({ kind, bytes: bytes + HEAD_BYTES.picture });
        this.writer.write(frameTypes.video, kind === 'key' ? keyFrame : 0, timestampMs, 0, payload);
      }
      this.writer.write(frameTypes.audio, 0, timestampMs, 0, payloadOf({ kind: 'sound', bytes: bytes + HEAD_BYTES.sound }));
    }
  }

  #header(slot: number, type: 8 | 9, kind: TestTag['kind']): void {
    const payload = payloadOf({ kind });
    this.writer.setSticky(slot, type, frameFlags.sequenceHeader, 0, payload);
    this.writer.write(type, frameFlags.sequenceHeader, 0, 0, payload);
  }
}

export interface LiveStageOptions {
  readonly format: LiveFormat;
  readonly settings?: Partial<FanOutSettings>;
  readonly capacityBytes?: number;
  readonly hasVideo?: boolean;
}

export const vhostOf = (remux = ''): VhostConfig =>
  loadConfig(`listen 1935; vhost v { http_remux { enabled on; ${remux} } }`, {
    fileName: 'test.conf',
    env: {},
  }).config.vhosts.get('v')!;

export class LiveStage {
  readonly dropped: unknown[] = [];
  readonly fanOut: FanOut;
  readonly #arena = new MemoryArena(64 << 20);
  readonly #table = RegionTable.create(this.#arena);
  readonly #clock = new ManualClock({ nowMs: 1000 });
  readonly #options: LiveStageOptions;
  readonly #stream: ReturnType<LiveStreams['follow']>;
  live: LiveRing;

  constructor(options: LiveStageOptions) {
    this.#options = options;
    const directory = { subscribe: () => {}, unsubscribe: () => {}, holdRing: () => {}, releaseRing: () => {} };
    const streams = new LiveStreams({
      directory: directory as unknown as DirectoryClient,
      arenas: [this.#arena],
      log: undefined as never,
    });
    this.#stream = streams.follow('v/a/s');
    this.fanOut = new FanOut({
      stream: this.#stream,
      encoder: this.encoderFor(vhostOf()),
      batch: new Batch(),
      budget: new FlushBudget(this.#clock),
      clock: this.#clock,
      slot: 3,
      gopCache: true,
      queueLengthMs: 30_000,
      maxFlushIntervalMs: 0,
      minFrameIntervalMs: 0,
      ...(options.format.startBackMs === undefined ? {} : { startBackMs: options.format.startBackMs(vhostOf()) }),
      ...options.settings,
      onCorrupt: (error) => this.dropped.push(error),
    });
    this.live = new LiveRing(this.#arena, this.#table, options);
    this.#publish();
  }

  encoderFor(vhost: VhostConfig) {
    return this.#options.format.encoder(vhost, (error) => this.dropped.push(error));
  }

  /** The publish is over, and another one begins. */
  republish(): void {
    this.live.writer.end(ringEndReasons.finished);
    this.#stream.onState({ streamId: 'v/a/s', ring: null, publisher: null });
    this.wake();
    this.live = new LiveRing(this.#arena, this.#table, this.#options);
    this.#publish();
  }

  /** So many pictures and sounds, for those who read. */
  feed(count: number): void {
    this.live.feed(count);
    this.wake();
  }

  wake(): void {
    this.#clock.advance(1000);
    this.#stream.wake();
  }

  join(): ByteViewer {
    const viewer = new ByteViewer();
    viewer.state = this.fanOut.add(viewer);
    return viewer;
  }

  unblock(viewer: ByteViewer): void {
    viewer.isBlocked = false;
    viewer.pendingBytes = 0;
    this.fanOut.onDrain(viewer.state!);
  }

  #publish(): void {
    this.#stream.onState({ streamId: 'v/a/s', ring: this.live.ring, publisher: null });
  }
}

export const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);
