import { expect, it } from 'vitest';
import { failureOf } from '../../../test/support/failure.ts';
import { describeHttpTarget, parseHttpUrl } from './http-target.ts';
import { parsePlayUrl, publishUrlOf } from './play-target.ts';

it.each([
  ['rtmp://localhost/live/s?token=x', { host: 'localhost', port: 1935, name: 'rtmp://localhost/live/s' }],
  ['http://localhost/live/s.flv?token=x', { host: 'localhost', port: 80, name: 'http://localhost/live/s.flv' }],
  ['ws://[::1]:8080/live/s.flv', { host: '::1', port: 8080, name: 'ws://[::1]:8080/live/s.flv' }],
])('%s', (url, expected) => {
  expect(parsePlayUrl(url)).toMatchObject(expected);
});

it('what a server is asked for is told with its query, what people are told is not', () => {
  const target = parseHttpUrl('http://Localhost:8080/a%20b/s.flv?x=1');
  expect(target).toEqual({
    scheme: 'http',
    host: 'localhost',
    port: 8080,
    authority: 'localhost:8080',
    path: '/a%20b/s.flv?x=1',
  });
  expect(describeHttpTarget(target)).toBe('http://localhost:8080/a%20b/s.flv');
});

it.each([
  ['https://localhost/live/s.flv?token=x', 'address "https://localhost/live/s.flv" must be http://host[:port]/path, without TLS'],
  ['wss://localhost/live/s.flv', 'address "wss://localhost/live/s.flv" must be http://host[:port]/path, without TLS'],
  ['http://', 'address "http://" must be http://host[:port]/path, without TLS'],
  ['ftp://localhost/live/s', 'address "ftp://localhost/live/s" must be rtmp://host[:port]/app/stream, or the same with rtmps'],
])('%s is refused', (url, message) => {
  expect(failureOf(() => parsePlayUrl(url)).message).toBe(message);
});

it.each([
  ['rtmp://localhost:2000/live/s', 'rtmp://localhost:2000/live/s'],
  ['http://localhost:8080/live/s.flv', 'rtmp://localhost/live/s'],
  ['ws://[::1]:8080/live/more/s{n}.flv', 'rtmp://[::1]/live/more/s{n}'],
  ['http://localhost/live/s.flv?token=x', undefined],
  ['http://localhost/s.flv', undefined],
  ['http://localhost/live?app=live&stream=s', undefined],
  ['http://localhost/live/%zz.flv', undefined],
])('the stream of %s is published to %s', (url, expected) => {
  expect(publishUrlOf(url)).toBe(expected);
});
