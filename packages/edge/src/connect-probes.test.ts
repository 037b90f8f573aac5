import { AmfObject } from '@srs/amf';
import { SrsError, systemClock } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { eventually } from '../../../test/support/deadline.ts';
import { LoopbackServer } from '../../../test/support/loopback-server.ts';
import { ConnectProbes, type ProbedConnect } from './connect-probes.ts';
import { OriginPool } from './origin-pool.ts';

const LIMIT_MS = 10_000;
const staying = new AbortController().signal;
const args = AmfObject.object([['token', 'x']]);
const connect: ProbedConnect = {
  app: 'live?a=b',
  tcUrl: 'rtmp://edge.test/live?a=b',
  pageUrl: 'http://page.test/',
  swfUrl: 'http://page.test/p.swf',
  args,
  hops: ['edge-1'],
};

const addressOf = ({ port }: LoopbackServer) => ({ host: '127.0.0.1', port });
const probesOf = (limit = 10): ConnectProbes =>
  new ConnectProbes({ pool: new OriginPool({ clock: systemClock, random: () => 0 }), limit });

async function noConnections(server: LoopbackServer): Promise<void> {
  await eventually(
    () => server.connectionCount === 0,
    LIMIT_MS,
    () => 'a connection is left',
  );
}

describe('the origin, asked about a connect', () => {
  it('hears what the client has said, and no more of the probe when it has allowed it', async () => {
    await using origin = await LoopbackServer.start();
    expect(await probesOf().ask([addressOf(origin)], connect, staying)).toEqual({ isAllowed: true });
    const peer = await origin.peer();
    expect(peer.requests).toEqual(['connect rtmp://edge.test/live?a=b live?a=b']);
    expect(peer.connects[0]).toMatchObject({
      pageUrl: connect.pageUrl,
      swfUrl: connect.swfUrl,
      peer: undefined,
      hops: ['edge-1'],
    });
    expect([...(peer.connects[0]?.args?.entries() ?? [])]).toEqual([['token', 'x']]);
    await noConnections(origin);
  });

  it('refuses in its own words', async () => {
    await using origin = await LoopbackServer.start({
      answer: (_request, peer) => peer.session.reject('NetConnection.Connect.InvalidApp', 'no such app'),
    });
    const verdict = { isAllowed: false, code: 'NetConnection.Connect.InvalidApp', description: 'no such app' };
    expect(await probesOf().ask([addressOf(origin)], connect, staying)).toEqual(verdict);
    await noConnections(origin);
  });

  it('is the next one when the first cannot be reached, and only then', async () => {
    await using rude = await LoopbackServer.start({ onSocket: (socket) => void socket.destroy() });
    await using polite = await LoopbackServer.start();
    const probes = probesOf();
    const away = { host: '127.0.0.1', port: 1 };
    expect(await probes.ask([away, addressOf(polite)], connect, staying)).toEqual({ isAllowed: true });
    await expect(probes.ask([addressOf(rude), addressOf(polite)], connect, staying)).rejects.toThrow(
      'did not answer about this connect',
    );
    await expect(probes.ask([away], connect, staying)).rejects.toThrow('no origin can be reached');
  });

  it('is asked by so many at once, the others wait, and who leaves gives way', async () => {
    const asked: (() => void)[] = [];
    await using origin = await LoopbackServer.start({ answer: (request, peer) => void asked.push(() => peer.accept(request)) });
    const probes = probesOf(1);
    const leaving = new AbortController();
    const first = probes.ask([addressOf(origin)], connect, leaving.signal);
    const second = probes.ask([addressOf(origin)], connect, staying);
    const gone = new AbortController();
    const third = probes.ask([addressOf(origin)], connect, gone.signal);
    await eventually(
      () => asked.length === 1,
      LIMIT_MS,
      () => 'not asked',
    );
    expect(origin.connectionCount).toBe(1);
    gone.abort();
    await expect(third).rejects.toBeInstanceOf(SrsError);
    leaving.abort();
    await expect(first).rejects.toThrow(/given up/);
    await eventually(
      () => asked.length === 2,
      LIMIT_MS,
      () => 'the second one is not asked about',
    );
    asked[1]?.();
    expect(await second).toEqual({ isAllowed: true });
    await noConnections(origin);
  });
});
