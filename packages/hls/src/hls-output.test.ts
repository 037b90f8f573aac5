import { frameTypes, ManualClock, SrsError, silentLog } from '@srs/kernel';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { HlsOutput } from './hls-output.ts';
import { Feeder, hlsVhost, type TestStream, testOutput, testStream } from './hls-test-support.ts';
import { MemoryStore } from './memory-store-test-support.ts';
import { parsePlaylist } from './playlist-text.ts';
import type { SegmentEvent } from './segment-event.ts';
import { StreamFiles } from './stream-files.ts';

const { audio, video } = frameTypes;
const PLAYLIST = '/hls/live/livestream.m3u8';
const OPTIONS = 'hls_path /hls; hls_fragment 2; hls_window 6;';

let clock: ManualClock;
let store: MemoryStore;
let files: StreamFiles;
let segments: SegmentEvent[];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  clock = new ManualClock({ wallMs: Date.UTC(2026, 10, 28) });
  store = new MemoryStore(clock);
  segments = [];
  files = new StreamFiles({ store, clock, log: silentLog });
});

afterEach(() => {
  vi.useRealTimers();
});

interface Publish {
  readonly output: HlsOutput;
  readonly feed: Feeder;
  readonly stream: TestStream;
}

function publish(options = ''): Publish {
  const stream = testStream(hlsVhost(OPTIONS + options));
  const output = testOutput({ store, files, clock, config: stream.vhost.hls, stream, segments });
  return { output, stream, feed: new Feeder(output, clock) };
}

async function pass(ms: number): Promise<void> {
  clock.advance(ms);
  await vi.advanceTimersByTimeAsync(ms);
}

const content = (name: string): string | undefined => store.files.get(`/hls/live/${name}`)?.toString();
const playlist = (): string => store.files.get(PLAYLIST)?.toString() ?? '';
const listed = (): string[] => parsePlaylist(playlist()).segments.map(({ uri, durationMs }) => `${uri} ${durationMs}`);
const breaks = (): string[] =>
  parsePlaylist(playlist()).segments.flatMap(({ uri, isDiscontinuity }) => (isDiscontinuity ? [uri] : []));

async function publishOnce(toMs: number, options = ''): Promise<void> {
  const { feed, output } = publish(options);
  feed.header(video, 'sps');
  feed.pictures(0, toMs);
  await output.onEnd('unpublished');
}

describe('segments', () => {
  it('hold what comes from one key frame to another, and are listed when they are complete', async () => {
    const { feed, output } = publish();
    feed.header(video, 'sps');
    feed.keyFrame(0);
    feed.sound(1000);
    feed.keyFrame(2000);
    await vi.waitFor(() => expect(listed()).toEqual(['livestream-0.ts 2000']));
    expect(content('livestream-0.ts')).toBe('begin\nK0\na1000\n');
    expect([content('livestream-1.ts'), content('livestream-1.ts.tmp')]).toEqual([undefined, 'begin\nK2000\n']);
    feed.picture(2500);
    await output.onEnd('unpublished');
    expect(listed()).toEqual(['livestream-0.ts 2000', 'livestream-1.ts 1000']);
    expect(store.pathsOf('.tmp')).toEqual([]);
    expect(playlist()).not.toContain('ENDLIST');
  });

  it('each is told of when the playlist has it', async () => {
    const { feed, output, stream } = publish();
    feed.pictures(0, 2080);
    await vi.waitFor(() => expect(segments).toHaveLength(1));
    expect(listed()).toHaveLength(1);
    expect(segments[0]).toEqual({
      stream,
      durationMs: 2000,
      sequence: 0,
      file: '/hls/live/livestream-0.ts',
      url: 'live/livestream-0.ts',
      m3u8: PLAYLIST,
      m3u8Url: 'live/livestream.m3u8',
    });
    await output.onEnd('unpublished');
  });

  it('say how long they are when their name wants it', async () => {
    await publishOnce(2200, 'hls_ts_file [app]/[seq]_[duration].ts;');
    expect(listed()).toEqual(['0_2000.ts 2000', '1_200.ts 200']);
  });

  it('count fragments with hls_ts_floor, one for each', async () => {
    clock.advance(500);
    await publishOnce(6040, 'hls_ts_floor on; hls_ts_file [app]/[timestamp].ts;');
    const first = Date.UTC(2026, 10, 28) / 2000;
    expect(listed().map((each) => each.split('.')[0])).toEqual([first, first + 1, first + 2].map(String));
  });

  it('of less than 100 ms are dropped and their number comes again', async () => {
    await publishOnce(2080);
    expect(listed()).toEqual(['livestream-0.ts 2000']);
    await publishOnce(200);
    expect(listed()).toEqual(['livestream-0.ts 2000', 'livestream-1.ts 200']);
    expect(store.pathsOf('.ts')).toHaveLength(2);
  });

  it('leave out the track that hls_acodec an or hls_vcodec vn says', async () => {
    for (const options of ['hls_acodec an;', 'hls_vcodec vn;']) {
      const { feed, output } = publish(options);
      feed.header(video, 'sps');
      feed.header(audio, 'asc');
      feed.keyFrame(0);
      for (let at = 0; at <= 200; at += 20) feed.sound(at);
      feed.picture(200);
      await output.onEnd('unpublished');
    }
    expect(content('livestream-0.ts')).toBe('begin\nK0\nv200\n');
    expect(content('livestream-1.ts')).toMatch(/^begin\na0\na20\n.*a200\n$/s);
  });

  it('are encrypted, each with its number, a new key after so many', async () => {
    await publishOnce(10_000, 'hls_keys on; hls_fragments_per_key 2; hls_key_file_path /hls;');
    const keys = parsePlaylist(playlist()).segments.map(({ keyUri }) => keyUri);
    expect(keys).toEqual(['livestream-0.key', 'livestream-2.key', 'livestream-2.key', 'livestream-4.key']);
    expect(content('livestream-4.ts')).not.toContain('K8000');
    expect(store.missing).toEqual([]);
  });
});

