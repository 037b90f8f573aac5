import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../test/support/failure.ts';
import { FlvToTs } from './flv-to-ts.ts';
import {
  audio,
  avcDelimiter,
  avcHeader,
  avcPps,
  avcSps,
  avcUnit,
  DELAY,
  hevcDelimiter,
  hevcHeader,
  hevcPps,
  hevcSps,
  hevcUnit,
  hevcVps,
  hex,
  mux,
  type Picture,
  readBack,
  type VideoHead,
  video,
  videoFrame,
} from './mpegts-test-support.ts';

const key = avcUnit(5, 500, 1);
const inter = avcUnit(1, 300, 2);
const otherSps = Buffer.concat([avcSps.subarray(0, 3), hex('1f'), avcSps.subarray(4)]);
const otherPps = hex('68ce3c80');

/** The units of each picture, after the header of a stream of H.264. */
function pictures(...frames: readonly Buffer[]): (readonly Buffer[])[] {
  const bytes = mux((ts) => {
    ts.onHeader(video, avcHeader());
    for (const [i, frame] of frames.entries()) ts.onFrame(video, i * 40, frame);
  });
  return readBack(bytes).pictures.map((picture) => picture.nalUnits);
}

const avc = { codec: 'avc', streamType: 0x1b, key, inter, delimiter: avcDelimiter, sets: [avcSps, avcPps] } as const;
const hevc = {
  codec: 'hevc',
  streamType: 0x24,
  key: hevcUnit(19, 500, 1),
  inter: hevcUnit(1, 300, 2),
  delimiter: hevcDelimiter,
  sets: [hevcVps, hevcSps, hevcPps],
} as const;

describe.each<readonly [what: string, head: VideoHead, header: Buffer, coded: typeof avc | typeof hevc]>([
  ['H.264', 'legacy 7', avcHeader(), avc],
  ['H.264 with an enhanced head', 'avc1', avcHeader('avc1'), avc],
  ['H.265 as codec 12', 'legacy 12', hevcHeader('legacy 12'), hevc],
  ['H.265 with an enhanced head', 'hvc1', hevcHeader('hvc1'), hevc],
  ['H.265 labelled H.264', 'legacy 7', hevcHeader('legacy 7'), hevc],
])('%s', (_, head, header, coded) => {
  it('comes back with its times, a delimiter for each picture and parameter sets at key frames', () => {
    const bytes = mux((ts) => {
      expect(ts.videoCodec).toBeNull();
      ts.onHeader(video, header);
      expect(ts.videoCodec).toBe(coded.codec);
      ts.onFrame(video, 1000, videoFrame(head, [coded.key], { isKey: true, compositionMs: 80 }));
      ts.onFrame(video, 1040, videoFrame(head, [coded.inter, coded.inter], { compositionMs: -40 }));
      ts.onFrame(video, 1080, videoFrame(head, [coded.inter]));
    });
    const { programs, pictures: found, pes } = readBack(bytes);
    expect(programs).toEqual([{ version: 0, pcrPid: 0x100, streams: [{ pid: 0x100, streamType: coded.streamType }] }]);
    const common = { codec: coded.codec, isRandomAccess: false };
    const at = (ms: number) => ms * 90 + DELAY;
    expect(found).toEqual([
      {
        ...common,
        isRandomAccess: true,
        dts: at(1000),
        pts: at(1080),
        nalUnits: [coded.delimiter, ...coded.sets, coded.key],
      },
      { ...common, dts: at(1040), pts: at(1000), nalUnits: [coded.delimiter, coded.inter, coded.inter] },
      { ...common, dts: at(1080), pts: at(1080), nalUnits: [coded.delimiter, coded.inter] },
    ]);
    expect(pes.map((one) => one.streamId)).toEqual([0xe0, 0xe0, 0xe0]);
  });

  it.each<[string, Picture]>([
    ['lengths of 1 byte', { lengthBytes: 1 }],
    ['lengths of 2 bytes', { lengthBytes: 2 }],
    ['start codes', { lengthBytes: 0 }],
  ])('may have %s', (_name, options) => {
    const lengthBytes = options.lengthBytes === 0 ? 4 : options.lengthBytes!;
    const small = Buffer.concat([coded.inter.subarray(0, 2), hex('1122334455')]);
    const bytes = mux((ts) => {
      ts.onHeader(video, coded === avc ? avcHeader(head, lengthBytes) : hevcHeader(head, lengthBytes));
      ts.onFrame(video, 0, videoFrame(head, [small, small], options));
    });
    expect(readBack(bytes).pictures.map((picture) => picture.nalUnits)).toEqual([[coded.delimiter, small, small]]);
  });
});

