import { describe, expect, it } from 'vitest';
import {
  decodeUint32Payload,
  decodeUserControl,
  encodePeerBandwidth,
  encodeUint32Payload,
  encodeUserControl,
} from './control-message.ts';

const userControls: readonly [string, number, number, number | undefined][] = [
  ['000000000001', 0, 1, undefined],
  ['000100000001', 1, 1, undefined],
  ['000300000001000003e8', 3, 1, 1000],
  ['0006ffffffff', 6, 0xffffffff, undefined],
  ['000700000102', 7, 258, undefined],
];

describe('user control', () => {
  it.each(userControls)('%s is event %i with value %i', (hex, event, value, extra) => {
    expect(encodeUserControl(event, value, extra).toString('hex')).toBe(hex);
    expect(decodeUserControl(Buffer.from(hex, 'hex'))).toEqual({ event, value, extra: extra ?? 0 });
  });

  it.each([
    ['', 'user control event of 0 bytes must have 2'],
    ['00', 'user control event of 1 bytes must have 2'],
    ['0006', 'user control event 6 of 2 bytes must have 6'],
    ['0006000000', 'user control event 6 of 5 bytes must have 6'],
    ['000300000001', 'user control event 3 of 6 bytes must have 10'],
    ['0063', 'user control event 99 of 2 bytes must have 6'],
  ])('%j is refused as truncated', (hex, text) => {
    expect(() => decodeUserControl(Buffer.from(hex, 'hex'))).toThrow(text);
  });

  it('SWF verification needs no value', () => {
    expect(decodeUserControl(Buffer.from('001a', 'hex'))).toEqual({ event: 26, value: 0, extra: 0 });
  });

  it('bytes after an event are ignored', () => {
    expect(decodeUserControl(Buffer.from('0006000000010203', 'hex'))).toEqual({ event: 6, value: 1, extra: 0 });
  });
});

describe('numbers of protocol control', () => {
  it.each([
    ['00000000', 0],
    ['002625a0', 2_500_000],
    ['80000000', 0x80000000],
    ['ffffffff', 0xffffffff],
  ])('%s is %i', (hex, value) => {
    expect(encodeUint32Payload(value).toString('hex')).toBe(hex);
    expect(decodeUint32Payload('window', Buffer.from(hex, 'hex'))).toBe(value);
  });

  it('a total that has outgrown 32 bits wraps', () => {
    expect(encodeUint32Payload(0x1_0000_0005).toString('hex')).toBe('00000005');
  });

  it('three bytes are refused', () => {
    expect(() => decodeUint32Payload('window', Buffer.alloc(3))).toThrow('window of 3 bytes must have 4');
  });

  it('peer bandwidth ends with its limit type', () => {
    expect(encodePeerBandwidth(2_500_000, 2).toString('hex')).toBe('002625a002');
  });
});
