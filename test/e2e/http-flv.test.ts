/** Live streams over HTTP-FLV and WebSockets, from any worker. */
import { embeddedClipFile, FlvLoop, readClip } from '@srs/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificate, Files } from '../support/certificates.ts';
import { eventually } from '../support/deadline.ts';
import { HookServer } from '../support/hook-server.ts';
import { openDescriptors } from '../support/proc.ts';
import { type ServerOptions, type ServerPlace, ServerProcess } from '../support/server-process.ts';
import { FlvViewer } from './http-flv-test-support.ts';
import { LivePlayer, LivePublisher } from './live-client-test-support.ts';
import { type ClientRow, clientsOf } from './server-view-test-support.ts';

const REMUX = 'http_remux { enabled on; }';
const httpServer = ({ httpServerPort }: ServerPlace, more = ''): string =>
  `http_server { enabled on; listen ${httpServerPort}; ${more} }`;

let server: ServerProcess;
let hooks: HookServer;

beforeAll(async () => {
  hooks = await HookServer.start((request) => (String(request.body.stream).startsWith('refused') ? '1' : '0'));
  server = await ServerProcess.start({
    workers: 'mode multi; stream 2; http 2;',
    top: (place) => `
      ${httpServer(place, 'crossdomain off;')}
      vhost closed.test { ${REMUX} security { enabled on; allow play 10.0.0.0/8; } }
      vhost off.test { }
      vhost hooks.test { ${REMUX} hls { enabled on; hls_format ll; hls_fragment 1; } http_hooks { enabled on; on_play ${hooks.url('/play')}; on_stop ${hooks.url('/stop')}; } }
      vhost video.test { http_remux { enabled on; has_audio off; } }`,
    vhost: REMUX,
  });
});

afterAll(async () => {
  await server.stop();
  await hooks.close();
});

const viewers = async (): Promise<ClientRow[]> => {
  const workers = (await server.workers()).filter(({ role }) => role === 'http');
  return (await Promise.all(workers.map((worker) => clientsOf(server, worker)))).flat();
};

/** A message as a browser sends it. */
const masked = (opcode: number, text: string): Buffer =>
  Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);

describe.each([
  ['HTTP-FLV', false],
  ['WebSocket-FLV', true],
])('%s', (name, isWebSocket) => {
  it('who comes before the publisher is held, and gets the stream from its first frame on', async () => {
    const path = `live/held-${name}`;
    const held = await Promise.all(Array.from({ length: 4 }, () => FlvViewer.open(server, path, { isWebSocket })));
    expect(held.map(({ status }) => status)).toEqual(Array.from({ length: 4 }, () => (isWebSocket ? 101 : 200)));
    using publisher = await LivePublisher.start(server, path);
    await Promise.all(held.map((viewer) => viewer.waitForFrames(60)));
    for (const { checker, header } of held) {
      expect(checker.complaint).toBe('');
      expect(checker.firstSequence).toBe(0);
      expect(header).toEqual({ hasAudio: true, hasVideo: true });
    }
    expect(publisher.isOpen).toBe(true);
    for (const viewer of held) viewer.close();
  });

  it('who joins a running stream starts at a key frame, and misses nothing from there', async () => {
    const path = `live/join-${name}`;
    using publisher = await LivePublisher.start(server, path);
    const first = await FlvViewer.open(server, path, { isWebSocket });
    publisher.sendPictures(30);
    // A second key frame is there.
    await first.waitFor('30 pictures', () => first.checker.nextSequence >= 60);
    const joined = await Promise.all(Array.from({ length: 3 }, () => FlvViewer.open(server, path, { isWebSocket })));
    await Promise.all(joined.map((viewer) => viewer.waitForFrames(100)));
    for (const viewer of [first, ...joined]) {
      expect(viewer.checker.complaint).toBe('');
      viewer.close();
    }
    for (const viewer of joined) expect(viewer.checker.firstSequence).toBeGreaterThan(0);
  });

  it('a republish reaches who is attached', async () => {
    const path = `live/again-${name}`;
    const first = await LivePublisher.start(server, path, { session: 1 });
    using viewer = await FlvViewer.open(server, path, { isWebSocket });
    await viewer.waitForFrames(30);
    first.leave();
    using _second = await LivePublisher.start(server, path, { session: 2 });
    await viewer.waitFor('second publish', () => viewer.checker.sessions.includes(2));
    await viewer.waitForFrames(30);
    expect(viewer.checker.complaint).toBe('');
  });
});

