import { describe, expect, it } from 'vitest';
import { FlvToTs } from './flv-to-ts.ts';
import {
  aacFrame,
  aacHeader,
  audio,
  avcHeader,
  avcUnit,
  DELAY,
  hevcHeader,
  hevcUnit,
  mp3Payload,
  mpeg1Frame,
  mpeg2Frame,
  mux,
  noise,
  packetsByPid,
  readBack,
  TENTH_SECOND,
  video,
  videoFrame,
} from './mpegts-test-support.ts';

const sound = noise(180, 1);
const key = videoFrame('legacy 7', [avcUnit(5, 900, 1)], { isKey: true });
const inter = videoFrame('legacy 7', [avcUnit(1, 400, 2)]);
const avc = { pid: 0x100, streamType: 0x1b };
/** Another codec is on another PID. */
const hevc = { pid: 0x102, streamType: 0x24 };
const aac = { pid: 0x101, streamType: 0x0f };
const WRAP_33 = 2 ** 33;

function pidAt(bytes: Buffer, packet: number): number {
  return bytes.readUInt16BE(packet * 188 + 1) & 0x1fff;
}

function headers(ts: FlvToTs): void {
  ts.onHeader(video, avcHeader());
  ts.onHeader(audio, aacHeader());
}

/** Pictures of 25 a second with a key frame each second, and sound of 44.1 kHz, from `fromMs` to `toMs`. */
function play(ts: FlvToTs, fromMs: number, toMs: number, gopMs = 1000): void {
  let nextSound = Math.ceil((fromMs * 44.1) / 1024);
  for (let ms = fromMs; ms < toMs; ms += 40) {
    ts.onFrame(video, ms & 0x7fffffff, ms % gopMs === 0 ? key : inter);
    for (; (nextSound * 1024) / 44.1 < ms + 40; nextSound++) {
      ts.onFrame(audio, Math.floor((nextSound * 1024) / 44.1) & 0x7fffffff, aacFrame(sound));
    }
  }
}

describe('a file', () => {
  it('begins with the tables, and the clock is in its first unit', () => {
    const runs: Buffer[] = [];
    const ts = new FlvToTs({ output: (packets) => runs.push(packets) });
    headers(ts);
    const files: Buffer[] = [];
    for (let file = 0; file < 40; file++) {
      ts.beginFile();
      play(ts, file * 1000, file * 1000 + 1000);
      ts.flush();
      files.push(Buffer.concat(runs.splice(0)));
    }
    for (const bytes of files) {
      expect([0, 1, 2].map((packet) => pidAt(bytes, packet))).toEqual([0, 0x1001, 0x100]);
      const { programs, clocks, pictures } = readBack(bytes);
      expect(programs).toEqual([{ version: 0, pcrPid: 0x100, streams: [avc, aac] }]);
      expect(pictures[0]!.isRandomAccess).toBe(true);
      expect(clocks[0]!.pcr).toBe(pictures[0]!.dts - DELAY);
    }
    // Counters go on: together the files are one stream.
    expect(readBack(Buffer.concat(files)).pictures).toHaveLength(1000);
  });

  it('that begins with sound has the clock before it', () => {
    const bytes = mux((ts) => {
      headers(ts);
      play(ts, 0, 1000);
      ts.flush();
      ts.beginFile();
      ts.onFrame(audio, 1000, aacFrame(sound));
    });
    const last = bytes.subarray(bytes.length - 5 * 188);
    expect([0, 1, 2, 3, 4].map((packet) => pidAt(last, packet))).toEqual([0, 0x1001, 0x100, 0x101, 0x101]);
    const { clocks, sounds } = readBack(bytes);
    expect(clocks.at(-1)).toEqual({ pcr: sounds.at(-1)!.pts - DELAY, isDiscontinuity: false });
    expect(last[2 * 188 + 3]! & 0x30).toBe(0x20);
  });

  it('without headers has tables with its first frame', () => {
    expect(mux((ts) => ts.beginFile())).toHaveLength(0);
  });
});

