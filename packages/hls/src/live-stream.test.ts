import { createDecipheriv } from 'node:crypto';
import { frameTypes, ManualClock, silentLog } from '@srs/kernel';
import type { OutputAnswer } from '@srs/stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ivOf } from './encryption.ts';
import { type HlsFeature, hlsFeature } from './hls-feature.ts';
import { hlsVhost, testStream } from './hls-test-support.ts';
import { readLowLatency } from './ll-checker-test-support.ts';

const video = Buffer.from('17000000000142c01effe1000a6742c01ed9005005bb01000468ce3c80', 'hex');
let clock: ManualClock;
let feature: HlsFeature;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  clock = new ManualClock();
  feature = hlsFeature({ clock, log: silentLog, randomBytes: (size) => Buffer.alloc(size, 1), onSegment: () => {} });
});

afterEach(async () => {
  await feature.close();
  vi.useRealTimers();
});

class Publish {
  readonly consumer;
  #atMs = 0;

  constructor(options = '', name = 'livestream') {
    const vhost = hlsVhost(`${options} hls_format ll; hls_fragment 2; hls_part_duration 200ms;`);
    this.consumer = feature.open(testStream(vhost, name), vhost.hls)!;
    this.consumer.onFrame(frameTypes.video, 2, 0, 0, video);
  }

