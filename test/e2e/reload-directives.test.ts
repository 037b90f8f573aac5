/** Every directive that a reload makes count at once: changed, reloaded, seen, while an unrelated player goes on. */
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { AmfObject, encodeAmf0 } from '@srs/amf';
import { frameTypes } from '@srs/kernel';
import { chunkStreamIds, DEFAULT_CHUNK_SIZE, encodeMessage, messageTypes } from '@srs/rtmp';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { RawRtmp } from '../support/raw-rtmp.ts';
import type { LivePlayer } from './live-client-test-support.ts';
import { type Change, ReloadRig } from './reload-test-support.ts';
import { allClients } from './server-view-test-support.ts';

let rig: ReloadRig;
beforeAll(async () => {
  rig = await ReloadRig.start();
});
afterEach(() => rig.restore());
afterAll(() => rig[Symbol.asyncDispose]());

/** One directive: what there must be, the change, and its effect. */
interface Row<T> {
  readonly directive: string;
  readonly change: Change;
  before?(): Promise<T>;
  after(state: T): Promise<unknown>;
}

const rows: Row<unknown>[] = [];
function row<T>(each: Row<T>): void {
  rows.push(each as Row<unknown>);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

const logOf = (name: string) => `${rig.server.place.directory}/logs/${name}`;
const contentOf = (name: string) => (existsSync(logOf(name)) ? readFileSync(logOf(name), 'utf8') : '');

async function streamWith(player: Promise<LivePlayer>): Promise<LivePlayer> {
  const playing = await player;
  await playing.waitForFrames(5);
  return playing;
}

/** A player of a running stream. */
async function playing(options: Parameters<ReloadRig['publish']>[1] = {}): Promise<LivePlayer> {
  await rig.publish('one', options);
  return streamWith(rig.play('one'));
}

row({
  directive: 'listen',
  change: { top: ({ sparePort }) => `listen ${sparePort};` },
  before: async () => {
    const player = await playing();
    expect(await accepts(rig.server.place.sparePort)).toBe(false);
    return player;
  },
  after: async (player: LivePlayer) => {
    const { rtmpPort, sparePort } = rig.server.place;
    await rig.see('the new port', () => accepts(sparePort));
    await rig.see('the end of the old port', async () => !(await accepts(rtmpPort)));
    using raw = await RawRtmp.connect(sparePort);
    expect((await raw.connectApp('live')).name).toBe('_error');
    await player.waitForFrames(20);
    expect(player.checker.complaint).toBe('');
  },
});

row({
  directive: 'pid',
  change: { top: ({ directory }) => `pid ${directory}/logs/other.pid;` },
  after: () => rig.see('the process number in the new file', () => contentOf('other.pid') === String(rig.server.program.pid)),
});

const setChunkSize = (size: number) =>
  encodeMessage(chunkStreamIds.control, messageTypes.setChunkSize, 0, 0, encodeUint32(size), DEFAULT_CHUNK_SIZE);

function encodeUint32(value: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(value);
  return payload;
}

for (const [directive, change] of [
  ['chunk_size', { top: 'chunk_size 4096;' }],
  ['vhost / chunk_size', { vhost: 'chunk_size 4096;' }],
] as const) {
  row({
    directive,
    change,
    before: async () => {
      // In step with each other, and one that is told and reads all of it.
      const player = await playing({ keyFrameBytes: 20_000 });
      const raw = await RawRtmp.connect(rig.server.place.rtmpPort);
      await raw.connectApp('live', { tcUrl: 'rtmp://127.0.0.1/live?vhost=changing.test' });
      await raw.play('one');
      return { player, raw };
    },
    after: async ({ player, raw }) => {
      await rig.see('the new chunk size', () => raw.received.includes(setChunkSize(4096)));
      expect(raw.received.includes(setChunkSize(60_000))).toBe(true);
      const frames = raw.messages.length;
      await rig.see('media in chunks of the new size', () => raw.messages.length > frames + 50);
      await player.waitForFrames(100);
      expect(player.checker.complaint).toBe('');
      raw.close();
    },
  });
}

row({
  directive: 'srs_log_tank, srs_log_file',
  change: { top: ({ directory }) => `srs_log_tank file; srs_log_file ${directory}/logs/srs.log;` },
  after: async () => {
    const lines = rig.server.log().length;
    await rig.play('log');
    await rig.see('the line of a worker in the file', () =>
      /client identified, type=Play, stream_name=log/.test(contentOf('srs.log')),
    );
    await rig.see('the line of the master in the file', () => /reload config success/.test(contentOf('srs.log')));
    expect(rig.server.log().slice(lines).join('')).not.toContain('stream_name=log');
  },
});

row({
  directive: 'srs_log_level',
  change: { top: 'srs_log_level error;' },
  after: async () => {
    await rig.play('quiet');
    await rig.see('the client', async () => (await allClients(rig.server)).some(({ stream }) => stream === 'quiet'));
    expect(rig.server.log().join('\n')).not.toContain('stream_name=quiet');
  },
});

row({
  directive: 'srs_log_format',
  change: { top: 'srs_log_format json;' },
  after: async () => {
    await rig.play('json');
    await rig.see('a line as JSON', () =>
      rig.server.log().some((line) => line.startsWith('{') && line.includes('stream_name=json')),
    );
  },
});

row({
  directive: 'utc_time',
  change: { top: 'utc_time on;' },
  after: async () => {
    await rig.play('utc');
    const hours = new Date().toISOString().slice(0, 13).replace('T', ' ');
    await rig.see('a line with UTC', () =>
      rig.server.log().some((line) => line.startsWith(`[${hours}`) && line.includes('=utc')),
    );
  },
});

row({
  directive: 'max_connections',
  change: { top: 'max_connections 2;' },
  after: async () => {
    using raw = await RawRtmp.connect(rig.server.place.rtmpPort);
    await raw.waitForClose();
    await rig.see('why', () => rig.server.log().some((line) => line.includes('max_connections 2 are in use')));
  },
});

row({
  directive: 'pithy_print',
  change: { top: 'pithy_print { play 150; publish 150; }' },
  after: async () => {
    const from = rig.server.log().length;
    const count = (mark: string) =>
      rig.server
        .log()
        .slice(from)
        .filter((line) => line.includes(mark)).length;
    await rig.see('summaries of players and publishers', () => count('-> PLA') >= 3 && count('<- CPB') >= 3);
  },
});

row({
  directive: 'vhost (added)',
  change: { top: 'vhost new.test {}' },
  before: async () => expect((await rig.play('one', { tcUrlParameters: '?vhost=changing.test' })).isOpen).toBe(true),
  after: async () => {
    using raw = await RawRtmp.connect(rig.server.place.rtmpPort);
    expect((await raw.connectApp('live', { tcUrl: 'rtmp://127.0.0.1/live?vhost=new.test' })).name).toBe('_result');
  },
});

for (const [directive, change] of [
  ['vhost (removed)', { vhost: null }],
  ['vhost / enabled', { vhost: 'enabled off;' }],
] as const) {
  row({
    directive,
    change,
    before: () => playing(),
    after: async (player: LivePlayer) => {
      await player.waitForStatus('NetStream.Play.Stop', 1_000);
      await player.waitForClose(1_000);
      expect((await rig.play('one')).rejection?.description).toContain('vhost changing.test is');
    },
  });
}

row({
  directive: 'gop_cache',
  change: { vhost: 'gop_cache off;' },
  before: async () => {
    const publisher = await rig.openPublisher('one', { gopPictures: 1_000 });
    publisher.sendHeaders();
    publisher.sendPictures(10);
    const cached = await streamWith(rig.play('one'));
    expect(cached.checker.firstSequence).toBe(0);
    return publisher;
  },
  after: async (publisher) => {
    const player = await rig.play('one');
    // Sound comes live; pictures only with the next key frame.
    await rig.see('sound', () => {
      publisher.sendPictures(1);
      return player.checker.frames >= 10;
    });
    expect(player.checker.firstSequence).toBeGreaterThanOrEqual(30);
  },
});

row({
  directive: 'queue_length',
  change: { vhost: 'queue_length 1;' },
  before: async () => {
    const publisher = await rig.openPublisher('one', { keyFrameBytes: 100_000 });
    publisher.sendHeaders();
    publisher.sendPictures(25);
    const reader = await streamWith(rig.play('one'));
    const player = await streamWith(rig.play('one'));
    player.socket.pause();
    for (let second = 0; second < 12; second += 1) {
      publisher.sendPictures(25);
      await reader.waitFor('the newest frame', () => reader.checker.nextSequence === publisher.source.sequence);
    }
    await rig.see(
      'a player behind',
      async () => (await allClients(rig.server)).some(({ isInStep }) => isInStep === false),
      5_000,
    );
    return { player, publisher };
  },
  after: async ({ player, publisher }) => {
    player.socket.resume();
    await rig.see('the cut', async () => (await allClients(rig.server)).some(({ cuts = 0 }) => cuts > 0));
    await player.waitFor('the newest frame', () => player.checker.nextSequence === publisher.source.sequence);
    // Once as a rule; twice when its worker was late.
    const cuts = (await allClients(rig.server)).reduce((sum, client) => sum + (client.cuts ?? 0), 0);
    expect(player.checker.gaps).toHaveLength(cuts);
    expect(player.checker.faults).toEqual([]);
  },
});

for (const [directive, change] of [
  ['time_jitter', { vhost: 'time_jitter off;' }],
  ['atc', { vhost: 'atc on;' }],
] as const) {
  row({
    directive,
    change,
    before: async () => {
      const player = await playing({ firstTimestampMs: 3_600_000 });
      expect(player.checker.lastTimestampMs).toBeLessThan(100_000);
      return player;
    },
    after: async (player: LivePlayer) => {
      await rig.see("the encoder's own time", () => player.checker.lastTimestampMs >= 3_600_000);
      expect(player.checker.complaint).toBe('');
    },
  });
}

row({
  directive: 'atc_auto',
  change: { vhost: 'atc_auto off;' },
  after: async () => {
    const publisher = await rig.openPublisher('one', { firstTimestampMs: 3_600_000 });
    const wish = encodeAmf0('@setDataFrame', 'onMetaData', AmfObject.ecmaArray({ bravo_atc: 'true' }));
    publisher.session.sendFrame(frameTypes.data, 0, wish);
    publisher.sendHeaders();
    publisher.sendPictures(10);
    const player = await streamWith(rig.play('one'));
    expect(player.checker.lastTimestampMs).toBeLessThan(100_000);
  },
});

for (const [directive, kind] of [
  ['refer', 'play'],
  ['refer_play', 'play'],
  ['refer_publish', 'publish'],
] as const) {
  row({
    directive,
    change: { vhost: `${directive} .good.test;` },
    before: () => playing(),
    after: async (player: LivePlayer) => {
      const rtmp = { pageUrl: 'http://www.bad.test/page' };
      const next = kind === 'play' ? await rig.play('two', { rtmp }) : await rig.openPublisher('two', { rtmp });
      expect(next.rejection?.description).toContain('must end with one of: .good.test');
      // Who was let in stays.
      await player.waitForFrames(10);
    },
  });
}

row({
  directive: 'send_min_interval',
  change: { vhost: 'send_min_interval 400;' },
  before: () => playing(),
  after: async (player: LivePlayer) => {
    await rig.see('frames that come slowly', async () => {
      const before = player.checker.frames;
      await player.waitForFrames(1);
      return player.checker.frames - before <= 2;
    });
    const before = player.checker.frames;
    const startMs = performance.now();
    await player.waitForFrames(3);
    // 75 a second otherwise.
    expect((player.checker.frames - before) / ((performance.now() - startMs) / 1000)).toBeLessThan(6);
  },
});

row({
  directive: 'publish / normal_timeout',
  change: { vhost: 'publish { normal_timeout 300; }' },
  before: async () => {
    const publisher = await rig.publish('one');
    await streamWith(rig.play('one'));
    publisher.pause();
    return publisher;
  },
  after: (publisher) => publisher.waitForClose(1_000),
});

row({
  directive: 'publish / firstpkt_timeout',
  change: { vhost: 'publish { firstpkt_timeout 300; }' },
  before: () => rig.openPublisher('one'),
  after: (publisher) => publisher.waitForClose(1_000),
});

row({
  directive: 'publish / busy',
  change: { vhost: 'publish { busy replace; }' },
  before: async () => {
    const publisher = await rig.publish('one');
    expect((await rig.openPublisher('one')).rejection?.description).toContain('already published');
    return publisher;
  },
  after: async (publisher) => {
    expect((await rig.openPublisher('one')).rejection).toBeUndefined();
    await publisher.waitForClose(1_000);
  },
});

row({
  directive: 'publish / parse_sps',
  change: { vhost: 'publish { parse_sps off; }' },
  after: async () => {
    const from = rig.server.log().length;
    await playing();
    await rig.server.waitForLog('got metadata', { from });
    expect(
      rig.server
        .log()
        .slice(from)
        .filter((line) => line.includes('video sh')),
    ).toEqual([]);
  },
});

row({
  directive: 'in_ack_size, out_ack_size',
  change: { top: 'out_ack_size 123456;' },
  after: async () => {
    using raw = await RawRtmp.connect(rig.server.place.rtmpPort);
    await raw.connectApp('live', { tcUrl: 'rtmp://127.0.0.1/live?vhost=changing.test' });
    const windows = raw.messages.filter(({ type }) => type === messageTypes.windowAckSize);
    expect(windows.map(({ payload }) => payload.readUInt32BE())).toEqual([123_456]);
  },
});

row({
  directive: 'security',
  change: { vhost: 'security { enabled on; allow play all; deny publish all; }' },
  before: () => playing(),
  after: async (player: LivePlayer) => {
    expect((await rig.openPublisher('two')).rejection?.description).toMatch(/deny|allow/);
    await player.waitForFrames(10);
  },
});

row({
  directive: 'publish_auth',
  change: { vhost: 'publish_auth { enabled on; key abcdefgh12345678; }' },
  before: () => playing(),
  after: async (player: LivePlayer) => {
    expect((await rig.openPublisher('two')).rejection).toBeDefined();
    expect((await rig.openPublisher('two', { parameters: '?key=abcdefgh12345678' })).rejection).toBeUndefined();
    await player.waitForFrames(10);
  },
});

row({
  directive: 'limits',
  change: { top: 'limits { exempt none; connections_per_ip 3; }' },
  before: () => playing(),
  after: async (player: LivePlayer) => {
    using raw = await RawRtmp.connect(rig.server.place.rtmpPort);
    await raw.waitForClose();
    await player.waitForFrames(10);
  },
});

row({
  directive: 'min_latency, mw_latency, tcp_nodelay',
  change: { vhost: 'min_latency on; mw_latency 0; tcp_nodelay on;' },
  before: () => playing(),
  after: async (player: LivePlayer) => {
    await player.waitForFrames(50);
    expect(player.checker.complaint).toBe('');
  },
});

row({
  directive: 'heartbeat',
  change: {},
  after: async () => {
    let beats = 0;
    const api = createServer((request: IncomingMessage, response) => {
      beats += 1;
      request.resume();
      response.end('0');
    });
    api.listen(0, '127.0.0.1');
    await once(api, 'listening');
    const { port } = api.address() as { readonly port: number };
    await rig.reload({ top: `heartbeat { enabled on; interval 0.2; url http://127.0.0.1:${port}/api/v1/servers; }` });
    await rig.see('two beats', () => beats >= 2);
    await rig.reload({ top: `heartbeat { enabled off; url http://127.0.0.1:${port}/api/v1/servers; }` });
    api.close();
    api.closeAllConnections();
  },
});

row({
  directive: 'http_hooks',
  change: {},
  after: async () => {
    const called: string[] = [];
    const hooks = createServer((request: IncomingMessage, response) => {
      called.push(request.url ?? '');
      request.resume();
      response.end('0');
    });
    hooks.listen(0, '127.0.0.1');
    await once(hooks, 'listening');
    const { port } = hooks.address() as { readonly port: number };
    await rig.reload({ vhost: `http_hooks { enabled on; on_play http://127.0.0.1:${port}/on_play; }` });
    await rig.play('one');
    await rig.see('the call', () => called.includes('/on_play'));
    hooks.close();
    hooks.closeAllConnections();
  },
});

const httpGet = async (port: number, path: string): Promise<number> => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(500) }).catch(() => undefined);
  await response?.text();
  return response?.status ?? 0;
};

