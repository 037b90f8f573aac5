/** HLS of published streams. */
import type { HlsConfig } from '@srs/config';
import type { Clock, Log } from '@srs/kernel';
import type { Feature, FrameConsumer, OutputAnswer, OutputRequest, OutputStream } from '@srs/stream';
import { HeldCount } from './held-requests.ts';
import { HlsOutput, isInMemory } from './hls-output.ts';
import { LiveStream } from './live-stream.ts';
import { mediaAnswer, notFound, playlistAnswer } from './memory-answers.ts';
import { MIN_FORMAT_LINGER_MS } from './playlist.ts';
import type { SegmentEvent } from './segment-event.ts';
import { createMp4Muxer, createTsMuxer } from './segment-muxer.ts';
import { SegmentNames } from './segment-names.ts';
import { diskStore } from './store-disk.ts';
import { MemoryPool, MemoryStore } from './store-memory.ts';
import { StreamFiles } from './stream-files.ts';

export interface HlsFeatureOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Unpredictable bytes, for keys. */
  readonly randomBytes: (size: number) => Buffer;
  /** A segment is complete and in its playlist. */
  readonly onSegment: (segment: SegmentEvent) => void;
}

export interface HlsFeature extends Feature<HlsConfig> {
  /** What is kept in memory. A request for what low-latency HLS has not made yet is held until it is there. */
  answer(request: OutputRequest): Promise<OutputAnswer>;
}

/** What is known of a playlist over its publishes. */
interface Entry {
  readonly files: StreamFiles;
  /** Undefined for files on disk. */
  readonly memory: MemoryStore | undefined;
  live: LiveStream | undefined;
}

/** So many streams that were removed are remembered, so that their numbers go on. */
const MAX_REMEMBERED_STREAMS = 10_000;
/** A playlist in memory may be this old to players: less than half of any target duration but the least. */
const PLAYLIST_AGE_SECONDS = 1;

export function hlsFeature(options: HlsFeatureOptions): HlsFeature {
  const { clock, log, randomBytes, onSegment } = options;
  const pool = new MemoryPool();
  const held = new HeldCount();
  const hints = new Map<string, LiveStream>();
  /** By the path of the playlist: two streams, or two publishes of one, may meet there. */
  const streams = new Map<string, Entry>();
  const writers = new Map<string, string>();

  const newEntry = (isMemory: boolean, isBackedUp: boolean): Entry => {
    if (!isMemory) return { files: new StreamFiles({ store: diskStore, clock, log }), memory: undefined, live: undefined };
    const memory = new MemoryStore(pool);
    // Where a server is backed up, numbers come from the encoder.
    const firstNumber = (): number => (isBackedUp ? 0 : Math.floor(clock.wallMs() / 1000));
    const onDispose = (): readonly string[] => entry.live?.remove() ?? [];
    const entry: Entry = {
      files: new StreamFiles({ store: memory, clock, log, firstNumber, forgetsNumbers: isBackedUp, onDispose }),
      memory,
      live: undefined,
    };
    return entry;
  };

  /** A playlist of the other kind is there now. Until then, players get the last one with low latency. */
  const endLive = (entry: Entry): void => {
    const left = entry.live?.remove() ?? [];
    entry.live = undefined;
    if (left.length > 0) entry.files.linger(left, MIN_FORMAT_LINGER_MS);
  };

  const open = (stream: OutputStream, config: HlsConfig): FrameConsumer | undefined => {
    const isMemory = isInMemory(config);
    const name = { vhost: stream.vhost.name, app: stream.app, stream: stream.name };
    const names = new SegmentNames(isMemory ? inMemory(config, stream.vhost.name) : config, name);
    const path = isMemory ? memoryKey(names.playlistPath) : names.playlistPath;
    const writer = writers.get(path);
    if (writer !== undefined) {
      stream.log.error(
        `hls: ${names.playlistPath} is left to ${writer}, which is being written there; hls_m3u8_file must tell streams apart`,
      );
      return undefined;
    }
    const entry = streams.get(path) ?? newEntry(isMemory, config.originBackup);
    // What was kept in memory before under the same URL has told players its numbers.
    const reached = isMemory ? undefined : streams.get(memoryKey(`/${name.vhost}/${names.playlistUrl}`))?.files.reached;
    if (reached !== undefined) entry.files.supersede(reached);
    // Those that have been used last stay longest.
    streams.delete(path);
    streams.set(path, entry);
    writers.set(path, stream.streamId);
    const isLowLatency = config.format === 'll';
    if (isLowLatency) entry.live ??= new LiveStream({ clock, count: held, hints, read: (path) => pool.get(path) });
    const onEnded = (): void => {
      writers.delete(path);
      forget(streams, writers);
    };
    const { files, memory, live } = entry;
    return new HlsOutput({
      stream,
      config,
      names,
      files,
      store: memory ?? diskStore,
      live: !isLowLatency || live === undefined || memory === undefined ? undefined : { stream: live, store: memory },
      clock,
      randomBytes,
      createMuxer: config.format === 'ts' ? createTsMuxer : createMp4Muxer,
      onSegment: (segment) => {
        if (!isLowLatency) endLive(entry);
        onSegment(segment);
      },
      onEnded,
    });
  };

  const answer = async ({ vhost, path, query, signal }: OutputRequest): Promise<OutputAnswer> => {
    const key = `/${vhost}/${path}`;
    const entry = streams.get(memoryKey(key));
    if (entry?.live !== undefined) return await entry.live.answerPlaylist(query, signal);
    const bytes = pool.get(key);
    if (bytes !== undefined) return entry === undefined ? mediaAnswer(key, bytes) : playlistAnswer(bytes, PLAYLIST_AGE_SECONDS);
    return (await hints.get(key)?.answerHinted(key, signal)) ?? notFound;
  };

  return {
    name: 'hls',
    select: ({ hls }) => (hls.enabled ? hls : null),
    open,
    answer,
    async close() {
      for (const { live } of streams.values()) live?.close();
      await Promise.all(Array.from(streams.values(), ({ files }) => files.close()));
      streams.clear();
    },
  };
}

/** In memory, playlists, segments and keys stand where their URLs say, apart for each vhost. */
function inMemory(config: HlsConfig, vhost: string): HlsConfig {
  return { ...config, path: `/${vhost}`, keys: { ...config.keys, keyFilePath: `/${vhost}` } };
}

/** No path on disk is like it. */
function memoryKey(path: string): string {
  return `memory:${path}`;
}

/** Lets go of what nothing is going on with. */
function forget(streams: Map<string, Entry>, writers: ReadonlyMap<string, string>): void {
  let surplus = streams.size - MAX_REMEMBERED_STREAMS;
  for (const [path, { files }] of streams) {
    if (writers.has(path) || !files.isIdle || (files.isRemembered && surplus <= 0)) continue;
    streams.delete(path);
    surplus -= 1;
  }
}
