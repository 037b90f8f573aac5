import { aacSampleRates } from '@srs/codec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BitWriter } from '../../../test/support/bit-writer.ts';
import { failureOf } from '../../../test/support/failure.ts';
import { accessUnitsOf, type TsAccessUnit } from './access-unit-reader.ts';
import { AdtsFraming } from './adts.ts';
import { hex, noise } from './mpegts-test-support.ts';

function frame(configuration: Buffer, data: Buffer, isFirst = true): Buffer {
  const framing = new AdtsFraming(configuration);
  const bytes = framing.frameBytes(data.length, isFirst);
  const target = Buffer.alloc(bytes + 2, 0xee);
  const at = framing.writeHead(target, 1, bytes, isFirst);
  data.copy(target, at);
  expect([at + data.length, target[0], target[bytes + 1]]).toEqual([bytes + 1, 0xee, 0xee]);
  return target.subarray(1, bytes + 1);
}

function read(payload: Buffer, pts = 0): readonly TsAccessUnit[] {
  const facts = { pid: 0x101, streamType: 0x0f, isRandomAccess: false, clock: undefined, streamId: 0xc0 };
  return accessUnitsOf({ ...facts, pts, dts: pts, payload });
}

/** Configuration, header for 16 bytes of data, and what is in it; the same in both directions. */
const headers = [
  ['LC, 44.1 kHz, stereo', '1210', 'fff1 50 80 02 ff fc', { objectType: 2, sampleRate: 44_100, channelConfiguration: 2 }],
  ['Main, 96 kHz, mono', '0808', 'fff1 00 40 02 ff fc', { objectType: 1, sampleRate: 96_000, channelConfiguration: 1 }],
  ['LC, 48 kHz, 5.1', '11b0', 'fff1 4d 80 02 ff fc', { objectType: 2, sampleRate: 48_000, channelConfiguration: 6 }],
  ['LTP, 7350 Hz, 7.1', '2638', 'fff1 f1 c0 02 ff fc', { objectType: 4, sampleRate: 7350, channelConfiguration: 7 }],
  ['HE, 22.05 kHz doubled', '2b920800', 'fff1 5c 80 02 ff fc', { objectType: 2, sampleRate: 22_050, channelConfiguration: 2 }],
  ['HEv2, 24 kHz doubled', 'eb098800', 'fff1 58 40 02 ff fc', { objectType: 2, sampleRate: 24_000, channelConfiguration: 1 }],
] as const;

describe('an ADTS header', () => {
  it.each(headers)('%s is written', (_, configuration, header) => {
    const data = noise(16, 1);
    expect(frame(hex(configuration), data).toString('hex')).toBe(Buffer.concat([hex(header), data]).toString('hex'));
  });

  it.each(headers)('%s is read', (_, configuration, header, facts) => {
    const data = noise(16, 1);
    expect(read(Buffer.concat([hex(header), data]))).toEqual([{ codec: 'aac', pts: 0, dts: 0, ...facts, data }]);
    expect(new AdtsFraming(hex(configuration)).sampleRate).toBe(facts.sampleRate);
  });

  it.each(aacSampleRates)('of %i Hz comes back, and frames are timed by it', (sampleRate) => {
    const index = aacSampleRates.indexOf(sampleRate);
    const configuration = new BitWriter().bits(5, 2).bits(4, index).bits(4, 2).bits(3, 0).toBuffer();
    const payload = Buffer.concat([1, 2, 3].map((seed) => frame(configuration, noise(9 + seed, seed), seed === 1)));
    const step = (1024 * 90_000) / sampleRate;
    expect(read(payload, 1000)).toMatchObject([0, 1, 2].map((i) => ({ sampleRate, pts: 1000 + Math.round(i * step) })));
  });

  it('tells any length up to 8,191 bytes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8184 }), (length) => {
        const data = Buffer.alloc(length, 7);
        expect(read(frame(hex('1210'), data))).toMatchObject([{ data }]);
      }),
    );
    expect(failureOf(() => frame(hex('1210'), Buffer.alloc(8185))).message).toBe('aac frame of 8185 bytes must be at most 8184');
  });

  it.each([
    [
      'a rate that is written out',
      '17805dc010',
      'sample rate 48000 Hz, written out, must be one of the table from 7350 to 96000 Hz',
    ],
    ['low delay', 'ba10', 'object type 23 (LD) must be 1..4'],
    ['error resilience', '8a10', 'object type 17 (ER-LC) must be 1..4'],
    ['frames of 960 samples', '1214', 'frames of 960 samples must have 1024'],
    ['6.1 channels', '1258', 'channel configuration 11 must be 0..7'],
  ])('cannot tell %s', (_, configuration, message) => {
    const error = failureOf(() => new AdtsFraming(hex(configuration)));
    expect([error.message, error.errorName]).toEqual([`aac ${message} to be carried in mpeg-ts`, 'HlsDecode']);
  });
});

interface Program {
  readonly front: string;
  readonly side?: string;
  readonly back?: string;
  readonly lfe?: number;
  readonly coupling?: number;
  readonly comment?: string;
}