describe('discontinuities', () => {
  it('the first segment of a publish is one, and has a date', async () => {
    await publishOnce(4000);
    await publishOnce(4000);
    expect(breaks()).toEqual(['livestream-0.ts', 'livestream-2.ts']);
    expect(playlist().match(/DATE-TIME:.*/g)).toEqual([
      'DATE-TIME:2026-11-28T00:00:00.000Z',
      'DATE-TIME:2026-11-28T00:00:00.000Z',
    ]);
  });

  it('another configuration ends the segment, a repeated one does not', async () => {
    const { feed, output } = publish();
    feed.header(video, 'sps');
    feed.pictures(0, 480);
    feed.header(video, 'sps');
    for (let at = 480; at < 1000; at += 40) feed.picture(at);
    feed.header(video, 'other');
    feed.picture(1000, 'cannot be decoded');
    feed.pictures(1040, 1240);
    await output.onEnd('unpublished');
    expect(listed()).toEqual(['livestream-0.ts 1000', 'livestream-1.ts 200']);
    expect(breaks()).toEqual(['livestream-0.ts', 'livestream-1.ts']);
    expect(content('livestream-1.ts')).toMatch(/^begin\nK1040\n/);
  });

  it('pictures that come to sound begin a segment', async () => {
    const { feed, output } = publish();
    feed.header(audio, 'asc');
    feed.sounds(0, 500);
    feed.header(video, 'sps');
    feed.keyFrame(500);
    feed.picture(700);
    await output.onEnd('unpublished');
    expect(listed()).toEqual(['livestream-0.ts 500', 'livestream-1.ts 400']);
    expect(content('livestream-1.ts')).toBe('begin\nK500\nv700\n');
  });

  it('lost frames make one, and pictures go on with a key frame', async () => {
    const { feed, output, stream } = publish();
    feed.pictures(0, 1000);
    output.onGap(25);
    feed.picture(2000);
    feed.pictures(2040, 3000);
    await output.onEnd('unpublished');
    expect(listed()).toEqual(['livestream-0.ts 1000', 'livestream-1.ts 960']);
    expect(breaks()).toEqual(['livestream-0.ts', 'livestream-1.ts']);
    expect(stream.lines.map((line) => line.text)).toContain('hls: 25 frames are lost, a discontinuity follows');
  });

  it('a time that begins anew makes one', async () => {
    const { feed, output } = publish();
    feed.pictures(100_000, 101_000);
    feed.pictures(0, 1000);
    await output.onEnd('unpublished');
    expect(listed()).toEqual(['livestream-0.ts 1000', 'livestream-1.ts 1000']);
    expect(breaks()).toEqual(['livestream-0.ts', 'livestream-1.ts']);
  });
});

