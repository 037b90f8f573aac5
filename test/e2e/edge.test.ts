/** An edge gets streams from its origins for viewers, and takes there what is published on it. */
import { encodeAmf0 } from '@srs/amf';
import { RtmpPlayer } from '@srs/client';
import { frameTypes } from '@srs/kernel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, within } from '../support/deadline.ts';
import { sampleOf } from '../support/prometheus-text.ts';
import { ServerProcess } from '../support/server-process.ts';
import { addressOf, SMALL } from './cluster-test-support.ts';
import { LivePlayer, LivePublisher } from './live-client-test-support.ts';
import { allClients, directoryRowOf, metricsOf, withMetrics, workersOf } from './server-view-test-support.ts';
import { GOP_FRAMES } from './stamped-media-test-support.ts';

/** How long viewers may wait when an origin is lost. */
const TAKE_OVER_MS = 3_000;
const LIMIT_MS = 20_000;

const edgeOf = (...origins: readonly ServerProcess[]) => ({
  workers: 'mode multi; stream 3;',
  top: withMetrics,
  vhost: `mode remote; origin ${origins.map(addressOf).join(' ')};`,
});

const playersOf = async (server: ServerProcess, streamId: string): Promise<number> =>
  (await allClients(server)).filter(({ type, streamId: id }) => type === 'play' && id === streamId).length;

function expectWhole(players: readonly LivePlayer[]): void {
  for (const { checker } of players) {
    expect(checker.complaint).toBe('');
    expect(checker.gaps).toEqual([]);
  }
}

let origin: ServerProcess;
let spare: ServerProcess;
let edge: ServerProcess;
let second: ServerProcess;

beforeAll(async () => {
  [origin, spare] = await Promise.all([ServerProcess.start({ workers: SMALL }), ServerProcess.start({ workers: SMALL })]);
  edge = await ServerProcess.start(edgeOf(origin, spare));
  second = await ServerProcess.start(edgeOf(edge));
});

afterAll(async () => {
  for (const server of [second, edge, origin, spare]) await server?.stop();
});