describe('the bytes of a picture', () => {
  it('have long start codes for the delimiter and parameter sets, and short ones for the rest', () => {
    const sei = hex('0605ffff');
    const bytes = mux((ts) => {
      ts.onHeader(video, avcHeader());
      ts.onFrame(video, 0, videoFrame('legacy 7', [sei, key], { isKey: true }));
    });
    const [long, short] = [hex('00000001'), hex('000001')];
    expect(readBack(bytes).pes[0]!.payload).toEqual(
      Buffer.concat([long, avcDelimiter, long, avcSps, long, avcPps, short, sei, short, key]),
    );
  });

  it('have no length in their head when it does not fit 16 bits', () => {
    const bytes = mux((ts) => {
      ts.onHeader(video, avcHeader());
      ts.onFrame(video, 0, videoFrame('legacy 7', [avcUnit(1, 65_518)]));
      ts.onFrame(video, 40, videoFrame('legacy 7', [avcUnit(1, 65_519)]));
    });
    const lengths: number[] = [];
    for (let at = bytes.indexOf(hex('000001e0')); at >= 0; at = bytes.indexOf(hex('000001e0'), at + 1)) {
      lengths.push(bytes.readUInt16BE(at + 4));
    }
    expect(lengths).toEqual([65_535, 0]);
    expect(readBack(bytes).pes.map((pes) => pes.payload.length)).toEqual([65_527, 65_528]);
  });

  it('are not those of the payload, which is the callers', () => {
    const frame = videoFrame('legacy 7', [inter]);
    const header = avcHeader();
    const bytes = mux((ts) => {
      ts.onHeader(video, header);
      header.fill(0);
      ts.onFrame(video, 0, frame);
      frame.fill(0);
      ts.onFrame(video, 40, videoFrame('legacy 7', [key], { isKey: true }));
    });
    expect(readBack(bytes).pictures.map((picture) => picture.nalUnits)).toEqual([
      [avcDelimiter, inter],
      [avcDelimiter, avcSps, avcPps, key],
    ]);
  });
});

describe('delimiters and parameter sets of the encoder', () => {
  it('are not doubled', () => {
    const units = [avcDelimiter, otherSps, otherPps, key];
    expect(pictures(videoFrame('legacy 7', units, { isKey: true }))).toEqual([units]);
  });

  it('take the place of those of the header, kind by kind', () => {
    expect(pictures(videoFrame('legacy 7', [otherPps, key], { isKey: true }))).toEqual([[avcDelimiter, avcSps, otherPps, key]]);
  });

  it('stay in other pictures too', () => {
    expect(pictures(videoFrame('legacy 7', [avcDelimiter, otherPps, inter]))).toEqual([[avcDelimiter, otherPps, inter]]);
  });

  it('of H.265 are not doubled', () => {
    const units = [hevcDelimiter, hevcVps, hevcSps, hevcPps, hevcUnit(21, 90)];
    const bytes = mux((ts) => {
      ts.onHeader(video, hevcHeader());
      ts.onFrame(video, 0, videoFrame('hvc1', units, { isKey: true }));
    });
    expect(readBack(bytes).pictures[0]!.nalUnits).toEqual(units);
  });
});

