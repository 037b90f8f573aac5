import { describeVideo, parseVideoConfiguration } from '@srs/codec';
import { type FrameType, SrsError } from '@srs/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fuzz } from '../../../test/support/fuzz.ts';
import {
  aacFrame,
  aacHeader,
  audio,
  avcDelimiter,
  avcHeader,
  avcPps,
  avcSps,
  avcUnit,
  hevcHeader,
  hevcUnit,
  hex,
  mp3Payload,
  mpeg1Frame,
  mux,
  noise,
  video,
  videoFrame,
} from './mpegts-test-support.ts';
import { encodePmt, pids, streamTypes } from './program-tables.ts';
import { TsToFlv } from './ts-to-flv.ts';

interface Frame {
  readonly type: FrameType;
  readonly ms: number;
  readonly payload: Buffer;
}

interface Read {
  readonly frames: readonly Frame[];
  readonly warnings: readonly string[];
}

/** @param pieceBytes how the stream is cut */
function read(bytes: Buffer, pieceBytes = bytes.length): Read {
  const frames: Frame[] = [];
  const warnings: string[] = [];
  const reader = new TsToFlv({
    onFrame: (type, ms, payload) => frames.push({ type, ms, payload: Buffer.from(payload) }),
    onWarning: (text) => warnings.push(text),
  });
  for (let at = 0; at < bytes.length; at += pieceBytes) reader.receive(bytes.subarray(at, at + pieceBytes));
  reader.end();
  return { frames, warnings };
}

const ofType = ({ frames }: Read, type: FrameType): readonly Frame[] => frames.filter((frame) => frame.type === type);
/** Times from the first frame on. */
const times = (frames: readonly Frame[]): readonly number[] => frames.map(({ ms }) => ms - frames[0]!.ms);

/** H.264 with B-frames, a key frame each 200 ms, and AAC. */
const SOUNDS = 43;
const soundMs = (index: number): number => Math.round((index * 1024) / 44.1);
const movie: readonly Frame[] = [
  ...Array.from({ length: 25 }, (_, i): Frame => {
    const isKey = i % 5 === 0;
    const picture = { isKey, compositionMs: (i % 3) * 40 };
    return { type: video, ms: i * 40, payload: videoFrame('legacy 7', [avcUnit(isKey ? 5 : 1, 300 + i, i + 1)], picture) };
  }),
  ...Array.from({ length: SOUNDS }, (_, i): Frame => ({ type: audio, ms: soundMs(i), payload: aacFrame(noise(50 + i, i + 1)) })),
].sort((one, other) => one.ms - other.ms);

function muxed(frames: readonly Frame[], videoHeader: Buffer | undefined, audioHeader: Buffer | undefined): Buffer {
  return mux((ts) => {
    if (videoHeader !== undefined) ts.onHeader(video, videoHeader);
    if (audioHeader !== undefined) ts.onHeader(audio, audioHeader);
    for (const { type, ms, payload } of frames) ts.onFrame(type, ms, payload);
  });
}

const movieTs = muxed(movie, avcHeader(), aacHeader());
const payloadsOf = (frames: readonly Frame[], type: FrameType): readonly Buffer[] =>
  frames.filter((frame) => frame.type === type).map(({ payload }) => payload);

describe('what FlvToTs has written', () => {
  it('of H.264 and AAC comes back as it was, with its headers first', () => {
    const back = read(movieTs);
    expect(back.warnings).toEqual([]);
    const [videoHeader, ...pictures] = ofType(back, video);
    const [audioHeader, ...sounds] = ofType(back, audio);
    expect(videoHeader?.payload).toEqual(avcHeader());
    expect(audioHeader?.payload).toEqual(aacHeader());
    expect(pictures.map(({ payload }) => payload)).toEqual(payloadsOf(movie, video));
    expect(sounds.map(({ payload }) => payload)).toEqual(payloadsOf(movie, audio));
    expect(times(pictures)).toEqual(Array.from({ length: 25 }, (_, i) => i * 40));
    // Sound is timed by its samples; half a millisecond is lost on the way.
    for (const [i, ms] of times(sounds).entries()) expect(Math.abs(ms - soundMs(i))).toBeLessThanOrEqual(1);
  });

  it('of H.265 comes back as enhanced FLV with the same parameter sets', () => {
    const frames = [0, 1, 2].map((i) => ({
      type: video,
      ms: i * 40,
      payload: videoFrame('hvc1', [hevcUnit(i === 0 ? 19 : 1, 200, i + 1)], { isKey: i === 0, compositionMs: 40 }),
    }));
    const [header, ...pictures] = read(muxed(frames, hevcHeader(), undefined)).frames;
    expect(pictures.map(({ payload }) => payload)).toEqual(frames.map(({ payload }) => payload));
    const facts = [header!.payload, hevcHeader()].map((payload) => parseVideoConfiguration(describeVideo(payload)!, payload));
    expect(facts[0]).toEqual(facts[1]);
    expect(header?.payload.subarray(5, 18)).toEqual(hevcHeader().subarray(5, 18));
  });

  it('of MP3 comes back frame by frame', () => {
    const frames = [1, 2, 3].map((seed) => ({ type: audio, ms: (seed - 1) * 26, payload: mp3Payload(mpeg1Frame(seed)) }));
    const back = read(muxed(frames, undefined, undefined));
    expect(back.frames.map(({ payload }) => payload)).toEqual(frames.map(({ payload }) => payload));
    expect(times(back.frames)).toEqual([0, 26, 52]);
  });

  it('is read alike in pieces of any size', () => {
    const whole = read(movieTs);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 800 }), (pieceBytes) => {
        expect(read(movieTs, pieceBytes)).toEqual(whole);
      }),
      { numRuns: 20 },
    );
  });
});