describe('the tables', () => {
  it('come with each key frame', () => {
    const bytes = mux((ts) => {
      headers(ts);
      play(ts, 0, 2000, 200);
    });
    expect([packetsByPid(bytes).get(0), packetsByPid(bytes).get(0x1001)]).toEqual([10, 10]);
  });

  it('come every 500 ms within a long group of pictures', () => {
    const bytes = mux((ts) => {
      headers(ts);
      play(ts, 0, 10_000, 10_000);
    });
    expect(packetsByPid(bytes).get(0)).toBe(20);
  });

  it('come every 500 ms without pictures', () => {
    const bytes = mux((ts) => {
      ts.onHeader(audio, aacHeader());
      for (let i = 0; i < 430; i++) ts.onFrame(audio, Math.floor((i * 1024) / 44.1), aacFrame(sound));
    });
    // Units are 93 ms long.
    expect(packetsByPid(bytes).get(0)).toBe(18);
    expect(packetsByPid(bytes).has(0x100)).toBe(false);
  });

  it('list pictures that come later, and the clock moves to them', () => {
    const bytes = mux((ts) => {
      ts.onHeader(audio, aacHeader());
      for (let ms = 0; ms < 1000; ms += 23) ts.onFrame(audio, ms, aacFrame(sound));
      ts.onHeader(video, avcHeader());
      play(ts, 1000, 2000);
    });
    expect(readBack(bytes).programs).toEqual([
      { version: 0, pcrPid: 0x101, streams: [aac] },
      { version: 1, pcrPid: 0x100, streams: [avc, aac] },
    ]);
    expect(readBack(bytes).pictures).toHaveLength(25);
  });

  it('list sound that comes later', () => {
    const bytes = mux((ts) => {
      ts.onHeader(video, avcHeader());
      ts.onFrame(video, 0, key);
      ts.onFrame(audio, 0, mp3Payload(mpeg1Frame()));
      ts.onFrame(video, 40, inter);
    });
    expect(readBack(bytes).programs).toEqual([
      { version: 0, pcrPid: 0x100, streams: [avc] },
      { version: 1, pcrPid: 0x100, streams: [avc, { pid: 0x101, streamType: 3 }] },
    ]);
  });

  it('change before the first picture of another codec', () => {
    const bytes = mux((ts) => {
      headers(ts);
      play(ts, 0, 200);
      ts.onHeader(video, hevcHeader());
      expect(ts.videoCodec).toBe('hevc');
      ts.onFrame(video, 200, videoFrame('hvc1', [hevcUnit(19, 500)], { isKey: true }));
    });
    const { programs, pictures } = readBack(bytes);
    expect(programs.map((program) => program.streams[0])).toEqual([avc, hevc]);
    expect(pictures.map((picture) => picture.codec)).toEqual([...Array<string>(5).fill('avc'), 'hevc']);
  });

  it('change before the first sound of another codec, behind what was collected', () => {
    const bytes = mux((ts) => {
      ts.onHeader(audio, aacHeader());
      ts.onFrame(audio, 0, aacFrame(sound));
      ts.onFrame(audio, 23, mp3Payload(mpeg1Frame()));
      ts.onFrame(audio, 49, mp3Payload(mpeg2Frame()));
      expect(ts.audioCodec).toBe('mp3');
      ts.onFrame(audio, 75, aacFrame(sound));
      expect(ts.audioCodec).toBe('aac');
    });
    const { programs, pes, sounds } = readBack(bytes);
    expect(programs.map((program) => program.streams)).toEqual([
      [aac],
      [{ pid: 0x103, streamType: 3 }],
      [{ pid: 0x105, streamType: 4 }],
      [{ pid: 0x107, streamType: 0x0f }],
    ]);
    expect(pes.map((one) => one.streamType)).toEqual([0x0f, 3, 4, 0x0f]);
    expect(sounds.map((one) => one.codec)).toEqual(['aac', 'mp3', 'mp3', 'aac']);
  });
});

describe('runs', () => {
  it('are one for each unit, of whole packets', () => {
    const runs: Buffer[] = [];
    const ts = new FlvToTs({ output: (packets) => runs.push(packets) });
    headers(ts);
    play(ts, 0, 5000);
    ts.flush();
    expect(runs).toHaveLength(readBack(Buffer.concat(runs)).pes.length);
    expect(runs.filter((run) => run.length % 188 !== 0)).toEqual([]);
  });

  it('keep their bytes', () => {
    const runs: Buffer[] = [];
    const copies: Buffer[] = [];
    const ts = new FlvToTs({
      output: (packets) => {
        runs.push(packets);
        copies.push(Buffer.from(packets));
      },
    });
    headers(ts);
    play(ts, 0, 5000);
    expect(Buffer.concat(runs).equals(Buffer.concat(copies))).toBe(true);
  });
});

