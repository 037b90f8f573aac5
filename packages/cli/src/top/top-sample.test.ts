import { describe, expect, it } from 'vitest';
import { kbps } from '../cli-test-support.ts';
import { factsIn } from '../explain/explain-test-support.ts';
import { clientOf, publisher } from '../rows-test-support.ts';
import { sampleOf, type TopSample } from './top-sample.ts';

type Look = TopSample['look'];

/** One look at a server whose counters stand at `bytes`. */
function lookAt(atMs: number, bytes: number, more: { cid?: number; frames?: number } = {}): Look {
  const { status, streams } = factsIn({
    input: { recvBytes: bytes, videoFrames: more.frames ?? 0, cid: more.cid ?? publisher.cid },
    summary: { traffic: { recvBytes: bytes, sendBytes: 2 * bytes, recvKbps: kbps(1), sendKbps: kbps(2) } },
  });
  return { atMs, status, streams, clients: [{ ...clientOf(215, { sendBytes: bytes, recvBytes: 0 }), worker: 2 }] };
}

describe('what top has seen', () => {
  it('has the rates between two looks', () => {
    const sample = sampleOf(lookAt(3000, 251_000, { frames: 50 }), lookAt(1000, 1000, { frames: 0 }));
    expect(sample.workers[2]).toMatchObject({ inKbps: 1000, outKbps: 2000 });
    expect(sample.streams[0]).toMatchObject({ inKbps: 1000, fps: 25 });
    expect(sample.clients?.[0]).toMatchObject({ inKbps: 0, outKbps: 1000 });
  });

  it('has the rates of the server when there is nothing to compare with', () => {
    const sample = sampleOf(lookAt(3000, 251_000), undefined);
    expect(sample.workers[2]).toMatchObject({ inKbps: 1, outKbps: 2 });
    expect(sample.streams[0]).toMatchObject({ inKbps: 800, fps: undefined });
    expect(sample.clients?.[0]).toMatchObject({ outKbps: 300 });
  });

  it('does not compare a publisher with the one before, nor counters that began anew', () => {
    const changed = sampleOf(lookAt(3000, 251_000, { cid: 999 }), lookAt(1000, 1000));
    expect(changed.streams[0]).toMatchObject({ inKbps: 800, fps: undefined });
    const restarted = sampleOf(lookAt(3000, 10), lookAt(1000, 1000));
    expect(restarted.workers[2]).toMatchObject({ inKbps: 1, outKbps: 2 });
  });
});