describe('what came before', () => {
  it('is listed on by the next publish, and by another process', async () => {
    await publishOnce(4000);
    files = new StreamFiles({ store, clock, log: silentLog });
    await publishOnce(2000);
    expect(listed()).toEqual(['livestream-0.ts 2000', 'livestream-1.ts 2000', 'livestream-2.ts 2000']);
  });

  it('is removed when a killed process has not finished it', async () => {
    store.files.set('/hls/live/livestream-9.ts.tmp', Buffer.from('half'));
    store.files.set('/hls/live/livestream2-9.ts.tmp', Buffer.from('half'));
    await publishOnce(2000);
    expect(store.pathsOf('.tmp')).toEqual(['/hls/live/livestream2-9.ts.tmp']);
  });

  it('frames that come while it is read are kept', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    store.stall = promise;
    const { feed, output } = publish();
    feed.pictures(0, 1000);
    output.onGap(3);
    feed.pictures(5000, 6000);
    resolve();
    await output.onEnd('unpublished');
    expect(listed()).toEqual(['livestream-0.ts 1000', 'livestream-1.ts 1000']);
  });

  it('more than 32 MiB of them end HLS', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    store.stall = promise;
    const { feed, output } = publish();
    const large = 'x'.repeat(8 * 1024 * 1024);
    for (let count = 0; count < 3; count++) feed.sound(count, large);
    expect(() => feed.sound(3, large)).toThrow('the disk is too slow');
    resolve();
    await output.onEnd('failed');
    expect(store.versions).toEqual([]);
  });
});

describe('what is over', () => {
  it('keys that are named by the time have names of their own, though several come in one second', async () => {
    await publishOnce(
      8000,
      "hls_keys on; hls_fragments_per_key 1; hls_key_file_path /hls; hls_key_file '[app]/[15][04][05].key';",
    );
    const keys = parsePlaylist(playlist()).segments.map(({ keyUri }) => keyUri);
    expect(keys).toEqual(['000000.key', '000000-1.key', '000000-2.key', '000000-3.key']);
    expect(store.pathsOf('.key')).toHaveLength(4);
  });

  it('a key that no segment was encrypted with goes at the end of the publish', async () => {
    await publishOnce(2080, 'hls_keys on; hls_fragments_per_key 1; hls_key_file_path /hls;');
    expect([listed(), store.pathsOf('.key')]).toEqual([['livestream-0.ts 2000'], ['/hls/live/livestream-0.key']]);
  });

  it('segments and keys linger for one target duration', async () => {
    const { feed, output } = publish('hls_keys on; hls_fragments_per_key 2; hls_key_file_path /hls;');
    feed.pictures(0, 10_040);
    await vi.waitFor(() => expect(listed()[0]).toBe('livestream-1.ts 2000'));
    expect(store.pathsOf('.ts')).toHaveLength(5);
    await pass(2000);
    expect(store.pathsOf('.ts')).toEqual([1, 2, 3, 4].map((number) => `/hls/live/livestream-${number}.ts`));
    expect(store.pathsOf('.key')).toHaveLength(3);
    feed.pictures(10_040, 12_080);
    await vi.waitFor(() => expect(listed()[0]).toBe('livestream-2.ts 2000'));
    await pass(2000);
    expect(store.pathsOf('.key')).toEqual([2, 4, 6].map((number) => `/hls/live/livestream-${number}.key`));
    await output.onEnd('unpublished');
  });

  it('hls_cleanup off keeps them', async () => {
    await publishOnce(20_000, 'hls_cleanup off;');
    await pass(10_000);
    expect(store.pathsOf('.ts')).toHaveLength(10);
    expect(listed()).toHaveLength(4);
  });

  it('goes at once when the server ends', async () => {
    await publishOnce(20_000);
    expect(store.pathsOf('.ts')).toHaveLength(10);
    await files.close();
    expect(store.pathsOf('.ts')).toHaveLength(4);
  });

  it('hls_dispose removes everything when nobody publishes for so long, and the numbers go on', async () => {
    const options = 'hls_dispose 30; hls_keys on; hls_key_file_path /hls;';
    await publishOnce(8000, options);
    await pass(29_000);
    expect(store.pathsOf('.ts')).toHaveLength(4);
    await publishOnce(2000, options);
    await pass(29_999);
    expect(listed()).toHaveLength(4);
    await pass(1);
    expect([...store.files.keys()]).toEqual([]);
    await publishOnce(2000, options);
    expect(listed()).toEqual(['livestream-5.ts 2000']);
    expect(playlist()).toContain('#EXT-X-DISCONTINUITY-SEQUENCE:2\n');
  });

  it('numbers do not fall when somebody puts an old playlist there', async () => {
    await publishOnce(4000, 'hls_dispose 30;');
    const old = playlist();
    await publishOnce(4000, 'hls_dispose 30;');
    await pass(30_000);
    store.files.set(PLAYLIST, Buffer.from(old));
    await publishOnce(2000);
    expect(listed()).toEqual(['livestream-4.ts 2000']);
  });

  it('hls_dispose leaves what a server that ends has written', async () => {
    const { feed, output } = publish('hls_dispose 1;');
    feed.pictures(0, 4000);
    await output.onEnd('stopping');
    await pass(5000);
    expect(listed()).toHaveLength(2);
  });
});

