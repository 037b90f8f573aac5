/** Streams to record, and what is in the files that come of it. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { AmfObject, decodeAmf0, encodeAmf0 } from '@srs/amf';
import { classifyFrame } from '@srs/codec';
import { loadConfig, type VhostConfig } from '@srs/config';
import { decodeFlvHeader, encodeFlvTag, FlvReader } from '@srs/flv';
import { type FrameType, frameFlags, frameTypes, type LogLine, ManualClock, memoryLog, systemClock } from '@srs/kernel';
import { type Feature, type FrameConsumer, type OutputStream, parseMetadata } from '@srs/stream';
import { afterAll, afterEach, beforeEach } from 'vitest';
import { type DvrControl, type DvrOptions, type DvrSection, dvrFeature } from './dvr-feature.ts';
import type { RecordedFile } from './recorder.ts';
import { RecordingTasks } from './recording-tasks.ts';
import { type RepairedFile, repairRecordings } from './repair-recordings.ts';

export interface TestFrame {
  readonly type: FrameType;
  readonly flags: number;
  readonly timestampMs: number;
  readonly payload: Buffer;
}

function frame(type: FrameType, flags: number, timestampMs: number, payload: Buffer): TestFrame {
  return { type, flags, timestampMs, payload };
}

/** H.264 of 320x180, as x264 writes it, and AAC-LC of 44.1 kHz in stereo. */
const videoHeaderPayload = Buffer.from(
  '17000000000164000dffe100186764000dacb40a0cfcf808800000030080000019078a155001000468ef3cb0fdf8f800',
  'hex',
);
const audioHeaderPayload = Buffer.from('af001210', 'hex');

export function metadataOf(properties: Readonly<Record<string, number | string>>): TestFrame {
  return frame(frameTypes.data, frameFlags.metadata, 0, encodeAmf0('onMetaData', AmfObject.object(properties)));
}

export const metadata: TestFrame = metadataOf({ width: 320, height: 180, encoder: 'tests' });
export const videoHeader: TestFrame = frame(frameTypes.video, frameFlags.sequenceHeader, 0, videoHeaderPayload);
export const audioHeader: TestFrame = frame(frameTypes.audio, frameFlags.sequenceHeader, 0, audioHeaderPayload);

/** What a publish begins with. */
export const headers: readonly TestFrame[] = [metadata, videoHeader, audioHeader];

/** One NAL unit whose bytes tell its time. */
function picture(head: string, nal: number, timestampMs: number, sizeBytes: number): Buffer {
  const unit = Buffer.alloc(sizeBytes, nal);
  unit.writeUInt32BE(timestampMs, 1);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(sizeBytes);
  return Buffer.concat([Buffer.from(head, 'hex'), length, unit]);
}

export function keyFrame(timestampMs: number, sizeBytes = 100): TestFrame {
  return frame(frameTypes.video, frameFlags.keyFrame, timestampMs, picture('1701000000', 0x65, timestampMs, sizeBytes));
}

export function interFrame(timestampMs: number, sizeBytes = 40): TestFrame {
  return frame(frameTypes.video, 0, timestampMs, picture('2701000000', 0x41, timestampMs, sizeBytes));
}

export function sound(timestampMs: number): TestFrame {
  const payload = Buffer.from('af0121000000000000', 'hex');
  payload.writeUInt32BE(timestampMs, 4);
  return frame(frameTypes.audio, 0, timestampMs, payload);
}

export interface MediaOptions {
  readonly fromMs?: number;
  readonly toMs: number;
  readonly gopMs?: number;
  readonly kinds?: 'both' | 'video' | 'audio';
  readonly sizeBytes?: number;
}

/** 25 pictures and 50 sounds a second, without headers. */
export function media({ fromMs = 0, toMs, gopMs = 1000, kinds = 'both', sizeBytes = 100 }: MediaOptions): TestFrame[] {
  const frames: TestFrame[] = [];
  for (let ms = fromMs; ms < toMs; ms += 20) {
    if (kinds !== 'audio' && (ms - fromMs) % 40 === 0) {
      frames.push((ms - fromMs) % gopMs === 0 ? keyFrame(ms, sizeBytes) : interFrame(ms, sizeBytes));
    }
    if (kinds !== 'video') frames.push(sound(ms));
  }
  return frames;
}

/** The frames of an FLV file as a stream has them. */
export function framesOf(file: string): TestFrame[] {
  const frames: TestFrame[] = [];
  new FlvReader({
    onTag: (type, timestampMs, payload) => {
      const frameType = type as FrameType;
      const parsed = frameType === frameTypes.data ? parseMetadata(payload, []) : undefined;
      if (parsed !== undefined) frames.push(frame(frameType, frameFlags.metadata, timestampMs, parsed.payload));
      else frames.push(frame(frameType, classifyFrame(frameType, payload), timestampMs, Buffer.from(payload)));
    },
  }).receive(readFileSync(file));
  return frames;
}

/** A file as bytes: the whole of it, taken apart. */
export interface ReadFlv {
  readonly hasAudio: boolean;
  readonly hasVideo: boolean;
  readonly tags: readonly TestFrame[];
  /** Of the first tag. */
  readonly metadata: AmfObject;
  readonly durationMs: number;
  readonly sizeBytes: number;
  readonly keyFrames: readonly (readonly [timeMs: number, position: number])[];
  /** Of each tag in `tags`. */
  readonly positions: readonly number[];
}

