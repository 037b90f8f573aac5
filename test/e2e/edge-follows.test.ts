/** Two origins, an edge of both, and an edge of that edge: viewers at the end go on wherever the publisher turns up. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServerProcess } from '../support/server-process.ts';
import { addressOf, SMALL, viewersOf } from './cluster-test-support.ts';
import { type LivePlayer, LivePublisher } from './live-client-test-support.ts';

/** From the publisher's start at an origin to its media at the viewers. */
const FOLLOW_MS = 3_000;
const LIMIT_MS = 15_000;

const edgeOf = (...origins: readonly ServerProcess[]): Promise<ServerProcess> =>
  ServerProcess.start({ workers: SMALL, vhost: `mode remote; origin ${origins.map(addressOf).join(' ')};` });

let a: ServerProcess;
let b: ServerProcess;
let middle: ServerProcess;
let leaf: ServerProcess;

beforeAll(async () => {
  [a, b] = await Promise.all([ServerProcess.start({ workers: SMALL }), ServerProcess.start({ workers: SMALL })]);
  middle = await edgeOf(a, b);
  leaf = await edgeOf(middle);
});

afterAll(async () => {
  for (const server of [leaf, middle, a, b]) await server?.stop();
});

/** The publisher has just been let in. Nobody was disconnected, time went on, and nothing is missing of the new publish. */
async function expectFollowed(viewers: readonly LivePlayer[], session: number): Promise<void> {
  const beginMs = performance.now();
  await Promise.all(viewers.map((viewer) => viewer.waitForSession(session)));
  expect(performance.now() - beginMs).toBeLessThan(FOLLOW_MS);
  await Promise.all(viewers.map((viewer) => viewer.waitForFrames(50)));
  expect(viewers.map(({ checker }) => checker.complaint)).toEqual(viewers.map(() => ''));
  expect(viewers.every(({ isOpen }) => isOpen)).toBe(true);
}

describe('viewers of an edge of an edge', () => {
  it('follow a publisher that stops at one origin and starts at the other, and back', async () => {
    const first = await LivePublisher.start(a, 'live/moves');
    const viewers = await viewersOf(leaf, 'live/moves');
    first.leave();
    const second = await LivePublisher.start(b, 'live/moves', { session: 2 });
    await expectFollowed(viewers, 2);
    second.leave();
    const third = await LivePublisher.start(a, 'live/moves', { session: 3 });
    await expectFollowed(viewers, 3);
    for (const client of [third, ...viewers]) client.leave();
  });

  it('follow one that starts at an origin in the moment in which that has been left in vain', async () => {
    const first = await LivePublisher.start(a, 'live/late');
    const viewers = await viewersOf(leaf, 'live/late');
    first.leave();
    // The edge between has asked both by now, and goes back to the first.
    await leaf.waitForLog(/edge pull of live\/late .*: nobody publishes the stream there/, { limitMs: LIMIT_MS });
    const second = await LivePublisher.start(b, 'live/late', { session: 2 });
    await expectFollowed(viewers, 2);
    for (const client of [second, ...viewers]) client.leave();
  });

  it('follow one that falls silent at one origin without a word, and starts at the other', async () => {
    const first = await LivePublisher.start(a, 'live/silent');
    const viewers = await viewersOf(leaf, 'live/silent');
    first.pause();
    const second = await LivePublisher.start(b, 'live/silent', { session: 2 });
    await expectFollowed(viewers, 2);
    for (const client of [first, second, ...viewers]) client.close();
  });

  it.each(['SIGKILL', 'SIGTERM'] as const)('stay when the edge between ends by %s, and go on when it is back', async (signal) => {
    await using between = await ServerProcess.start({
      workers: 'mode multi; stream 2;',
      vhost: `mode remote; origin ${addressOf(a)};`,
    });
    await using last = await edgeOf(between);
    const path = `live/${signal}`;
    const publisher = await LivePublisher.start(a, path);
    const viewers = await viewersOf(last, path);
    await between.restart(signal);
    const backMs = performance.now();
    const frames = viewers.map(({ checker }) => checker.frames);
    await Promise.all(viewers.map((viewer, index) => viewer.waitFor('media', () => viewer.checker.frames > frames[index]!)));
    expect(performance.now() - backMs).toBeLessThan(FOLLOW_MS);
    await Promise.all(viewers.map((viewer) => viewer.waitForFrames(50)));
    for (const viewer of viewers) {
      expect(viewer.checker.faults).toEqual([]);
      expect(viewer.checker.gaps).toHaveLength(1);
      expect(viewer.isOpen).toBe(true);
    }
    for (const client of [publisher, ...viewers]) client.leave();
  });

  it('follow one whose origin is killed', async () => {
    await using dying = await ServerProcess.start({ workers: SMALL });
    await using between = await edgeOf(dying, b);
    await using last = await edgeOf(between);
    const first = await LivePublisher.start(dying, 'live/dies');
    const viewers = await viewersOf(last, 'live/dies');
    dying.signal('SIGKILL');
    const second = await LivePublisher.start(b, 'live/dies', { session: 2 });
    await expectFollowed(viewers, 2);
    for (const client of [first, second, ...viewers]) client.close();
  });
});
