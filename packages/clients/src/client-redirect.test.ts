import { loadConfig, parseRedirectTarget, type VhostConfig } from '@srs/config';
import { describe, expect, it } from 'vitest';
import type { AdmittedStream } from './admitted-stream.ts';
import { ClientRedirect, type RedirectAnswer, redirectAddresses, type StreamRoutes } from './client-redirect.ts';
import { RouteList } from './route-list.ts';

const { vhosts } = loadConfig('listen 1935; vhost __defaultVhost__ { } vhost a.test { }', { fileName: 'srs.conf' }).config;
const vhostOf = (name: string): VhostConfig => vhosts.get(name)!;

function addresses(to: string, vhost: string, appParam: string, streamName: string) {
  const target = parseRedirectTarget(to);
  if (target.kind === 'http') throw new Error('not for RTMP');
  return redirectAddresses(target, { vhost: vhostOf(vhost), app: 'live', appParam, streamName });
}

describe('an RTMP client that is sent elsewhere is told', () => {
  it.each([
    ['rtmp://b', '__defaultVhost__', '', 's', { tcUrl: 'rtmp://b/live', url: 'rtmp://b/live/s' }],
    [
      'rtmp://b:1936',
      '__defaultVhost__',
      '?t=1',
      's?k=2',
      { tcUrl: 'rtmp://b:1936/live?t=1', url: 'rtmp://b:1936/live?t=1/s?k=2' },
    ],
    ['rtmp://b', 'a.test', '', 's', { tcUrl: 'rtmp://b/live?vhost=a.test', url: 'rtmp://b/live?vhost=a.test/s' }],
    ['rtmp://b', 'a.test', '?t=1', '', { tcUrl: 'rtmp://b/live?t=1&vhost=a.test' }],
    ['rtmp://b', 'a.test', '?vhost=a.test', '', { tcUrl: 'rtmp://b/live?vhost=a.test' }],
    ['rtmp://b/app', 'a.test', '?t=1', 's', { tcUrl: 'rtmp://b/app', url: 'rtmp://b/app/s' }],
    ['rtmp://b/app/other', 'a.test', '', 's', { tcUrl: 'rtmp://b/app', url: 'rtmp://b/app/other' }],
    ['rtmp://b/app', 'a.test', '', '', { tcUrl: 'rtmp://b/app' }],
  ] as const)('of %s by vhost %s, app %s, stream %s', (to, vhost, appParam, streamName, told) => {
    expect(addresses(to, vhost, appParam, streamName)).toEqual(told);
  });

  it('and the log why, without parameters', () => {
    const redirect = new ClientRedirect({ to: parseRedirectTarget('rtmp://b/live/s?key=secret'), why: 'because' });
    expect(redirect.message).toBe('sent to rtmp://b/live/s: because');
  });
});

describe('RouteList', () => {
  const stream: AdmittedStream = { vhost: vhostOf('a.test'), stream: 's', streamId: 'a.test/live/s', param: '' };
  const answer = (why: string): RedirectAnswer => ({ kind: 'redirect', to: parseRedirectTarget('rtmp://b'), why });
  const routes = (find: StreamRoutes['find']): StreamRoutes => ({ find });

  it('asks one after another until one knows, at once as long as nobody has to be waited for', async () => {
    const list = new RouteList();
    expect(list.find('play', stream)).toBeUndefined();
    const asked: string[] = [];
    const removes = ['first', 'second', 'third'].map((name) =>
      list.add(
        routes(() => {
          asked.push(name);
          if (name === 'first') return undefined;
          return name === 'second' ? Promise.resolve(undefined) : answer(name);
        }),
      ),
    );
    expect(await list.find('play', stream)).toEqual(answer('third'));
    expect(asked).toEqual(['first', 'second', 'third']);
    removes[1]!();
    expect(list.find('publish', stream)).toEqual(answer('third'));
    removes[2]!();
    expect(list.find('publish', stream)).toBeUndefined();
  });
});