describe('the clock', () => {
  const steps = (bytes: Buffer) => {
    const { clocks } = readBack(bytes);
    return clocks.slice(1).map((clock, i) => clock.pcr - clocks[i]!.pcr);
  };

  it('ticks every 100 ms between pictures that are a second apart, with sound and without', () => {
    for (const hasSound of [false, true]) {
      const bytes = mux((ts) => {
        headers(ts);
        for (let ms = 0; ms < 5000; ms += 20) {
          if (ms % 1000 === 0) ts.onFrame(video, ms, key);
          if (hasSound) ts.onFrame(audio, ms, aacFrame(sound));
        }
      });
      expect(new Set(steps(bytes).filter((step) => step > TENTH_SECOND))).toEqual(new Set());
      expect(steps(bytes).filter((step) => step === TENTH_SECOND).length).toBeGreaterThan(35);
    }
  });

  it('ticks every 100 ms without pictures, in the sound', () => {
    const bytes = mux((ts) => {
      ts.onHeader(audio, aacHeader());
      for (let i = 0; i < 400; i++) ts.onFrame(audio, Math.floor((i * 1024) / 44.1), aacFrame(sound));
    });
    expect(steps(bytes)).toHaveLength(99);
    const { pes } = readBack(bytes);
    expect(pes.every((one) => one.clock === one.dts - DELAY && one.isRandomAccess)).toBe(true);
  });

  it('goes on where RTMP timestamps and the 33 bits wrap', () => {
    for (const startMs of [0x7fffffff - 2007, Math.floor(WRAP_33 / 90) - 1999, Math.floor(WRAP_33 / 90) - 2839]) {
      const from = startMs - (startMs % 1000);
      const bytes = mux((ts) => {
        headers(ts);
        play(ts, from, from + 5000);
      });
      const { pictures, clocks, sounds } = readBack(bytes);
      expect(clocks.filter((clock) => clock.isDiscontinuity)).toEqual([]);
      expect(pictures.map((picture) => picture.dts)).toEqual(pictures.map((_, i) => ((from + 40 * i) * 90 + DELAY) % WRAP_33));
      expect(sounds.length).toBeGreaterThan(200);
    }
  });

  it('jumps with a mark where timestamps do', () => {
    const bytes = mux((ts) => {
      headers(ts);
      play(ts, 100_000, 101_000);
      play(ts, 0, 1000);
      play(ts, 3_600_000, 3_601_000);
    });
    const { clocks, pictures } = readBack(bytes);
    expect(clocks.filter((clock) => clock.isDiscontinuity).map((clock) => clock.pcr)).toEqual([0, 3_600_000 * 90]);
    expect(pictures).toHaveLength(75);
  });

  it('does not pass sound that comes seconds late', () => {
    for (const lateMs of [2000, 9000]) {
      const bytes = mux((ts) => {
        headers(ts);
        for (let ms = 0; ms < 10_000; ms += 40) {
          ts.onFrame(video, lateMs + ms, ms % 1000 === 0 ? key : inter);
          ts.onFrame(audio, ms, aacFrame(sound));
        }
      });
      // The reader refuses units whose time has passed. The clock jumps back once, to the first sound.
      const { clocks, sounds } = readBack(bytes);
      expect(clocks.filter((clock) => clock.isDiscontinuity)).toHaveLength(1);
      expect(sounds).toHaveLength(250);
    }
  });

  it('jumps to and fro between tracks of different times', () => {
    const bytes = mux((ts) => {
      headers(ts);
      for (let ms = 0; ms < 2000; ms += 40) {
        ts.onFrame(video, 3_600_000 + ms, ms % 1000 === 0 ? key : inter);
        ts.onFrame(audio, ms, aacFrame(sound));
      }
    });
    const { clocks, sounds, pictures } = readBack(bytes);
    expect(clocks.filter((clock) => clock.isDiscontinuity).length).toBeGreaterThan(10);
    expect([pictures.length, sounds.length]).toEqual([50, 50]);
  });
});