describe('the header of the file', () => {
  const headerOf = async (path: string, types: readonly number[], query = ''): Promise<FlvViewer['header']> => {
    using publisher = await LivePublisher.open(server, path, { parameters: query });
    const frames = [...publisher.source.headers(), ...Array.from({ length: 40 }, () => publisher.source.nextPicture()).flat()];
    for (const { type, timestampMs, payload } of frames)
      if (types.includes(type)) publisher.session.sendFrame(type as 8, timestampMs, payload);
    using viewer = await FlvViewer.open(server, path, { query });
    await viewer.waitFor('header', () => viewer.header !== undefined);
    return viewer.header;
  };

  it('says which tracks the stream has', async () => {
    expect(await headerOf('live/sound', [8])).toEqual({ hasAudio: true, hasVideo: false });
    expect(await headerOf('live/picture', [9])).toEqual({ hasAudio: false, hasVideo: true });
    expect(await headerOf('live/both', [8, 9])).toEqual({ hasAudio: true, hasVideo: true });
  });

  it('does not name what the vhost leaves out, and none of it comes', async () => {
    expect(await headerOf('live/left-out', [8, 9, 18], '?vhost=video.test')).toEqual({ hasAudio: false, hasVideo: true });
  });
});

describe('who is not let in', () => {
  it.each([
    ['by an address', '?vhost=closed.test', 403],
    ['for a vhost that serves none', '?vhost=off.test', 404],
    ['by a hook', '?vhost=hooks.test', 403, 'live/refused'],
  ])('%s hears it by its status', async (_, query, status, path = 'live/s') => {
    for (const isWebSocket of [false, true]) {
      using viewer = await FlvViewer.open(server, path, { query, isWebSocket });
      expect(viewer.status).toBe(status);
      await viewer.waitFor('document', () => viewer.body.endsWith('}'));
      expect(JSON.parse(viewer.body)).toMatchObject({ data: { status_code: status } });
      expect(viewer.body).not.toContain(hooks.url('/play'));
    }
  });

  it('a page of another site gets no WebSocket while crossdomain is off', async () => {
    using foreign = await FlvViewer.open(server, 'live/s', { isWebSocket: true, headers: 'Origin: http://evil.test\r\n' });
    expect(foreign.status).toBe(403);
    using own = await FlvViewer.open(server, 'live/s', { isWebSocket: true, headers: 'Origin: http://127.0.0.1\r\n' });
    expect(own.status).toBe(101);
  });
});

it('hooks are asked before a viewer plays, and told once when it stops', async () => {
  const before = hooks.requests.length;
  const viewer = await FlvViewer.open(server, 'live/hooked', { query: '?vhost=hooks.test&token=t1' });
  viewer.close();
  await eventually(
    () => hooks.requests.length >= before + 2,
    5_000,
    () => `${hooks.requests.length - before} hooks came`,
  );
  const [play, stop] = hooks.requests.slice(before);
  expect(play?.body).toMatchObject({
    action: 'on_play',
    vhost: 'hooks.test',
    app: 'live',
    stream: 'hooked',
    param: '?vhost=hooks.test&token=t1',
  });
  expect(stop?.body).toMatchObject({ action: 'on_stop', client_id: play?.body.client_id });
});