describe('parameter sets of the header', () => {
  it('come with a picture that is marked as key frame, whatever its units are', () => {
    expect(pictures(videoFrame('legacy 7', [inter], { isKey: true }))).toEqual([[avcDelimiter, avcSps, avcPps, inter]]);
  });

  it('come with a key frame that is not marked, which is a random access', () => {
    const bytes = mux((ts) => {
      ts.onHeader(video, avcHeader());
      ts.onFrame(video, 0, videoFrame('legacy 7', [inter]));
      ts.onFrame(video, 40, videoFrame('legacy 7', [key]));
    });
    expect(readBack(bytes).pictures).toMatchObject([
      { isRandomAccess: false, nalUnits: [avcDelimiter, inter] },
      { isRandomAccess: true, nalUnits: [avcDelimiter, avcSps, avcPps, key] },
    ]);
  });

  it.each([16, 19, 20, 21, 23])('come with a picture of H.265 at which decoding can begin, type %i', (type) => {
    const bytes = mux((ts) => {
      ts.onHeader(video, hevcHeader());
      for (const each of [15, type, 24]) ts.onFrame(video, each * 40, videoFrame('hvc1', [hevcUnit(each, 90)]));
    });
    expect(readBack(bytes).pictures.map((picture) => picture.nalUnits.length)).toEqual([2, 5, 2]);
  });

  it('may be several, or none', () => {
    const bytes = mux((ts) => {
      ts.onHeader(video, avcHeader('legacy 7', 4, [avcSps, otherSps], [avcPps, otherPps]));
      ts.onFrame(video, 0, videoFrame('legacy 7', [key], { isKey: true }));
      ts.onHeader(video, avcHeader('legacy 7', 4, [], []));
      ts.onFrame(video, 40, videoFrame('legacy 7', [key], { isKey: true }));
    });
    expect(readBack(bytes).pictures.map((picture) => picture.nalUnits)).toEqual([
      [avcDelimiter, avcSps, otherSps, avcPps, otherPps, key],
      [avcDelimiter, key],
    ]);
  });

  it('change with the header, without a new version of the tables', () => {
    const bytes = mux((ts) => {
      ts.onHeader(video, avcHeader());
      ts.onFrame(video, 0, videoFrame('legacy 7', [key], { isKey: true }));
      ts.onHeader(video, avcHeader('legacy 7', 2, [otherSps]));
      ts.onFrame(video, 40, videoFrame('legacy 7', [key], { isKey: true, lengthBytes: 2 }));
    });
    const { programs, pictures: found } = readBack(bytes);
    expect(programs).toHaveLength(1);
    expect(found.map((picture) => picture.nalUnits[1])).toEqual([avcSps, otherSps]);
  });
});

describe('what is no picture', () => {
  it.each([
    ['an empty payload', ''],
    ['a payload without units', '2701000000'],
    ['empty units', '2701000000 00000000 00000000'],
    ['a delimiter alone', '2701000000 00000002 09f0'],
    ['an end of sequence', '1702000000'],
    ['a command', '5700'],
    ['metadata of an enhanced head', '9468766331 00'],
    ['a packet type that nobody knows', '2709000000'],
    ['a command of another codec', '5400'],
  ])('is left out: %s', (_, payload) => {
    const bytes = mux((ts) => {
      ts.onHeader(video, avcHeader());
      ts.onFrame(video, 0, hex(payload));
      ts.onHeader(video, hex(payload));
    });
    expect(bytes).toHaveLength(0);
  });

  it('is a header among the frames, which counts as one', () => {
    const bytes = mux((ts) => {
      ts.onFrame(video, 0, avcHeader());
      ts.onFrame(video, 0, videoFrame('legacy 7', [key], { isKey: true }));
    });
    expect(readBack(bytes).pictures).toHaveLength(1);
  });

  it('is a header that is empty', () => {
    const ts = new FlvToTs({ output: () => {} });
    ts.onHeader(video, hex('1700000000'));
    expect(ts.videoCodec).toBeNull();
  });
});