export function readFlv(path: string): ReadFlv {
  const bytes = readFileSync(path);
  const tags: TestFrame[] = [];
  const positions: number[] = [];
  const warnings: string[] = [];
  let position = 13;
  const reader = new FlvReader({
    onTag: (type, timestampMs, payload) => {
      positions.push(position);
      position += encodeFlvTag(type, timestampMs, payload).length;
      const frameType = type as FrameType;
      tags.push(frame(frameType, classifyFrame(frameType, payload), timestampMs, Buffer.from(payload)));
    },
    onWarning: (message) => warnings.push(message),
  });
  reader.receive(bytes);
  reader.end();
  if (warnings.length > 0) throw new Error(`${path}: ${warnings.join(', ')}`);
  if (position !== bytes.length) throw new Error(`${path}: ${bytes.length} bytes, tags end at ${position}`);
  const [name, object] = decodeAmf0(tags[0]!.payload);
  if (name !== 'onMetaData' || !(object instanceof AmfObject)) throw new Error(`${path} does not begin with onMetaData`);
  const index = object.getObject('keyframes')!;
  const times = index.get('times') as number[];
  const filepositions = index.get('filepositions') as number[];
  const { hasAudio, hasVideo } = decodeFlvHeader(bytes);
  return {
    hasAudio,
    hasVideo,
    tags,
    positions,
    metadata: object,
    durationMs: Math.round(object.getNumber('duration')! * 1000),
    sizeBytes: object.getNumber('filesize')!,
    keyFrames: times.map((time, at) => [Math.round(time * 1000), filepositions[at]!]),
  };
}

/** Kind, time and a hash of the bytes of pictures, sounds and their headers. */
export function contentOf(tags: readonly TestFrame[], shiftMs = 0): string[] {
  return tags
    .filter(({ type }) => type !== frameTypes.data)
    .map(({ type, timestampMs, payload }) => `${type} ${timestampMs + shiftMs} ${hashOf(payload)}`);
}

function hashOf(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('hex').slice(0, 12);
}

export interface Publish {
  readonly consumer: FrameConsumer;
  send(frames: readonly TestFrame[]): void;
  end(): Promise<void>;
}

/** A feature with a directory of its own. */
export class DvrBench {
  readonly directory = mkdtempSync(join(tmpdir(), 'srs-dvr-'));
  readonly clock = new ManualClock({ wallMs: Date.UTC(2026, 0, 2, 3, 4, 5, 67) });
  readonly lines: LogLine[] = [];
  readonly recorded: RecordedFile[] = [];
  readonly feature: Feature<DvrSection> & DvrControl;

  readonly #tasks: RecordingTasks | undefined;

  constructor(options: Partial<DvrOptions> = {}) {
    this.#tasks = options.tasks;
    this.feature = dvrFeature({
      clock: this.clock,
      log: memoryLog(this.lines),
      isUtc: () => true,
      onRecorded: (file) => this.recorded.push(file),
      ...options,
    });
  }

  async close(): Promise<void> {
    await this.feature.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** All files below the directory, sorted. */
  files(): string[] {
    return readdirSync(this.directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(this.directory, join(entry.parentPath, entry.name)))
      .sort();
  }

  path(file: string): string {
    return join(this.directory, file);
  }

  /** @param dvr directives of the block; `PATH` is the directory */
  vhost(dvr = ''): VhostConfig {
    const path = dvr.includes('dvr_path') ? '' : 'dvr_path PATH;';
    return vhostOf(`listen 1935;\nvhost a.com { dvr { enabled on; ${path} ${dvr} } }`.replaceAll('PATH', this.directory));
  }

  publish(dvr = '', name = 'show'): Publish {
    const vhost = this.vhost(dvr);
    const consumer = this.feature.open(this.stream(vhost, name), this.feature.select(vhost, `a.com/live/${name}`)!);
    if (consumer === undefined) throw new Error('the stream is left out');
    return {
      consumer,
      send: (frames) => {
        for (const each of frames) this.#give(consumer, each);
      },
      end: () => consumer.onEnd('unpublished'),
    };
  }

  /** A publish from its begin to its end. */
  async record(frames: readonly TestFrame[], dvr = ''): Promise<void> {
    const publish = this.publish(dvr);
    publish.send(frames);
    await publish.end();
  }

  /** Completes what was interrupted. */
  async repair(dvrPath = this.directory): Promise<readonly RepairedFile[]> {
    const tasks = this.#tasks;
    return await repairRecordings([dvrPath], { clock: systemClock, log: memoryLog(this.lines), ...(tasks && { tasks }) });
  }

  stream(vhost: VhostConfig, name: string): OutputStream {
    return {
      streamId: `a.com/live/${name}`,
      vhost,
      app: 'live',
      name,
      publisher: { slot: 1, pid: 1, cid: 7, ip: '127.0.0.1' },
      param: '',
      log: memoryLog(this.lines, 7),
      dismissPublisher: () => {},
      isPulled: false,
      hops: [],
      resume: () => {},
    };
  }

  /** The payload is overwritten afterwards, so that a recorder that keeps a view of it is found out. */
  #give(consumer: FrameConsumer, { type, flags, timestampMs, payload }: TestFrame): void {
    const lent = Buffer.from(payload);
    consumer.onFrame(type, flags, timestampMs, this.clock.nowMs() % 2 ** 32, lent);
    lent.fill(0xee);
  }
}

function vhostOf(text: string): VhostConfig {
  return loadConfig(text, { fileName: 'srs.conf' }).config.vhosts.get('a.com')!;
}

/** A thread that repairs files for all tests of a file. */
function useTasks(): RecordingTasks {
  const tasks = new RecordingTasks();
  afterAll(() => tasks.close());
  return tasks;
}

/** A bench for each test of a file. */
export function useBench(options: Partial<DvrOptions> = {}): () => DvrBench {
  let bench: DvrBench;
  const tasks = useTasks();
  beforeEach(() => {
    bench = new DvrBench({ tasks, ...options });
  });
  afterEach(() => bench.close());
  return () => bench;
}