it('viewers are listed with what they watch, and can be disconnected', async () => {
  using _publisher = await LivePublisher.start(server, 'live/listed');
  using http = await FlvViewer.open(server, 'live/listed');
  using webSocket = await FlvViewer.open(server, 'live/listed', { isWebSocket: true });
  await Promise.all([http.waitForFrames(10), webSocket.waitForFrames(10)]);
  const rows = (await viewers()).filter(({ stream }) => stream === 'listed');
  expect(rows).toHaveLength(2);
  expect(rows).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ type: 'play', protocol: 'http-flv', tcUrl: 'http://127.0.0.1/live/listed' }),
      expect.objectContaining({ type: 'play', protocol: 'ws-flv' }),
    ]),
  );
  for (const { id } of rows) {
    const workers = (await server.workers()).filter(({ role }) => role === 'http');
    await Promise.all(workers.map(({ port }) => server.privateApi(`/api/v1/kick?id=${id}`, { port, method: 'POST', body: {} })));
  }
  await Promise.all([http.waitForClose(), webSocket.waitForClose()]);
  expect(webSocket.controls.at(-1)?.opcode).toBe(8);
  await eventually(
    async () => (await viewers()).every(({ stream }) => stream !== 'listed'),
    5_000,
    () => 'they are listed still',
  );
});

it('a viewer of HLS is a client too, whichever worker it asks', async () => {
  const loop = FlvLoop.start({ clip: readClip(embeddedClipFile), target: server.url('live/watched?vhost=hooks.test') });
  // Each on a connection of its own, which comes to any of the workers.
  const get = async (path: string): Promise<{ status: number; text: string }> => {
    const url = `http://${server.place.host}:${server.place.httpServerPort}/live/${path}`;
    const response = await fetch(url, { headers: { connection: 'close' } });
    return { status: response.status, text: await response.text() };
  };
  try {
    const first = await eventually(
      async () => {
        const answer = await get('watched.m3u8?vhost=hooks.test&token=t2');
        return answer.status === 200 && answer;
      },
      10_000,
      () => 'there is no playlist',
    );
    const [url = ''] = /^watched\.m3u8\S+$/m.exec(first.text) ?? [];
    expect(url).toMatch(/^watched\.m3u8\?vhost=hooks\.test&token=t2&hls_ctx=[\w-]{22}$/);
    const playlists = await Promise.all(Array.from({ length: 12 }, () => get(url)));
    const part = /URI="(watched-[^"]+)"/.exec(playlists[0]!.text)?.[1] ?? '';
    expect(part.endsWith(url.slice(-30))).toBe(true);
    for (const { text } of playlists) expect(text).toContain('#EXT-X-PART-INF');
    const parts = await Promise.all(Array.from({ length: 12 }, () => get(part)));
    expect(new Set(parts.map(({ status }) => status))).toEqual(new Set([200]));
    const rows = (await viewers()).filter(({ stream }) => stream === 'watched');
    expect(rows).toMatchObject([{ type: 'play', protocol: 'hls' }]);
    const played = hooks.bodies('on_play').filter(({ stream }) => stream === 'watched');
    expect(played).toMatchObject([{ vhost: 'hooks.test', app: 'live', param: '?token=t2', client_id: rows[0]?.id }]);
    const workers = (await server.workers()).filter(({ role }) => role === 'http');
    await Promise.all(
      workers.map(({ port }) => server.privateApi(`/api/v1/kick?id=${rows[0]?.id}`, { port, method: 'POST', body: {} })),
    );
    await hooks.waitFor(({ body }) => body.action === 'on_stop' && body.stream === 'watched');
    const refused = await Promise.all(Array.from({ length: 6 }, () => get(url)));
    expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([403]));
  } finally {
    await loop.stop();
  }
});

it('a WebSocket is answered its pings in the middle of the stream, and its close', async () => {
  using _publisher = await LivePublisher.start(server, 'live/pinged');
  using viewer = await FlvViewer.open(server, 'live/pinged', { isWebSocket: true });
  await viewer.waitForFrames(20);
  for (let index = 0; index < 20; index += 1) {
    viewer.socket.write(masked(9, `ping ${index}`));
    await viewer.waitForFrames(3);
  }
  await viewer.waitFor('pongs', () => viewer.controls.length === 20);
  expect(viewer.controls.map(({ opcode, payload }) => `${opcode} ${payload.toString()}`)).toEqual(
    Array.from({ length: 20 }, (_, index) => `10 ping ${index}`),
  );
  expect(viewer.checker.complaint).toBe('');
  viewer.socket.write(masked(8, ''));
  await viewer.waitForClose();
});