describe('a stream with faults', () => {
  const packets = (bytes: Buffer): Buffer[] =>
    Array.from({ length: bytes.length / 188 }, (_, i) => bytes.subarray(i * 188, (i + 1) * 188));

  it('that begins within a packet is read from the next one on', () => {
    const back = read(Buffer.concat([hex('47 00 11 47 22'), movieTs]));
    expect(back.frames).toEqual(read(movieTs).frames);
    expect(back.warnings).toEqual(['bytes between the packets are left out']);
  });

  it('with bytes between its packets goes on behind them', () => {
    const half = 188 * Math.floor(packets(movieTs).length / 2);
    const back = read(Buffer.concat([movieTs.subarray(0, half), noise(100, 1), movieTs.subarray(half)]));
    expect(back.frames).toEqual(read(movieTs).frames);
  });

  it('that begins in the middle gives no picture before the first that can be decoded', () => {
    const all = packets(movieTs);
    const tables = all.slice(0, 2);
    const isVideoStart = (packet: Buffer): boolean => packet.readUInt16BE(1) === (0x4000 | pids.video);
    const second = all.findIndex((packet, i) => i > 0 && isVideoStart(packet) && all.slice(0, i).some(isVideoStart));
    const pictures = ofType(read(Buffer.concat([...tables, ...all.slice(second)])), video);
    expect(pictures.map(({ payload }) => payload)).toEqual([avcHeader(), ...payloadsOf(movie, video).slice(5)]);
  });

  it('that lost any one packet gives all other frames as they were', () => {
    const all = packets(movieTs);
    const whole = new Set(read(movieTs).frames.map(({ payload }) => payload.toString('hex')));
    for (let lost = 2; lost < all.length; lost++) {
      const back = read(Buffer.concat(all.toSpliced(lost, 1)));
      for (const { payload } of back.frames) expect(whole.has(payload.toString('hex'))).toBe(true);
      // One unit at most; the first picture takes those with it that need it, and a unit of sound has several frames.
      if (lost > 10) expect(back.frames.length).toBeGreaterThan(whole.size - 6);
    }
  });

  it('with each packet sent twice is read as if once', () => {
    expect(read(Buffer.concat(packets(movieTs).flatMap((packet) => [packet, packet]))).frames).toEqual(read(movieTs).frames);
  });

  it('with padding, other programs and private streams gives the frames of its program', () => {
    const padding = Buffer.alloc(188, 0xff);
    padding.set([0x47, 0x1f, 0xff, 0x10]);
    const others = Buffer.alloc(188, 0x11);
    others.set([0x47, 0x43, 0x33, 0x10]);
    const mixed = Buffer.concat(packets(movieTs).flatMap((packet) => [padding, packet, others]));
    expect(read(mixed)).toEqual(read(movieTs));
  });

  it('whose times jump goes on where it was, for both tracks', () => {
    const later = movie.map((frame) => ({ ...frame, ms: frame.ms + 5_000_000 }));
    for (const order of [
      [...movie, ...later],
      [...later, ...movie],
    ]) {
      const back = read(muxed(order, avcHeader(), aacHeader()));
      for (const type of [video, audio]) {
        const line = times(ofType(back, type));
        expect(line.at(-1)).toBeGreaterThan(1900);
        expect(line.at(-1)).toBeLessThan(2300);
        expect(line).toEqual(line.toSorted((a, b) => a - b));
      }
    }
  });

  it('whose 33 bits of time run over goes on', () => {
    const wrapMs = 2 ** 33 / 90 - 1300;
    const back = read(
      muxed(
        movie.map((frame) => ({ ...frame, ms: Math.round(wrapMs) + frame.ms })),
        avcHeader(),
        aacHeader(),
      ),
    );
    const pictures = ofType(back, video).slice(1);
    expect(pictures).toHaveLength(25);
    for (const [i, ms] of times(pictures).entries()) expect(Math.abs(ms - i * 40)).toBeLessThanOrEqual(1);
  });

  it('that is none is refused soon, by its name', () => {
    expect(() => read(noise(200_000, 1), 10_000)).toThrow(SrsError);
    expect(() => read(Buffer.alloc(200_000))).toThrow('mpeg-ts has no packets of 188 bytes in 65536 bytes');
  });

  it('with a picture without end is refused', () => {
    const start = packets(movieTs).find((packet) => packet.readUInt16BE(1) === (0x4000 | pids.video))!;
    const unending = Buffer.from(start);
    unending.fill(1, 100);
    const more = Array.from({ length: 50_000 }, (_, i) => {
      const packet = Buffer.alloc(188, 1);
      packet.set([0x47, 0x01, 0x00, 0x10 | ((start[3]! + i + 1) & 0x0f)]);
      return packet;
    });
    const told = Buffer.concat([...packets(movieTs).slice(0, 2), unending, ...more]);
    // The length of the PES packet is open.
    const pesAt = 2 * 188 + 4 + (unending[3]! & 0x20 ? 1 + unending[4]! : 0);
    told.writeUInt16BE(0, pesAt + 4);
    expect(() => read(told)).toThrow('mpeg-ts pes packet of pid 256 must be at most 8388608 bytes');
  });
});

