/** What players of the formats get of a ring by the fan-out, wherever they stand. */
import { describe, expect, it } from 'vitest';
import { LiveStage, numbers, vhostOf } from './live-fan-out-test-support.ts';
import { liveFormats } from './live-format.ts';

const { ts, aac } = liveFormats;

describe('players of a transport stream', () => {
  it('in step from the start, and joined later, get the same bytes in one write', () => {
    const stage = new LiveStage({ format: ts.http });
    stage.live.feed(1);
    const first = stage.join();
    stage.feed(24);
    const second = stage.join();
    expect(second.state?.statistics.isInStep).toBe(true);
    stage.feed(12);
    const third = stage.join();
    stage.feed(13);
    for (const { state } of [first, second, third]) expect(state?.statistics.isInStep).toBe(true);
    expect([first, second, third].map(({ pictures }) => pictures)).toEqual([numbers(0, 50), numbers(20, 50), numbers(30, 50)]);
    for (const { bytes } of [second, third]) expect(first.bytes.subarray(-bytes.length).equals(bytes)).toBe(true);
    expect(first.parts.at(-1)).toEqual(third.parts.at(-1));
    expect(stage.dropped).toEqual([]);
  });

  it('held from before the publish get it from its first frame on', () => {
    const stage = new LiveStage({ format: ts.http });
    stage.feed(5);
    const viewers = [stage.join(), stage.join()];
    stage.feed(5);
    stage.republish();
    viewers.push(stage.join());
    stage.feed(15);
    expect(viewers.map(({ pictures }) => pictures)).toEqual([
      [...numbers(0, 10), ...numbers(0, 15)],
      [...numbers(0, 10), ...numbers(0, 15)],
      numbers(0, 15),
    ]);
  });

  it('that are behind, and catch up, miss nothing and share what comes', () => {
    const stage = new LiveStage({ format: ts.http });
    stage.feed(5);
    const [quick, slow] = [stage.join(), stage.join()];
    slow.isBlocked = true;
    for (let round = 0; round < 20; round++) stage.feed(3);
    expect(slow.state?.statistics.isInStep).toBe(false);
    stage.unblock(slow);
    expect(slow.state?.statistics).toMatchObject({ isInStep: true, cuts: 0 });
    stage.feed(3);
    expect(slow.pictures).toEqual(numbers(0, 68));
    expect(slow.sounds).toEqual(numbers(0, 68));
    expect(slow.bytes.equals(quick.bytes)).toBe(true);
  });

  it('that are cut to a key frame, paused or overtaken by the writer go on without a fault', () => {
    const stage = new LiveStage({ format: ts.http, settings: { queueLengthMs: 2000 }, capacityBytes: 1 << 17 });
    stage.feed(5);
    const [quick, slow, paused, lost] = [stage.join(), stage.join(), stage.join(), stage.join()];
    stage.fanOut.setPaused(paused.state!, true);
    slow.isBlocked = true;
    lost.isBlocked = true;
    for (let round = 0; round < 25; round++) stage.feed(3);
    stage.unblock(slow);
    stage.fanOut.setPaused(paused.state!, false);
    for (let round = 0; round < 250; round++) stage.feed(3);
    stage.unblock(lost);
    stage.feed(12);
    expect(quick.pictures).toEqual(numbers(0, 842));
    expect(slow.pictures).toEqual([...numbers(0, 8), ...numbers(70, 842)]);
    expect(paused.pictures).toEqual([...numbers(0, 5), ...numbers(70, 842)]);
    expect(lost.pictures).toEqual([...numbers(0, 8), ...numbers(820, 842)]);
    for (const { state } of [slow, paused, lost]) expect(state?.statistics).toMatchObject({ isInStep: true, cuts: 1 });
    // From its key frame on each has the very packets of those who were never behind: three pictures a part, and the last twelve.
    const sinceKey = (picture: number) => quick.parts.slice(-1 - Math.floor((830 - picture) / 3));
    for (const [{ bytes }, picture] of [
      [slow, 70],
      [paused, 70],
      [lost, 820],
    ] as const) {
      const tail = Buffer.concat(sinceKey(picture));
      expect(bytes.subarray(-tail.length).equals(tail)).toBe(true);
    }
  });

  it('that share a worker which was overtaken go on at a key frame', () => {
    const stage = new LiveStage({ format: ts.http, capacityBytes: 1 << 16 });
    stage.feed(5);
    const viewers = [stage.join(), stage.join()];
    stage.feed(2);
    // More than the ring holds, in one go.
    stage.live.feed(400);
    stage.wake();
    stage.feed(20);
    expect(stage.fanOut.statistics.laps).toBe(1);
    for (const { pictures } of viewers) expect(pictures).toEqual([...numbers(0, 7), ...numbers(400, 427)]);
  });

  it('that join without a cache hear the sound at once, and see from the next key frame on', () => {
    const stage = new LiveStage({ format: ts.http, settings: { gopCache: false } });
    stage.feed(5);
    const first = stage.join();
    stage.feed(20);
    const second = stage.join();
    stage.feed(20);
    stage.feed(5);
    expect(first.sounds).toEqual(numbers(5, 50));
    expect(second.sounds).toEqual(numbers(25, 50));
    expect(second.pictures).toEqual(numbers(30, 50));
    for (const { state } of [first, second]) expect(state?.statistics.isInStep).toBe(true);
  });

  it('of sound alone join at any sound', () => {
    const stage = new LiveStage({ format: ts.http, hasVideo: false });
    stage.feed(50);
    const first = stage.join();
    stage.feed(30);
    const second = stage.join();
    stage.feed(7);
    expect(first.sounds).toEqual(numbers(50, 87));
    expect(second.sounds).toEqual(numbers(80, 87));
  });

  it('of a vhost that leaves out the sound from now on go on with pictures, and get it back', () => {
    const stage = new LiveStage({ format: ts.http });
    stage.feed(5);
    const [quick, slow] = [stage.join(), stage.join()];
    stage.feed(5);
    slow.isBlocked = true;
    stage.feed(5);
    stage.fanOut.changeEncoder(stage.encoderFor(vhostOf('has_audio off;')), () => {});
    stage.feed(20);
    stage.unblock(slow);
    const late = stage.join();
    stage.feed(5);
    stage.fanOut.changeEncoder(stage.encoderFor(vhostOf()), () => {});
    stage.feed(5);
    expect(quick.sounds).toEqual([...numbers(0, 15), ...numbers(40, 45)]);
    expect(quick.pictures).toEqual(numbers(0, 45));
    expect(slow.pictures).toEqual(numbers(0, 45));
    expect(late.pictures).toEqual(numbers(30, 45));
  });

  it('over a WebSocket get the same, in messages of whole packets', () => {
    const [plain, messages] = [ts.http, ts.webSocket].map((format) => {
      const stage = new LiveStage({ format });
      stage.feed(25);
      const first = stage.join();
      stage.feed(5);
      const second = stage.join();
      first.isBlocked = true;
      stage.feed(15);
      stage.unblock(first);
      stage.feed(5);
      return [first, second];
    }) as [ReturnType<LiveStage['join']>[], ReturnType<LiveStage['join']>[]];
    for (const [index, { bytes }] of messages.entries()) {
      const contents: Buffer[] = [];
      for (let at = 0; at < bytes.length; ) {
        expect(bytes[at]).toBe(0x82);
        const short = bytes[at + 1]!;
        const head = short < 126 ? 2 : 4;
        const length = short < 126 ? short : bytes.readUInt16BE(at + 2);
        expect(length % 188).toBe(0);
        contents.push(bytes.subarray(at + head, at + head + length));
        at += head + length;
      }
      expect(Buffer.concat(contents).equals(plain[index]!.bytes)).toBe(true);
    }
  });
});