it('a viewer that does not read is cut to a key frame with headers, and disturbs nobody', async () => {
  using publisher = await LivePublisher.start(server, 'live/slow', { keyFrameBytes: 200_000 });
  using slow = await FlvViewer.open(server, 'live/slow');
  using quick = await FlvViewer.open(server, 'live/slow');
  using player = await LivePlayer.start(server, 'live/slow');
  await slow.waitForFrames(10);
  slow.socket.pause();
  // More than kernel and ring hold for it.
  for (let round = 0; round < 20; round += 1) {
    publisher.sendPictures(25);
    await quick.waitForFrames(75);
  }
  slow.socket.resume();
  await slow.waitFor('newest frames', () => slow.checker.nextSequence >= publisher.source.sequence - 10);
  expect(quick.checker.complaint).toBe('');
  expect(player.checker.complaint).toBe('');
  expect(slow.checker.faults).toEqual([]);
  expect(slow.checker.gaps.length).toBeGreaterThan(0);
});

it('viewers that come and go leave nothing behind', async () => {
  using _publisher = await LivePublisher.start(server, 'live/passing');
  const workers = (await server.workers()).filter(({ role }) => role === 'http');
  const count = (): number => workers.reduce((sum, { pid }) => sum + openDescriptors(pid).length, 0);
  await eventually(
    async () => (await viewers()).length === 0,
    5_000,
    () => 'viewers of other tests are still there',
  );
  const before = count();
  for (let round = 0; round < 5; round += 1) {
    const crowd = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        FlvViewer.open(server, index % 4 === 0 ? 'live/nobody' : 'live/passing', { isWebSocket: index % 2 === 0 }),
      ),
    );
    await Promise.all(crowd.filter((_, index) => index % 4 !== 0).map((viewer) => viewer.waitForFrames(1)));
    for (const viewer of crowd) viewer.close();
  }
  await eventually(
    async () => (await viewers()).length === 0 && count() <= before,
    5_000,
    () => `descriptors: ${before} before, ${count()} after`,
  );
});

it('a reload that ends HTTP streams lets their viewers go, and players of RTMP stay; over TLS the same streams are there', async () => {
  using files = new Files();
  const key = files.write('key.pem', certificate.key);
  const cert = files.write('cert.pem', certificate.cert);
  const options: ServerOptions = {
    workers: 'mode single;',
    top: (place) => httpServer(place, `https { enabled on; listen ${place.sparePort}; key ${key}; cert ${cert}; }`),
    vhost: REMUX,
  };
  await using own = await ServerProcess.start(options);
  using _publisher = await LivePublisher.start(own, 'live/s');
  using player = await LivePlayer.start(own, 'live/s');
  using plain = await FlvViewer.open(own, 'live/s');
  using tls = await FlvViewer.open(own, 'live/s', { tlsPort: own.place.sparePort });
  using webSocket = await FlvViewer.open(own, 'live/s', { tlsPort: own.place.sparePort, isWebSocket: true });
  const all = [plain, tls, webSocket];
  await Promise.all(all.map((viewer) => viewer.waitForFrames(30)));
  for (const viewer of all) expect(viewer.checker.complaint).toBe('');
  own.writeConfig({ ...options, vhost: 'http_remux { enabled off; }' });
  own.signal('SIGHUP');
  await Promise.all(all.map((viewer) => viewer.waitForClose()));
  await player.waitForFrames(30);
  expect(player.checker.complaint).toBe('');
  using late = await FlvViewer.open(own, 'live/s');
  expect(late.status).toBe(404);
});
