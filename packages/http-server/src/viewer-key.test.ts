import { expect, it } from 'vitest';
import { splitKey, withoutParameters } from './viewer-key.ts';

const key = 'Cn07hzl13jPCMPD_umQ5Rw';

it.each([
  [`/a.m3u8?hls_ctx=${key}`, '/a.m3u8', key],
  [`/a.m3u8?x=1&hls_ctx=${key}`, '/a.m3u8?x=1', key],
  [`/a.m3u8?hls_ctx=${key}&_HLS_msn=7`, '/a.m3u8?_HLS_msn=7', key],
  [`/a.m3u8?x=1&hls_ctx=${key}&_HLS_msn=7`, '/a.m3u8?x=1&_HLS_msn=7', key],
  ['/a.m3u8', '/a.m3u8', undefined],
  ['/a.m3u8?hls_ctx=', '/a.m3u8?hls_ctx=', undefined],
  [`/a.m3u8?hls_ctx=${key}x`, `/a.m3u8?hls_ctx=${key}x`, undefined],
  [`/a.m3u8?xhls_ctx=${key}`, `/a.m3u8?xhls_ctx=${key}`, undefined],
  [`/hls_ctx=${key}.m3u8`, `/hls_ctx=${key}.m3u8`, undefined],
])('%s is %s with the key %s', (url, rest, found) => {
  expect(splitKey(url)).toEqual({ url: rest, key: found });
});

it('parameters are left out by their names, and the others stay as they were written', () => {
  const isLeftOut = (name: string): boolean => name === 'a';
  expect(withoutParameters('a=1&b=%20&&c&a', isLeftOut)).toBe('b=%20&c');
  expect(withoutParameters('', isLeftOut)).toBe('');
});