  /** Pictures for so long, a key frame each two seconds. */
  async play(ms: number): Promise<void> {
    const endMs = this.#atMs + ms;
    for (; this.#atMs < endMs; this.#atMs += 40) {
      const flags = this.#atMs % 2000 === 0 ? 1 : 0;
      const payload = Buffer.from(`${flags === 1 ? '17' : '27'}010000000000000165aa`, 'hex');
      this.consumer.onFrame(frameTypes.video, flags, this.#atMs, clock.wallMs() % 2 ** 32, payload);
      await pass(40);
    }
  }
}

async function pass(ms: number): Promise<void> {
  clock.advance(ms);
  await vi.advanceTimersByTimeAsync(ms);
}

interface Asked {
  answer: OutputAnswer | undefined;
  abort(): void;
}

function ask(path: string, query = ''): Asked {
  const gone = new AbortController();
  const asked: Asked = { answer: undefined, abort: () => gone.abort() };
  void feature.answer({ vhost: 'a.com', path, query, signal: gone.signal }).then((answer) => {
    asked.answer = answer;
  });
  return asked;
}

async function text(query = '', path = 'live/livestream.m3u8'): Promise<string> {
  const asked = ask(path, query);
  await vi.advanceTimersByTimeAsync(0);
  if (asked.answer?.status !== 200) throw new Error(`answer ${JSON.stringify(asked.answer)}`);
  return asked.answer.body.toString();
}

const playlist = 'live/livestream.m3u8';
/** The number of the first segment: seconds since 1970. */
const first = 1_700_000_000;

describe('a playlist is answered', () => {
  it('with its parts and the hint of the next one', async () => {
    await new Publish().play(2600);
    const got = await text();
    expect(got).toContain('#EXT-X-PART-INF:PART-TARGET=0.200\n');
    expect(got).toContain('CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=12.000,HOLD-BACK=6.000,PART-HOLD-BACK=0.600');
    expect(got).toContain(`#EXT-X-PART:DURATION=0.200,URI="livestream-${first}.0.m4s",INDEPENDENT=YES\n`);
    expect(got.trimEnd().split('\n').at(-1)).toBe(`#EXT-X-PRELOAD-HINT:TYPE=PART,URI="livestream-${first + 1}.2.m4s"`);
    const reading = readLowLatency(got);
    expect([reading.parts.length, reading.segments.get(first)]).toEqual([12, 2000]);
  });

  it('404 where there is no stream, or nothing of it yet', async () => {
    const publish = new Publish();
    for (const path of [playlist, 'live/other.m3u8', `live/livestream-${first}.5.m4s`]) {
      const asked = ask(path);
      await vi.advanceTimersByTimeAsync(0);
      expect(asked.answer).toMatchObject({ status: 404 });
    }
    await publish.play(40);
  });

  it('when it has the part that is asked for, one text for all', async () => {
    const publish = new Publish();
    await publish.play(2600);
    const asked = [1, 2, 3].map(() => ask(playlist, `_HLS_msn=${first + 1}&_HLS_part=2`));
    const later = ask(playlist, `_HLS_msn=${first + 1}&_HLS_part=3`);
    await publish.play(40);
    expect(asked.map(({ answer }) => answer?.status)).toEqual([200, 200, 200]);
    const bodies = asked.map(({ answer }) => (answer?.status === 200 ? answer.body : undefined));
    expect(bodies[1]).toBe(bodies[0]);
    expect(bodies[0]!.toString()).toContain(`livestream-${first + 1}.2.m4s",`.slice(0, -2));
    expect(asked[0]!.answer).toMatchObject({ contentType: 'application/vnd.apple.mpegurl', maxAgeSeconds: 12 });
    expect(later.answer).toBeUndefined();
    await publish.play(200);
    expect(later.answer?.status).toBe(200);
  });

  it('when it has the segment that is asked for, or the first part behind the last one of a segment', async () => {
    const publish = new Publish();
    await publish.play(2600);
    const whole = ask(playlist, `_HLS_msn=${first + 1}`);
    const behind = ask(playlist, `_HLS_msn=${first}&_HLS_part=10`);
    await vi.advanceTimersByTimeAsync(0);
    expect(behind.answer?.status).toBe(200);
    await publish.play(1400);
    expect(whole.answer).toBeUndefined();
    const next = ask(playlist, `_HLS_msn=${first + 2}&_HLS_part=0`);
    await publish.play(40);
    expect([whole.answer?.status, next.answer]).toEqual([200, undefined]);
    await publish.play(200);
    expect(next.answer?.status).toBe(200);
  });

  it('with the end of a segment and the hint of the next one, when its last part is asked for', async () => {
    const publish = new Publish();
    await publish.play(3960);
    const asked = ask(playlist, `_HLS_msn=${first + 1}&_HLS_part=9`);
    await publish.play(80);
    const got = asked.answer?.status === 200 ? asked.answer.body.toString() : '';
    expect(got).toContain(`#EXTINF:2.000,\nlivestream-${first + 1}.m4s\n`);
    expect(got.trimEnd().split('\n').at(-1)).toBe(`#EXT-X-PRELOAD-HINT:TYPE=PART,URI="livestream-${first + 2}.0.m4s"`);
  });

  it('400 at once for what is too far ahead or makes no sense', async () => {
    await new Publish().play(2600);
    const queries = [
      `_HLS_msn=${first + 3}`,
      `_HLS_msn=${first + 1}&_HLS_part=17`,
      '_HLS_part=1',
      '_HLS_msn=x',
      '_HLS_msn=-1',
      `_HLS_msn=${first + 2}&_HLS_part=15`,
    ];
    const asked = queries.map((query) => ask(playlist, query));
    const held = [ask(playlist, `_HLS_msn=${first + 2}`), ask(playlist, `_HLS_msn=${first + 1}&_HLS_part=16`)];
    await vi.advanceTimersByTimeAsync(0);
    expect(asked.map(({ answer }) => answer?.status)).toEqual([400, 400, 400, 400, 400, 400]);
    expect(held.map(({ answer }) => answer)).toEqual([undefined, undefined]);
  });

  it('without its oldest segments when the player has them', async () => {
    const publish = new Publish('hls_window 40;');
    await publish.play(30_080);
    const got = await text('_HLS_skip=YES');
    // Segments end at 2, 4 ... 30 s; those that end 12 s before the end, or earlier, are skipped.
    expect(got).toContain('#EXT-X-SKIP:SKIPPED-SEGMENTS=9\n');
    expect([...readLowLatency(got).segments.keys()]).toEqual([9, 10, 11, 12, 13, 14].map((number) => first + number));
    expect(got.match(/EXT-X-MAP/g)).toHaveLength(1);
    expect(await text()).not.toContain('EXT-X-SKIP');
  });
});

describe('what is held', () => {
  it('the hinted part comes when it is made', async () => {
    const publish = new Publish();
    await publish.play(2600);
    const hinted = ask(`live/livestream-${first + 1}.2.m4s`);
    const notHinted = ask(`live/livestream-${first + 1}.3.m4s`);
    await vi.advanceTimersByTimeAsync(0);
    expect([hinted.answer, notHinted.answer?.status]).toEqual([undefined, 404]);
    await publish.play(40);
    expect(hinted.answer).toMatchObject({ status: 200, contentType: 'video/mp4' });
  });

  it('ends with 503 after three target durations', async () => {
    await new Publish().play(2600);
    const asked = [ask(playlist, `_HLS_msn=${first + 2}`), ask(`live/livestream-${first + 1}.2.m4s`)];
    await pass(1000);
    const later = ask(playlist, `_HLS_msn=${first + 2}`);
    await pass(4999);
    expect(asked.map(({ answer }) => answer)).toEqual([undefined, undefined]);
    await pass(1);
    expect(asked.map(({ answer }) => answer?.status)).toEqual([503, 503]);
    expect(later.answer).toBeUndefined();
    await pass(1000);
    expect(later.answer?.status).toBe(503);
  });

  it('ends with the publish, the part with 404', async () => {
    const publish = new Publish();
    await publish.play(2600);
    const asked = [
      ask(playlist, `_HLS_msn=${first + 2}`),
      ask(playlist, `_HLS_msn=${first + 1}`),
      ask(`live/livestream-${first + 1}.3.m4s`),
    ];
    const hinted = ask(`live/livestream-${first + 1}.2.m4s`);
    await publish.consumer.onEnd('unpublished');
    await vi.advanceTimersByTimeAsync(0);
    // The last part, which was hinted at, and the last segment come with the end.
    expect(asked.map(({ answer }) => answer?.status)).toEqual([503, 200, 404]);
    expect(hinted.answer?.status).toBe(200);
    expect(await text()).not.toContain('PRELOAD-HINT');
  });

  it('ends when the server does, and when the stream is removed', async () => {
    const publish = new Publish('hls_dispose 3;');
    await publish.play(2600);
    await publish.consumer.onEnd('unpublished');
    const removed = ask(playlist, `_HLS_msn=${first + 3}`);
    await pass(3000);
    expect(removed.answer?.status).toBe(404);
    await new Publish().play(2600);
    const stopped = ask(playlist, `_HLS_msn=${first + 4}`);
    await vi.advanceTimersByTimeAsync(0);
    expect(stopped.answer).toBeUndefined();
    await feature.close();
    await vi.advanceTimersByTimeAsync(0);
    expect(stopped.answer?.status).toBe(503);
  });

  it('numbers and the playlist go on when the stream comes again', async () => {
    const publish = new Publish();
    await publish.play(2600);
    await publish.consumer.onEnd('unpublished');
    const asked = ask(playlist, `_HLS_msn=${first + 2}&_HLS_part=0`);
    await new Publish().play(240);
    expect(asked.answer?.status).toBe(200);
    const got = await text();
    expect(got).toContain(`#EXT-X-MEDIA-SEQUENCE:${first}\n`);
    expect(got).toContain(`#EXT-X-MAP:URI="livestream-init-${first + 2}.mp4"\n`);
  });

  it('10,000 requests wait in little memory, no more do, and all of them are answered', async () => {
    const publish = new Publish();
    await publish.play(2600);
    const query = `_HLS_msn=${first + 1}&_HLS_part=2`;
    const before = process.memoryUsage().heapUsed;
    const asked = Array.from({ length: 10_000 }, () => ask(playlist, query));
    await vi.advanceTimersByTimeAsync(0);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(60 * 1024 * 1024);
    const surplus = [ask(playlist, query), ask(`live/livestream-${first + 1}.2.m4s`)];
    await vi.advanceTimersByTimeAsync(0);
    expect(surplus.map(({ answer }) => answer?.status)).toEqual([503, 503]);
    for (const each of asked.slice(0, 100)) each.abort();
    await vi.advanceTimersByTimeAsync(0);
    expect(asked.slice(0, 101).map(({ answer }) => answer?.status)).toEqual([
      ...Array.from({ length: 100 }, () => 503),
      undefined,
    ]);
    const other = ask(playlist, query);
    await publish.play(40);
    expect([...asked.slice(100), other].every(({ answer }) => answer?.status === 200)).toBe(true);
    const bodies = new Set(asked.flatMap(({ answer }) => (answer?.status === 200 ? [answer.body] : [])));
    expect(bodies.size).toBe(1);
  });
});

it('segments of another format are let go of a minute after the change', async () => {
  const publish = new Publish('hls_storage memory; hls_format ts;');
  await publish.play(2600);
  await publish.consumer.onEnd('unpublished');
  const status = async (name: string): Promise<number | undefined> => {
    const asked = ask(`live/${name}`);
    await vi.advanceTimersByTimeAsync(0);
    return asked.answer?.status;
  };
  await new Publish().play(2600);
  expect(await text()).not.toContain('.ts');
  expect(await status(`livestream-${first}.ts`)).toBe(200);
  await pass(60_000);
  expect(await status(`livestream-${first}.ts`)).toBe(404);
  expect(await status(`livestream-${first + 2}.m4s`)).toBe(200);
});

async function bytesOf(name: string): Promise<Buffer> {
  const asked = ask(`live/${name}`);
  await vi.advanceTimersByTimeAsync(0);
  if (asked.answer?.status !== 200) throw new Error(`${name}: ${JSON.stringify(asked.answer)}`);
  return asked.answer.body;
}

async function decrypt(name: string, key: Buffer, sequence: number): Promise<Buffer> {
  const decipher = createDecipheriv('aes-128-cbc', key, ivOf(sequence));
  return Buffer.concat([decipher.update(await bytesOf(name)), decipher.final()]);
}

it('more than the memory of a stream ends its HLS with what was listed, and the next publish goes on', async () => {
  const publish = new Publish();
  await publish.play(400);
  const sound = Buffer.concat([Buffer.from('af01', 'hex'), Buffer.alloc(8 * 1024 * 1024)]);
  publish.consumer.onFrame(frameTypes.audio, 2, 400, 0, Buffer.from('af001210', 'hex'));
  const give = async (): Promise<void> => {
    for (let at = 440; at < 4000; at += 40) {
      publish.consumer.onFrame(frameTypes.audio, 0, at, 0, sound);
      publish.consumer.onFrame(frameTypes.video, at % 2000 === 0 ? 1 : 0, at, 0, Buffer.from('27010000000000000165aa', 'hex'));
      await pass(40);
    }
  };
  await expect(give()).rejects.toMatchObject({ errorName: 'HlsMemory' });
  await publish.consumer.onEnd('failed');
  const before = readLowLatency(await text());
  const sum = before.parts.reduce((total, part) => total + part.durationMs, 0);
  expect([...before.segments.values()].reduce((total, ms) => total + ms, 0)).toBe(sum);
  const again = new Publish();
  await again.play(240);
  const after = readLowLatency(await text());
  expect(after.parts[0]!.sequence).toBe(Math.max(...before.segments.keys()) + 1);
});

describe('with hls_keys', () => {
  const keys = 'hls_keys on; hls_fragments_per_key 2; hls_window 30;';

  it('each part and each whole segment is encrypted from its beginning, with the key that is named before it and its number', async () => {
    await new Publish(keys).play(5000);
    const { parts } = readLowLatency(await text());
    expect(parts.map(({ sequence, keyUri }) => `${sequence - first} ${keyUri}`)).toEqual([
      ...Array.from({ length: 10 }, () => `0 livestream-${first}.key`),
      ...Array.from({ length: 10 }, () => `1 livestream-${first}.key`),
      ...Array.from({ length: 4 }, () => `2 livestream-${first + 2}.key`),
    ]);
    for (const sequence of [first, first + 1]) {
      const key = await bytesOf(`livestream-${first}.key`);
      const own = parts.filter((part) => part.sequence === sequence);
      const media = Buffer.concat(await Promise.all(own.map(({ uri }) => decrypt(uri, key, sequence))));
      expect(media.toString('latin1', 4, 8)).toBe('moof');
      expect((await decrypt(`livestream-${sequence}.m4s`, key, sequence)).equals(media)).toBe(true);
    }
  });

  it('no key is in force where an init segment is named, and a text without its oldest segments says which is', async () => {
    const publish = new Publish(keys);
    await publish.play(21_000);
    await publish.consumer.onEnd('unpublished');
    await new Publish(keys).play(400);
    const tags = async (query: string): Promise<readonly string[]> =>
      Array.from((await text(query)).matchAll(/^#EXT-X-(?:MAP|KEY|SKIP):(?:METHOD=)?([^,\n]+)/gm), (match) => match[1]!);
    const init = (sequence: number): string => `URI="livestream-init-${sequence}.mp4"`;
    const rotations = (count: number): readonly string[] => Array.from({ length: count }, () => 'AES-128');
    expect(await tags('')).toEqual([init(first), ...rotations(6), 'NONE', init(first + 11), 'AES-128']);
    expect(await tags('_HLS_skip=YES')).toEqual([
      'SKIPPED-SEGMENTS=4',
      'NONE',
      init(first),
      ...rotations(4),
      'NONE',
      init(first + 11),
      'AES-128',
    ]);
  });

  it('what comes after they are switched off is not encrypted', async () => {
    const publish = new Publish(keys);
    await publish.play(1000);
    await publish.consumer.onEnd('unpublished');
    await new Publish('hls_window 30;').play(2400);
    const got = await text();
    expect(got.match(/^#EXT-X-KEY:METHOD=(?:NONE|AES-128)/gm)).toEqual(['#EXT-X-KEY:METHOD=AES-128', '#EXT-X-KEY:METHOD=NONE']);
    expect(readLowLatency(got).parts.map(({ keyUri }) => keyUri)).toEqual(Array.from({ length: 11 }));
  });

  it('a key that nothing was encrypted with does not stay', async () => {
    const publish = new Publish('hls_keys on; hls_fragments_per_key 1;');
    await publish.play(2080);
    await publish.consumer.onEnd('unpublished');
    await bytesOf(`livestream-${first}.key`);
    await expect(bytesOf(`livestream-${first + 1}.key`)).rejects.toThrow('404');
  });
});