describe('refused is', () => {
  it.each([
    ['AV1', '9161763031 0a0b', 'video codec av1 must be avc or hevc to be carried in mpeg-ts'],
    ['VP6', '1400', 'video codec vp6 must be avc or hevc to be carried in mpeg-ts'],
    ['H.263', '2200', 'video codec h263 must be avc or hevc to be carried in mpeg-ts'],
    ['a codec without a name', '2f00', 'video codec 15 must be avc or hevc to be carried in mpeg-ts'],
    ['a FourCC without a name', '917a7a7a7a 00', 'video codec "zzzz" must be avc or hevc to be carried in mpeg-ts'],
    ['a payload within its head', '1701', 'video frame of 2 bytes ends within its head'],
    ['H.265 behind a header of H.264', '9168766331 000000 00000001 26', 'video frame of hevc follows a sequence header of avc'],
    ['a unit that is cut', '2701000000 00000009 65', 'h264 frame NAL unit at 0 needs 9 bytes, 1 are left'],
  ])('%s, and what follows is muxed', (_, payload, message) => {
    const bytes = mux((ts) => {
      ts.onHeader(video, avcHeader());
      const error = failureOf(() => ts.onFrame(video, 0, hex(payload)));
      expect([error.message, error.errorName]).toEqual([message, 'HlsDecode']);
      ts.onFrame(video, 40, videoFrame('legacy 7', [inter]));
    });
    expect(readBack(bytes).pictures).toHaveLength(1);
  });

  it.each([
    ['of AV1', '9061763031 81000c00', 'video codec av1 must be avc or hevc to be carried in mpeg-ts'],
    ['in the form of MPEG-2 TS', '9568766331 00', 'video sequence header of hevc in the form of mpeg-2 ts is not supported'],
    ['that is malformed', '1700000000 0164', 'video sequence header is malformed'],
    ['within its head', '17', 'video frame of 1 bytes ends within its head'],
  ])('a header %s, and the one before stays', (_, payload, message) => {
    const bytes = mux((ts) => {
      ts.onHeader(video, avcHeader());
      const error = failureOf(() => ts.onHeader(video, hex(payload)));
      expect([error.message, error.code]).toEqual([message, 3001]);
      ts.onFrame(video, 40, videoFrame('legacy 7', [key], { isKey: true }));
    });
    expect(readBack(bytes).pictures[0]!.nalUnits).toHaveLength(4);
  });

  it('a frame before its header', () => {
    const ts = new FlvToTs({ output: () => {} });
    expect(failureOf(() => ts.onFrame(video, 0, videoFrame('legacy 7', [key]))).message).toBe(
      'video frame of avc comes before its sequence header',
    );
  });
});

it('of a packet with several tracks the default one is muxed', () => {
  const track = (id: number, body: Buffer) => Buffer.concat([Buffer.of(id, 0, 0, body.length), body]);
  const head = (frameType: number, packetType: number) =>
    Buffer.concat([Buffer.of(0x86 | (frameType << 4), 0x10 | packetType), Buffer.from('avc1')]);
  const record = avcHeader('avc1').subarray(5);
  const picture = videoFrame('avc1', [inter.subarray(0, 90)]).subarray(5);
  const bytes = mux((ts) => {
    ts.onHeader(video, Buffer.concat([head(1, 0), track(1, record), track(0, record)]));
    ts.onFrame(video, 0, Buffer.concat([head(2, 1), track(1, hex('000000000000014141')), track(0, picture)]));
  });
  expect(readBack(bytes).pictures.map((one) => one.nalUnits)).toEqual([[avcDelimiter, inter.subarray(0, 90)]]);
});

it('nanoseconds of an enhanced head count', () => {
  const frame = videoFrame('avc1', [inter]);
  const offset = Buffer.concat([Buffer.of(0xa7, 2), hex('07a120'), Buffer.of(0x01), frame.subarray(1)]);
  const bytes = mux((ts) => {
    ts.onHeader(video, avcHeader('avc1'));
    ts.onFrame(video, 100, offset);
  });
  expect(readBack(bytes).pictures[0]!.dts).toBe(9000 + 45 + DELAY);
});

it('data is left out', () => {
  const bytes = mux((ts) => {
    ts.onHeader(18, hex('02000a'));
    ts.onFrame(18, 0, hex('02000a'));
    ts.onFrame(audio, 0, hex(''));
  });
  expect(bytes).toHaveLength(0);
});
