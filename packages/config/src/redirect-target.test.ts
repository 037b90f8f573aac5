import { describe, expect, it } from 'vitest';
import { describeRedirectTarget, parseRedirectTarget } from './redirect-target.ts';

describe('parseRedirectTarget', () => {
  it.each([
    ['rtmp://b.test', { kind: 'server', host: 'b.test', port: 1935, isSecure: false }, 'rtmp://b.test'],
    ['rtmp://b.test:1936/', { kind: 'server', host: 'b.test', port: 1936, isSecure: false }, 'rtmp://b.test:1936'],
    ['rtmps://[::1]', { kind: 'server', host: '::1', port: 443, isSecure: true }, 'rtmps://[::1]'],
    ['rtmp://b/live', { kind: 'stream', tcUrl: 'rtmp://b/live', streamName: '' }, 'rtmp://b/live'],
    ['rtmp://b/live/', { kind: 'stream', tcUrl: 'rtmp://b/live', streamName: '' }, 'rtmp://b/live'],
    ['rtmp://b/live?key=k', { kind: 'stream', tcUrl: 'rtmp://b/live?key=k', streamName: '' }, 'rtmp://b/live'],
    ['rtmp://b/a/c/s?key=a/b', { kind: 'stream', tcUrl: 'rtmp://b/a/c', streamName: 's?key=a/b' }, 'rtmp://b/a/c/s'],
    ['rtmp://b/live?vhost=v/s', { kind: 'stream', tcUrl: 'rtmp://b/live?vhost=v', streamName: 's' }, 'rtmp://b/live/s'],
    ['https://b/x.flv?k=1', { kind: 'http', url: 'https://b/x.flv?k=1' }, 'https://b/x.flv'],
  ] as const)('%s', (text, target, shown) => {
    expect(parseRedirectTarget(text)).toEqual(target);
    expect(describeRedirectTarget(target)).toBe(shown);
  });

  const allowed = 'must be rtmp://host[:port][/app[/stream]], the same with rtmps, or an http or https address';
  it.each([
    ['', `address "" ${allowed}`],
    ['b:1935/live', `address "b:1935/live" ${allowed}`],
    ['rtmp:///live', `address "rtmp:///live" ${allowed}`],
    ['rtmp://b c/live', `address "rtmp://b c/live" ${allowed}`],
    ['rtmp://b/live\r\nX: y', `address "rtmp://b/live\\r\\nX: y" ${allowed}`],
    ['rtmp://user:secret@b/live', `address "rtmp://b/live" ${allowed}`],
    ['rtmp://b:x/live', `address "rtmp://b:x/live" ${allowed}`],
    ['rtmp://b:0/live?key=k', 'address "rtmp://b:0/live" must have a port of 1..65535'],
    ['rtmp://b/../s', 'must name an app'],
    ['rtmp://b/live/.s', 'has a part that begins with a dot'],
    ['http://[b/', `address "http://[b/" ${allowed}`],
    ['file:///etc/passwd', `address "file:///etc/passwd" ${allowed}`],
    [`rtmp://b/${'x'.repeat(9000)}`, 'address has 9009 bytes, must have at most 8192'],
  ])('%j is no place to go', (text, message) => {
    expect(() => parseRedirectTarget(text)).toThrow(message);
  });
});