describe('errors', () => {
  const full = new SrsError('FileWrite', 'write 188 bytes at 0 of /hls/live/livestream-1.ts.tmp', { cause: new Error('ENOSPC') });

  it('media that does not fit end HLS after what came before is listed', async () => {
    const { feed, output, stream } = publish();
    await store.check();
    feed.pictures(0, 1000);
    await vi.waitFor(() => expect(content('livestream-0.ts.tmp')).toBeDefined());
    expect(() => feed.picture(1000, 'bad')).toThrow('bad frame');
    feed.pictures(1040, 9000);
    await output.onEnd('failed');
    expect(listed()).toEqual(['livestream-0.ts 1040']);
    expect(stream.dismissals).toEqual([]);
  });

  it('hls_on_error disconnect closes the publisher', async () => {
    const { feed, output, stream } = publish('hls_on_error disconnect;');
    feed.pictures(0, 1000);
    await vi.waitFor(() => expect(content('livestream-0.ts.tmp')).toBeDefined());
    expect(() => feed.header(video, 'bad')).toThrow('bad header');
    expect(stream.dismissals).toEqual(['hls: bad header']);
    await output.onEnd('failed');
  });

  it('hls_on_error continue skips what is as long as the configuration, and closes the publisher for anything else', async () => {
    const { feed, output, stream } = publish('hls_on_error continue;');
    feed.header(audio, 'bad?'.replace('bad', 'asc'));
    feed.sounds(0, 1000);
    await vi.waitFor(() => expect(content('livestream-0.ts.tmp')).toBeDefined());
    feed.sound(1000, 'bad!');
    feed.sounds(1020, 2020);
    expect(() => feed.sound(2020, 'bad')).toThrow('bad frame');
    expect(stream.dismissals).toEqual(['hls: bad frame']);
    await output.onEnd('failed');
    expect(listed()).toEqual(['livestream-0.ts 2000']);
  });

  it('a full disk ends HLS at the next frame, once, and the next publish tries again', async () => {
    const { feed, output, stream } = publish();
    feed.pictures(0, 2040);
    await vi.waitFor(() => expect(listed()).toHaveLength(1));
    store.failure = full;
    feed.picture(2080);
    expect(() => feed.picture(2120)).toThrow(full);
    expect(() => feed.picture(2160)).not.toThrow();
    await output.onEnd('failed');
    expect([listed(), store.pathsOf('.tmp'), stream.dismissals]).toEqual([['livestream-0.ts 2000'], [], []]);
    store.failure = undefined;
    await publishOnce(2000);
    expect(listed()).toEqual(['livestream-0.ts 2000', 'livestream-1.ts 2000']);
  });

  it('a playlist that cannot be written leaves no segment behind', async () => {
    const { feed, output } = publish();
    feed.pictures(0, 2000);
    await vi.waitFor(() => expect(content('livestream-0.ts.tmp')).toBeDefined());
    const replace = vi.spyOn(store, 'replace').mockRejectedValue(full);
    await expect(output.onEnd('unpublished')).rejects.toBe(full);
    expect([...store.files.keys()]).toEqual([]);
    replace.mockRestore();
  });

  it('after an error nothing more is listed', async () => {
    const { feed, output } = publish();
    feed.pictures(0, 6000);
    await vi.waitFor(() => expect(content('livestream-2.ts.tmp')).toBeDefined());
    vi.spyOn(store, 'replace').mockRejectedValueOnce(full);
    feed.pictures(6000, 10_000);
    await expect(output.onEnd('unpublished')).rejects.toBe(full);
    expect([listed(), store.missing]).toEqual([['livestream-0.ts 2000', 'livestream-1.ts 2000'], []]);
    expect(store.pathsOf('').filter((path) => !path.endsWith('.m3u8'))).toHaveLength(2);
  });

  it.each([
    ['100 segments', ''],
    ['32 MiB', 'x'.repeat(2 * 1024 * 1024)],
  ])('more than %s that wait for a slow disk end HLS', async (_, sound) => {
    const { feed, output } = publish();
    feed.sound(0);
    await vi.waitFor(() => expect(content('livestream-0.ts.tmp')).toBeDefined());
    const { promise, resolve } = Promise.withResolvers<void>();
    store.stall = promise;
    let at = 0;
    const give = (): void => {
      for (; at < 300_000; at += 2000) feed.sound(at, sound);
    };
    expect(give).toThrow('the disk is too slow');
    expect(at).toBe(sound === '' ? 204_000 : 34_000);
    resolve();
    await output.onEnd('failed');
    expect(store.pathsOf('.tmp')).toEqual([]);
  });
});