/** The movie under other tables; they come at each key frame. */
function withPmt(streams: Parameters<typeof encodePmt>[2]): Buffer {
  const bytes = Buffer.from(movieTs);
  for (let at = 0; at < bytes.length; at += 188) {
    if ((bytes.readUInt16BE(at + 1) & 0x1fff) !== pids.pmt) continue;
    const counter = bytes[at + 3]!;
    encodePmt(0, pids.video, streams).copy(bytes, at);
    bytes[at + 3] = counter;
  }
  return bytes;
}

describe('the tables', () => {
  it('of a program without a stream that can be carried are told of', () => {
    expect(read(withPmt([{ pid: 300, streamType: 6 }]))).toEqual({
      frames: [],
      warnings: ['a program has no stream that can be carried: pid 300 of type 0x6'],
    });
  });

  it('may list more tracks than are taken, and the first of a kind counts', () => {
    const { aac, avc } = streamTypes;
    const streams = [
      { pid: 300, streamType: 6 },
      { pid: pids.video, streamType: avc },
      { pid: pids.audio, streamType: aac },
      { pid: 301, streamType: aac },
    ];
    const back = read(withPmt(streams));
    expect(back.frames).toEqual(read(movieTs).frames);
    expect(back.warnings).toEqual(['streams of the program are left out: pid 300 of type 0x6, pid 301 of type 0xf']);
  });

  it('may bring another codec in mid-stream; the other track goes on untouched', () => {
    const bytes = mux((ts) => {
      ts.onHeader(video, avcHeader());
      ts.onHeader(audio, aacHeader());
      for (const { type, ms, payload } of movie) ts.onFrame(type, ms, payload);
      for (let i = 0; i < 10; i++) {
        ts.onFrame(audio, 1000 + i * 26, mp3Payload(mpeg1Frame(i + 1)));
        // No key frame and no parameter sets: only a reader that went on has them.
        ts.onFrame(video, 1000 + i * 26, videoFrame('legacy 7', [avcUnit(1, 90, i + 1)]));
      }
    });
    const back = read(bytes);
    expect(ofType(back, audio).filter(({ payload }) => payload[0] === 0x2f)).toHaveLength(10);
    expect(ofType(back, video)).toHaveLength(1 + 25 + 10);
  });
});

describe('pictures', () => {
  it('of an open group are key frames when they are marked and bring parameter sets', () => {
    const open = videoFrame('legacy 7', [avcSps, avcPps, avcUnit(1, 80)], { isKey: true });
    const back = read(muxed([{ type: video, ms: 0, payload: open }], avcHeader(), undefined));
    expect(back.frames.map(({ payload }) => payload[0]! >>> 4)).toEqual([1, 1]);
  });

  it('with other parameter sets than before come behind another sequence header', () => {
    const otherPps = hex('68ebe3cb22c1');
    const frames = [
      { type: video, ms: 0, payload: videoFrame('legacy 7', [avcUnit(5, 80)], { isKey: true }) },
      { type: video, ms: 40, payload: videoFrame('legacy 7', [avcDelimiter, avcSps, otherPps, avcUnit(5, 80)], { isKey: true }) },
    ];
    const headers = read(muxed(frames, avcHeader(), undefined)).frames.filter(({ payload }) => payload[1] === 0);
    expect(headers.map(({ payload }) => payload)).toEqual([avcHeader(), avcHeader('legacy 7', 4, [avcSps], [otherPps])]);
  });
});

it('any bytes are read, or refused with an SrsError', () => {
  const hevc = [{ type: video, ms: 0, payload: videoFrame('hvc1', [hevcUnit(19, 200)], { isKey: true }) }];
  const streams = [
    movieTs.subarray(0, 188 * 12),
    muxed(hevc, hevcHeader(), undefined),
    muxed([{ type: audio, ms: 0, payload: mp3Payload(mpeg1Frame()) }], undefined, undefined),
  ];
  let frames = 0;
  const { accepted } = fuzz(
    { samples: streams, count: 6000, timeBoxMs: 20_000, maxGrowthBytes: 16 * 1024 * 1024 },
    (input, random) => {
      const reader = new TsToFlv({ onFrame: () => (frames += 1), onWarning: () => {} });
      const cut = random.below(input.length + 1);
      reader.receive(input.subarray(0, cut));
      reader.receive(input.subarray(cut));
      reader.end();
    },
  );
  expect(accepted).toBeGreaterThan(5000);
  expect(frames).toBeGreaterThan(5000);
});
