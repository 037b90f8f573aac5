/** Forward destinations that are URLs, and those that a backend names. */
import { lookup } from 'node:dns/promises';
import { hostname } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificate, expired, Files } from '../support/certificates.ts';
import { HookServer } from '../support/hook-server.ts';
import { LoopbackServer } from '../support/loopback-server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { SMALL } from './cluster-test-support.ts';
import { LivePlayer, LivePublisher } from './live-client-test-support.ts';
import { directoryRowOf } from './server-view-test-support.ts';

let files: Files;
let hooks: HookServer;
let untrusted: LoopbackServer;
let destination: ServerProcess;
let source: ServerProcess;

const urlOf = ({ place }: ServerProcess, path: string): string => `rtmp://${place.host}:${place.rtmpPort}/${path}`;

const inVhost = (vhost: string) => ({ tcUrlParameters: `?vhost=${vhost}` });

const expectWhole = (player: LivePlayer): void => {
  expect(player.checker.complaint).toBe('');
  expect(player.checker.gaps).toEqual([]);
};

beforeAll(async () => {
  files = new Files();
  files.write('key.pem', certificate.key);
  files.write('cert.pem', certificate.cert);
  hooks = await HookServer.start();
  untrusted = await LoopbackServer.start({ tls: expired });
  destination = await ServerProcess.start({
    workers: SMALL,
    top: ({ sparePort }) =>
      `rtmps { enabled on; listen ${sparePort}; key ${files.path('key.pem')}; cert ${files.path('cert.pem')}; }`,
  });
  const secure = `rtmps://localhost:${destination.place.sparePort}/live/[stream]-tls`;
  source = await ServerProcess.start({
    env: { NODE_EXTRA_CA_CERTS: files.path('cert.pem') },
    top: ({ rtmpPort }) => `
      vhost url.test { forward ${urlOf(destination, 'other/[vhost]-[stream]?key=abc[param]')}; }
      vhost tls.test { forward ${secure} ${untrusted.url('live/[stream]')}; }
      vhost backend.test {
        publish { busy replace; }
        forward {
          enabled on;
          destination ${urlOf(destination, 'live/[stream]-1')};
          backend ${hooks.url('/forward?x=1')};
        }
      }
      vhost self.test { forward ${['127.0.0.1', '127.0.0.2', 'localhost', hostname()]
        .map((host) => `rtmp://${host}:${rtmpPort}/live/[stream]-copy`)
        .join(' ')}; }`,
  });
});

afterAll(async () => {
  await source?.stop();
  await destination?.stop();
  await untrusted?.stop();
  await hooks?.close();
  files[Symbol.dispose]();
});

describe('a stream that is forwarded to a URL', () => {
  it('is published there under the names and parameters that it says, and secrets are hidden', async () => {
    const publishedAs = 'live/one';
    const player = await LivePlayer.start(destination, 'other/url.test-one', { publishedAs });
    const publisher = await LivePublisher.start(source, publishedAs, { ...inVhost('url.test'), parameters: '?token=xyz' });
    await player.waitForFrames(50);
    expectWhole(player);
    const shown = urlOf(destination, 'other/[vhost]-[stream]?key=***');
    expect(await directoryRowOf(source, publishedAs, 'url.test')).toMatchObject({
      pushes: [{ kind: 'forward', source: 'config', destination: shown, state: 'publishing', droppedFrames: 0 }],
    });
    await source.waitForLog(/forward of url\.test\/live\/one to rtmp:\S+\?key=\*\*\*.? connected/);
    for (const server of [source, destination]) expect(server.log().join('\n')).not.toMatch(/key=abc|token=xyz/);
    for (const client of [publisher, player]) client.leave();
  });

  it('goes there within TLS, where the certificate is trusted', async () => {
    const publishedAs = 'live/secure';
    const player = await LivePlayer.start(destination, 'live/secure-tls', { publishedAs });
    const publisher = await LivePublisher.start(source, publishedAs, inVhost('tls.test'));
    await player.waitForFrames(50);
    expectWhole(player);
    await source.waitForLog(
      /forward of tls\.test\/live\/secure to rtmps:\S+: cannot connect .*certificate has expired; next try/,
    );
    expect(await directoryRowOf(source, publishedAs, 'tls.test')).toMatchObject({
      pushes: [{ state: 'publishing' }, { state: 'waiting', connects: 0 }],
    });
    for (const client of [publisher, player]) client.leave();
  });
});

describe('a backend', () => {
  it('is told of the publish, and what it names gets the stream beside what the configuration names', async () => {
    const publishedAs = 'live/asked';
    hooks.behaviour = () => JSON.stringify({ code: 0, data: { urls: [urlOf(destination, 'live/asked-2?key=abc')] } });
    const players = await Promise.all(
      ['live/asked-1', 'live/asked-2'].map((path) => LivePlayer.start(destination, path, { publishedAs })),
    );
    const publisher = await LivePublisher.start(source, publishedAs, { ...inVhost('backend.test'), parameters: '?token=x' });
    for (const player of players) {
      await player.waitForFrames(50);
      expectWhole(player);
    }
    expect(hooks.bodies('on_forward')).toEqual([
      {
        action: 'on_forward',
        server_id: expect.stringMatching(/^vid-/) as unknown,
        client_id: publisher.peer.id,
        ip: '127.0.0.1',
        vhost: 'backend.test',
        app: 'live',
        tcUrl: `${urlOf(source, 'live')}?vhost=backend.test`,
        stream: 'asked',
        param: '?token=x',
      },
    ]);
    expect(hooks.requests[0]?.path).toBe('/forward?x=1');
    expect(await directoryRowOf(source, publishedAs, 'backend.test')).toMatchObject({
      pushes: [{ source: 'config' }, { source: 'backend', destination: urlOf(destination, 'live/asked-2?key=***') }],
    });
    for (const client of [publisher, ...players]) client.leave();
  });

  it('is asked anew when another publisher takes the stream over', async () => {
    const publishedAs = 'live/taken';
    hooks.behaviour = ({ body }) =>
      JSON.stringify({ code: 0, data: { urls: [urlOf(destination, `live/taken-${String(body.param).slice(1)}`)] } });
    const players = await Promise.all(
      ['live/taken-a', 'live/taken-b'].map((path) => LivePlayer.start(destination, path, { publishedAs })),
    );
    const first = await LivePublisher.start(source, publishedAs, { ...inVhost('backend.test'), parameters: '?a' });
    await players[0]!.waitForFrames(10);
    const second = await LivePublisher.start(source, publishedAs, {
      ...inVhost('backend.test'),
      parameters: '?b',
      session: 2,
    });
    await players[1]!.waitForFrames(10);
    expect(players.map(({ checker }) => checker.sessions)).toEqual([[1], [2]]);
    for (const client of [first, second, ...players]) client.leave();
  });

  it('that is broken holds up nothing, and is asked until it answers', async () => {
    const publishedAs = 'live/broken';
    hooks.behaviour = (_request, response) => {
      response.writeHead(500);
      return 'no';
    };
    const [first, second] = await Promise.all(
      ['live/broken-1', 'live/broken-2'].map((path) => LivePlayer.start(destination, path, { publishedAs })),
    );
    const publisher = await LivePublisher.start(source, publishedAs, inVhost('backend.test'));
    await first!.waitForFrames(50);
    await source.waitForLog(
      /\[warn\].* forward of backend\.test\/live\/broken: hook http:\S+ answered status 500, must be 200; next try in \d+ ms/,
    );
    hooks.behaviour = () => JSON.stringify({ code: 0, data: { urls: [urlOf(destination, 'live/broken-2')] } });
    await second!.waitForFrames(50);
    expectWhole(first!);
    expect(second!.checker.complaint).toBe('');
    expect(publisher.isOpen).toBe(true);
    for (const client of [publisher, first!, second!]) client.leave();
  });

  it('that never answers holds up nothing', async () => {
    hooks.behaviour = () => undefined;
    const publishedAs = 'live/silent';
    const player = await LivePlayer.start(destination, 'live/silent-1', { publishedAs });
    const publisher = await LivePublisher.start(source, publishedAs, inVhost('backend.test'));
    await player.waitForFrames(50);
    expectWhole(player);
    for (const client of [publisher, player]) client.leave();
  });
});

describe('a URL that leads back here', () => {
  it('is left out under every address of this server, and refused under a name that only the system knows', async (context) => {
    const isNameHere = await lookup(hostname()).then(
      () => true,
      () => false,
    );
    const publisher = await LivePublisher.start(source, 'live/self', inVhost('self.test'));
    const player = await LivePlayer.start(source, 'live/self', inVhost('self.test'));
    await player.waitForFrames(50);
    for (const host of ['127.0.0.1', '127.0.0.2', 'localhost']) {
      const line = `forward of self.test/live/self to rtmp://${host}:${source.place.rtmpPort}/live/[stream]-copy: that is this server itself, left out`;
      expect(source.log().join('\n')).toContain(line);
    }
    const pushes = async () => (await directoryRowOf(source, 'live/self', 'self.test'))?.pushes;
    if (isNameHere) await source.waitForLog(/stream __defaultVhost__\/live\/self-copy comes back to the server that has sent it/);
    expect(await pushes()).toHaveLength(1);
    await player.waitForFrames(50);
    expectWhole(player);
    expect(publisher.isOpen).toBe(true);
    for (const client of [publisher, player]) client.leave();
    context.skip(!isNameHere, `the name of this machine, ${hostname()}, has no address`);
  });

  it('by way of another server ends there, under whatever names', async () => {
    await using second = await ServerProcess.start({ workers: SMALL });
    await using first = await ServerProcess.start({
      workers: SMALL,
      vhost: `publish { busy replace; } forward ${urlOf(second, 'live/[stream]-x')};`,
    });
    second.writeConfig({ workers: SMALL, vhost: `publish { busy replace; } forward ${urlOf(first, 'live/[stream]-y')};` });
    second.signal('SIGHUP');
    await second.waitForLog(/reload/i);
    const player = await LivePlayer.start(second, 'live/loop-x', { publishedAs: 'live/loop' });
    const publisher = await LivePublisher.start(first, 'live/loop');
    await first.waitForLog(/stream __defaultVhost__\/live\/loop-x-y comes back to the server that has sent it/);
    await player.waitForFrames(50);
    expectWhole(player);
    // It is not tried again.
    expect(await directoryRowOf(second, 'live/loop-x')).toMatchObject({ pushes: [{ state: 'closed', connects: 0 }] });
    expect(publisher.isOpen).toBe(true);
    for (const client of [publisher, player]) client.leave();
  });
});
