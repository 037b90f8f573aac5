/** How soon a player has a picture, and which one. */

import { messageTypes } from '@srs/rtmp';
import { describe, expect, it } from 'vitest';
import { publishWithFfmpeg } from '../support/foreign.ts';
import { clip } from '../support/media.ts';
import { type RawMessage, RawRtmp } from '../support/raw-rtmp.ts';
import { requires } from '../support/requires.ts';
import { Stage } from './stage-test-support.ts';

const GOP_MS = 10_000;
const JOIN_AT_MS = 5_000;
const FIRST_PICTURE_LIMIT_MS = 500;
const MAX_JOINS = 24;

/** A picture of H.264; its configuration is none. */
const isPicture = (message: RawMessage): boolean => message.type === messageTypes.video && message.payload[1] === 1;
const isKeyFrame = (message: RawMessage): boolean => message.payload[0]! >> 4 === 1;

interface Joiner extends Disposable {
  readonly client: RawRtmp;
  readonly slot: number;
  readonly playedAtMs: number;
}

async function join(stage: Stage, vhost: string): Promise<Joiner> {
  const tag = stage.newTag('joiner');
  const client = await RawRtmp.connect(stage.server.place.rtmpPort);
  await client.connectApp(`live?vhost=${vhost}&who=${tag}`);
  const slot = await stage.slotOf(tag);
  const playedAtMs = performance.now();
  await client.play('one');
  return { client, slot, playedAtMs, [Symbol.dispose]: () => client.close() };
}

/** Joins again until the kernel has chosen every worker. */
async function joinEach(stage: Stage, vhost: string, onJoin: (joiner: Joiner) => Promise<void>): Promise<void> {
  const slots = new Set<number>();
  for (let joins = 0; joins < MAX_JOINS && slots.size < stage.slots.length; joins++) {
    const joiner = await join(stage, vhost);
    slots.add(joiner.slot);
    await onJoin(joiner);
  }
  expect(slots.size).toBe(stage.slots.length);
}

describe('a stream with a key frame each 10 s', () => {
  requires('ffmpeg');

  it('starts at once with the cached key frame on every worker, or without cache at the next one', async () => {
    const file = await clip('long-gop');
    await using stage = await Stage.open({ top: 'vhost cached.test { } vhost uncached.test { gop_cache off; }' });
    const publish = (vhost: string) => stage.publish(`live?vhost=${vhost}/one`, (url) => publishWithFfmpeg(file, url));
    await publish('cached.test');
    using watcher = await RawRtmp.connect(stage.server.place.rtmpPort);
    await watcher.connectApp('live?vhost=uncached.test');
    await watcher.play('one');
    await publish('uncached.test');
    await watcher.waitForMessage((message) => isPicture(message) && message.timestampMs >= JOIN_AT_MS, { limitMs: 20_000 });

    await using joiners = new AsyncDisposableStack();
    const uncached: Joiner[] = [];
    await joinEach(stage, 'uncached.test', async (joiner) => void uncached.push(joiners.use(joiner)));
    await joinEach(stage, 'cached.test', async (joiner) => {
      const { client, playedAtMs } = joiners.use(joiner);
      const picture = await client.waitForMessage(isPicture);
      expect(performance.now() - playedAtMs).toBeLessThan(FIRST_PICTURE_LIMIT_MS);
      expect(isKeyFrame(picture)).toBe(true);
      expect(picture.timestampMs % GOP_MS).toBeLessThan(100);
    });
    for (const { client } of uncached) {
      const picture = await client.waitForMessage(isPicture, { limitMs: 20_000 });
      expect(isKeyFrame(picture)).toBe(true);
      expect(picture.timestampMs).toBeGreaterThanOrEqual(GOP_MS);
      // It was not kept waiting for the picture.
      const before = client.messages.slice(0, client.messages.indexOf(picture));
      expect(before.filter((message) => message.type === messageTypes.audio).length).toBeGreaterThan(10);
    }
  });
});
