import { stripVTControlCharacters } from 'node:util';
import { loadConfig } from '@srs/config';
import { describe, expect, it } from 'vitest';
import { localHostOf, startGuide } from './start-guide.ts';

const guide = (text: string, lanAddress?: string) => {
  const { config } = loadConfig(`${text} vhost __defaultVhost__ {}`, { fileName: 'a.conf' });
  return startGuide(config, lanAddress);
};

describe('the guide of npm start', () => {
  it('names the addresses to watch and to publish to', () => {
    const text = guide('listen 1935;', '192.0.2.7');
    expect(text).toContain('ffplay rtmp://localhost:1935/live/livestream');
    expect(text).toContain('server rtmp://localhost:1935/live, stream key mystream');
    expect(text).toContain('rtmp://192.0.2.7:1935/live/livestream');
    expect(text).toContain('bin/srs-cli status');
  });

  it('names the page first, here and for other machines, when there is one', () => {
    const text = guide('listen 1935; http_stream { enabled on; start_page on; }', '192.0.2.7');
    // Colours are on where continuous integration runs.
    const lines = stripVTControlCharacters(text).split('\n');
    const indexOf = (url: string) => lines.findIndex((line) => line.endsWith(` ${url}`));
    const urls = [
      'http://localhost:8080/',
      'rtmp://localhost:1935/live/livestream',
      'http://192.0.2.7:8080/',
      'rtmp://192.0.2.7:1935/live/livestream',
    ];
    expect(lines.findIndex((line) => line.includes('://'))).toBe(indexOf(urls[0]!));
    expect(urls.map(indexOf)).toEqual(urls.map(indexOf).toSorted((one, other) => one - other));
    expect(urls.map(indexOf)).not.toContain(-1);
    expect(guide('listen 1935;', '192.0.2.7')).not.toContain('http');
  });

  it('names a page that other machines cannot reach on this one only', () => {
    const text = guide('listen 1935; http_stream { enabled on; start_page on; listen 127.0.0.1:8090; }', '192.0.2.7');
    expect(text).toContain('http://127.0.0.1:8090/');
    expect(text).not.toContain('http://192.0.2.7');
    expect(text).toContain('rtmp://192.0.2.7');
  });

  it('names ports and addresses that are not the usual ones', () => {
    const text = guide('listen 127.0.0.1:19350; private_api { listen 127.0.0.1:33400; }', '192.0.2.7');
    expect(text).toContain('rtmp://127.0.0.1:19350/live/livestream');
    expect(text).toContain('bin/srs-cli --api 127.0.0.1:33400 status');
    expect(text).not.toContain('192.0.2.7');
  });

  it.each([
    ['0.0.0.0', '127.0.0.1'],
    ['::', '::1'],
    ['192.0.2.1', '192.0.2.1'],
  ])('a listener on %s is reached at %s', (host, local) => {
    expect(localHostOf({ host, port: 1935 })).toBe(local);
  });
});
