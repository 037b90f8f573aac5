/** Origin, edge, and edge of that edge, each of several processes, with a crowd at the end: one connection per hop, for exactly as long as somebody watches. */

import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ChildProgram } from '../support/child-program.ts';
import { eventually } from '../support/deadline.ts';
import { repositoryRoot, ServerProcess } from '../support/server-process.ts';
import { addressOf } from './cluster-test-support.ts';
import { FlvViewer } from './http-flv-test-support.ts';
import { LivePlayer, LivePublisher } from './live-client-test-support.ts';
import { clientsOf, workersOf } from './server-view-test-support.ts';
import { type SequenceChecker, type StampedFrame, StampedSource } from './stamped-media-test-support.ts';

const PATH = 'live/chain';
const STREAM_WORKERS = 3;
const RTMP_VIEWERS = 300;
const HTTP_VIEWERS = 12;
/** Frames that each viewer is held to; of two of them every byte and time. */
const FRAMES = 300;
/** From the last viewer's leaving to the end of the connection, for each hop, and what a test takes to see it. */
const RELEASE_MS = 1_000;
const LIMIT_MS = 30_000;

let origin: ServerProcess;
let middle: ServerProcess;
let leaf: ServerProcess;
let publisher: LivePublisher;

function start(vhost: string): Promise<ServerProcess> {
  return ServerProcess.start({
    workers: `mode multi; stream ${STREAM_WORKERS};`,
    top: ({ host, httpApiPort, httpServerPort }) => `
      http_api { enabled on; listen ${host}:${httpApiPort}; }
      http_server { enabled on; listen ${httpServerPort}; }`,
    vhost: `http_remux { enabled on; } ${vhost}`,
  });
}

beforeAll(async () => {
  origin = await start('');
  middle = await start(`mode remote; origin ${addressOf(origin)};`);
  leaf = await start(`mode remote; origin ${addressOf(middle)};`);
  publisher = await LivePublisher.start(origin, PATH);
});

afterAll(async () => {
  publisher?.leave();
  for (const server of [leaf, middle, origin]) await server?.stop();
});

interface ApiClient {
  readonly publish: boolean;
}

/** As the server's API lists them. */
async function playersAt(server: ServerProcess): Promise<number> {
  const { host, httpApiPort } = server.place;
  const response = await fetch(`http://${host}:${httpApiPort}/api/v1/clients?count=1000`);
  const { clients } = (await response.json()) as { readonly clients: readonly ApiClient[] };
  return clients.filter(({ publish }) => !publish).length;
}

/** How long after now the server has no player any more. */
async function releaseMs(server: ServerProcess): Promise<number> {
  const leftMs = performance.now();
  await eventually(
    async () => (await playersAt(server)) === 0,
    LIMIT_MS,
    () => `${addressOf(server)} still plays`,
  );
  return performance.now() - leftMs;
}

async function expectReleased(): Promise<void> {
  const [atMiddle, atOrigin] = await Promise.all([releaseMs(middle), releaseMs(origin)]);
  expect(atMiddle).toBeLessThan(RELEASE_MS);
  expect(atOrigin).toBeLessThan(RELEASE_MS);
}

async function expectCarriedOnce(): Promise<void> {
  expect(await playersAt(middle)).toBe(1);
  expect(await playersAt(origin)).toBe(1);
}

/** What came, to be compared with what was published. */
class Recording {
  readonly frames = new Map<number, { readonly timestampMs: number; readonly payload: Buffer }>();

  constructor(checker: SequenceChecker) {
    checker.onFrame = (sequence, timestampMs, payload) => {
      if (this.frames.size < FRAMES) this.frames.set(sequence, { timestampMs, payload: Buffer.from(payload) });
    };
  }

  expectEqual(published: readonly StampedFrame[]): void {
    expect(this.frames.size).toBe(FRAMES);
    const lags = new Set<number>();
    for (const [sequence, { timestampMs, payload }] of this.frames) {
      const there = published[sequence]!;
      expect(payload.equals(there.payload)).toBe(true);
      lags.add(timestampMs - there.timestampMs);
    }
    // Every server may have a zero of its own, and that is all.
    expect(lags.size).toBe(1);
  }
}

/** The same programme once more. */
function publishedFrames(): StampedFrame[] {
  const source = new StampedSource(PATH);
  const frames: StampedFrame[] = [];
  while (frames.length < publisher.source.sequence) frames.push(...source.nextPicture());
  return frames;
}

