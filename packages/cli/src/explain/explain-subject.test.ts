import { describe, expect, it } from 'vitest';
import { chooseStream, nearStreams } from './explain-subject.ts';

const known = ['__defaultVhost__/live/one', '__defaultVhost__/show/two', 'demo/live/two', 'demo/live/three'];

describe('chooseStream', () => {
  it.each([
    ['__defaultVhost__/live/one', '__defaultVhost__/live/one'],
    ['live/one', '__defaultVhost__/live/one'],
    ['one', '__defaultVhost__/live/one'],
    ['/live//one/', '__defaultVhost__/live/one'],
    ['demo/live/two', 'demo/live/two'],
    ['live/two', 'demo/live/two'],
    ['live/three', 'demo/live/three'],
    ['rtmp://10.0.0.1:1935/live/one', '__defaultVhost__/live/one'],
    ['rtmp://10.0.0.1/live/one?token=x', '__defaultVhost__/live/one'],
    ['rtmp://10.0.0.1/live/two?a=b&vhost=demo', 'demo/live/two'],
    ['http://10.0.0.1:8080/live/one.flv', '__defaultVhost__/live/one'],
    ['https://10.0.0.1/live/three.m3u8?x', 'demo/live/three'],
  ])('%s is %s', (text, streamId) => {
    expect(chooseStream(text, known)).toEqual({ kind: 'found', streamId });
  });

  it('does not choose between two of a name', () => {
    expect(chooseStream('two', known)).toEqual({
      kind: 'ambiguous',
      streamIds: ['__defaultVhost__/show/two', 'demo/live/two'],
    });
  });

  it.each([
    ['live/none', '__defaultVhost__/live/none'],
    ['live/one.flv', '__defaultVhost__/live/one.flv'],
    ['rtmp://h/live/none?vhost=demo', 'demo/live/none'],
  ])('of %s that nobody knows makes %s', (text, streamId) => {
    expect(chooseStream(text, known)).toEqual({ kind: 'unknown', streamId });
  });
});

describe('nearStreams', () => {
  it.each([
    ['__defaultVhost__/live/on', ['__defaultVhost__/live/one']],
    ['__defaultVhost__/lvie/one', ['__defaultVhost__/live/one']],
    ['__defaultVhost__/other/two', ['__defaultVhost__/show/two', 'demo/live/two']],
    ['__defaultVhost__/live/quite-something-else', []],
    ['__defaultVhost__/live/one', []],
  ])('of %s are %j', (streamId, near) => {
    expect(nearStreams(streamId, known)).toEqual(near);
  });
});