/** A program config element, from its tag on, into bits that already stand at a multiple of eight or not. */
function writeProgram(bits: BitWriter, program: Program, written: number): void {
  const { front, side = '', back = '', lfe = 0, coupling = 0, comment = '' } = program;
  bits.bits(4, 0).bits(2, 1).bits(4, 3);
  bits.bits(4, front.length).bits(4, side.length).bits(4, back.length).bits(2, lfe).bits(3, 1).bits(4, coupling);
  bits.flag(true).bits(4, 9).flag(false).flag(true).bits(3, 5);
  let size = written + 10 + 21 + 5 + 1 + 4;
  for (const element of front + side + back) {
    bits.flag(element === 'P').bits(4, 2);
    size += 5;
  }
  for (let i = 0; i < lfe; i++) bits.bits(4, 3);
  bits.bits(4, 4);
  for (let i = 0; i < coupling; i++) bits.bits(5, 6);
  size += lfe * 4 + 4 + coupling * 5;
  bits.bits((8 - (size % 8)) % 8, 0);
  bits.bits(8, comment.length);
  for (const byte of Buffer.from(comment, 'latin1')) bits.bits(8, byte);
}

function configurationOf(program: Program, head: (bits: BitWriter) => number = lcHead): Buffer {
  const bits = new BitWriter();
  const written = head(bits);
  writeProgram(bits, program, written);
  return bits.toBuffer();
}

function lcHead(bits: BitWriter): number {
  bits.bits(5, 2).bits(4, 3).bits(4, 0).bits(3, 0);
  return 16;
}

function heHead(bits: BitWriter): number {
  bits.bits(5, 5).bits(4, 6).bits(4, 0).bits(4, 3).bits(5, 2).bits(3, 0);
  return 25;
}

function coreHead(bits: BitWriter): number {
  bits.bits(5, 2).bits(4, 3).bits(4, 0).flag(false).flag(true).bits(14, 0).flag(false);
  return 30;
}

/** The element in front of a frame: its id, then the same fields. */
function elementOf(program: Program): Buffer {
  const bits = new BitWriter().bits(3, 5);
  writeProgram(bits, program, 3);
  return bits.toBuffer();
}

describe('channels that no number of the configuration tells', () => {
  it.each([
    [1, { front: 'S' }],
    [2, { front: 'P', comment: 'by hand' }],
    [3, { front: 'SP' }],
    [4, { front: 'SP', back: 'S' }],
    [5, { front: 'SP', side: 'P' }],
    [6, { front: 'SP', back: 'P', lfe: 1 }],
    [7, { front: 'SPP', back: 'P', lfe: 1 }],
  ])('are number %i when they are the same', (channelConfiguration, program) => {
    const data = noise(20, 3);
    for (const head of [lcHead, heHead, coreHead]) {
      expect(read(frame(configurationOf(program, head), data))).toMatchObject([{ channelConfiguration, data }]);
    }
  });

  it.each([
    ['quadraphony', { front: 'P', back: 'P' }],
    ['2.1, with a comment', { front: 'P', lfe: 1, comment: 'Lavc59.37.100' }],
    ['stereo with a coupling channel', { front: 'P', coupling: 1 }],
    ['dual mono', { front: 'SS' }],
  ])('are told by an element in the first frame of a unit: %s', (_, program) => {
    const data = noise(20, 3);
    for (const head of [lcHead, heHead, coreHead]) {
      const configuration = configurationOf(program, head);
      const first = { channelConfiguration: 0, data: Buffer.concat([elementOf(program), data]) };
      expect(read(frame(configuration, data, true))).toMatchObject([first]);
      expect(read(frame(configuration, data, false))).toMatchObject([{ channelConfiguration: 0, data }]);
    }
  });

  it('are left to the frames when the configuration is cut', () => {
    const configuration = configurationOf({ front: 'P', back: 'P' });
    const data = noise(20, 3);
    for (let length = 2; length < configuration.length; length++) {
      expect(read(frame(configuration.subarray(0, length), data))).toMatchObject([{ channelConfiguration: 0, data }]);
    }
  });
});

describe('AAC frames in a PES packet', () => {
  const whole = frame(hex('1210'), noise(16, 1));

  it('have an optional MPEG-2 mark', () => {
    const marked = Buffer.from(whole);
    marked[1] = 0xf9;
    expect(read(marked)).toHaveLength(1);
  });

  it.each([
    ['without sync', 'fff0', 'ts aac frame at 23 must begin with ff f1 or ff f9'],
    ['with a checksum', 'fff05080 02ffff', 'ts aac frame at 23 must begin with ff f1 or ff f9'],
    ['of a reserved rate', 'fff17480 02fffc', 'ts aac frame at 23 has a reserved sample rate'],
    ['of no data', 'fff15080 00fffc', 'ts aac frame at 23 has length 7, 16 bytes are left'],
    ['that are cut', 'fff15080 021ffc', 'ts aac frame at 23 has length 16, 16 bytes are left'],
  ])('%s are refused', (_, header, message) => {
    const bytes = Buffer.concat([whole, hex(header), Buffer.alloc(16 - hex(header).length, 1)]);
    const cut = message.includes('length 16') ? bytes.subarray(0, bytes.length - 1) : bytes;
    expect(failureOf(() => read(cut)).message).toBe(message.replace('length 16, 16', 'length 16, 15'));
  });

  it('that end within a header are refused', () => {
    expect(failureOf(() => read(Buffer.concat([whole, hex('fff150')]))).message).toBe(
      'ts aac frame at 23 ends within its header',
    );
  });
});
