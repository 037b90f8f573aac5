import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../test/support/failure.ts';
import { describeTarget, formatTcUrl, MAX_RTMP_URL_BYTES, parseRtmpUrl } from './rtmp-target.ts';

describe('the address of a stream', () => {
  it.each([
    ['rtmp://h/live/s', 'h', 1935, 'rtmp://h/live', 'live', 's'],
    ['rtmp://h:1935/live/s', 'h', 1935, 'rtmp://h/live', 'live', 's'],
    ['rtmp://127.0.0.1:19350/a/b/s', '127.0.0.1', 19350, 'rtmp://127.0.0.1:19350/a/b', 'a/b', 's'],
    ['rtmp://[::1]:1936/live/s', '::1', 1936, 'rtmp://[::1]:1936/live', 'live', 's'],
    ['rtmp://[fe80::1]/live/s', 'fe80::1', 1935, 'rtmp://[fe80::1]/live', 'live', 's'],
    ['rtmp://h/live/s?token=a&x=1', 'h', 1935, 'rtmp://h/live', 'live', 's?token=a&x=1'],
    ['rtmp://h/live/s?token=a/b', 'h', 1935, 'rtmp://h/live', 'live', 's?token=a/b'],
    ['rtmp://h/live?vhost=v.com/s', 'h', 1935, 'rtmp://h/live?vhost=v.com', 'live?vhost=v.com', 's'],
    ['rtmp://h/a/b?vhost=v.com/s', 'h', 1935, 'rtmp://h/a/b?vhost=v.com', 'a/b?vhost=v.com', 's'],
    ['rtmp://h/live?vhost=v.com/s?token=a/b', 'h', 1935, 'rtmp://h/live?vhost=v.com', 'live?vhost=v.com', 's?token=a/b'],
    ['rtmp://h/live?key=k&vhost=v.com/s', 'h', 1935, 'rtmp://h/live?key=k&vhost=v.com', 'live?key=k&vhost=v.com', 's'],
    ['rtmp://h/live?key=k/s', 'h', 1935, 'rtmp://h/live?key=k', 'live?key=k', 's'],
    ['rtmp://h/live/s?vhost=v.com', 'h', 1935, 'rtmp://h/live', 'live', 's?vhost=v.com'],
    ['rtmp://h/live/s?vhost=v.com&t=a/b', 'h', 1935, 'rtmp://h/live', 'live', 's?vhost=v.com&t=a/b'],
    ['rtmp://h/live...vhost...v.com/s', 'h', 1935, 'rtmp://h/live...vhost...v.com', 'live...vhost...v.com', 's'],
    ['rtmp://h//live//s', 'h', 1935, 'rtmp://h/live', 'live', 's'],
  ])('%s', (url, host, port, tcUrl, app, streamName) => {
    expect(parseRtmpUrl(url)).toEqual({ host, port, isSecure: false, tcUrl, app, streamName });
  });

  it.each([
    ['rtmps://h/live/s', 443, 'rtmps://h/live'],
    ['rtmps://h:443/live/s', 443, 'rtmps://h/live'],
    ['rtmps://h:1935/live/s', 1935, 'rtmps://h:1935/live'],
  ])('%s', (url, port, tcUrl) => {
    const target = parseRtmpUrl(url);
    expect(target).toEqual({ host: 'h', port, isSecure: true, tcUrl, app: 'live', streamName: 's' });
    expect(describeTarget(target)).toBe(`${tcUrl}/s`);
  });

  it.each([
    ['', 'address "" must be rtmp://host[:port]/app/stream, or the same with rtmps'],
    ['rtmp://h', 'address "rtmp://h" must be rtmp://host[:port]/app/stream, or the same with rtmps'],
    ['http://h/live/s', 'address "http://h/live/s" must be rtmp://host[:port]/app/stream, or the same with rtmps'],
    ['rtmpt://h/live/s', 'address "rtmpt://h/live/s" must be rtmp://host[:port]/app/stream, or the same with rtmps'],
    ['rtmp:///live/s', 'address "rtmp:///live/s" must be rtmp://host[:port]/app/stream, or the same with rtmps'],
    ['rtmp://h/live', 'address "rtmp://h/live" must name an app and a stream: rtmp://host[:port]/app/stream'],
    ['rtmp://h/live/', 'address "rtmp://h/live/" must name an app and a stream: rtmp://host[:port]/app/stream'],
    ['rtmp://h//s', 'address "rtmp://h//s" must name an app and a stream: rtmp://host[:port]/app/stream'],
    ['rtmp://h:0/live/s', 'port 0 of "rtmp://h:0/live/s" must be 1..65535'],
    ['rtmp://h:65536/live/s', 'port 65536 of "rtmp://h:65536/live/s" must be 1..65535'],
    ['rtmp://h/live/s\r\nx', 'address "rtmp://h/live/s\\r\\nx" must be rtmp://host[:port]/app/stream, or the same with rtmps'],
    ['rtmp://h/live/a b', 'address "rtmp://h/live/a b" must be rtmp://host[:port]/app/stream, or the same with rtmps'],
    [
      'rtmp://h:x/live/s?token=secret',
      'address "rtmp://h:x/live/s" must be rtmp://host[:port]/app/stream, or the same with rtmps',
    ],
    ['rtmp://me:secret@h/live/s', 'address "rtmp://h/live/s" must be rtmp://host[:port]/app/stream, or the same with rtmps'],
  ])('%j is refused', (url, message) => {
    expect(failureOf(() => parseRtmpUrl(url))).toMatchObject({ errorName: 'RtmpTcUrl', message });
  });

  it('has a longest length', () => {
    const url = `rtmp://h/live/${'s'.repeat(MAX_RTMP_URL_BYTES)}`;
    expect(failureOf(() => parseRtmpUrl(url)).message).toBe('rtmp address has 8206 bytes, must have at most 8192');
    expect(parseRtmpUrl(url.slice(0, MAX_RTMP_URL_BYTES)).streamName).toHaveLength(MAX_RTMP_URL_BYTES - 14);
  });

  it('is shown without its parameters', () => {
    expect(describeTarget(parseRtmpUrl('rtmp://h:19350/live?vhost=v/s?token=secret'))).toBe('rtmp://h:19350/live/s');
    expect(describeTarget({ host: '::1', port: 1935, isSecure: false, tcUrl: '', app: 'live', streamName: '' })).toBe(
      'rtmp://[::1]/live',
    );
  });

  it('has brackets around an IPv6 address', () => {
    expect(formatTcUrl('::1', 1935, 'live')).toBe('rtmp://[::1]/live');
  });
});