it('a crowd at the end of a chain of edges costs one connection per hop, and gets what is published', async () => {
  const workers = await workersOf(leaf, 'stream');
  const [first, ...crowd] = await LivePlayer.crowd(leaf, PATH, RTMP_VIEWERS);
  const [firstOverHttp, ...crowdOverHttp] = await Promise.all(
    Array.from({ length: HTTP_VIEWERS }, () => FlvViewer.open(leaf, PATH)),
  );
  const [rtmp, http] = [new Recording(first!.checker), new Recording(firstOverHttp!.checker)];
  const players = [first!, ...crowd];
  const viewers = [firstOverHttp!, ...crowdOverHttp];
  await Promise.all([...players, ...viewers].map((viewer) => viewer.waitForFrames(FRAMES, LIMIT_MS)));
  await expectCarriedOnce();
  const counts = await Promise.all(workers.map(async (worker) => (await clientsOf(leaf, worker)).length));
  expect(counts.reduce((sum, count) => sum + count)).toBe(RTMP_VIEWERS);
  expect(Math.min(...counts)).toBeGreaterThan(0);
  expect([...players, ...viewers].map(({ checker }) => checker.complaint).filter((complaint) => complaint !== '')).toEqual([]);
  const published = publishedFrames();
  rtmp.expectEqual(published);
  http.expectEqual(published);

  for (const player of players) player.leave();
  for (const viewer of viewers) viewer.close();
  await expectReleased();
});

interface Step {
  readonly step: string;
  readonly cid: number | null;
  readonly pid: number | null;
  readonly detail: string;
}

/** What `srs-cli explain` says of the way of the data to or from a client. */
async function pathOf(server: ServerProcess, id: number): Promise<readonly Step[]> {
  const args = [
    '--api',
    `${server.place.host}:${server.place.privatePort}`,
    '--timeout',
    '10000',
    '--json',
    'explain',
    String(id),
  ];
  const { stdout } = await ChildProgram.run(join(repositoryRoot, 'bin/srs-cli'), args);
  return (JSON.parse(stdout) as { readonly path: readonly Step[] }).path;
}

/** Process and id on another server. */
function placeThere({ detail }: Step): { readonly pid: number; readonly cid: number } {
  const [, pid, cid] = /there ip \S+, pid (\d+), id (\d+)/.exec(detail) ?? [];
  return { pid: Number(pid), cid: Number(cid) };
}

it('srs-cli explain leads from a viewer to the publisher and back, server by server', async () => {
  const viewer = await LivePlayer.start(leaf, PATH);
  await viewer.waitForFrames(25);
  const atLeaf = await pathOf(leaf, viewer.peer.id);
  expect(atLeaf.map(({ step }) => step)).toEqual(['client', 'stream', 'origin']);
  expect(atLeaf[0]).toMatchObject({ cid: viewer.peer.id, pid: viewer.peer.pid });

  const atMiddle = await pathOf(middle, placeThere(atLeaf[2]!).cid);
  expect(atMiddle.map(({ step }) => step)).toEqual(['client', 'stream', 'origin']);
  expect(atMiddle[0]).toMatchObject(placeThere(atLeaf[2]!));
  expect(placeThere(atMiddle[0]!)).toEqual({ pid: atLeaf[2]!.pid, cid: atLeaf[2]!.cid });

  const atOrigin = await pathOf(origin, placeThere(atMiddle[2]!).cid);
  expect(atOrigin.map(({ step }) => step)).toEqual(['client', 'stream', 'publisher']);
  expect(atOrigin[0]).toMatchObject(placeThere(atMiddle[2]!));
  expect(placeThere(atOrigin[0]!)).toEqual({ pid: atMiddle[2]!.pid, cid: atMiddle[2]!.cid });
  expect(atOrigin[2]).toMatchObject({ cid: publisher.peer.id, pid: publisher.peer.pid });
  viewer.leave();
  await expectReleased();
});

it.each(Array.from({ length: STREAM_WORKERS }, (_, index) => index))(
  'the chain is let go with the last viewer, over RTMP on stream worker %i',
  async (index) => {
    const workers = await workersOf(leaf, 'stream');
    const others = await Promise.all(workers.map(({ pid }) => LivePlayer.start(leaf, PATH, { onWorker: pid })));
    const overHttp = await FlvViewer.open(leaf, PATH);
    const last = others.splice(index, 1)[0]!;
    await Promise.all([...others, overHttp, last].map((viewer) => viewer.waitForFrames(25)));
    for (const other of others) other.leave();
    overHttp.close();
    await Promise.all(others.map((other) => other.waitForClose()));
    await last.waitForFrames(75);
    await expectCarriedOnce();
    last.leave();
    await expectReleased();
    expect(last.checker.complaint).toBe('');
  },
);

it('the chain is let go with the last viewer, over HTTP-FLV', async () => {
  const others = await LivePlayer.crowd(leaf, PATH, STREAM_WORKERS);
  const last = await FlvViewer.open(leaf, PATH);
  await Promise.all([...others, last].map((viewer) => viewer.waitForFrames(25)));
  for (const other of others) other.leave();
  await last.waitForFrames(75);
  await expectCarriedOnce();
  last.close();
  await expectReleased();
  expect(last.checker.complaint).toBe('');
});