describe('players of the sound alone', () => {
  const sizesOf = (bytes: Buffer): number[] => {
    const sizes: number[] = [];
    for (let at = 0; at < bytes.length; at += sizes.at(-1)! + 7 + 20) {
      expect(bytes.readUInt16BE(at)).toBe(0xfff1);
      sizes.push(((bytes.readUIntBE(at + 3, 3) >>> 5) & 0x1fff) - 7 - 20);
    }
    return sizes;
  };

  it('start with what comes, wherever key frames are', () => {
    const stage = new LiveStage({ format: aac.http });
    stage.feed(25);
    const first = stage.join();
    stage.feed(17);
    const second = stage.join();
    stage.feed(3);
    // No key frame has come since.
    expect(second.state?.statistics.isInStep).toBe(true);
    stage.feed(20);
    expect(sizesOf(first.bytes)).toEqual(numbers(25, 65));
    expect(sizesOf(second.bytes)).toEqual(numbers(42, 65));
  });

  it('start so far back as fast_cache says, as far as the ring and the queue length reach', () => {
    for (const hasVideo of [true, false]) {
      const startBackMs = aac.http.startBackMs?.(vhostOf('fast_cache 2;')) ?? 0;
      const stage = new LiveStage({ format: aac.http, hasVideo, settings: { startBackMs }, capacityBytes: 1 << 16 });
      stage.feed(10);
      expect(sizesOf(stage.join().bytes)).toEqual(numbers(0, 10));
      stage.feed(300);
      const joined = stage.join();
      // 2 s are fifty steps of 40 ms.
      expect(sizesOf(joined.bytes)).toEqual(numbers(259, 310));
      stage.feed(5);
      expect(sizesOf(joined.bytes)).toEqual(numbers(259, 315));
      expect(joined.state?.statistics).toMatchObject({ cuts: 0 });
    }
    const stage = new LiveStage({ format: aac.http, settings: { startBackMs: 9000, queueLengthMs: 1000 } });
    stage.feed(100);
    expect(sizesOf(stage.join().bytes)).toEqual(numbers(74, 100));
  });
});
