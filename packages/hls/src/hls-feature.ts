/** HLS of published streams. */
import type { HlsConfig } from '@srs/config';
import type { Clock, Log } from '@srs/kernel';
import type { Feature, FrameConsumer, OutputStream } from '@srs/stream';
import { HlsOutput } from './hls-output.ts';
import type { SegmentEvent } from './segment-event.ts';
import { createTsMuxer } from './segment-muxer.ts';
import { SegmentNames } from './segment-names.ts';
import { diskStore } from './store-disk.ts';
import { StreamFiles } from './stream-files.ts';

export interface HlsFeatureOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Unpredictable bytes, for keys. */
  readonly randomBytes: (size: number) => Buffer;
  /** A segment is complete and in its playlist. */
  readonly onSegment: (segment: SegmentEvent) => void;
}

/** So many streams that were removed are remembered, so that their numbers go on. */
const MAX_REMEMBERED_STREAMS = 10_000;

export function hlsFeature(options: HlsFeatureOptions): Feature<HlsConfig> {
  const { clock, log, randomBytes, onSegment } = options;
  const store = diskStore;
  /** By the path of the playlist: two streams, or two publishes of one, may meet there. */
  const streams = new Map<string, StreamFiles>();
  const writers = new Map<string, string>();

  const open = (stream: OutputStream, config: HlsConfig): FrameConsumer | undefined => {
    const names = new SegmentNames(config, { vhost: stream.vhost.name, app: stream.app, stream: stream.name });
    const path = names.playlistPath;
    const writer = writers.get(path);
    if (writer !== undefined) {
      stream.log.error(`hls: ${path} is left to ${writer}, which is being written there; hls_m3u8_file must tell streams apart`);
      return undefined;
    }
    const files = streams.get(path) ?? new StreamFiles({ store, clock, log });
    // Those that have been used last stay longest.
    streams.delete(path);
    streams.set(path, files);
    writers.set(path, stream.streamId);
    const onEnded = (): void => {
      writers.delete(path);
      forget(streams, writers);
    };
    return new HlsOutput({
      stream,
      config,
      names,
      files,
      store,
      clock,
      randomBytes,
      createMuxer: createTsMuxer,
      onSegment,
      onEnded,
    });
  };

  return {
    name: 'hls',
    select: ({ hls }) => (hls.enabled ? hls : null),
    open,
    async close() {
      await Promise.all(Array.from(streams.values(), (files) => files.close()));
      streams.clear();
    },
  };
}

/** Lets go of what nothing is going on with. */
function forget(streams: Map<string, StreamFiles>, writers: ReadonlyMap<string, string>): void {
  let surplus = streams.size - MAX_REMEMBERED_STREAMS;
  for (const [path, files] of streams) {
    if (writers.has(path) || !files.isIdle || (files.isRemembered && surplus <= 0)) continue;
    streams.delete(path);
    surplus -= 1;
  }
}
