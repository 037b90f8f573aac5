import { loadConfig } from '@srs/config';
import { expect, it } from 'vitest';
import { type PageRequest, type PageStream, pageDocument } from './page-documents.ts';

const { config } = loadConfig(
  `listen 1936;
   vhost __defaultVhost__ { http_remux { enabled on; } }
   vhost tv.test { http_remux { enabled on; } hls { enabled on; } }
   vhost off.test { enabled off; }`,
  { fileName: 'test.conf', env: {} },
);

const publisher = { slot: 1, pid: 1001, cid: 207, ip: '192.0.2.9' };
const video = { codec: 'H264', profile: 'High', level: '3.1', width: 1280, height: 720 };

const streamOf = (streamId: string, more: Partial<PageStream> = {}): PageStream => ({
  streamId,
  publisher,
  publishSeconds: 3,
  players: 2,
  video,
  audio: null,
  ...more,
});

const ask = (streams: readonly PageStream[], request: Partial<PageRequest> = {}) =>
  pageDocument(config, streams, { host: 'localhost', vhostName: undefined, streamName: undefined, ...request });
const namesOf = (document: ReturnType<typeof ask>) => document.streams.map(({ app, stream }) => `${app}/${stream}`);

it('a stream is told with its tracks and addresses, and nothing of its publisher but that there is one', () => {
  expect(ask([streamOf('__defaultVhost__/live/one')])).toEqual({
    rtmp: 'rtmp://localhost:1936',
    total: 1,
    streams: [
      {
        app: 'live',
        stream: 'one',
        isPublished: true,
        publishId: 207,
        publishSeconds: 3,
        players: 2,
        video,
        audio: null,
        urls: { rtmp: 'rtmp://localhost:1936/live/one', flv: '/live/one.flv', hls: null },
      },
    ],
  });
});

it('streams are those of the vhost that the host names, or the request', () => {
  const streams = [streamOf('tv.test/live/b'), streamOf('tv.test/live/a'), streamOf('__defaultVhost__/live/c')];
  expect(namesOf(ask(streams))).toEqual(['live/c']);
  expect(namesOf(ask(streams, { host: 'tv.test' }))).toEqual(['live/a', 'live/b']);
  expect(namesOf(ask(streams, { host: 'off.test' }))).toEqual([]);
  expect(ask(streams, { vhostName: 'tv.test' }).streams[0]?.urls).toEqual({
    rtmp: 'rtmp://localhost:1936/live/a?vhost=tv.test',
    flv: '/live/a.flv?vhost=tv.test',
    hls: '/live/a.m3u8?vhost=tv.test',
  });
});

it('a stream that nobody publishes is told to who asks for it only', () => {
  const streams = [streamOf('__defaultVhost__/live/made-up', { publisher: null }), streamOf('__defaultVhost__/live/on')];
  expect(namesOf(ask(streams))).toEqual(['live/on']);
  const asked = ask(streams, { streamName: 'live/made-up' });
  expect(namesOf(asked)).toEqual(['live/made-up', 'live/on']);
  expect(asked.streams[0]).toMatchObject({ isPublished: false, publishId: null });
  expect(asked.total).toBe(1);
});

it('of very many streams 500 are listed, and the one that is asked for', () => {
  const streams = Array.from({ length: 600 }, (_, index) => streamOf(`__defaultVhost__/live/${String(index).padStart(3, '0')}`));
  const document = ask(streams, { streamName: 'live/555' });
  expect(document.total).toBe(600);
  expect(namesOf(document)).toHaveLength(501);
  expect(namesOf(document).at(-1)).toBe('live/555');
});