row({
  directive: 'http_api / enabled',
  change: { top: ({ httpApiPort }) => `http_api { enabled on; listen ${httpApiPort}; }` },
  before: async () => expect(await httpGet(rig.server.place.httpApiPort, '/api/v1/versions')).toBe(0),
  after: () => rig.see('the API', async () => (await httpGet(rig.server.place.httpApiPort, '/api/v1/versions')) === 200),
});

row({
  directive: 'http_api / listen',
  change: { top: ({ httpServerPort }) => `http_api { enabled on; listen ${httpServerPort}; }` },
  before: async () => {
    const { httpApiPort } = rig.server.place;
    await rig.reload({ top: `http_api { enabled on; listen ${httpApiPort}; }` });
    await rig.see('the API', async () => (await httpGet(httpApiPort, '/api/v1/versions')) === 200);
  },
  after: async () => {
    const { httpApiPort, httpServerPort } = rig.server.place;
    await rig.see('the API on its new port', async () => (await httpGet(httpServerPort, '/api/v1/versions')) === 200);
    await rig.see('the end of the old one', async () => (await httpGet(httpApiPort, '/api/v1/versions')) === 0);
  },
});

row({
  directive: 'exporter',
  change: { top: ({ httpServerPort }) => `exporter { enabled on; listen ${httpServerPort}; }` },
  after: () => rig.see('the metrics', async () => (await httpGet(rig.server.place.httpServerPort, '/metrics')) === 200),
});

it.each(rows)('$directive', async (each) => {
  const state = await each.before?.();
  await rig.reload(each.change);
  await each.after(state);
});
