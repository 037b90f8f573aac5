import { describe, expect, it } from 'vitest';
import { bytesText, currentKbps, durationText, printable } from './cli-text.ts';

describe('figures for operators', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1536, '1.5 KiB'],
    [100 * 1024, '100 KiB'],
    [5 * 1024 ** 3, '5.0 GiB'],
    [2 ** 60, '1024 PiB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(bytesText(bytes)).toBe(text);
  });

  it.each([
    [0, '0s'],
    [59.4, '59s'],
    [59.6, '1m00s'],
    [187, '3m07s'],
    [3600, '1h00m'],
    [86_399, '23h59m'],
    [86_400 * 12 + 3 * 3600 + 5, '12d03h'],
  ])('%d seconds are %s', (seconds, text) => {
    expect(durationText(seconds)).toBe(text);
  });

  it('a rate is the average until its window has been filled, and the window from then on', () => {
    const rate = { average: 100, last30s: 7, last5m: 3 };
    expect(currentKbps(rate, 39)).toBe(100);
    expect(currentKbps(rate, 40)).toBe(7);
  });
});

describe('words of clients', () => {
  it.each([
    ['live/livestream', 'live/livestream'],
    ['日本 é ✓', '日本 é ✓'],
    ['\x1b[2Jgone', '\\x1b[2Jgone'],
    ['a\r\nb\tc\x7f\x9b', 'a\\x0d\\x0ab\\x09c\\x7f\\x9b'],
    ['\u202Egnp\u200b\u2028', '\\u{202e}gnp\\u{200b}\\u{2028}'],
    ['\ud800', '\\u{d800}'],
  ])('%j is shown as %s', (text, shown) => {
    expect(printable(text)).toBe(shown);
  });
});