describe('an edge', () => {
  it('gets a stream once for viewers on all workers, over another edge too, and lets go of it with the last', async () => {
    const publisher = await LivePublisher.start(origin, 'live/chain');
    const workers = await workersOf(second, 'stream');
    const crowds = await Promise.all(workers.map(({ pid }) => LivePlayer.crowd(second, 'live/chain', 5, { onWorker: pid })));
    const players = crowds.flat();
    await Promise.all(players.map((player) => player.waitForFrames(100)));
    expectWhole(players);
    expect(await playersOf(origin, '__defaultVhost__/live/chain')).toBe(1);
    expect(await playersOf(edge, '__defaultVhost__/live/chain')).toBe(1);
    for (const player of players) player.leave();
    const leftMs = performance.now();
    await eventually(
      async () => (await playersOf(origin, '__defaultVhost__/live/chain')) === 0,
      5_000,
      () => 'the edge still plays',
    );
    expect(performance.now() - leftMs).toBeLessThan(1_500);
    publisher.leave();
  });

  it('tells in API and metrics what it gets, and from where', async () => {
    const labels = { slot: '0', role: 'back-source' };
    const figures = async () => {
      const metrics = await metricsOf(edge);
      const streamsIn = (state: string): number => sampleOf(metrics, 'srs_pull_streams', { ...labels, state });
      return {
        pulling: streamsIn('pulling'),
        starts: sampleOf(metrics, 'srs_pull_starts_total', labels),
        bytes: sampleOf(metrics, 'srs_pull_receive_bytes_total', labels),
      };
    };
    const before = await figures();
    const publisher = await LivePublisher.start(origin, 'live/told');
    const player = await LivePlayer.start(edge, 'live/told');
    await player.waitForFrames(50);
    const during = await figures();
    expect([during.pulling, during.starts - before.starts]).toEqual([before.pulling + 1, 1]);
    expect(during.bytes - before.bytes).toBeGreaterThan(0.9 * player.socket.bytesRead);
    const { host, httpApiPort } = edge.place;
    const { streams } = (await (await fetch(`http://${host}:${httpApiPort}/api/v1/streams?count=100`)).json()) as {
      readonly streams: readonly { readonly name: string; readonly pull: unknown }[];
    };
    expect(streams.find(({ name }) => name === 'told')?.pull).toMatchObject({
      origin: addressOf(origin),
      protocol: 'rtmp',
      state: 'pulling',
      starts: 1,
      last_error: '',
    });
    for (const client of [player, publisher]) client.leave();
    await eventually(
      async () => (await figures()).pulling === before.pulling,
      LIMIT_MS,
      () => 'the metrics do not tell that the pull is over',
    );
    // What was counted stays.
    expect((await figures()).bytes).toBeGreaterThanOrEqual(during.bytes);
  });

  it('holds viewers until the origin has the stream, and over a republish', async () => {
    const player = await LivePlayer.start(edge, 'live/later');
    const first = await LivePublisher.start(origin, 'live/later');
    await player.waitForFrames(50);
    first.leave();
    const next = await LivePublisher.start(origin, 'live/later', { session: 2 });
    await player.waitForSession(2);
    await player.waitForFrames(50);
    expect(player.checker.complaint).toBe('');
    for (const client of [player, next]) client.leave();
  });

  it('goes to the next origin when one dies, and no viewer notices more than a pause', async () => {
    await using dying = await ServerProcess.start({ workers: SMALL });
    await using other = await ServerProcess.start({ ...edgeOf(dying, spare), workers: SMALL });
    const publisher = await LivePublisher.start(dying, 'live/moves');
    const players = await LivePlayer.crowd(other, 'live/moves', 5);
    await Promise.all(players.map((player) => player.waitForFrames(50)));
    const next = await LivePublisher.start(spare, 'live/moves', { session: 2 });
    dying.signal('SIGKILL');
    const lostMs = performance.now();
    await Promise.all(players.map((player) => player.waitForSession(2)));
    expect(performance.now() - lostMs).toBeLessThan(TAKE_OVER_MS);
    await Promise.all(players.map((player) => player.waitForFrames(50)));
    for (const player of players) expect(player.checker.complaint).toBe('');
    expect(players.every(({ isOpen }) => isOpen)).toBe(true);
    for (const client of [publisher, next, ...players]) client.leave();
  });

  it('follows a publisher that moves to another origin', async () => {
    const publisher = await LivePublisher.start(origin, 'live/follows');
    const player = await LivePlayer.start(edge, 'live/follows');
    await player.waitForFrames(50);
    publisher.leave();
    const leftMs = performance.now();
    const next = await LivePublisher.start(spare, 'live/follows', { session: 2 });
    await player.waitForSession(2);
    expect(performance.now() - leftMs).toBeLessThan(TAKE_OVER_MS);
    expect(player.checker.complaint).toBe('');
    for (const client of [player, next]) client.leave();
  });

  it('shows the origin the parameters of the first viewer', async () => {
    await using locked = await ServerProcess.start({ workers: SMALL, vhost: 'play_auth { enabled on; key 5f0c2d9a61b24c7e; }' });
    await using gate = await ServerProcess.start({ ...edgeOf(locked), workers: SMALL });
    const publisher = await LivePublisher.start(locked, 'live/locked');
    const player = await LivePlayer.start(gate, 'live/locked', { parameters: '?key=5f0c2d9a61b24c7e' });
    await player.waitForFrames(50);
    expect(player.checker.complaint).toBe('');
    const stranger = await LivePlayer.start(gate, 'live/other', { parameters: '?key=0000000000000000' });
    await gate.waitForLog(/edge pull of live\/other from \S+: .*refused/);
    for (const client of [publisher, player, stranger]) client.leave();
  });

  it('goes on when its back-source is killed', async () => {
    const publisher = await LivePublisher.start(origin, 'live/crash');
    const player = await LivePlayer.start(edge, 'live/crash');
    const [backSource] = await workersOf(edge, 'back-source');
    // The next key frame comes before it can be back, so that it does not begin with pictures that were seen.
    await player.waitFor('the end of a group', () => player.checker.nextSequence % GOP_FRAMES >= GOP_FRAMES - 5);
    process.kill(backSource!.pid, 'SIGKILL');
    // What the origin sent meanwhile is lost; what follows is right, and begins with a key frame.
    await player.waitFor('what comes after the gap', () => player.checker.gaps.length > 0);
    await player.waitForFrames(50);
    expect(player.checker.faults).toEqual([]);
    expect(player.isOpen).toBe(true);
    for (const client of [player, publisher]) client.leave();
  });

  it('takes what is published on it to the origin, and plays it itself', async () => {
    const there = await LivePlayer.start(origin, 'live/pushed');
    const publisher = await LivePublisher.start(edge, 'live/pushed');
    const here = await LivePlayer.start(edge, 'live/pushed');
    await Promise.all([there.waitForFrames(100), here.waitForFrames(50)]);
    expectWhole([there, here]);
    expect(await playersOf(origin, '__defaultVhost__/live/pushed')).toBe(1);
    for (const client of [there, here, publisher]) client.leave();
  });

  it.each(['gets', 'pushes on'])('%s texts and cue points too, over another edge', async (way) => {
    const [from, to] = way === 'gets' ? [origin, second] : [second, origin];
    const path = `live/cued-${way.length}`;
    const cue = encodeAmf0('onCuePoint', 'goal');
    const heard = Promise.withResolvers<void>();
    const publisher = await LivePublisher.start(from, path);
    const player = await RtmpPlayer.open(to.url(path), {
      onFrame: (type, _timestampMs, payload) => {
        // The stream is here: from now on nothing may be lost.
        if (type === frameTypes.video) publisher.session.sendFrame(frameTypes.data, 0, cue);
        if (type === frameTypes.data && payload.equals(cue)) heard.resolve();
      },
    });
    await within(heard.promise, LIMIT_MS, () => 'no cue point came');
    await player.close();
    publisher.leave();
  });

  it('refuses a publisher whom the origin refuses', async () => {
    const first = await LivePublisher.start(origin, 'live/busy');
    const publisher = await LivePublisher.start(edge, 'live/busy');
    await publisher.waitForClose();
    expect(publisher.statusCodes).toContain('NetStream.Publish.BadName');
    expect(first.isOpen).toBe(true);
    first.leave();
  });

  it('lets a publisher of its own take the place of what it gets from the origin', async () => {
    const far = await LivePublisher.start(spare, 'live/own');
    await using lonely = await ServerProcess.start({ workers: SMALL, vhost: `mode remote; origin ${addressOf(spare)};` });
    const player = await LivePlayer.start(lonely, 'live/own');
    await player.waitForFrames(50);
    far.leave();
    const own = await LivePublisher.start(lonely, 'live/own', { session: 2 });
    await player.waitForSession(2);
    expect(player.checker.complaint).toBe('');
    own.leave();
    await eventually(
      async () => (await directoryRowOf(spare, 'live/own'))?.publisher == null,
      LIMIT_MS,
      () => 'what was pushed is still published at the origin',
    );
    const again = await LivePublisher.start(spare, 'live/own', { session: 3 });
    await player.waitForSession(3);
    expect(player.checker.complaint).toBe('');
    for (const client of [player, again]) client.leave();
  });
});
