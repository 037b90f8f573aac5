import { expect, it } from 'vitest';
import { parseForwardRequest } from './forward-request.ts';

it('names a stream and a destination', () => {
  expect(parseForwardRequest({ stream: 'v/live/one', destination: '10.0.0.7' })).toEqual({
    streamId: 'v/live/one',
    destination: '10.0.0.7',
  });
});

it.each([
  [{}, 'stream is missing: VHOST/APP/STREAM'],
  [{ stream: '', destination: 'a' }, 'stream is missing: VHOST/APP/STREAM'],
  [{ stream: 'v/live/one' }, 'destination is missing: host[:port] or the URL of a stream'],
  [{ stream: 'v/live/one', destination: '' }, 'destination is missing: host[:port] or the URL of a stream'],
])('%j is refused: %s', (query, message) => {
  expect(() => parseForwardRequest(query)).toThrow(message);
});
