import { describe, expect, it } from 'vitest';
import { forwardBody, hookBody } from './hook-event.ts';

const facts = {
  clientId: 107,
  ip: '10.0.0.7',
  vhost: 'live.test',
  app: 'app/sub',
  tcUrl: 'rtmp://live.test/app/sub?token=t',
  pageUrl: 'http://page.test/"x"',
  stream: 'one',
  param: '?key=k',
  serverId: 'vid-1',
};

describe('hookBody', () => {
  it('has the fields of SRS 1.0 in its order, then those of later versions', () => {
    expect(hookBody('on_connect', facts)).toBe(
      '{"action":"on_connect","client_id":107,"ip":"10.0.0.7","vhost":"live.test","app":"app/sub",' +
        '"tcUrl":"rtmp://live.test/app/sub?token=t","pageUrl":"http://page.test/\\"x\\"","server_id":"vid-1"}',
    );
    expect(hookBody('on_close', { ...facts, sendBytes: 3, recvBytes: 4 })).toBe(
      '{"action":"on_close","client_id":107,"ip":"10.0.0.7","vhost":"live.test","app":"app/sub",' +
        '"send_bytes":3,"recv_bytes":4,"server_id":"vid-1"}',
    );
    for (const event of ['on_publish', 'on_unpublish', 'on_play', 'on_stop'] as const) {
      expect(hookBody(event, facts)).toBe(
        `{"action":"${event}","client_id":107,"ip":"10.0.0.7","vhost":"live.test","app":"app/sub","stream":"one",` +
          '"param":"?key=k","tcUrl":"rtmp://live.test/app/sub?token=t","pageUrl":"http://page.test/\\"x\\"",' +
          '"stream_url":"live.test/app/sub/one","server_id":"vid-1"}',
      );
    }
  });

  it('leaves bytes out that nobody knows, and the default vhost out of the address of a stream', () => {
    expect(JSON.parse(hookBody('on_close', facts))).not.toHaveProperty('send_bytes');
    expect(JSON.parse(hookBody('on_play', { ...facts, vhost: '__defaultVhost__' }))).toMatchObject({
      vhost: '__defaultVhost__',
      stream_url: '/app/sub/one',
    });
  });

  it('is valid JSON whatever a client puts into its texts', () => {
    const pageUrl = '"},{"\\\n\u0000\ud800\u2028</script>';
    expect(JSON.parse(hookBody('on_connect', { ...facts, pageUrl }))).toMatchObject({ pageUrl });
  });
});

it('the body of on_forward has the fields of SRS 5 in its order', () => {
  const { clientId, ip, vhost, app, tcUrl, stream, param, serverId } = facts;
  expect(forwardBody({ clientId, ip, vhost, app, tcUrl, stream, param, serverId })).toBe(
    '{"action":"on_forward","server_id":"vid-1","client_id":107,"ip":"10.0.0.7","vhost":"live.test","app":"app/sub",' +
      '"tcUrl":"rtmp://live.test/app/sub?token=t","stream":"one","param":"?key=k"}',
  );
});
