import { encodeFlvHeader, encodeFlvTag } from '@srs/flv';
import { type FrameType, SrsError } from '@srs/kernel';
import { FlvToTs } from '@srs/mpegts';
import { describe, expect, it } from 'vitest';
import { fuzz } from '../../../test/support/fuzz.ts';
import { CasterBody, type CasterFormat } from './caster-body.ts';

type Frame = readonly [type: FrameType, timestampMs: number, payload: string];

const sound = (index: number): Buffer => Buffer.concat([Buffer.from('af01', 'hex'), Buffer.alloc(30, index + 1)]);
const soundHeader = Buffer.from('af001210', 'hex');
const frames: readonly Frame[] = [
  [8, 0, soundHeader.toString('hex')],
  ...[0, 1, 2].map((i): Frame => [8, i * 23, sound(i).toString('hex')]),
];

const flv = Buffer.concat([
  encodeFlvHeader({ hasAudio: true, hasVideo: false }),
  ...frames.map(([type, ms, payload]) => encodeFlvTag(type, ms, Buffer.from(payload, 'hex'))),
]);

function makeTs(): Buffer {
  const runs: Buffer[] = [];
  const muxer = new FlvToTs({ output: (packets) => runs.push(packets) });
  muxer.onHeader(8, soundHeader);
  for (const [type, ms, payload] of frames.slice(1)) muxer.onFrame(type, ms, Buffer.from(payload, 'hex'));
  muxer.flush();
  return Buffer.concat(runs);
}

function read(
  bytes: Buffer,
  pieceBytes: number,
): { readonly format: CasterFormat | undefined; readonly frames: readonly Frame[] } {
  const found: Frame[] = [];
  const body = new CasterBody({
    onFrame: (...[type, ms, payload]) => found.push([type, ms, payload.toString('hex')]),
    onWarning: () => {},
  });
  for (let at = 0; at < bytes.length; at += pieceBytes) body.receive(bytes.subarray(at, at + pieceBytes));
  body.end();
  return { format: body.format, frames: found };
}

const ts = makeTs();

describe('a body', () => {
  it.each([1, 2, 3, 7, 188, 10_000])('of FLV is known by its signature, in pieces of %i bytes', (pieceBytes) => {
    expect(read(flv, pieceBytes)).toEqual({ format: 'flv', frames });
  });

  it.each([1, 100, 188, 10_000])('of anything else is read as MPEG-TS, in pieces of %i bytes', (pieceBytes) => {
    const { format, frames: found } = read(ts, pieceBytes);
    expect(format).toBe('ts');
    expect(found.map(([type, , payload]) => [type, payload])).toEqual(frames.map(([type, , payload]) => [type, payload]));
  });

  it.each([
    ['nothing', Buffer.alloc(0), 'the body ends before it has shown what it is'],
    ['the begin of a signature', Buffer.from('FL'), 'the body ends before it has shown what it is'],
    ['half a tag', flv.subarray(0, -10), /^flv ends after \d+ of the \d+ bytes of a tag's payload$/],
    [
      'a form',
      Buffer.from('a=1&b=2'),
      'the body is no flv, and cannot be read otherwise: mpeg-ts has no frame that can be published',
    ],
  ])('of %s is refused at its end', (_, bytes, message) => {
    expect(() => read(bytes, 100)).toThrow(message);
    expect(() => read(bytes, 100)).toThrow(SrsError);
  });

  it('has timestamps of 31 bits', () => {
    const late = Buffer.concat([encodeFlvHeader({ hasAudio: true, hasVideo: false }), encodeFlvTag(8, 0x80000005, sound(0))]);
    expect(read(late, 100).frames[0]?.[1]).toBe(5);
  });
});

it('any bytes are read, or refused with an SrsError', () => {
  const { accepted, refused } = fuzz(
    { samples: [flv, ts], count: 4000, timeBoxMs: 20_000, maxGrowthBytes: 16 * 1024 * 1024 },
    (input, random) => void read(input, 1 + random.below(300)),
  );
  expect(accepted).toBeGreaterThan(100);
  expect(refused).toBeGreaterThan(100);
});
