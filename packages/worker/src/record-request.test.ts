import { expect, it } from 'vitest';
import { parseRecordRequest } from './record-request.ts';

it.each([
  ['true', true],
  ['false', false],
  ['auto', undefined],
])('on=%s is %j', (on, isWanted) => {
  expect(parseRecordRequest({ stream: 'v/a/s', on })).toEqual({ streamId: 'v/a/s', isWanted });
});

it.each([
  [{ on: 'true' }, 'stream is missing: VHOST/APP/STREAM'],
  [{ stream: '', on: 'true' }, 'stream is missing: VHOST/APP/STREAM'],
  [{ stream: 'v/a/s', on: 'on' }, 'on "on" must be true, false or auto'],
  [{ stream: 'v/a/s' }, 'on is missing, it must be true, false or auto'],
])('%j is refused', (query, message) => {
  expect(() => parseRecordRequest(query)).toThrow(message);
});
