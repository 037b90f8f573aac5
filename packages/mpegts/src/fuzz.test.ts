import { type FrameType, SrsError } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { fuzz, type Random } from '../../../test/support/fuzz.ts';
import { accessUnitsOf } from './access-unit-reader.ts';
import { FlvToTs } from './flv-to-ts.ts';
import {
  aacFrame,
  aacHeader,
  audio,
  avcDelimiter,
  avcHeader,
  avcSps,
  avcUnit,
  hevcHeader,
  hevcUnit,
  hex,
  mp3Payload,
  mpeg1Frame,
  mpeg2Frame,
  mux,
  noise,
  video,
  videoFrame,
} from './mpegts-test-support.ts';
import { TsReader } from './ts-reader.ts';

const TIME_BOX_MS = 60_000;

interface Sample {
  readonly type: FrameType;
  readonly payload: Buffer;
}

/** Small payloads, so that a change hits a head more often than a unit. */
const samples: readonly Sample[] = [
  { type: video, payload: avcHeader() },
  { type: video, payload: avcHeader('avc1', 2) },
  { type: video, payload: hevcHeader('legacy 7') },
  { type: video, payload: hevcHeader('hvc1', 1) },
  { type: video, payload: videoFrame('legacy 7', [avcUnit(5, 20)], { isKey: true, compositionMs: 80 }) },
  { type: video, payload: videoFrame('legacy 7', [avcDelimiter, avcSps, avcUnit(1, 9)], { compositionMs: -40 }) },
  { type: video, payload: videoFrame('avc1', [avcUnit(5, 20)], { isKey: true, lengthBytes: 2 }) },
  { type: video, payload: videoFrame('hvc1', [hevcUnit(19, 30), hevcUnit(1, 8)], { isKey: true, lengthBytes: 1 }) },
  { type: video, payload: videoFrame('legacy 12', [hevcUnit(1, 30)], { lengthBytes: 0 }) },
  { type: video, payload: hex('9161763031 0a0b') },
  { type: audio, payload: aacHeader() },
  { type: audio, payload: aacHeader('118004c4040021100d4c61766335392e33372e31303056e500') },
  { type: audio, payload: Buffer.concat([hex('90'), Buffer.from('mp4a'), hex('eb098800')]) },
  { type: audio, payload: aacFrame(noise(30, 1)) },
  { type: audio, payload: mp3Payload(mpeg1Frame()) },
  { type: audio, payload: mp3Payload(Buffer.concat([mpeg2Frame(), mpeg2Frame()])) },
  { type: audio, payload: Buffer.concat([hex('95 11'), Buffer.from('mp4a'), hex('00 000003 aabbcc 01 000001 dd')]) },
];
const payloads = samples.map((sample) => sample.payload);

/** What is written must be a stream that the reader takes, whatever went in. */
class FuzzedMuxer {
  #ts = this.#fresh();
  #reader = new TsReader({ onPes: () => {} });
  #age = 0;
  #ms = 0;

  #fresh(): FlvToTs {
    return new FlvToTs({ output: (packets) => this.#check(() => this.#reader.receive(packets)) });
  }

  /** What the reader refuses is a fault of the muxer, and no refusal. */
  #check(read: () => void): void {
    try {
      read();
    } catch (cause) {
      throw new Error('the muxer wrote a faulty stream', { cause });
    }
  }

  give(payload: Buffer, random: Random): void {
    if (this.#age === 2000) {
      this.#ts.flush();
      this.#check(() => this.#reader.end());
      this.#reader = new TsReader({ onPes: () => {} });
      this.#ts = this.#fresh();
      this.#age = 0;
    }
    this.#age += 1;
    const type = ([video, audio, 18] as const)[random.below(20) === 0 ? 2 : random.below(2)]!;
    this.#ms = random.below(50) === 0 ? random.below(2 ** 31) : (this.#ms + random.below(60)) % 2 ** 31;
    if (random.below(10) === 0) this.#ts.beginFile();
    if (random.below(10) === 0) this.#ts.flush();
    if (random.below(4) === 0) this.#ts.onHeader(type, payload);
    else this.#ts.onFrame(type, this.#ms, payload);
  }
}

describe('any bytes', () => {
  it('as headers and frames are muxed into a stream without fault, or refused with an SrsError', { timeout: 90_000 }, () => {
    const muxer = new FuzzedMuxer();
    const options = { count: 150_000, timeBoxMs: TIME_BOX_MS, maxGrowthBytes: 16 * 1024 * 1024 };
    const { accepted, refused } = fuzz({ samples: payloads, ...options }, (input, random) => muxer.give(input, random));
    expect(accepted).toBeGreaterThan(5000);
    expect(refused).toBeGreaterThan(5000);
  });

  it('as a transport stream are read, or refused with an SrsError', { timeout: 90_000 }, () => {
    const streams = [
      mux((ts) => {
        ts.onHeader(video, avcHeader());
        ts.onHeader(audio, aacHeader());
        ts.onFrame(video, 0, videoFrame('legacy 7', [avcUnit(5, 150)], { isKey: true }));
        ts.onFrame(audio, 0, aacFrame(noise(30, 1)));
      }),
      mux((ts) => ts.onFrame(audio, 0, mp3Payload(mpeg1Frame()))),
    ];
    const options = { count: 60_000, timeBoxMs: TIME_BOX_MS, maxGrowthBytes: 16 * 1024 * 1024 };
    const { accepted, refused } = fuzz({ samples: streams, ...options }, (input, random) => {
      const reader = new TsReader({ onPes: (pes) => void accessUnitsOf(pes) }, { maxPesBytes: 1000 });
      const cut = random.below(input.length + 1);
      reader.receive(input.subarray(0, cut));
      reader.receive(input.subarray(cut));
      reader.end();
    });
    expect(accepted).toBeGreaterThan(1000);
    expect(refused).toBeGreaterThan(5000);
  });
});

it('a frame cut anywhere is muxed or refused', () => {
  for (const { type, payload } of samples) {
    for (let length = 0; length <= payload.length; length++) {
      const bytes = mux((ts) => {
        ts.onHeader(video, avcHeader());
        ts.onHeader(audio, aacHeader());
        try {
          ts.onFrame(type, 0, payload.subarray(0, length));
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(SrsError);
        }
      });
      const reader = new TsReader({ onPes: () => {} });
      reader.receive(bytes);
      reader.end();
    }
  }
});
