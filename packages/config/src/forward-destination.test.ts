import { describe, expect, it } from 'vitest';
import { describeForwardDestination, parseForwardDestination } from './forward-destination.ts';

describe('parseForwardDestination', () => {
  it.each([
    ['a.test', { host: 'a.test', port: 1935 }, 'a.test:1935'],
    ['10.0.0.2:1936', { host: '10.0.0.2', port: 1936 }, '10.0.0.2:1936'],
    ['[::1]', { host: '::1', port: 1935 }, '[::1]:1935'],
    ['rtmp://a/live/s', { host: 'a', port: 1935 }, 'rtmp://a/live/s'],
    ['rtmps://a/live/s', { host: 'a', port: 443 }, 'rtmps://a/live/s'],
    ['rtmp://[::1]:1936/x/y/s', { host: '::1', port: 1936 }, 'rtmp://[::1]:1936/x/y/s'],
    ['rtmps://a:444/[vhost]/[app]/[stream]-2[param]', { host: 'a', port: 444 }, 'rtmps://a:444/[vhost]/[app]/[stream]-2[param]'],
    ['rtmp://a/live/s?key=abc&b=1', { host: 'a', port: 1935 }, 'rtmp://a/live/s?key=***&b=1'],
  ])('%s', (text, address, shown) => {
    const destination = parseForwardDestination(text);
    expect(destination).toEqual({ ...address, url: text.includes('://') ? text : undefined });
    expect(describeForwardDestination(destination!)).toBe(shown);
  });

  it.each([
    '',
    'a:0',
    'a b',
    'rtmp://a',
    'rtmp://a/live',
    'rtmp://a/live/',
    'rtmp://a/live?key=k/s',
    'rtmp://a:0/live/s',
    'rtmp://a:65536/live/s',
    'rtmp://user:secret@a/live/s',
    'rtmp://[vhost]/live/s',
    'rtmp://a/live/[strem]',
    'rtmp://a/live/s?a=b c',
    'rtmp://a/live/s\u0007',
    'http://a/live/s',
    `rtmp://a/live/${'s'.repeat(4096)}`,
  ])('%j is no destination', (text) => {
    expect(parseForwardDestination(text)).toBeUndefined();
  });
});
