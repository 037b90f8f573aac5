import { expect, it } from 'vitest';
import { ParameterPlaylist, withParameter } from './playlist-uris.ts';

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

it('a playlist for each viewer is the same but for its parameter, and names nobody to other hosts', () => {
  const text = '#EXTM3U\n#EXT-X-MAP:URI="init.mp4?v=1"\n#EXTINF:2.000,\na.m4s\nhttps://cdn.test/b.m4s\n//cdn.test/c.m4s\n';
  const playlist = new ParameterPlaylist(text, 'hls_ctx');
  for (const viewer of ['one', 'two']) expect(playlist.with(viewer)).toBe(withParameter(text, 'hls_ctx', viewer));
  expect(playlist.with('one').match(/hls_ctx=one/g)).toHaveLength(2);
});
