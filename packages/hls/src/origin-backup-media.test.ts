/** Real media packaged by two servers that back each other up. */
import { randomBytes } from 'node:crypto';
import { type FrameType, frameFlags, silentLog, systemClock } from '@srs/kernel';
import type { FrameConsumer } from '@srs/stream';
import { expect, it } from 'vitest';
import { runForeign } from '../../../test/support/foreign.ts';
import { requires } from '../../../test/support/requires.ts';
import { type HlsFeature, hlsFeature } from './hls-feature.ts';
import { hlsVhost, testStream } from './hls-test-support.ts';
import { feedClip, serveMemory } from './media-test-support.ts';
import { parsePlaylist } from './playlist-text.ts';

requires('ffmpeg');

const vhost = hlsVhost(
  'hls_fragment 1; hls_window 3; hls_storage memory; hls_ctx off; hls_origin_backup on; hls_td_ratio 1;',
  'atc on;',
);

function newServer(): { readonly feature: HlsFeature; readonly consumer: FrameConsumer } {
  const feature = hlsFeature({ clock: systemClock, log: silentLog, randomBytes, onSegment: () => {} });
  return { feature, consumer: feature.open(testStream(vhost), vhost.hls)! };
}

/** Gives all to one and, but for the headers, nothing of the first frames to the other. */
function tee(one: FrameConsumer, other: FrameConsumer, missed: number): FrameConsumer {
  let count = 0;
  return {
    onFrame(type: FrameType, flags, timestampMs, wallMs, payload) {
      one.onFrame(type, flags, timestampMs, wallMs, payload);
      count += 1;
      if (count > missed || (flags & frameFlags.sequenceHeader) !== 0) other.onFrame(type, flags, timestampMs, wallMs, payload);
    },
    onGap: () => {},
    onEnd: async () => {},
  };
}

async function bytesOf(feature: HlsFeature, path: string): Promise<Buffer> {
  const answer = await feature.answer({ vhost: 'a.com', path, query: '', signal: new AbortController().signal });
  return answer.status === 200 ? answer.body : Buffer.alloc(0);
}

it.each(['h264-aac', 'h264-bframes-aac', 'aac-only'] as const)(
  '%s: bytes are equal, and play without a complaint',
  async (name) => {
    const [one, other] = [newServer(), newServer()];
    await feedClip(tee(one.consumer, other.consumer, 110), name);
    const [playlist, same] = await Promise.all([one, other].map(({ feature }) => bytesOf(feature, 'live/livestream.m3u8')));
    expect(same!.toString()).toBe(playlist!.toString());
    const uris = parsePlaylist(playlist!.toString()).segments.map(({ uri }) => uri);
    expect(uris.length).toBeGreaterThan(3);
    for (const uri of uris) {
      const [here, there] = await Promise.all([one, other].map(({ feature }) => bytesOf(feature, `live/${uri}`)));
      expect(here!.equals(there!), uri).toBe(true);
    }
    const server = await serveMemory(one.feature, true);
    const end = await runForeign('ffmpeg', [
      '-nostdin',
      '-v',
      'warning',
      '-i',
      `${server.origin}/live/livestream.m3u8`,
      '-f',
      'null',
      '-',
    ]);
    server.close();
    expect([end.code, end.stderr]).toEqual([0, '']);
    await Promise.all([one, other].map(({ feature }) => feature.close()));
  },
);
