/** Configurations, streams, frames, a muxer and a feeder for tests of HLS. */
import { type HlsConfig, loadConfig, type VhostConfig } from '@srs/config';
import { type Clock, type FrameType, frameFlags, frameTypes, type LogLine, memoryLog, SrsError } from '@srs/kernel';
import type { FrameConsumer, OutputStream } from '@srs/stream';
import { HlsOutput, type HlsOutputOptions } from './hls-output.ts';
import type { SegmentEvent } from './segment-event.ts';
import type { CreateMuxer } from './segment-muxer.ts';
import { SegmentNames } from './segment-names.ts';
import type { HlsStore } from './store.ts';
import type { StreamFiles } from './stream-files.ts';

/** A vhost with HLS. @param text directives of its `hls` block @param more directives of the vhost */
export function hlsVhost(text = '', more = ''): VhostConfig {
  const source = `listen 1935; vhost a.com { ${more} hls { enabled on; ${text} } }`;
  return loadConfig(source, { fileName: 'srs.conf' }).config.vhosts.get('a.com')!;
}

export function hlsConfig(text = ''): HlsConfig {
  return hlsVhost(text).hls;
}

export interface TestStream extends OutputStream {
  readonly lines: readonly LogLine[];
  /** Why the publisher was disconnected, each time. */
  readonly dismissals: readonly string[];
}

export function testStream(vhost: VhostConfig, name = 'livestream', app = 'live'): TestStream {
  const lines: LogLine[] = [];
  const dismissals: string[] = [];
  const dismissPublisher = (reason: string): void => {
    dismissals.push(reason);
  };
  const streamId = `${vhost.name}/${app}/${name}`;
  const publisher = { slot: 0, pid: 1, cid: 100, ip: '127.0.0.1' };
  return {
    streamId,
    vhost,
    app,
    name,
    param: '',
    publisher,
    log: memoryLog(lines),
    dismissPublisher,
    isPulled: false,
    hops: [],
    resume: () => {},
    lines,
    dismissals,
  };
}

/** The text muxer, whose segments need another init segment with each header. */
export const createTextMp4Muxer: CreateMuxer = (output) => {
  const muxer = createTextMuxer(output);
  let version = 1;
  return {
    ...muxer,
    onHeader(type, payload) {
      muxer.onHeader(type, payload);
      version += 1;
    },
    init: () => ({ version, bytes: Buffer.from(`init ${version}`) }),
  };
};

/** Writes a line for each frame, sound only when it is asked for it or a picture comes, as a real muxer does. */
export const createTextMuxer: CreateMuxer = (output) => {
  let sound = '';
  const flush = (): void => {
    if (sound !== '') output(Buffer.from(sound));
    sound = '';
  };
  return {
    begin: () => output(Buffer.from('begin\n')),
    onHeader(_type, payload) {
      if (payload.includes('bad')) throw new SrsError('HlsDecode', 'bad header');
      output(Buffer.from(`header ${payload.toString('latin1', 2)}\n`));
    },
    onFrame(type, timestampMs, payload) {
      if (payload.includes('bad')) throw new SrsError('HlsDecode', 'bad frame');
      if (type === frameTypes.audio) {
        sound += `a${timestampMs}${payload.toString('latin1', 2)}\n`;
        return;
      }
      flush();
      output(Buffer.from(`${payload[0] === 0x17 ? 'K' : 'v'}${timestampMs}\n`));
    },
    end: flush,
    hasChanged: false,
    init: () => undefined,
  };
};

/** Gives frames to a consumer; the time of their arrival is that of the clock. */
export class Feeder {
  readonly consumer: FrameConsumer;
  readonly #clock: Clock;

  constructor(consumer: FrameConsumer, clock: Clock) {
    this.consumer = consumer;
    this.#clock = clock;
  }

  header(type: FrameType, text: string): void {
    this.#give(
      type,
      frameFlags.sequenceHeader,
      0,
      Buffer.from(type === frameTypes.video ? `\x17\0${text}` : `\xaf\0${text}`, 'latin1'),
    );
  }

  keyFrame(timestampMs: number): void {
    this.#give(frameTypes.video, frameFlags.keyFrame, timestampMs, Buffer.from([0x17, 1, 0, 0, 0, 9]));
  }

  picture(timestampMs: number, text = ''): void {
    this.#give(frameTypes.video, 0, timestampMs, Buffer.from(`\x27\x01\0\0\0${text}`, 'latin1'));
  }

  sound(timestampMs: number, text = ''): void {
    this.#give(frameTypes.audio, 0, timestampMs, Buffer.from(`\xaf\x01${text}`, 'latin1'));
  }

  /** Pictures each 40 ms, a key frame at the first and then each second. */
  pictures(fromMs: number, toMs: number): void {
    for (let at = fromMs; at < toMs; at += 40) {
      if ((at - fromMs) % 1000 === 0) this.keyFrame(at);
      else this.picture(at);
    }
  }

  sounds(fromMs: number, toMs: number): void {
    for (let at = fromMs; at < toMs; at += 20) this.sound(at);
  }

  #give(type: FrameType, flags: number, timestampMs: number, payload: Buffer): void {
    this.consumer.onFrame(type, flags, timestampMs, this.#clock.wallMs() % 2 ** 32, payload);
  }
}

export interface OutputParts {
  readonly store: HlsStore;
  readonly files: StreamFiles;
  readonly clock: Clock;
  readonly config: HlsConfig;
  readonly stream: OutputStream;
  readonly segments?: SegmentEvent[];
  readonly live?: HlsOutputOptions['live'];
}

export function testOutput({ store, files, clock, config, stream, segments = [], live }: OutputParts): HlsOutput {
  const names = new SegmentNames(config, { vhost: stream.vhost.name, app: stream.app, stream: stream.name });
  const randomBytes = (size: number): Buffer => Buffer.alloc(size, 7);
  const onSegment = (segment: SegmentEvent): void => {
    segments.push(segment);
  };
  const onEnded = (): void => {};
  return new HlsOutput({
    stream,
    config,
    names,
    files,
    store,
    clock,
    randomBytes,
    createMuxer: config.format === 'ts' ? createTextMuxer : createTextMp4Muxer,
    live,
    onSegment,
    onEnded,
  });
}
