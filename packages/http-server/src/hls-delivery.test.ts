import type { IncomingMessage } from 'node:http';
import { AddressLimiter, AddressTable, addressTableBytes, ViewerTable, viewerTableBytes } from '@srs/access';
import type { ClientHooks, HookSubject } from '@srs/clients';
import { ManualClock, SrsError } from '@srs/kernel';
import type { OutputAnswer } from '@srs/stream';
import { describe, expect, it } from 'vitest';
import { HlsDelivery } from './hls-delivery.ts';
import { HlsPlaylists } from './hls-playlists.ts';
import { HlsViewers } from './hls-viewers.ts';
import { type MediaOptions, TestMedia } from './media-test-support.ts';
import { OutputServer } from './output-server.ts';

const playlist = '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4.0,\none-0.ts\n#EXTINF:4.0,\none-1.ts\n';
const get = (url: string): string => `GET ${url} HTTP/1.1\r\nHost: a\r\n\r\n`;

/** Two http workers in one process, over the same memory. */
class TestHls {
  readonly clock = new ManualClock();
  readonly events: string[] = [];
  readonly memory = new Map<string, string>();
  readonly media: TestMedia[] = [];
  readonly viewers: HlsViewers[] = [];
  readonly #memory = Buffer.alloc(viewerTableBytes(256));
  readonly table = new ViewerTable(this.#memory, 2);
  /** Does the hook server say no? */
  isRefusing = false;
  /** Is called when the playlist was looked for and is not there, and may make it. */
  onAbsent = (): void => {};

  static async start(hls: string, more = '', options: Omit<MediaOptions, 'vhosts' | 'parts'> = {}): Promise<TestHls> {
    const test = new TestHls();
    const vhosts = `vhost __defaultVhost__ { hls { enabled on; hls_path DIR/www; hls_fragment 4; ${hls} } ${more} }`;
    const addresses = Buffer.alloc(addressTableBytes(2, 256));
    for (const slot of [0, 1]) {
      const media = await TestMedia.start({
        ...options,
        vhosts,
        clock: test.clock,
        parts: (services, files) => {
          const outputs = new OutputServer({ ...services, ask: async ({ path }) => test.#output(path) });
          const viewers = new HlsViewers({
            ...services,
            drain: { assertOpen: () => {} },
            hooks: test.#hooks(),
            nextCid: () => test.viewers.reduce((sum, each) => sum + each.registry.counts().accepted, 200),
            addresses: new AddressLimiter({
              table: new AddressTable(addresses, { slots: 2, slot, seed: 1 }),
              limits: () => services.config().limits,
              clock: test.clock,
            }),
            viewers: new ViewerTable(test.#memory, slot),
            sweepMs: 5,
          });
          test.viewers.push(viewers);
          const playlists = new HlsPlaylists({ ...services, outputs, files });
          const delivery = new HlsDelivery({ ...services, playlists, viewers, sources: [outputs, files] });
          const hides = (request: IncomingMessage): boolean => delivery.hides(request);
          return { plugins: [delivery.routes(), outputs.routes(hides)], sources: [delivery, outputs], hides };
        },
      });
      test.media.push(media);
      media.write('www/live/one.m3u8', playlist);
      media.write('www/live/one-0.ts', 'x'.repeat(1000));
    }
    test.memory.set('live/one.m3u8', playlist).set('live/one-0.ts', 'x'.repeat(1000));
    return test;
  }

  get worker(): TestMedia {
    return this.media[0]!;
  }

  /** @returns the URL in the playlist of one playlist */
  async begin(url = '/live/one.m3u8', worker = this.worker): Promise<string> {
    const answer = await worker.ask(url);
    expect(answer).toMatchObject({ status: 200, headers: { 'cache-control': 'no-store' } });
    const [, uri = ''] = /#EXT-X-STREAM-INF:BANDWIDTH=1,AVERAGE-BANDWIDTH=1\n(\S+)\n/.exec(answer.bytes.toString()) ?? [];
    return new URL(uri, `http://a${url}`).href.slice('http://a'.length);
  }

  clients() {
    return this.viewers.flatMap(({ registry }) => Array.from(registry.clients(), (client) => client.describe()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const viewers of this.viewers) await viewers.close(0);
    for (const media of this.media) await media[Symbol.asyncDispose]();
  }

  #output(path: string): OutputAnswer {
    const text = this.memory.get(path);
    if (text === undefined) {
      this.onAbsent();
      return { status: 404, reason: 'none' };
    }
    const contentType = path.endsWith('m3u8') ? 'application/vnd.apple.mpegurl' : 'video/mp2t';
    return { status: 200, contentType, body: Buffer.from(text), maxAgeSeconds: 1 };
  }

  #hooks(): ClientHooks {
    const note = (event: string, { stream = '', param, ip }: HookSubject): void => {
      this.events.push(`${event} ${stream}${param} ${ip}`);
    };
    return {
      isAsked: () => true,
      ask: async (event, subject) => {
        note(event, subject);
        if (this.isRefusing) throw new SrsError('HttpAnswer', 'the hook server says no');
        return 1;
      },
      tell: (event, subject, _, traffic) => {
        note(event, subject);
        if (traffic !== undefined) this.events.push(`${traffic.sendBytes > 0 ? 'some' : 'no'} bytes`);
      },
    };
  }
}

const storages = [
  ['on disk', ''],
  ['in memory', 'hls_storage memory;'],
] as const;

describe.each(storages)('a viewer of HLS %s', (_, storage) => {
  it('gets a playlist of one playlist, then the one with the session in all URIs, whatever worker it asks', async () => {
    await using test = await TestHls.start(`hls_ctx on; ${storage}`);
    const url = await test.begin('/live/one.m3u8?token=a%20b');
    expect(url).toMatch(/^\/live\/one\.m3u8\?token=a%20b&hls_ctx=[\w-]{22}$/);
    const key = url.slice(-22);
    for (const worker of test.media) {
      const connection = await worker.keepAlive();
      // Thrice: as every request, and twice past the routes.
      for (let times = 0; times < 3; times += 1) {
        expect((await connection.ask(get(url))).body.toString()).toBe(playlist.replaceAll('.ts', `.ts?hls_ctx=${key}`));
        expect((await connection.ask(get(`/live/one-0.ts?hls_ctx=${key}`))).body.length).toBe(1000);
      }
      connection.socket.destroy();
    }
    expect(test.events).toEqual(['on_play one?token=a%20b 127.0.0.1']);
    expect(test.clients()).toMatchObject([
      {
        type: 'play',
        protocol: 'hls',
        streamId: '__defaultVhost__/live/one',
        ip: '127.0.0.1',
        tcUrl: `http://127.0.0.1:${test.worker.port}/live/one?token=***`,
      },
    ]);
    await expect.poll(() => test.clients()[0]?.sendBytes).toBeGreaterThan(6000);
  });

  it('is over when it has asked for nothing for three target durations, and comes in again with its next request', async () => {
    await using test = await TestHls.start(`hls_ctx on; ${storage}`);
    const url = await test.begin();
    test.clock.advance(11_900);
    expect((await test.media[1]!.ask(url)).status).toBe(200);
    test.clock.advance(11_900);
    expect((await test.worker.ask(url)).status).toBe(200);
    expect(test.events).toEqual(['on_play one 127.0.0.1']);
    test.clock.advance(12_000);
    await expect.poll(() => test.events).toEqual(['on_play one 127.0.0.1', 'on_stop one 127.0.0.1']);
    expect(test.clients()).toEqual([]);
    expect(test.viewers[0]?.registry.departures()).toMatchObject([{ reason: 'asked for nothing for 12 s' }]);
    // Its segments are still its own.
    expect((await test.worker.ask(url.replace('one.m3u8', 'one-0.ts'))).status).toBe(200);
    expect((await test.media[1]!.ask(url)).bytes.toString()).toContain(`one-1.ts?hls_ctx=${url.slice(-22)}`);
    expect(test.events).toHaveLength(3);
    expect(test.clients()).toHaveLength(1);
  });

  it('gets the segments of its stream only, also when the process that knew it is dead', async () => {
    await using test = await TestHls.start(`hls_ctx on; ${storage}`);
    for (const media of test.media) media.write('www/live/two-0.ts', 'other');
    test.memory.set('live/two-0.ts', 'other');
    const url = await test.begin();
    const statusOf = async (name: string): Promise<number> => (await test.media[1]!.ask(url.replace('one.m3u8', name))).status;
    expect([await statusOf('one-0.ts'), await statusOf('two-0.ts')]).toEqual([200, 403]);
    test.table.clearSlot(0);
    expect([await statusOf('one-0.ts'), await statusOf('two-0.ts')]).toEqual([200, 403]);
    expect(await statusOf('one.m3u8')).toBe(200);
    expect(test.events).toEqual(['on_play one 127.0.0.1', 'on_play one 127.0.0.1']);
    expect([await statusOf('one-0.ts'), await statusOf('two-0.ts')]).toEqual([200, 403]);
  });

  it('that was sent away is refused for as long as it asks', async () => {
    await using test = await TestHls.start(`hls_ctx on; ${storage}`);
    const url = await test.begin();
    test.viewers[0]?.registry.find(test.clients()[0]!.id)?.dismiss('disconnected by the operator');
    for (const worker of test.media) {
      for (const asked of [url, url.replace('one.m3u8', 'one-0.ts')])
        expect(await worker.ask(asked)).toMatchObject({ status: 403, body: { data: { error: 'this viewer was sent away' } } });
    }
    expect(test.events).toEqual(['on_play one 127.0.0.1', 'on_stop one 127.0.0.1']);
    test.clock.advance(60_000);
    await expect.poll(() => test.table.stateOf(test.table.find(url.slice(-22)))).toBe('ended');
    expect((await test.worker.ask(url)).status).toBe(200);
  });

  it('gets segments with a session only, unless hls_ts_ctx is off', async () => {
    await using test = await TestHls.start(`hls_ctx on; ${storage}`);
    for (const query of ['', '?hls_ctx=x', `?hls_ctx=${'x'.repeat(22)}`])
      expect((await test.worker.ask(`/live/one-0.ts${query}`)).status).toBe(403);
    expect((await test.worker.ask('/live/none-0.ts')).status).toBe(404);
    await using open = await TestHls.start(`hls_ctx on; hls_ts_ctx off; ${storage}`);
    const url = await open.begin();
    expect((await open.worker.ask(url)).bytes.toString()).toBe(playlist);
    expect((await open.worker.ask('/live/one-0.ts')).status).toBe(200);
  });

  it('has no session when the hook server or a rule says no', async () => {
    await using test = await TestHls.start(`hls_ctx on; ${storage}`, 'refer_play good.test;');
    const ask = (headers: Readonly<Record<string, string>>, query = '') => test.worker.ask(`/live/one.m3u8${query}`, { headers });
    expect(await ask({})).toMatchObject({ status: 403 });
    expect(await ask({ referer: 'https://bad.test/' }, `?hls_ctx=${'x'.repeat(22)}`)).toMatchObject({ status: 403 });
    test.isRefusing = true;
    expect(await ask({ referer: 'https://good.test/' })).toMatchObject({ status: 403 });
    expect(test.events).toEqual(['on_play one 127.0.0.1']);
    expect(test.clients()).toEqual([]);
    test.isRefusing = false;
    expect(await ask({ referer: 'https://good.test/' })).toMatchObject({ status: 200 });
  });
});

describe('without sessions', () => {
  it.each(storages)('the playlist %s is what it is, and the rules count for each request', async (_, storage) => {
    await using test = await TestHls.start(`hls_ctx off; ${storage}`, 'security { enabled on; allow play 127.0.0.1; }');
    const connection = await test.worker.keepAlive();
    const statuses = async (): Promise<string[]> => {
      const answers: string[] = [];
      for (const url of ['/live/one.m3u8', '/live/one-0.ts', '/live/one.m3u8?x', '/live/one.m3u%38'])
        answers.push((await connection.ask(get(url))).head.slice(9, 12));
      return answers;
    };
    expect((await test.worker.ask('/live/one.m3u8')).bytes.toString()).toBe(playlist);
    for (let times = 0; times < 3; times += 1) expect(await statuses()).toEqual(['200', '200', '200', '200']);
    const vhosts = `vhost __defaultVhost__ { hls { enabled on; hls_path DIR/www; hls_ctx off; ${storage} } security { enabled on; deny play 127.0.0.1; } }`;
    test.worker.reload({ vhosts });
    for (let times = 0; times < 3; times += 1) expect(await statuses()).toEqual(['403', '403', '403', '403']);
    expect((await test.worker.ask('/live/one.m3u8', { method: 'HEAD' })).status).toBe(403);
    // What is no stream of the vhost has no rules.
    test.worker.write('www/other.txt', 'text');
    expect((await test.worker.ask('/other.txt')).status).toBe(200);
    expect((await test.worker.ask('/live/none.m3u8')).status).toBe(404);
    expect(test.events).toEqual([]);
  });

  it('a link to the directory of a vhost is no way around its rules', async () => {
    await using test = await TestHls.start('hls_path DIR/www/../www;', 'security { enabled on; deny play all; }');
    expect((await test.worker.ask('/live/one.m3u8')).status).toBe(403);
  });
});

describe('hls_ctx auto', () => {
  it.each([
    ['nothing', '', false],
    ['a hook for plays', 'http_hooks { enabled on; on_play http://127.0.0.1:1/; }', true],
    ['other hooks', 'http_hooks { enabled on; on_publish http://127.0.0.1:1/; }', false],
    ['rules of addresses', 'security { enabled on; allow play all; }', true],
    ['keys', 'play_auth { enabled on; key a-long-enough-key-1; }', true],
  ])('gives sessions where a vhost has %s: %s is %j', async (_, more, hasSessions) => {
    await using test = await TestHls.start('', more);
    const answer = await test.worker.ask('/live/one.m3u8?key=a-long-enough-key-1');
    expect(answer.bytes.toString().includes('#EXT-X-STREAM-INF')).toBe(hasSessions);
  });
});

it('players_per_ip counts viewers of HLS, over all workers', async () => {
  await using test = await TestHls.start('hls_ctx on;', '} limits { players_per_ip 2; exempt 10.0.0.0/8;');
  const urls = [await test.begin(), await test.begin('/live/one.m3u8', test.media[1])];
  const refused = await test.media[1]!.ask('/live/one.m3u8');
  expect(refused.status).toBe(429);
  for (const url of urls) expect((await test.worker.ask(url)).status).toBe(200);
  test.clock.advance(12_000);
  await expect.poll(() => test.clients()).toEqual([]);
  await test.begin();
});

it('keys that somebody makes up are viewers like all others: so many, and no more', async () => {
  await using test = await TestHls.start('hls_ctx on;', '} max_connections 20; vhost other {');
  const statuses: number[] = [];
  for (let index = 0; index < 30; index += 1) {
    const key = Buffer.alloc(16, index + 1).toString('base64url');
    statuses.push((await test.worker.ask(`/live/one.m3u8?hls_ctx=${key}`)).status);
  }
  expect(statuses.filter((status) => status === 200)).toHaveLength(20);
  expect(statuses.filter((status) => status === 503)).toHaveLength(10);
  expect(test.clients()).toHaveLength(20);
});

it('a vhost that another vhost names in a query has its own rules', async () => {
  const strict = 'security { enabled on; deny play all; } } vhost lenient { hls { enabled on; hls_path DIR/www; }';
  await using test = await TestHls.start('hls_ctx on;', strict);
  const answers = await Promise.all(
    ['', '?vhost=lenient', '?vhost=__defaultVhost__'].map((query) => test.worker.ask(`/live/one.m3u8${query}`)),
  );
  // Where two write the same names to one directory, nobody can say whose the file is.
  expect(answers.map(({ status }) => status)).toEqual([403, 200, 403]);
});

it('a reload that ends sessions ends viewers, and the end of the server too', async () => {
  await using test = await TestHls.start('hls_ctx on;');
  await test.begin();
  test.viewers[0]?.configure(test.worker.config);
  expect(test.events).toEqual(['on_play one 127.0.0.1']);
  test.worker.reload({ vhosts: 'vhost __defaultVhost__ { hls { enabled on; hls_path DIR/www; hls_ctx off; } }' });
  test.viewers[0]?.configure(test.worker.config);
  expect(test.events).toEqual(['on_play one 127.0.0.1', 'on_stop one 127.0.0.1']);
  await test.begin('/live/one.m3u8', test.media[1]);
  await test.viewers[1]?.close(1000);
  expect(test.events.slice(2)).toEqual(['on_play one 127.0.0.1', 'on_stop one 127.0.0.1']);
});

it('a playlist that comes while it is looked for is not given past the rules and the session', async () => {
  await using test = await TestHls.start('hls_ctx on; hls_storage memory;');
  test.onAbsent = () => void test.memory.set('live/late.m3u8', playlist);
  expect((await test.worker.ask('/live/late.m3u8')).status).toBe(404);
  await test.begin('/live/late.m3u8');
  expect(test.events).toEqual(['on_play late 127.0.0.1']);
});
