import { expect, it } from 'vitest';
import { withParameter } from './playlist-uris.ts';

it('every relative URI gets the parameter, in lines and in attributes; nothing else changes', () => {
  const playlist = [
    '#EXTM3U',
    '#EXT-X-KEY:METHOD=AES-128,URI="https://keys.test/a?b",KEYFORMAT="identity"',
    '#EXT-X-MAP:URI="init.mp4"',
    '#EXT-X-PART:DURATION=0.3,URI="a.0.m4s",INDEPENDENT=YES',
    '#EXTINF:2.000,',
    'a.m4s',
    '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="b.0.m4s?x=1"',
    '',
  ];
  expect(withParameter(playlist.join('\n'), 'vhost', 'a b.test').split('\n')).toEqual([
    '#EXTM3U',
    '#EXT-X-KEY:METHOD=AES-128,URI="https://keys.test/a?b",KEYFORMAT="identity"',
    '#EXT-X-MAP:URI="init.mp4?vhost=a%20b.test"',
    '#EXT-X-PART:DURATION=0.3,URI="a.0.m4s?vhost=a%20b.test",INDEPENDENT=YES',
    '#EXTINF:2.000,',
    'a.m4s?vhost=a%20b.test',
    '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="b.0.m4s?x=1&vhost=a%20b.test"',
    '',
  ]);
});
