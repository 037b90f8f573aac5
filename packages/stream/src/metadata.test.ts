import { AmfObject, type AmfValue, decodeAmf0, encodeAmf0 } from '@srs/amf';
import { SrsError } from '@srs/kernel';
import { describe, expect, it } from 'vitest';
import { parseMetadata } from './metadata.ts';

const server = [
  ['server', 'SRS/9'],
  ['server_version', '9'],
] as const;

const parse = (...values: AmfValue[]) => parseMetadata(encodeAmf0(...values), server);
const propertiesOf = (payload: Buffer): [string, unknown][] => Array.from((decodeAmf0(payload)[1] as AmfObject).entries());

describe('parseMetadata', () => {
  it('unwraps @setDataFrame, keeps the order and puts the server at the end', () => {
    const metadata = parse('@setDataFrame', 'onMetaData', AmfObject.ecmaArray({ server: 'encoder', width: 640, duration: 0 }));
    expect(decodeAmf0(metadata!.payload)[0]).toBe('onMetaData');
    expect(propertiesOf(metadata!.payload)).toEqual([
      ['width', 640],
      ['duration', 0],
      ['server', 'SRS/9'],
      ['server_version', '9'],
    ]);
  });

  it('reads the rates and the wish for absolute timestamps', () => {
    const metadata = parse('onMetaData', AmfObject.object({ audiosamplerate: 44100, framerate: 25, bravo_atc: 'true' }));
    expect(metadata).toMatchObject({ audioSampleRate: 44100, frameRate: 25, wantsAtc: true });
  });

  it('takes a rate that is no positive number as unknown', () => {
    const metadata = parse('onMetaData', AmfObject.object({ audiosamplerate: Number.NaN, framerate: -1 }));
    expect(metadata).toMatchObject({ audioSampleRate: 0, frameRate: 0, wantsAtc: false });
  });

  it('keeps strict arrays', () => {
    const metadata = parse('@setDataFrame', 'onMetaData', AmfObject.ecmaArray({ layers: [0, 1.5] }));
    expect((decodeAmf0(metadata!.payload)[1] as AmfObject).get('layers')).toEqual([0, 1.5]);
  });

  it('leaves out what is said of the file that the stream is made of', () => {
    const keyframes = AmfObject.object({ times: [0, 1.5], filepositions: [13, 400] });
    const metadata = parse(
      '@setDataFrame',
      'onMetaData',
      AmfObject.ecmaArray({ width: 640, keyframes, spacer: 'x'.repeat(100_000) }),
    );
    expect(propertiesOf(metadata!.payload).map(([key]) => key)).toEqual(['width', 'server', 'server_version']);
  });

  it.each([
    ['false', [false]],
    ['an empty array', [AmfObject.ecmaArray()]],
    ['nothing', []],
  ] as const)('accepts onMetaData with %s', (_, values) => {
    expect(propertiesOf(parse('onMetaData', ...values)!.payload)).toEqual([
      ['server', 'SRS/9'],
      ['server_version', '9'],
    ]);
  });

  it('is not interested in other events or in bytes that are no AMF', () => {
    expect(parse('onTextData', AmfObject.object({ text: 'x' }))).toBeUndefined();
    expect(parseMetadata(Buffer.from([0, 1, 2, 3]), server)).toBeUndefined();
    expect(parseMetadata(Buffer.alloc(0), server)).toBeUndefined();
  });

  it('refuses metadata that is cut off', () => {
    const whole = encodeAmf0('onMetaData', AmfObject.object({ width: 640 }));
    expect(() => parseMetadata(whole.subarray(0, 24), server)).toThrow(SrsError);
  });
});
