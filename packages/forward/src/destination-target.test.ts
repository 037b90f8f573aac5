import { parseForwardDestination } from '@srs/config';
import { expect, it } from 'vitest';
import { destinationTarget } from './destination-target.ts';

const stream = { vhost: { name: 'v.test' }, app: 'a/b', name: 's', param: '?key=$&x' };

it.each([
  ['10.0.0.2', 'rtmp://v.test/a/b', 'a/b', 's?key=$&x'],
  ['rtmp://up.test:1936/live/fixed', 'rtmp://up.test:1936/live', 'live', 'fixed'],
  ['rtmps://up.test/[app]/[stream]-[vhost]', 'rtmps://up.test/a/b', 'a/b', 's-v.test'],
  ['rtmp://up.test/live/[stream][param]', 'rtmp://up.test/live', 'live', 's?key=$&x'],
  ['rtmp://up.test/live/s?auth=1[param]', 'rtmp://up.test/live', 'live', 's?auth=1&key=$&x'],
])('%s', (text, tcUrl, app, streamName) => {
  expect(destinationTarget(parseForwardDestination(text)!, stream)).toMatchObject({ tcUrl, app, streamName });
});

it('a stream of the default vhost goes to the default vhost there', () => {
  const target = destinationTarget(parseForwardDestination('up.test')!, { ...stream, vhost: { name: '__defaultVhost__' } });
  expect(target.tcUrl).toBe('rtmp://up.test/a/b');
});

it('an URL that is too long with its variables is refused by its length', () => {
  const long = { ...stream, param: `?${'x'.repeat(8192)}` };
  expect(() => destinationTarget(parseForwardDestination('rtmp://up.test/live/s[param]')!, long)).toThrow(
    'rtmp address has 8214 bytes, must have at most 8192',
  );
});
