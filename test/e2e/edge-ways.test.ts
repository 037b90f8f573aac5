/** The ways of an edge to its origins: over HTTP-FLV, under another vhost, and with the origins asked about every connect. */
import { RtmpPlayer } from '@srs/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/deadline.ts';
import { LoopbackServer } from '../support/loopback-server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { startShipped } from '../support/shipped-topology.ts';
import { LivePlayer, LivePublisher } from './live-client-test-support.ts';
import { allClients, type ClientRow, directoryRowOf, httpClients, workersOf } from './server-view-test-support.ts';

const LIMIT_MS = 10_000;
/** Between the last viewer and the end of the connection to the origin, and what a test takes to see it. */
const RELEASE_MS = 1_000;

let origin: ServerProcess;
let edge: ServerProcess;

const STREAM = 'live/flv';
const STREAM_THERE = 'up.cdn.test/live/flv';

beforeAll(async () => {
  origin = await ServerProcess.start({
    workers: 'mode single;',
    top: ({ httpServerPort }) => `
      http_server { enabled on; listen ${httpServerPort}; }
      vhost up.cdn.test { http_remux { enabled on; } }`,
    vhost: 'refer allowed.test;',
  });
  edge = await ServerProcess.start({
    workers: 'mode multi; stream 2;',
    top: ({ httpServerPort }) => `
      http_server { enabled on; listen ${httpServerPort}; }
      vhost cdn.test {
        http_remux { enabled on; }
        cluster { mode remote; origin 127.0.0.1:${origin.place.httpServerPort}; protocol flv; vhost up.[vhost]; }
      }`,
  });
});

afterAll(async () => {
  for (const server of [edge, origin]) await server?.stop();
});

const atEdge = { tcUrlParameters: '?vhost=cdn.test' };

/** Those at the origin. */
async function playersThere(): Promise<readonly ClientRow[]> {
  return (await httpClients(origin)).filter(({ type, streamId }) => type === 'play' && streamId === STREAM_THERE);
}

/** A viewer over HTTP-FLV; resolves when it has been sent something. */
async function watchOverHttp(): Promise<AbortController> {
  const leaving = new AbortController();
  const { signal } = leaving;
  const url = `http://127.0.0.1:${edge.place.httpServerPort}/${STREAM}.flv?vhost=cdn.test`;
  const { body } = await fetch(url, { signal });
  const reader = body?.getReader();
  await reader?.read();
  reader?.closed.catch(() => {});
  return leaving;
}

describe('an edge over HTTP-FLV', () => {
  it('gets a stream of another vhost once for viewers of all protocols and workers, and lets go of it with the last', async () => {
    const publisher = await LivePublisher.start(origin, STREAM, { tcUrlParameters: '?vhost=up.cdn.test' });
    const workers = await workersOf(edge, 'stream');
    const players = await Promise.all(workers.map(({ pid }) => LivePlayer.start(edge, STREAM, { ...atEdge, onWorker: pid })));
    const overHttp = await watchOverHttp();
    await Promise.all(players.map((player) => player.waitForFrames(60)));
    for (const { checker } of players) {
      expect(checker.complaint).toBe('');
      expect(checker.gaps).toEqual([]);
    }
    expect(await playersThere()).toHaveLength(1);
    const [there] = await playersThere();
    const pull = (await directoryRowOf(edge, 'live/flv', 'cdn.test'))?.pull;
    expect(pull).toMatchObject({ state: 'pulling', peer: { serverIp: '127.0.0.1', pid: origin.program.pid, id: there?.id } });
    const [backSource] = await workersOf(edge, 'back-source');
    expect(there).toMatchObject({ server: { pid: backSource?.pid } });
    await origin.waitForLog(/edge-srs ip=\S*, version=\S+, pid=\d+, id=\d+/);
    for (const player of players) player.leave();
    overHttp.abort();
    const leftMs = performance.now();
    await eventually(
      async () => (await playersThere()).length === 0,
      LIMIT_MS,
      () => 'the edge still plays',
    );
    expect(performance.now() - leftMs).toBeLessThan(RELEASE_MS + 500);
    publisher.leave();
  });

  it('plays to a viewer that comes in the moment in which the last one leaves', async () => {
    const publisher = await LivePublisher.start(origin, STREAM, { tcUrlParameters: '?vhost=up.cdn.test' });
    let player = await LivePlayer.start(edge, STREAM, atEdge);
    await player.waitForFrames(20);
    for (let round = 0; round < 5; round += 1) {
      player.leave();
      player = await LivePlayer.start(edge, STREAM, atEdge);
      await player.waitForFrames(20);
      expect(player.checker.complaint).toBe('');
    }
    const overHttp = await watchOverHttp();
    player.leave();
    player = await LivePlayer.start(edge, STREAM, atEdge);
    overHttp.abort();
    await player.waitForFrames(20);
    expect(await playersThere()).toHaveLength(1);
    for (const client of [player, publisher]) client.leave();
  });
});

describe('the shipped edge with token_traverse', () => {
  it('lets in whom the origin lets in, and tells the others what the origin says', async () => {
    await using topology = await startShipped(['conf/edge.token.traverse.conf'], () => ({
      '127.0.0.1:19350': `127.0.0.1:${origin.place.rtmpPort}`,
    }));
    const [gate] = topology.servers;
    const url = `rtmp://127.0.0.1:${gate!.place.rtmpPort}/live/token`;
    const open = (pageUrl: string): Promise<RtmpPlayer> => RtmpPlayer.open(url, { pageUrl, onFrame: () => {} });
    const allowed = await open('http://allowed.test/page');
    await expect(open('http://other.test/page')).rejects.toThrow(/NetConnection\.Connect\.Rejected, .*other\.test/);
    await allowed.close();
    await eventually(
      async () => (await allClients(origin)).every(({ type }) => type !== 'unknown'),
      LIMIT_MS,
      () => 'a probe is left',
    );
  });

  it('asks no more for a client that has left', async () => {
    await using silent = await LoopbackServer.start({ answer: () => {} });
    await using topology = await startShipped(['conf/edge.token.traverse.conf'], () => ({
      '127.0.0.1:19350': `127.0.0.1:${silent.port}`,
    }));
    const leaving = new AbortController();
    const url = `rtmp://127.0.0.1:${topology.servers[0]!.place.rtmpPort}/live/token`;
    const opening = RtmpPlayer.open(url, { signal: leaving.signal, onFrame: () => {} });
    const asked = await silent.peer();
    await eventually(
      () => asked.connects.length === 1,
      LIMIT_MS,
      () => 'the origin is not asked',
    );
    leaving.abort();
    await expect(opening).rejects.toThrow(/given up/);
    await asked.closed();
  });
});
